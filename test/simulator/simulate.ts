/**
 * `npm run simulate -- --seed 1 --nodes 7 --runs 1000`: runs histories from consecutive seeds, shrinks the first that fail,
 * and prints what did not hold with the command that replays it. `--only` and `--without` replay a shrunk one, action by
 * action; `--shards` has the namespace lie in shards. Ends with 1 when anything did not hold.
 */

import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { commandOf } from './command-of.ts'
import { actionsOf, type HistoryOptions, type HistoryOutcome, runHistory } from './history.ts'
import { runJobs } from './jobs.ts'
import { shrink } from './shrink.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    runs: { type: 'string', default: '1' },
    nodes: { type: 'string', default: '4' },
    steps: { type: 'string', default: '30' },
    jobs: { type: 'string', default: `${availableParallelism()}` },
    only: { type: 'string' },
    without: { type: 'string' },
    shards: { type: 'boolean', default: false },
    'no-shrink': { type: 'boolean', default: false },
  },
})

/** Failing histories that are shrunk; of further ones the seed is told. */
const SHRUNK_MAX = 3

const first = Number(values.seed)
const runs = Number(values.runs)

function historyOf(seed: number): HistoryOptions {
  const { nodes, steps, only, without, shards } = values
  return {
    seed,
    nodes: Number(nodes),
    steps: Number(steps),
    shards,
    ...(only === undefined ? {} : { only: numbersIn(only) }),
    ...(without === undefined ? {} : { without: numbersIn(without) }),
  }
}

function numbersIn(text: string): readonly number[] {
  return text === '' ? [] : text.split(',').map(Number)
}

function tell(options: HistoryOptions): void {
  for (const { number, told, thenMs } of actionsOf(options)) console.log(`    ${number}: ${told}, then ${thenMs} ms`)
}

async function replay(): Promise<readonly HistoryOutcome[]> {
  const options = historyOf(first)
  tell(options)
  const outcome = await runHistory(options)
  for (const violation of outcome.violations) console.log(`  ${violation}`)
  console.log(
    `${outcome.deltas} deltas, ${outcome.events} events, ${Math.round(outcome.virtualMs / 1_000)} s of virtual time`,
  )
  return [outcome]
}

async function runMany(): Promise<readonly HistoryOutcome[]> {
  const outcomes: HistoryOutcome[] = []
  const seeds = Array.from({ length: runs }, (_, index) => first + index)
  await runJobs({
    jobs: Number(values.jobs),
    seeds,
    history: historyOf,
    onOutcome: (outcome) => outcomes.push(outcome),
  })
  const failed = outcomes.filter(({ violations }) => violations.length > 0).sort((a, b) => a.seed - b.seed)
  for (const [index, { seed, violations }] of failed.entries()) {
    console.log(`seed ${seed}: ${violations.slice(0, 5).join('; ')}`)
    if (values['no-shrink'] || index >= SHRUNK_MAX) {
      console.log(`  replay: ${commandOf(historyOf(seed))}`)
      continue
    }
    const small = await shrink(historyOf(seed), violations)
    console.log(`  shrunk in ${small.runs} runs to:`)
    tell(small.options)
    for (const violation of small.violations.slice(0, 5)) console.log(`  ${violation}`)
    console.log(`  replay: ${commandOf(small.options)}`)
  }
  return outcomes
}

const started = performance.now()
const outcomes = runs === 1 ? await replay() : await runMany()
const failed = outcomes.filter(({ violations }) => violations.length > 0).length
const deltas = outcomes.reduce((sum, outcome) => sum + outcome.deltas, 0)
const seconds = ((performance.now() - started) / 1_000).toFixed(1)
console.log(`${outcomes.length} histories, ${deltas} deltas, ${failed} with violations, ${seconds} s`)
process.exitCode = failed === 0 ? 0 : 1
