import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Delta } from '../../../src/delta/delta.ts'
import { parseShardRange, rangeHolds, shardRangeText } from '../../../src/delta/shard-range.ts'
import { compilePlacement } from '../../../src/view/placements/placement.ts'
import { PLACEMENTS_MAX, placementSet } from '../../../src/view/placements/placement-set.ts'

/** A placement that was first made at that time. */
const placed = (range: string, ms: number) => ({
  definition: { range: parseShardRange(range) },
  since: { time: { ms, counter: 0 }, creator: 'x', log: '', seq: 0, index: 0 } as unknown as Delta,
  faults: [],
})
const textOf = (range: ReturnType<typeof parseShardRange> | undefined) => range && shardRangeText(range)

describe('placements', () => {
  it('say where each record lies, the parent included', () => {
    const set = placementSet([placed('*:a-g', 1), placed('order:a-m', 2)])
    expect(textOf(set.rangeOf('apple', 'z'))).toBe('*:a-g')
    expect(textOf(set.rangeOf('order', 'b'))).toBe('order:a-m')
    expect(textOf(set.rangeOf('order', 'x'))).toBeUndefined()
    expect(textOf(set.rangeOf('Apple', 'b'))).toBeUndefined()
    expect(set.rangesOf('apple').map(textOf)).toEqual(['*:a-g'])
    expect(set.rangesOf('order').map(textOf)).toEqual([undefined, 'order:a-m'])
    expect(set.rangesOf('zebra')).toEqual([undefined])
  })

  it('leave what everybody needs in the parent', () => {
    const set = placementSet([placed('*:*', 1)])
    for (const collection of ['resolver', 'context', 'schema', 'query', 'function', 'placement', 'container']) {
      expect(set.rangesOf(collection)).toEqual([undefined])
    }
    expect(textOf(set.rangeOf('resolvers', 'x'))).toBe('*:*')
  })

  it('that overlap: what was placed first has the record, in whatever order they come', () => {
    const all = [placed('*:a-k', 1), placed('*:h-z', 2), placed('apple:a-z', 3), placed('pear:a-c', 0)]
    fc.assert(
      fc.property(fc.shuffledSubarray(all, { minLength: 4 }), (records) => {
        const set = placementSet(records)
        expect(textOf(set.rangeOf('house', 'x'))).toBe('*:a-k')
        expect(textOf(set.rangeOf('order', 'x'))).toBe('*:h-z')
        expect(textOf(set.rangeOf('apple', 'b'))).toBe('*:a-k')
        expect(textOf(set.rangeOf('pear', 'b'))).toBe('pear:a-c')
        expect(textOf(set.rangeOf('pear', 'x'))).toBe('*:h-z')
      }),
    )
  })

  it('agree with the ranges one by one', () => {
    const set = placementSet([placed('*:a-k', 1), placed('*:h-z', 2), placed('apple:a-z', 0)])
    const name = fc.string({ minLength: 1, maxLength: 3, unit: 'grapheme' })
    fc.assert(
      fc.property(name, name, (collection, id) => {
        const first = set.ranges.find((range) => rangeHolds(range, collection, id))
        expect(set.rangeOf(collection, id)).toBe(first)
        expect(set.rangesOf(collection)).toContain(first)
      }),
    )
  })

  it('past the limit are passed over, the latest first', () => {
    const many = Array.from({ length: PLACEMENTS_MAX + 3 }, (_, index) => placed(`c${index}:*`, index))
    const set = placementSet(many.toReversed())
    expect(set.ranges).toHaveLength(PLACEMENTS_MAX)
    expect(set.surplus.map(shardRangeText)).toEqual(['c64:*', 'c65:*', 'c66:*'])
  })

  it.each([
    ['RZ_DEFINITION_INVALID', 'text'],
    ['RZ_DEFINITION_INVALID', { range: '*:a-g' }],
    ['RZ_DEFINITION_INVALID', { semantics: 2, range: '*:a-g' }],
    ['RZ_DEFINITION_INVALID', { semantics: 1, range: 3 }],
    ['RZ_DEFINITION_INVALID', { semantics: 1, range: '*:a-g', to: 'elsewhere' }],
    ['RZ_DEFINITION_INVALID', { semantics: 1, range: 'grant:*' }],
    ['RZ_PLACEMENT_INVALID', { semantics: 1, range: 'a-g' }],
  ])('that cannot be read are refused with %s (%#)', (code, value) => {
    expect(() => compilePlacement(value)).toThrow(expect.objectContaining({ code }))
  })
})
