import * as dagCbor from '@ipld/dag-cbor'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodePointers, encodePointers } from '../../src/delta/bytes.ts'
import { encode } from '../../src/delta/cbor.ts'
import {
  CONTEXT_BYTES_MAX,
  DELTA_BYTES_MAX,
  DELTA_ITEMS_MAX,
  ID_BYTES_MAX,
  type Pointer,
  POINTERS_MAX,
  type Value,
  VALUE_DEPTH_MAX,
} from '../../src/delta/delta.ts'
import { pointerLists } from '../support/deltas.ts'
import { codeOf, hexOf } from '../support/expect.ts'

function value(target: Value): readonly Pointer[] {
  return [{ localContext: 'v', target }]
}

function nested(levels: number, leaf: Value = 1): Value {
  let inner = leaf
  for (let level = 0; level < levels; level++) inner = level % 2 === 0 ? [inner] : { in: inner }
  return inner
}

describe('the bytes of a delta', () => {
  test('decoding undoes encoding', () => {
    fc.assert(
      fc.property(pointerLists, (pointers) => {
        expect(decodePointers(encodePointers(pointers))).toEqual(pointers)
      }),
      { numRuns: 300 },
    )
  })

  test('are the plain CBOR of two- and three-part pointers', () => {
    fc.assert(
      fc.property(pointerLists, (pointers) => {
        const parts = pointers.map((pointer) =>
          'targetContext' in pointer
            ? [pointer.localContext, pointer.target, pointer.targetContext]
            : [pointer.localContext, pointer.target],
        )
        expect(hexOf(encodePointers(pointers))).toBe(hexOf(dagCbor.encode(parts)))
      }),
      { numRuns: 300 },
    )
  })

  test('changed anywhere are refused, or are the encoding of another delta', () => {
    fc.assert(
      fc.property(pointerLists, fc.nat(), fc.nat({ max: 255 }), (pointers, at, byte) => {
        const mutated = encodePointers(pointers).slice()
        mutated[at % mutated.length] = byte
        let read: readonly Pointer[]
        try {
          read = decodePointers(mutated)
        } catch (error) {
          expect((error as { code: string }).code).toMatch(/^RZ_(BYTES|DELTA)_INVALID$/)
          return
        }
        expect(hexOf(encodePointers(read))).toBe(hexOf(mutated))
      }),
      { numRuns: 2_000 },
    )
  })

  test.each<[string, Value]>([
    ['not a list', { a: 1 }],
    ['an empty list', []],
    ['a pointer that is no list', ['v']],
    ['a pointer of one part', [['v']]],
    ['a pointer of four parts', [['v', 'e', 'p', 1]]],
    ['a local context that is no text', [[1, 'x']]],
    ['an empty local context', [['', 'x']]],
    ['an entity id that is no text', [['v', 1, 'p']]],
    ['an empty entity id', [['v', '', 'p']]],
    ['a target context that is no text', [['v', 'e', null]]],
    ['an empty target context', [['v', 'e', '']]],
  ])('%s is no delta', (_, items) => {
    expect(codeOf(() => decodePointers(encode(items)))).toBe('RZ_DELTA_INVALID')
  })

  test.each<[string, unknown]>([
    ['no pointers', []],
    ['no local context', [{ target: 1 }]],
    ['an empty local context', [{ localContext: '', target: 1 }]],
    ['no target', [{ localContext: 'v' }]],
    ['an undefined target context', [{ localContext: 'v', target: 'e', targetContext: undefined }]],
    ['an entity id that is no text', [{ localContext: 'v', target: 5, targetContext: 'p' }]],
    ['a value that is not finite', value(Number.NaN)],
    ['a Date', value(new Date() as unknown as Value)],
    ['half of a surrogate pair', value('\udc00')],
  ])('%s cannot be encoded', (_, pointers) => {
    expect(codeOf(() => encodePointers(pointers as readonly Pointer[]))).toBe('RZ_DELTA_INVALID')
  })

  test('bytes that are no canonical CBOR are refused as such', () => {
    expect(codeOf(() => decodePointers(Uint8Array.of(0x9f, 0xff)))).toBe('RZ_BYTES_INVALID')
  })

  test('a byte value is a copy: changing it leaves the bytes of the block alone', () => {
    const bytes = encodePointers(value(new Uint8Array([1, 2, 3])))
    const before = hexOf(bytes)
    const read = decodePointers(bytes)[0]?.target as Uint8Array
    read[0] = 99
    expect(hexOf(bytes)).toBe(before)
  })
})

