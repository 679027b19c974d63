/**
 * `npm run simulate -- --seed 1 --runs 1000 --nodes 4`: runs histories from consecutive seeds and prints what did not hold,
 * with the command that replays it. Ends with 1 when anything did not hold.
 */

import { parseArgs } from 'node:util'
import { runHistory } from './history.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    runs: { type: 'string', default: '1' },
    nodes: { type: 'string', default: '4' },
    steps: { type: 'string', default: '40' },
  },
})

const first = Number(values.seed)
const runs = Number(values.runs)
const nodes = Number(values.nodes)
const steps = Number(values.steps)

let failed = 0
let deltas = 0
const started = performance.now()
for (let seed = first; seed < first + runs; seed++) {
  const outcome = await runHistory({ seed, nodes, steps })
  deltas += outcome.deltas
  if (outcome.violations.length === 0) continue
  failed += 1
  console.log(`seed ${seed}: ${outcome.violations.join('; ')}`)
  console.log(`  replay: npm run simulate -- --seed ${seed} --nodes ${nodes} --steps ${steps}`)
}
const seconds = (performance.now() - started) / 1_000
console.log(`${runs} histories, ${deltas} deltas, ${failed} with violations, ${seconds.toFixed(1)} s`)
process.exitCode = failed === 0 ? 0 : 1
