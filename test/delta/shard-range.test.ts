import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  firstByteOf,
  parseShardRange,
  rangeHolds,
  rangesOverlap,
  type ShardRange,
  shardRangeText,
} from '../../src/delta/shard-range.ts'

const range: fc.Arbitrary<ShardRange> = fc
  .tuple(
    fc.option(fc.string({ minLength: 1, maxLength: 12, unit: 'grapheme' }), { nil: undefined }),
    fc.nat(255),
    fc.nat(255),
  )
  .filter(([collection]) => collection === undefined || (!collection.includes('/') && collection !== '.'))
  .map(([collection, a, b]) => ({ collection, from: Math.min(a, b), to: Math.max(a, b) }))
const word = fc.string({ minLength: 1, maxLength: 4, unit: 'binary' }).filter((text) => !text.includes('/'))

describe('a range', () => {
  it.each([
    ['*:a-g', { collection: undefined, from: 0x61, to: 0x67 }],
    ['orders:a-g', { collection: 'orders', from: 0x61, to: 0x67 }],
    ['orders:m', { collection: 'orders', from: 0x6d, to: 0x6d }],
    ['orders:*', { collection: 'orders', from: 0, to: 255 }],
    ['*:%80-%ff', { collection: undefined, from: 0x80, to: 0xff }],
    ['a:b:0-9', { collection: 'a:b', from: 0x30, to: 0x39 }],
    ['%2a:a-g', { collection: '*', from: 0x61, to: 0x67 }],
  ])('%s is read', (text, expected) => {
    expect(parseShardRange(text)).toEqual(expected)
  })

  it.each(['', 'a-g', ':a-g', '*:', '*:g-a', '*:ab-c', '*:a-', '*:-', 'x/y:a-g', '*:ä-ö', '*:%zz', '%ff:a', '.:a'])(
    '%j is none',
    (text) => {
      expect(() => parseShardRange(text)).toThrow(expect.objectContaining({ code: 'RZ_PLACEMENT_INVALID' }))
    },
  )

  it('with a name that takes too much is refused', () => {
    expect(() => parseShardRange(`${'ä'.repeat(17)}:a`)).toThrow(/96 characters/)
  })

  it('has one text, which reads as it', () => {
    fc.assert(
      fc.property(
        range.filter((each) => shardRangeText(each).length < 90),
        (each) => {
          expect(parseShardRange(shardRangeText(each))).toEqual(each)
        },
      ),
    )
  })

  it('holds neither capitals nor what only begins like it', () => {
    const each = parseShardRange('*:a-g')
    expect(['apple', 'g', 'gzz'].every((name) => rangeHolds(each, name, 'x'))).toBe(true)
    expect(['Apple', 'h', '1', 'ä', '🌱'].some((name) => rangeHolds(each, name, 'x'))).toBe(false)
  })

  it('goes by the first byte of UTF-8', () => {
    fc.assert(
      fc.property(word, (text) => {
        expect(firstByteOf(text)).toBe(Buffer.from(text)[0])
      }),
    )
  })

  it('overlaps another if a record may lie in both, and only then', () => {
    fc.assert(
      fc.property(range, range, word, word, (a, b, collection, id) => {
        const of = a.collection ?? b.collection ?? collection
        if (rangeHolds(a, of, id) && rangeHolds(b, of, id)) expect(rangesOverlap(a, b)).toBe(true)
        expect(rangesOverlap(a, b)).toBe(rangesOverlap(b, a))
      }),
    )
    const overlap = (one: string, other: string) => rangesOverlap(parseShardRange(one), parseShardRange(other))
    expect(overlap('*:a-g', '*:g-k')).toBe(true)
    expect(overlap('*:a-g', '*:h-k')).toBe(false)
    expect(overlap('*:a-g', 'apple:x')).toBe(true)
    expect(overlap('*:a-g', 'order:x')).toBe(false)
    expect(overlap('pear:a-g', 'apple:a-g')).toBe(false)
  })
})