describe('the limits of a delta', () => {
  /** Each limit: a delta at it, and one a step beyond. */
  const limits: [string, readonly Pointer[], readonly Pointer[], string][] = [
    [
      'pointers',
      Array.from({ length: POINTERS_MAX }, () => ({ localContext: 'v', target: 1 })),
      Array.from({ length: POINTERS_MAX + 1 }, () => ({ localContext: 'v', target: 1 })),
      'RZ_DELTA_INVALID',
    ],
    [
      'bytes of a local context',
      [{ localContext: 'x'.repeat(CONTEXT_BYTES_MAX), target: 1 }],
      [{ localContext: 'x'.repeat(CONTEXT_BYTES_MAX + 1), target: 1 }],
      'RZ_DELTA_INVALID',
    ],
    [
      'bytes of a target context, not characters',
      [{ localContext: 'v', target: 'e', targetContext: 'é'.repeat(CONTEXT_BYTES_MAX / 2) }],
      [{ localContext: 'v', target: 'e', targetContext: `${'é'.repeat(CONTEXT_BYTES_MAX / 2)}x` }],
      'RZ_DELTA_INVALID',
    ],
    [
      'bytes of an entity id',
      [{ localContext: 'v', target: '𝒳'.repeat(ID_BYTES_MAX / 4), targetContext: 'p' }],
      [{ localContext: 'v', target: `${'𝒳'.repeat(ID_BYTES_MAX / 4)}x`, targetContext: 'p' }],
      'RZ_DELTA_INVALID',
    ],
    ['nesting of a value', value(nested(VALUE_DEPTH_MAX)), value(nested(VALUE_DEPTH_MAX + 1)), 'RZ_DELTA_INVALID'],
    [
      'items',
      // The list, the pointer, its context and the value's own list are items too.
      value(Array.from({ length: DELTA_ITEMS_MAX - 4 }, () => 0)),
      value(Array.from({ length: DELTA_ITEMS_MAX - 3 }, () => 0)),
      'RZ_DELTA_INVALID',
    ],
    [
      'bytes of a delta',
      // 81 82 61 76 and a head of five bytes come before the text.
      value('x'.repeat(DELTA_BYTES_MAX - 9)),
      value('x'.repeat(DELTA_BYTES_MAX - 8)),
      'RZ_DELTA_TOO_LARGE',
    ],
    ['bytes of a delta, by far', value(1), value(new Uint8Array(50_000_000)), 'RZ_DELTA_TOO_LARGE'],
  ]

  test.each(limits)('%s: at the limit it is written and read, one beyond it is neither', (_, at, beyond, code) => {
    expect(decodePointers(encodePointers(at))).toEqual(at)
    expect(codeOf(() => encodePointers(beyond))).toBe(code)
  })

  test.each(limits.filter(([what]) => !what.endsWith('by far')))(
    '%s: a stranger’s bytes beyond the limit are refused',
    (_, __, beyond) => {
      const parts = beyond.map((pointer) => Object.values(pointer as object) as Value[])
      expect(codeOf(() => decodePointers(encode(parts)))).toMatch(/^RZ_(BYTES_INVALID|DELTA_INVALID|DELTA_TOO_LARGE)$/)
    },
  )
})
