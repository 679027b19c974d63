/**
 * Ed25519 over domain-separated bytes, with `node:crypto` and cached key objects (choices.md, Crypto).
 * A block's signature covers its hash; every other kind of signature has a domain prefix of its own.
 */

import {
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  sign as signBytes,
  verify as verifyBytes,
} from 'node:crypto'
import { keyOfPeerId, peerIdOf } from '../delta/identifiers.ts'
import type { PeerId } from '../delta/delta.ts'
import { assert } from '../errors.ts'

/** Something that signs in one identity's name. */
export interface Signer {
  readonly id: PeerId
  sign(message: Uint8Array): Uint8Array
}

export const SEED_BYTES = 32

/** DER prefixes of RFC 8410: what stands before the 32 bytes of a private or public Ed25519 key. */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex')
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex')

const PUBLIC_KEYS_MAX = 4_096
const publicKeys = new Map<PeerId, KeyObject>()

/** The signer of an Ed25519 seed of 32 bytes. */
export function signerOf(seed: Uint8Array): Signer {
  assert(seed.length === SEED_BYTES, 'an Ed25519 seed has 32 bytes')
  const key = createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), format: 'der', type: 'pkcs8' })
  const spki = createPublicKey(key).export({ format: 'der', type: 'spki' })
  const id = peerIdOf(new Uint8Array(spki.subarray(SPKI_PREFIX.length)))
  return { id, sign: (message) => new Uint8Array(signBytes(null, message, key)) }
}

/** True when `signature` is `creator`'s over `message`. */
export function verify(creator: PeerId, message: Uint8Array, signature: Uint8Array): boolean {
  return verifyBytes(null, message, publicKeyOf(creator), signature)
}

function publicKeyOf(id: PeerId): KeyObject {
  const known = publicKeys.get(id)
  if (known !== undefined) return known
  const key = createPublicKey({ key: Buffer.concat([SPKI_PREFIX, keyOfPeerId(id)]), format: 'der', type: 'spki' })
  if (publicKeys.size >= PUBLIC_KEYS_MAX) publicKeys.clear()
  publicKeys.set(id, key)
  return key
}
