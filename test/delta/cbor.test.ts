import { deepStrictEqual } from 'node:assert'
import * as dagCbor from '@ipld/dag-cbor'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decode, encode, ENCODED_BYTES_MAX, ENCODED_DEPTH_MAX } from '../../src/delta/cbor.ts'
import type { Value } from '../../src/delta/delta.ts'
import { values } from '../support/deltas.ts'
import { codeOf, hexOf } from '../support/expect.ts'

function bytes(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex.replaceAll(' ', ''), 'hex'))
}

function nested(levels: number): Value {
  let value: Value = 1
  for (let level = 0; level < levels; level++) value = [value]
  return value
}

describe('deterministic CBOR', () => {
  test('decoding undoes encoding', () => {
    fc.assert(
      fc.property(values, (value) => {
        deepStrictEqual(decode(encode(value)), value)
      }),
      { numRuns: 500 },
    )
  })

  test('equals what @ipld/dag-cbor writes', () => {
    fc.assert(
      fc.property(values, (value) => {
        expect(hexOf(encode(value))).toBe(hexOf(dagCbor.encode(value)))
      }),
      { numRuns: 500 },
    )
  })

  test('@ipld/dag-cbor reads the same value from it', () => {
    const plain = values.filter((value) => !JSON.stringify(value).includes('__proto__'))
    fc.assert(
      fc.property(plain, (value) => {
        expect(dagCbor.decode(encode(value))).toEqual(value)
      }),
    )
  })

  test('bytes changed anywhere are refused, or are the encoding of another value', () => {
    const edits = fc.array(
      fc.record({ at: fc.nat(), byte: fc.nat({ max: 255 }), kind: fc.constantFrom('set', 'cut', 'add') }),
      {
        minLength: 1,
        maxLength: 3,
      },
    )
    fc.assert(
      fc.property(values, edits, (value, changes) => {
        const mutated = [...encode(value)]
        for (const { at, byte, kind } of changes) {
          const place = at % (mutated.length + 1)
          if (kind === 'set' && place < mutated.length) mutated[place] = byte
          if (kind === 'cut') mutated.splice(place, 1)
          if (kind === 'add') mutated.splice(place, 0, byte)
        }
        const input = Uint8Array.from(mutated)
        let read: Value
        try {
          read = decode(input)
        } catch (error) {
          expect(error).toMatchObject({ code: 'RZ_BYTES_INVALID' })
          return
        }
        expect(hexOf(encode(read))).toBe(hexOf(input))
      }),
      { numRuns: 5_000 },
    )
  })

  test('arbitrary bytes are refused, or are the encoding of what was read', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 24 }), (input) => {
        let read: Value
        try {
          read = decode(input)
        } catch (error) {
          expect(error).toMatchObject({ code: 'RZ_BYTES_INVALID' })
          return
        }
        expect(hexOf(encode(read))).toBe(hexOf(input))
      }),
      { numRuns: 5_000 },
    )
  })

  test('every truncation is refused', () => {
    const whole = encode({
      name: 'Ann é',
      list: [1, 300, 70_000, 2 ** 40, -5, 0.5, null, true],
      raw: new Uint8Array(30),
    })
    for (let length = 0; length < whole.length; length++) {
      expect(codeOf(() => decode(whole.subarray(0, length)))).toBe('RZ_BYTES_INVALID')
    }
  })

  test.each<[string, Value, string]>([
    ['the largest one-byte integer', 23, '17'],
    ['the smallest two-byte integer', 24, '1818'],
    ['255', 255, '18ff'],
    ['256', 256, '190100'],
    ['65,535', 65_535, '19ffff'],
    ['65,536', 65_536, '1a00010000'],
    ['2^32 − 1', 2 ** 32 - 1, '1affffffff'],
    ['2^32', 2 ** 32, '1b0000000100000000'],
    ['2^53 − 1', 2 ** 53 - 1, '1b001fffffffffffff'],
    ['−1', -1, '20'],
    ['−(2^53 − 1)', -(2 ** 53 - 1), '3b001ffffffffffffe'],
    ['2^53, a float', 2 ** 53, 'fb4340000000000000'],
    ['0.5', 0.5, 'fb3fe0000000000000'],
    ['−0, which is 0', -0, '00'],
    ['an empty list', [], '80'],
    ['an empty map', {}, 'a0'],
    ['keys by length, then bytes', { b: 1, aa: 2, a: 3 }, 'a3616103616201626161 02'],
    ['a key by its bytes, not its characters', { é: 1, zz: 2 }, 'a262 7a7a 02 62 c3a9 01'],
    ['a key named __proto__', JSON.parse('{"__proto__":1}') as Value, 'a1 69 5f5f70726f746f5f5f 01'],
    ['a map without a prototype', Object.assign(Object.create(null) as Record<string, Value>, { a: 1 }), 'a1 6161 01'],
    ['text with a byte-order mark', '\uFEFFa', '64 efbbbf61'],
  ])('%s has the one encoding', (_, value, hex) => {
    expect(hexOf(encode(value))).toBe(hexOf(bytes(hex)))
    expect(decode(bytes(hex))).toEqual(Object.is(value, -0) ? 0 : value)
  })

  test.each([
    ['nothing', ''],
    ['an integer with a head too long by one', '1817'],
    ['an integer in two bytes that fits one', '1900ff'],
    ['an integer in four bytes that fits two', '1a0000ffff'],
    ['an integer in eight bytes that fits four', '1b00000000ffffffff'],
    ['an integer of 2^53', '1b0020000000000000'],
    ['an integer of 2^64 − 1', '1bffffffffffffffff'],
    ['a negative integer of −2^53', '3b001fffffffffffff'],
    ['a text length too long', '7801 61'],
    ['a byte string length too long', '5801 61'],
    ['a list head too long', '980100'],
    ['a map head too long', 'b801 6161 00'],
    ['indefinite bytes', '5f4101ff'],
    ['indefinite text', '7f6161ff'],
    ['an indefinite list', '9f01ff'],
    ['an indefinite map', 'bf616101ff'],
    ['a break alone', 'ff'],
    ['a reserved head', '1c'],
    ['a tag', 'c000'],
    ['a bignum', 'c24101'],
    ['a dag-cbor link', 'd82a4100'],
    ['undefined', 'f7'],
    ['a simple value', 'e0'],
    ['a simple value of two bytes', 'f820'],
    ['false in two bytes', 'f814'],
    ['a half float', 'f93c00'],
    ['a single float', 'fa3fc00000'],
    ['NaN', 'fb7ff8000000000000'],
    ['NaN with another payload', 'fb7ff8000000000001'],
    ['infinity', 'fb7ff0000000000000'],
    ['−infinity', 'fbfff0000000000000'],
    ['−0', 'fb8000000000000000'],
    ['0 as a float', 'fb0000000000000000'],
    ['1 as a float', 'fb3ff0000000000000'],
    ['2^53 − 1 as a float', 'fb433fffffffffffff'],
    ['unsorted keys', 'a2 6162 00 6161 00'],
    ['keys sorted by bytes, not length first', 'a2 626161 00 6162 00'],
    ['duplicate keys', 'a2 6161 00 6161 01'],
    ['a key that is no text', 'a1 00 00'],
    ['a key of bytes', 'a1 4161 00'],
    ['a key without a value', 'a1 6161'],
    ['UTF-8 cut in the middle', '61c3'],
    ['overlong UTF-8', '62c0af'],
    ['a surrogate in UTF-8', '63eda080'],
    ['UTF-8 past U+10FFFF', '64f4908080'],
    ['a stray continuation byte', '6180'],
    ['bytes after the value', '0000'],
    ['two values', 'f4f5'],
  ])('%s is refused', (_, hex) => {
    expect(codeOf(() => decode(bytes(hex)))).toBe('RZ_BYTES_INVALID')
  })

  test.each([
    ['text of 2^53 − 1 bytes', '7b001fffffffffffff 61'],
    ['bytes of 4 GiB', '5b0000000100000000 61'],
    ['a list of 2^32 − 1 items', '9affffffff 00'],
    ['a map of 2^31 keys', 'ba80000000 6161 00'],
    ['a map of 2^52 keys', 'bb0010000000000000 6161 00'],
  ])('%s is refused before anything is allocated for it', (_, hex) => {
    const before = process.memoryUsage()
    expect(codeOf(() => decode(bytes(hex)))).toBe('RZ_BYTES_INVALID')
    const after = process.memoryUsage()
    expect(after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers).toBeLessThan(50_000_000)
  })

  test('nesting is read at the limit and refused one beyond it', () => {
    const limits = { depthMax: 5, itemsMax: 100 }
    expect(decode(encode(nested(5)), limits)).toEqual(nested(5))
    expect(codeOf(() => decode(encode(nested(6)), limits))).toBe('RZ_BYTES_INVALID')
    expect(codeOf(() => decode(Uint8Array.from({ length: 100_000 }, () => 0x81)))).toBe('RZ_BYTES_INVALID')
  })

  test('items are read at the limit and refused one beyond it, keys counted', () => {
    const limits = { depthMax: 5, itemsMax: 5 }
    expect(decode(encode([1, 2, 3, 4]), limits)).toEqual([1, 2, 3, 4])
    expect(codeOf(() => decode(encode([1, 2, 3, 4, 5]), limits))).toBe('RZ_BYTES_INVALID')
    expect(decode(encode({ a: 1, b: 2 }), limits)).toEqual({ a: 1, b: 2 })
    expect(codeOf(() => decode(encode({ a: 1, b: 2, c: 3 }), limits))).toBe('RZ_BYTES_INVALID')
  })

  test('nesting is written at the limit and refused one beyond it', () => {
    expect(encode(nested(ENCODED_DEPTH_MAX))).toHaveLength(ENCODED_DEPTH_MAX + 1)
    expect(codeOf(() => encode(nested(ENCODED_DEPTH_MAX + 1)))).toBe('RZ_BYTES_INVALID')
  })

  test('size is written at the limit and refused one beyond it', () => {
    const head = 5
    expect(encode(new Uint8Array(ENCODED_BYTES_MAX - head))).toHaveLength(ENCODED_BYTES_MAX)
    expect(codeOf(() => encode(new Uint8Array(ENCODED_BYTES_MAX - head + 1)))).toBe('RZ_BYTES_TOO_LARGE')
    expect(encode('x'.repeat(ENCODED_BYTES_MAX - head))).toHaveLength(ENCODED_BYTES_MAX)
    expect(codeOf(() => encode('x'.repeat(ENCODED_BYTES_MAX - head + 1)))).toBe('RZ_BYTES_TOO_LARGE')
  })

  test('a value that contains itself, or shares its parts to exponential size, is refused', () => {
    const own: Value[] = []
    own.push(own, own)
    expect(codeOf(() => encode(own))).toBe('RZ_BYTES_INVALID')
    let shared: Value = 'leaf'
    for (let level = 0; level < 60; level++) shared = [shared, shared]
    expect(codeOf(() => encode(shared))).toBe('RZ_BYTES_TOO_LARGE')
  })

  test.each<[string, unknown]>([
    ['undefined', undefined],
    ['a hole in a list', [1, , 2]], // eslint-disable-line no-sparse-arrays
    ['undefined in a map', { a: undefined }],
    ['NaN', Number.NaN],
    ['an infinity', Number.NEGATIVE_INFINITY],
    ['a bigint', 1n],
    ['a symbol', Symbol('x')],
    ['a function', () => 1],
    ['a Date', new Date(0)],
    ['a Map', new Map()],
    ['an object of a class', new (class Point {})()],
    ['half of a surrogate pair', '\ud800'],
    ['half of a surrogate pair in long text', `${'x'.repeat(40)}\udfff`],
    ['half of a surrogate pair in a key', { '\ud800': 1 }],
  ])('%s cannot be encoded', (_, value) => {
    expect(codeOf(() => encode(value as Value))).toBe('RZ_BYTES_INVALID')
  })

  test('encoding after a failure is not disturbed by it', () => {
    expect(codeOf(() => encode(['text', Number.NaN]))).toBe('RZ_BYTES_INVALID')
    expect(hexOf(encode(1))).toBe('01')
  })

  test('text of every length near a head’s bounds survives, in ASCII and beyond', () => {
    for (const length of [0, 1, 22, 23, 24, 25, 254, 255, 256, 257, 16_383, 16_384, 16_385, 65_535, 65_536, 70_000]) {
      for (const unit of ['x', 'é', '￿', '𝒳']) {
        const text = unit.repeat(length)
        expect(hexOf(encode(text))).toBe(hexOf(dagCbor.encode(text)))
        expect(decode(encode(text))).toBe(text)
      }
    }
  })

  test('byte strings are views unless copies are asked for', () => {
    const input = encode(new Uint8Array([1, 2, 3]))
    const view = decode(input) as Uint8Array
    const copy = decode(input, { depthMax: 1, itemsMax: 1, copyBytes: true }) as Uint8Array
    expect(view.buffer).toBe(input.buffer)
    expect(copy.buffer).not.toBe(input.buffer)
    expect(copy).toEqual(view)
  })

  test('a value is read from the middle of a larger buffer', () => {
    const whole = Buffer.concat([Buffer.alloc(7), encode([new Uint8Array([1, 2]), 'é']), Buffer.alloc(5)])
    expect(decode(whole.subarray(7, whole.length - 5))).toEqual([new Uint8Array([1, 2]), 'é'])
  })
})
