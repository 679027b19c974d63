/** Text forms of keys and hashes: the only makers of `PeerId` and `DeltaId`. Names only; no key is ever used here. */

import { fromString, toString } from 'uint8arrays'
import { RhizomeError } from '../errors.ts'
import type { DeltaId, PeerId } from './delta.ts'

export const KEY_BYTES = 32
export const HASH_BYTES = 32

/** An Ed25519 peer id is this prefix and the key: identity multihash of the key's protobuf (libp2p peer-id spec). */
const PEER_ID_PREFIX = Uint8Array.of(0x00, 0x24, 0x08, 0x01, 0x12, 0x20)
const DELTA_ID = /^([a-z2-7]{52})\/(0|[1-9][0-9]{0,3})$/

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

export function parsePeerId(text: string): PeerId {
  decodePeerId(text)
  return text as PeerId
}

function decodePeerId(text: string): Uint8Array {
  let bytes: Uint8Array
  try {
    bytes = fromString(text, 'base58btc')
  } catch (cause) {
    throw new RhizomeError('RZ_BYTES_INVALID', `"${text}" is not a peer id`, { cause })
  }
  const prefix = bytes.subarray(0, PEER_ID_PREFIX.length)
  if (bytes.length !== PEER_ID_PREFIX.length + KEY_BYTES || Buffer.compare(prefix, PEER_ID_PREFIX) !== 0) {
    throw new RhizomeError('RZ_BYTES_INVALID', `"${text}" is not the peer id of an Ed25519 key (12D3KooW…)`)
  }
  return new Uint8Array(bytes.subarray(PEER_ID_PREFIX.length))
}

export function deltaIdOf(blockHash: string, index: number): DeltaId {
  return `${blockHash}/${index}` as DeltaId
}

/** The text form of a block hash: 52 characters of base32 (RFC 4648, lower case, no padding). */
export function hashText(hash: Uint8Array): string {
  return toString(hash, 'base32')
}

export function hashBytes(text: string): Uint8Array {
  return fromString(text, 'base32')
}

/** Takes a delta id apart. Throws RZ_BYTES_INVALID. */
export function parseDeltaId(text: string): { readonly id: DeltaId; readonly blockHash: string; readonly index: number } {
  const match = DELTA_ID.exec(text)
  if (match === null) throw new RhizomeError('RZ_BYTES_INVALID', `"${text}" is not a delta id (<block hash>/<index>)`)
  return { id: text as DeltaId, blockHash: match[1] as string, index: Number(match[2]) }
}
