/** A sorted list against a sorted array, of more items than a chunk has. */

import fc from 'fast-check'
import { expect, it } from 'vitest'
import { SortedList } from '../../../src/query/live/sorted-list.ts'

const number = fc.integer({ min: 0, max: 5_000 })
const steps = fc.array(
  fc.oneof(
    { arbitrary: fc.record({ add: fc.uniqueArray(number, { maxLength: 3 }) }), weight: 4 },
    { arbitrary: fc.record({ add: fc.uniqueArray(number, { maxLength: 1_500 }) }), weight: 1 },
    { arbitrary: fc.record({ remove: number }), weight: 3 },
    // Empties whole chunks.
    { arbitrary: fc.record({ removeFrom: number, count: fc.integer({ min: 1, max: 900 }) }), weight: 1 },
  ),
  { maxLength: 40 },
)

it('holds its items in order, whatever comes and goes', () => {
  fc.assert(
    fc.property(steps, fc.nat(6_000), (all, count) => {
      const list = new SortedList<number>((a, b) => a - b)
      const model = new Set<number>()
      for (const step of all) {
        if ('add' in step) {
          const added = step.add.filter((item) => !model.has(item))
          list.add(added)
          for (const item of added) model.add(item)
        } else {
          const items =
            'remove' in step ? [step.remove] : Array.from({ length: step.count }, (_, i) => step.removeFrom + i)
          for (const item of items) expect(list.remove(item)).toBe(model.delete(item) ? item : undefined)
        }
        expect(list.count).toBe(model.size)
      }
      const sorted = [...model].sort((a, b) => a - b)
      expect([...list]).toEqual(sorted)
      expect(list.take(count)).toEqual(sorted.slice(0, count))
      expect(list.take(Number.POSITIVE_INFINITY)).toEqual(sorted)
      expect([list.first(), list.last(), list.find(count)]).toEqual([
        sorted[0],
        sorted.at(-1),
        model.has(count) ? count : undefined,
      ])
    }),
    { numRuns: 200 },
  )
})
