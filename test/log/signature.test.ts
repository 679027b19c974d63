import { generateKeyPairFromSeed, publicKeyFromRaw } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { keyOfPeerId, peerIdOf } from '../../src/delta/identifiers.ts'
import { signerOf, verify } from '../../src/log/signature.ts'
import { hexOf } from '../support/expect.ts'

const seed = Uint8Array.from({ length: 32 }, (_, index) => index)
const MESSAGE = Buffer.from('a message')

describe('a signer', () => {
  test('is the libp2p identity of the same seed, and signs as it does', async () => {
    const key = await generateKeyPairFromSeed('Ed25519', seed)
    const signer = signerOf(seed)
    expect(signer.id).toBe(peerIdFromPrivateKey(key).toString())
    expect(hexOf(signer.sign(MESSAGE))).toBe(hexOf(await key.sign(MESSAGE)))
    expect(await publicKeyFromRaw(keyOfPeerId(signer.id)).verify(MESSAGE, signer.sign(MESSAGE))).toBe(true)
  })

  test('needs a seed of 32 bytes', () => {
    expect(() => signerOf(new Uint8Array(31))).toThrow('bug:')
  })

  test('signs the test vector of RFC 8032', () => {
    const rfc = signerOf(Buffer.from('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60', 'hex'))
    expect(hexOf(keyOfPeerId(rfc.id))).toBe('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a')
    expect(hexOf(rfc.sign(new Uint8Array()))).toBe(
      'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
    )
  })
})

describe('a signature', () => {
  const signer = signerOf(seed)
  const signature = signer.sign(MESSAGE)

  test('holds for its signer and message only', () => {
    expect(verify(signer.id, MESSAGE, signature)).toBe(true)
    expect(verify(signer.id, Buffer.from('another'), signature)).toBe(false)
    expect(verify(signerOf(new Uint8Array(32)).id, MESSAGE, signature)).toBe(false)
  })

  test('fails with any bit flipped', () => {
    for (let bit = 0; bit < 512; bit++) {
      const flipped = new Uint8Array(signature)
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      expect(verify(signer.id, MESSAGE, flipped)).toBe(false)
    }
  })

  test('has no second form: s + L is refused', () => {
    const order = 2n ** 252n + 27742317777372353535851937790883648493n
    const s = signature.subarray(32).reduceRight((sum, byte) => sum * 256n + BigInt(byte), 0n) + order
    const other = new Uint8Array(signature)
    for (let index = 0; index < 32; index++) other[32 + index] = Number((s >> BigInt(8 * index)) & 255n)
    expect(verify(signer.id, MESSAGE, other)).toBe(false)
  })

  test('of any length under any key is answered, never thrown at', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), fc.uint8Array({ maxLength: 80 }), (key, bytes) => {
        expect(typeof verify(peerIdOf(key), MESSAGE, bytes)).toBe('boolean')
      }),
    )
  })
})
