import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decode, encode } from '../../src/delta/cbor.ts'
import type { Value } from '../../src/delta/delta.ts'
import { sameValue } from '../../src/delta/value.ts'
import { values } from '../support/deltas.ts'
import { hexOf } from '../support/expect.ts'

test('values are the same exactly when their bytes are', () => {
  fc.assert(
    fc.property(values, values, (a, b) => {
      expect(sameValue(a, b)).toBe(hexOf(encode(a)) === hexOf(encode(b)))
      expect(sameValue(a, decode(encode(a)))).toBe(true)
    }),
    { numRuns: 300 },
  )
})

test.each<[Value, Value, boolean]>([
  [0, -0, true],
  [1, '1', false],
  [null, false, false],
  [null, {}, false],
  [[], {}, false],
  [{ a: 1, b: 2 }, { b: 2, a: 1 }, true],
  [[1, 2], [2, 1], false],
  [new Uint8Array([1]), new Uint8Array([1]), true],
  [new Uint8Array([49]), '1', false],
])('%j and %j: %j', (a, b, same) => {
  expect(sameValue(a, b)).toBe(same)
  expect(sameValue(b, a)).toBe(same)
})
