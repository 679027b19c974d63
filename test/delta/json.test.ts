import { deepStrictEqual } from 'node:assert'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { VALUE_DEPTH_MAX, type Value } from '../../src/delta/delta.ts'
import { fromJson, type Json, toJson } from '../../src/delta/json.ts'
import { values } from '../support/deltas.ts'
import { codeOf } from '../support/expect.ts'

const awkward = fc.oneof(
  values,
  fc
    .tuple(fc.constantFrom('$bytes', '$$bytes', '$$$bytes', '$byte', 'bytes'), values)
    .map(([key, value]) => ({ [key]: value })),
)

test('JSON text and back gives the value again', () => {
  fc.assert(
    fc.property(awkward, (value) => {
      deepStrictEqual(fromJson(JSON.parse(JSON.stringify(toJson(value))) as Json), value)
    }),
    { numRuns: 500 },
  )
})

test('different values have different JSON', () => {
  fc.assert(
    fc.property(awkward, awkward, (a, b) => {
      if (JSON.stringify(toJson(a)) === JSON.stringify(toJson(b))) deepStrictEqual(a, b)
    }),
  )
})

test.each<[Value, Json]>([
  [new Uint8Array([1, 2, 255]), { $bytes: 'AQL/' }],
  [new Uint8Array(), { $bytes: '' }],
  [{ $bytes: 'AQL/' }, { $$bytes: 'AQL/' }],
  [{ $$bytes: 1 }, { $$$bytes: 1 }],
  [
    { $bytes: 1, more: 2 },
    { $bytes: 1, more: 2 },
  ],
])('%j is written as %j', (value, json) => {
  expect(toJson(value)).toEqual(json)
  deepStrictEqual(fromJson(json), value)
})

test.each<Json>([
  { $bytes: 1 },
  { $bytes: null },
  { $bytes: 'AQ' },
  { $bytes: 'AR==' },
  { $bytes: 'AQ-_' },
  { $bytes: ' AQ==' },
  { $bytes: 'AQ==\n' },
  { $bytes: ['AQ=='] },
])('%j holds no base64', (json) => {
  expect(codeOf(() => fromJson(json))).toBe('RZ_DELTA_INVALID')
})

test('nesting is taken at the limit and refused beyond it, however deep', () => {
  const nested = (levels: number) => JSON.parse('['.repeat(levels) + ']'.repeat(levels)) as Json
  expect(fromJson(nested(VALUE_DEPTH_MAX))).toEqual(nested(VALUE_DEPTH_MAX))
  expect(codeOf(() => fromJson(nested(VALUE_DEPTH_MAX + 1)))).toBe('RZ_DELTA_INVALID')
  expect(codeOf(() => fromJson(nested(5_000)))).toBe('RZ_DELTA_INVALID')
})

test('bytes of a megabyte survive', () => {
  const bytes = new Uint8Array(1_000_000).map((_, index) => index)
  expect(Buffer.compare(fromJson(toJson(bytes)) as Uint8Array, bytes)).toBe(0)
})
