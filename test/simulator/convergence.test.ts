import { expect, it } from 'vitest'
import { runHistory } from './history.ts'

const HISTORIES = 500
const BATCH = 50

for (let first = 1; first <= HISTORIES; first += BATCH) {
  it(`histories ${first} to ${first + BATCH - 1} end with equal frontiers, byte-equal views, and nothing acknowledged lost`, async () => {
    for (let seed = first; seed < first + BATCH; seed++) {
      const { violations } = await runHistory({ seed, nodes: 2 + (seed % 4), steps: 30 })
      expect(violations, `npm run simulate -- --seed ${seed} --nodes ${2 + (seed % 4)} --steps 30`).toEqual([])
    }
  }, 120_000)
}

it('a history is a function of its seed', async () => {
  const options = { seed: 4_711, nodes: 4, steps: 40 }
  expect(await runHistory(options)).toEqual(await runHistory(options))
})
