import { expect, it } from 'vitest'
import { commandOf } from './command-of.ts'
import { actionsOf, runHistory } from './history.ts'

/** Some ten seconds; `npm run simulate` runs as many as you like. */
const HISTORIES = 90
const BATCH = 30
/** Of a namespace that lies in shards. */
const SHARD_HISTORIES = 24

for (let first = 1; first <= HISTORIES; first += BATCH) {
  it(`histories ${first} to ${first + BATCH - 1} break no invariant`, async () => {
    for (let seed = first; seed < first + BATCH; seed++) {
      const options = { seed, nodes: 2 + (seed % 3), steps: 30 }
      const { violations } = await runHistory(options)
      expect({ replay: commandOf(options), violations }).toEqual({ replay: commandOf(options), violations: [] })
    }
  }, 120_000)
}

it(`histories of shards 1 to ${SHARD_HISTORIES} break no invariant`, async () => {
  for (let seed = 1; seed <= SHARD_HISTORIES; seed++) {
    const options = { seed, nodes: 3 + (seed % 3), steps: 30, shards: true }
    const { violations } = await runHistory(options)
    expect({ replay: commandOf(options), violations }).toEqual({ replay: commandOf(options), violations: [] })
  }
}, 120_000)

it.each([false, true])('a history is a function of its seed, with shards: %s', async (shards) => {
  const options = { seed: 4_711, nodes: 4, steps: 40, shards }
  expect(await runHistory(options)).toEqual(await runHistory(options))
})

it('an action is the same whatever else is left out', () => {
  const options = { seed: 12, nodes: 5, steps: 20 }
  const told = (only: readonly number[]) => actionsOf({ ...options, only }).map((action) => action.told)
  expect(told([3, 7, 19])).toEqual([...told([3]), ...told([7]), ...told([19])])
})
