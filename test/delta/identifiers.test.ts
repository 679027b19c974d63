import { generateKeyPairFromSeed, publicKeyFromRaw } from '@libp2p/crypto/keys'
import { peerIdFromPublicKey, peerIdFromString } from '@libp2p/peer-id'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { PeerId } from '../../src/delta/delta.ts'
import {
  deltaIdOf,
  hashBytes,
  hashText,
  HASH_BYTES,
  KEY_BYTES,
  keyOfPeerId,
  parseDeltaId,
  parsePeerId,
  peerIdOf,
} from '../../src/delta/identifiers.ts'
import { codeOf } from '../support/expect.ts'

const thirtyTwo = fc.uint8Array({ minLength: 32, maxLength: 32 })
const edges = [new Uint8Array(32), new Uint8Array(32).fill(255), Uint8Array.from({ length: 32 }, (_, index) => index)]

describe('a peer id', () => {
  test('is libp2p’s for the same key, for whatever key', async () => {
    const keys = [...fc.sample(thirtyTwo, 50), ...edges]
    for (const seed of keys) {
      const { publicKey } = await generateKeyPairFromSeed('Ed25519', seed)
      expect(peerIdOf(publicKey.raw)).toBe(peerIdFromPublicKey(publicKey).toString())
    }
    for (const raw of keys) {
      const id = peerIdFromPublicKey(publicKeyFromRaw(raw)).toString()
      expect(peerIdOf(raw)).toBe(id)
      expect(keyOfPeerId(parsePeerId(id))).toEqual(raw)
      expect(peerIdFromString(id).toString()).toBe(id)
    }
  })

  test('orders as its key does', () => {
    fc.assert(
      fc.property(thirtyTwo, thirtyTwo, (a, b) => {
        const [left, right] = [peerIdOf(a), peerIdOf(b)]
        expect(left < right ? -1 : left > right ? 1 : 0).toBe(Buffer.compare(a, b))
      }),
    )
  })

  test.each([
    ['nothing', ''],
    ['a word', 'peer'],
    ['an RSA peer id', 'QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N'],
    ['a secp256k1 peer id', '16Uiu2HAm5NJMmkUrFtPjyHBjfMqDCErcNavqUYJ8aVRCSb6QrSAj'],
    ['a CID', 'bafzaajaiaejcbpltl72da5f3y7ojrtsa7hsfn5bbnkjbkwyesziqqtdry6vjilku'],
    ['a character that base58 has not', `${peerIdOf(new Uint8Array(32)).slice(0, 51)}0`],
    ['a leading one too many', `1${peerIdOf(new Uint8Array(32))}`],
    ['a space after it', `${peerIdOf(new Uint8Array(32))} `],
    ['one character less', peerIdOf(new Uint8Array(32)).slice(1)],
    ['another prefix', `13D3${peerIdOf(new Uint8Array(32)).slice(4)}`],
    ['two megabytes', '1'.repeat(2_000_000)],
  ])('is not made of %s', (_, text) => {
    expect(codeOf(() => parsePeerId(text))).toBe('RZ_BYTES_INVALID')
    expect(codeOf(() => keyOfPeerId(text as PeerId))).toBe('RZ_BYTES_INVALID')
  })

  test('needs a key of 32 bytes', () => {
    expect(codeOf(() => peerIdOf(new Uint8Array(KEY_BYTES - 1)))).toBe('RZ_BYTES_INVALID')
    expect(codeOf(() => peerIdOf(new Uint8Array(KEY_BYTES + 1)))).toBe('RZ_BYTES_INVALID')
  })

  test('is right for more keys than are remembered', () => {
    for (let number = 0; number < 10_000; number++) {
      const key = new Uint8Array(32)
      new DataView(key.buffer).setUint32(0, number)
      expect(Buffer.compare(keyOfPeerId(peerIdOf(key)), key)).toBe(0)
    }
  })
})

describe('a hash as text', () => {
  test('has an inverse and orders as its bytes do', () => {
    fc.assert(
      fc.property(thirtyTwo, thirtyTwo, (a, b) => {
        expect(hashBytes(hashText(a))).toEqual(a)
        // Digits sort before letters in ASCII and after them in base32, so texts are compared for equality only.
        expect(hashText(a) === hashText(b)).toBe(Buffer.compare(a, b) === 0)
      }),
    )
  })

  test('has one spelling: no other text gives the same bytes', () => {
    const text = hashText(new Uint8Array(HASH_BYTES))
    for (const last of 'bcdefghijklmnop234567') {
      expect(codeOf(() => hashBytes(text.slice(0, 51) + last))).toBe('RZ_BYTES_INVALID')
      expect(codeOf(() => parseDeltaId(`${text.slice(0, 51)}${last}/0`))).toBe('RZ_BYTES_INVALID')
    }
    for (const other of ['', text.toUpperCase(), `${text}=`, text.slice(1), `${text}\n`, `b${text}`]) {
      expect(codeOf(() => hashBytes(other))).toBe('RZ_BYTES_INVALID')
    }
  })
})

describe('a delta id', () => {
  const hash = hashText(new Uint8Array(32).fill(7))

  test('is taken apart into what it was made of', () => {
    fc.assert(
      fc.property(thirtyTwo, fc.nat({ max: 4_095 }), (bytes, index) => {
        const id = deltaIdOf(hashText(bytes), index)
        expect(parseDeltaId(id)).toEqual({ id, blockHash: hashText(bytes), index })
      }),
    )
  })

  test.each([
    '',
    hash,
    `${hash}/`,
    `${hash}/-1`,
    `${hash}/01`,
    `${hash}/1.0`,
    `${hash}/10000`,
    `${hash}/1 `,
    `${hash}/1\n`,
    ` ${hash}/1`,
    `${hash}//1`,
    `${hash.toUpperCase()}/1`,
    `${hash.slice(1)}/1`,
    './1',
    'users/a',
  ])('%j is none', (text) => {
    expect(codeOf(() => parseDeltaId(text))).toBe('RZ_BYTES_INVALID')
  })
})
