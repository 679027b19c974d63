/** The JSON form of values and references, and of the places in the log. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import type { Value } from '../../src/delta/delta.ts'
import { EntityReference, ref } from '../../src/delta/record.ts'
import { readPointer, writeEntity } from '../../src/http/json.ts'
import { readProperties } from '../../src/node/record-json.ts'

/** Values that come near the forms of references and bytes, and any others. */
const keys = fc.constantFrom('$ref', '$$ref', 'as', '$bytes', '$$bytes', '$$$ref', 'a', '__proto__')
const values: fc.Arbitrary<Value> = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.string(),
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.uint8Array({ maxLength: 4 }),
    fc.array(tie('value'), { maxLength: 3 }),
    fc
      .array(fc.tuple(keys, tie('value')), { maxLength: 3 })
      .map((entries): Value => Object.fromEntries(entries.filter(([key]) => key !== '__proto__'))),
  ),
})).value

describe('properties as JSON', () => {
  it('are read back as what they were, whatever they look like', () => {
    fc.assert(
      fc.property(fc.dictionary(keys, values, { maxKeys: 4 }), (properties) => {
        const json = JSON.parse(JSON.stringify(writeEntity({ id: 'x', properties }).properties)) as object
        expect({ ...readProperties(json as Record<string, unknown>) }).toEqual({ ...properties })
      }),
      { numRuns: 1_000 },
    )
  })

  it('hold a reference only in the exact form of one, and only as the whole value', () => {
    const read = (json: unknown) => readProperties({ property: json })['property']
    expect(read({ $ref: 'user/bob', as: 'friends' })).toEqual(ref('user/bob', 'friends'))
    expect(read({ as: 'friends', $ref: 'user/bob' })).toBeInstanceOf(EntityReference)
    for (const value of [
      { $ref: 'x' },
      { $ref: 'x', as: 'y', more: 1 },
      [{ $ref: 'x', as: 'y' }],
      { a: { $ref: 'x', as: 'y' } },
    ]) {
      expect(read(value)).toEqual(value)
    }
  })
})

describe('a pointer as JSON', () => {
  it('with a target context is a reference, without one a value, whatever that looks like', () => {
    const reference = { localContext: 'a', target: 'user/bob', targetContext: 'friends' }
    expect(readPointer(reference)).toEqual(reference)
    expect(readPointer({ localContext: 'a', target: { $ref: 'x', as: 'y' } })).toEqual({
      localContext: 'a',
      target: { $ref: 'x', as: 'y' },
    })
    expect(readPointer({ localContext: 'a', target: { $bytes: 'AAEC' } }).target).toEqual(Uint8Array.of(0, 1, 2))
  })
})
