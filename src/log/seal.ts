/** Makes a signed block from deltas: the only place where blocks are born. Pure: time and salts are passed in. */

import { compareTime, type Time } from '../delta/clock.ts'
import { encodePointers } from '../delta/bytes.ts'
import type { PeerId, Pointer } from '../delta/delta.ts'
import { hashBytes } from '../delta/identifiers.ts'
import { assert, RhizomeError } from '../errors.ts'
import {
  type Block,
  BLOCK_BYTES_MAX,
  BLOCK_DELTAS_MAX,
  DEPENDENCIES_MAX,
  type Dependency,
  type Header,
  HEADER_BYTES_MAX,
  SALT_BYTES,
} from './block.ts'
import { checkOwnReferences } from './block-bytes.ts'
import type { Head } from './chain.ts'
import { encodeHeader, hashHeader } from './header.ts'
import { leafOf, rootOf } from './merkle.ts'
import type { NamespaceId } from './namespace.ts'
import type { Signer } from './signature.ts'

/** Bytes around the payload items: list heads, signature, header at its largest. */
const ENVELOPE_BYTES_MAX = HEADER_BYTES_MAX + 128
const ITEM_HEAD_BYTES_MAX = 5

/** Room for payload items in one block, each counted with `SALT_BYTES` and its head. */
export const PAYLOAD_BYTES_MAX = BLOCK_BYTES_MAX - ENVELOPE_BYTES_MAX

export interface SealInput {
  readonly namespace: NamespaceId
  readonly signer: Signer
  readonly logId: string
  readonly host: PeerId
  /** The log's head; absent for its first block. */
  readonly head?: Head
  readonly dependencies: readonly Dependency[]
  readonly dependenciesCut: boolean
  /** Later than the head's. */
  readonly time: Time
  /** Canonical bytes per delta, from `encodePointers`. */
  readonly deltas: readonly Uint8Array[]
  /** `SALT_BYTES` fresh random bytes per delta, in one array. */
  readonly salts: Uint8Array
}

/** Bytes that a delta of `deltaBytes` takes in a block. */
export function payloadBytesOf(deltaBytes: number): number {
  return SALT_BYTES + deltaBytes + ITEM_HEAD_BYTES_MAX
}

/** Canonical bytes of deltas that will share a block. Throws RZ_DELTA_*, RZ_BLOCK_INVALID, RZ_BLOCK_TOO_LARGE. */
export function encodeDeltas(deltas: readonly (readonly Pointer[])[]): readonly Uint8Array[] {
  if (deltas.length > BLOCK_DELTAS_MAX) throw tooLarge(`${deltas.length} deltas; the limit is ${BLOCK_DELTAS_MAX}`)
  const encoded = deltas.map((pointers, index) => {
    checkOwnReferences(pointers, index)
    return encodePointers(pointers)
  })
  const size = encoded.reduce((sum, bytes) => sum + payloadBytesOf(bytes.length), 0)
  if (size > PAYLOAD_BYTES_MAX) throw tooLarge(`${size} bytes; the limit is ${PAYLOAD_BYTES_MAX}`)
  return encoded
}

/** The signed block of `input`. Linear in the deltas' bytes; one signature. */
export function seal(input: SealInput): Block {
  assert(input.deltas.length > 0 && input.deltas.length <= BLOCK_DELTAS_MAX, 'a block holds 1 to 4,096 deltas')
  assert(input.dependencies.length <= DEPENDENCIES_MAX, 'dependencies fit in a header')
  assert(
    input.head === undefined || compareTime(input.time, input.head.time) > 0,
    'a block is later than the one before',
  )
  assert(input.salts.length === input.deltas.length * SALT_BYTES, 'a salt per delta')
  const payload = input.deltas.map((delta, index) => saltedItem(input.salts, index, delta))
  const header: Header = {
    namespace: input.namespace,
    creator: input.signer.id,
    logId: input.logId,
    host: input.host,
    seq: input.head === undefined ? 0 : input.head.seq + 1,
    ...(input.head === undefined ? {} : { previous: input.head.hash }),
    dependencies: input.dependencies,
    dependenciesCut: input.dependenciesCut,
    time: input.time,
    count: payload.length,
    root: rootOf(payload.map(leafOf)),
    payloadBytes: payload.reduce((sum, item) => sum + item.length, 0),
    payloadKind: 'plain',
    extensions: {},
  }
  const headerBytes = encodeHeader(header)
  const hash = hashHeader(headerBytes)
  return { header, hash, headerBytes, signature: input.signer.sign(hashBytes(hash)), payload }
}

function saltedItem(salts: Uint8Array, index: number, delta: Uint8Array): Uint8Array {
  const item = new Uint8Array(SALT_BYTES + delta.length)
  item.set(salts.subarray(index * SALT_BYTES, (index + 1) * SALT_BYTES))
  item.set(delta, SALT_BYTES)
  return item
}

function tooLarge(what: string): RhizomeError {
  return new RhizomeError('RZ_BLOCK_TOO_LARGE', `a block of ${what}: write in several transactions`)
}
