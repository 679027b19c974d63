/** Base32 of hashes, held against the library's. */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { fromString, toString } from 'uint8arrays'

import { base32ToHash, HASH_CHARACTERS, hashToBase32 } from '../../src/delta/base32.ts'

const hashes = fc.uint8Array({ minLength: 32, maxLength: 32 })

it('is that of RFC 4648, both ways', () => {
  fc.assert(
    fc.property(hashes, (hash) => {
      const text = toString(hash, 'base32')
      expect(hashToBase32(hash)).toBe(text)
      expect(base32ToHash(text)).toEqual(fromString(text, 'base32'))
    }),
  )
})

it.each([0x00, 0xff, 0x55, 0xaa, 0x01, 0x80])('holds for 32 bytes of %i', (byte) => {
  const hash = new Uint8Array(32).fill(byte)
  expect(hashToBase32(hash)).toBe(toString(hash, 'base32'))
  expect(hashToBase32(hash).length).toBe(HASH_CHARACTERS)
  expect(base32ToHash(hashToBase32(hash))).toEqual(hash)
})

it('answers with bytes and text of their own: a later call changes neither', () => {
  const [one, two] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)]
  const text = hashToBase32(one)
  const bytes = base32ToHash(text)
  hashToBase32(two)
  base32ToHash(hashToBase32(two))
  expect(text).toBe(toString(one, 'base32'))
  expect(bytes).toEqual(one)
})
