/** Text forms of keys and hashes: the only makers of `PeerId` and `DeltaId`. Names only; no key is ever used here. */

import { fromString, toString } from 'uint8arrays'
import { assert, RhizomeError } from '../errors.ts'
import { base32ToHash, hashToBase32 } from './base32.ts'
import type { DeltaId, PeerId } from './delta.ts'

export const KEY_BYTES = 32
export const HASH_BYTES = 32

/** An Ed25519 peer id is this prefix and the key: identity multihash of the key's protobuf (libp2p peer-id spec). */
const PEER_ID_PREFIX = Uint8Array.of(0x00, 0x24, 0x08, 0x01, 0x12, 0x20)
/** 256 bits fill 51 characters and one bit of the 52nd, whose other four are zero. */
const HASH_TEXT = /^[a-z2-7]{51}[aq]$/
const DELTA_ID = /^([a-z2-7]{51}[aq])\/(0|[1-9][0-9]{0,3})$/
/** All of them: base58 of 38 bytes that begin with the prefix. */
const PEER_ID_CHARACTERS = 52

/** Whether an entity's id is a delta's: what is negated is pointed at as an entity is, and is no record. */
export function isDeltaId(entity: string): boolean {
  return DELTA_ID.test(entity)
}

/** Bounded memory of conversions: a node meets the same few creators in every block. */
const CACHE_MAX = 4_096
const peerIds = new Map<string, PeerId>()
const keys = new Map<string, Uint8Array>()

/** The peer id of an Ed25519 public key of 32 bytes. Ids compare as strings in the order of their keys. */
export function peerIdOf(key: Uint8Array): PeerId {
  const cacheKey = Buffer.from(key.buffer, key.byteOffset, key.length).toString('latin1')
  const known = peerIds.get(cacheKey)
  if (known !== undefined) return known
  if (key.length !== KEY_BYTES) throw new RhizomeError('RZ_BYTES_INVALID', 'a public key has 32 bytes')
  const id = toString(Buffer.concat([PEER_ID_PREFIX, key]), 'base58btc') as PeerId
  if (peerIds.size >= CACHE_MAX) peerIds.clear()
  peerIds.set(cacheKey, id)
  return id
}

/** The Ed25519 public key in a peer id. Throws RZ_BYTES_INVALID for an id of another kind of key. */
export function keyOfPeerId(id: PeerId): Uint8Array {
  const known = keys.get(id)
  if (known !== undefined) return known
  const key = decodePeerId(id)
  if (keys.size >= CACHE_MAX) keys.clear()
  keys.set(id, key)
  return key
}

/** Throws RZ_BYTES_INVALID for anything but the peer id of an Ed25519 key. */
export function parsePeerId(text: string): PeerId {
  decodePeerId(text)
  return text as PeerId
}

function decodePeerId(text: string): Uint8Array {
  let bytes: Uint8Array
  try {
    // Decoding base58 is quadratic: what is longer is not even tried.
    bytes = text.length === PEER_ID_CHARACTERS ? fromString(text, 'base58btc') : new Uint8Array()
  } catch (cause) {
    throw notPeerId(text, cause)
  }
  const prefix = bytes.subarray(0, PEER_ID_PREFIX.length)
  if (bytes.length !== PEER_ID_PREFIX.length + KEY_BYTES || Buffer.compare(prefix, PEER_ID_PREFIX) !== 0) {
    throw notPeerId(text)
  }
  return new Uint8Array(bytes.subarray(PEER_ID_PREFIX.length))
}

function notPeerId(text: string, cause?: unknown): RhizomeError {
  return new RhizomeError('RZ_BYTES_INVALID', `${quoted(text)} is not the peer id of an Ed25519 key (12D3KooW…)`, {
    cause,
  })
}

function quoted(text: string): string {
  return text.length > 80 ? `"${text.slice(0, 80)}…"` : `"${text}"`
}

export function deltaIdOf(blockHash: string, index: number): DeltaId {
  return `${blockHash}/${index}` as DeltaId
}

/** The text form of a block hash: 52 characters of base32 (RFC 4648, lower case, no padding). */
export function hashText(hash: Uint8Array): string {
  assert(hash.length === HASH_BYTES, 'a hash has 32 bytes')
  return hashToBase32(hash)
}

/** The inverse of `hashText`. Throws RZ_BYTES_INVALID for other text, other spellings of the same bytes included. */
export function hashBytes(text: string): Uint8Array {
  if (!HASH_TEXT.test(text)) throw new RhizomeError('RZ_BYTES_INVALID', `${quoted(text)} is not a block hash`)
  return base32ToHash(text)
}

/** Takes a delta id apart. Throws RZ_BYTES_INVALID. */
export function parseDeltaId(text: string): {
  readonly id: DeltaId
  readonly blockHash: string
  readonly index: number
} {
  const match = DELTA_ID.exec(text)
  if (match === null)
    throw new RhizomeError('RZ_BYTES_INVALID', `${quoted(text)} is not a delta id (<block hash>/<index>)`)
  return { id: text as DeltaId, blockHash: match[1] as string, index: Number(match[2]) }
}
