/** The order of values is total, agrees with their bytes, and equals exactly what is the same. */

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { sameValue } from '../../src/delta/value.ts'
import { compareValues } from '../../src/query/order.ts'
import { keyOf } from '../../src/query/row.ts'
import { values } from '../support/deltas.ts'

describe('values', () => {
  it('go by type, then by value, text by its UTF-8 bytes', () => {
    const ordered = [
      null,
      false,
      true,
      -1,
      0,
      1.5,
      '',
      '2',
      '10',
      'é',
      '￿',
      '𝒳',
      new Uint8Array(),
      Uint8Array.of(1),
      [],
      [1],
      [1, 2],
      [2],
      {},
      { a: 1 },
      { a: 1, b: 0 },
      { b: 0 },
    ]
    const expected = [...ordered.slice(0, 7), '10', '2', ...ordered.slice(9)]
    expect([...ordered].reverse().sort(compareValues)).toEqual(expected)
  })

  it('are the same exactly when they have one place and one key', () => {
    fc.assert(
      fc.property(values, values, (a, b) => {
        expect(compareValues(a, b) === 0).toBe(sameValue(a, b))
        expect(keyOf(a) === keyOf(b)).toBe(sameValue(a, b))
        expect(compareValues(a, a)).toBe(0)
        expect(Math.sign(compareValues(a, b)) + Math.sign(compareValues(b, a))).toBe(0)
      }),
    )
  })

  it('have one order only', () => {
    fc.assert(
      fc.property(fc.array(values, { maxLength: 12 }), (list) => {
        const sorted = [...list].sort(compareValues)
        for (const [index, value] of sorted.entries()) {
          for (const later of sorted.slice(index)) expect(compareValues(value, later)).toBeLessThanOrEqual(0)
        }
      }),
    )
  })
})
