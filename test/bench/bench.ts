/**
 * `npm run bench`: every row of design.md 7 that is built, each in a process of its own, as a table and as JSON.
 * Numbers inform: the exit code is 1 only when a row crashed or measured nonsense. README.md tells how to read them.
 */

import { fork } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { machine, type Row } from './measure.ts'
import type { Scale } from './row.ts'
import { BENCHES } from './rows.ts'
import { tableOf } from './table.ts'

const RUNS = 5
/** Longest that one row, or group, may take. */
const ROW_MS_MAX = 900_000

const { values: given } = parseArgs({
  options: {
    json: { type: 'string' },
    smoke: { type: 'boolean', default: false },
    peers: { type: 'boolean', default: false },
    row: { type: 'string', multiple: true },
    runs: { type: 'string' },
    list: { type: 'boolean', default: false },
  },
})

interface Outcome {
  readonly name: string
  readonly seconds: number
  readonly rows: readonly Row[]
  readonly failure?: string
}

process.exitCode = await main()

async function main(): Promise<number> {
  if (given.list) {
    console.log(BENCHES.map(({ name }) => name).join('\n'))
    return 0
  }
  const names = namesWanted()
  const scale: Scale = { smoke: given.smoke, runs: given.smoke ? 1 : Number(given.runs ?? RUNS) }
  const tell = given.json === '-' ? console.error : console.log
  tell(`${machine()}${scale.smoke ? '; tiny sizes: the figures mean nothing' : ''}`)
  const outcomes: Outcome[] = []
  for (const name of names) {
    const outcome = await runApart(name, scale)
    outcomes.push(outcome)
    tell(`\n${name} (${outcome.seconds.toFixed(1)} s)\n${outcome.failure ?? tableOf(outcome.rows)}`)
  }
  if (outcomes.length > 1) tell(`\n${tableOf(outcomes.flatMap(({ rows }) => rows))}`)
  if (given.json !== undefined) await writeJson(given.json, scale, outcomes)
  const failed = outcomes.filter(({ failure }) => failure !== undefined)
  if (failed.length > 0) console.error(`\nfailed: ${failed.map(({ name }) => name).join(', ')}`)
  return failed.length > 0 ? 1 : 0
}

function namesWanted(): readonly string[] {
  const wanted = given.row ?? []
  const unknown = wanted.find((name) => !BENCHES.some((bench) => bench.name === name))
  if (unknown !== undefined) throw new Error(`there is no row "${unknown}": npm run bench -- --list`)
  return BENCHES.filter(({ name, onDemand = false }) =>
    wanted.length > 0 ? wanted.includes(name) : given.peers || !onDemand,
  ).map(({ name }) => name)
}

/** In a process of its own: no row inherits another's heap, and one that crashes takes no other with it. */
function runApart(name: string, scale: Scale): Promise<Outcome> {
  const started = performance.now()
  const { promise, resolve } = Promise.withResolvers<Outcome>()
  let rows: readonly Row[] | undefined
  const child = fork(new URL('row-process.ts', import.meta.url), [name, JSON.stringify(scale)], { timeout: ROW_MS_MAX })
  child.on('message', (message) => {
    rows = message as readonly Row[]
  })
  child.on('exit', (code, signal) => {
    const seconds = (performance.now() - started) / 1_000
    if (code === 0 && rows !== undefined) resolve({ name, seconds, rows })
    else resolve({ name, seconds, rows: [], failure: `FAILED (${signal ?? `exit code ${code}`})` })
  })
  return promise
}

async function writeJson(path: string, scale: Scale, outcomes: readonly Outcome[]): Promise<void> {
  const text = `${JSON.stringify({ machine: machine(), date: new Date().toISOString(), ...scale, outcomes }, undefined, 2)}\n`
  if (path === '-') process.stdout.write(text)
  else await writeFile(path, text)
}
