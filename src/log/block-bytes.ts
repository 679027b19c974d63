/**
 * A block's bytes as stored, gossiped and synced: `[header bytes, signature | null, [salt ‖ delta bytes, …]]` in CBOR.
 * Owns what makes a block valid in itself; how it fits its log is chain.ts. Decoding checks all but the signature.
 */

import { decode, encode } from '../delta/cbor.ts'
import { decodePointers } from '../delta/bytes.ts'
import { type Delta, isReference, type Pointer, type Value } from '../delta/delta.ts'
import { deltaIdOf, hashBytes } from '../delta/identifiers.ts'
import { isList } from '../delta/value.ts'
import { RhizomeError } from '../errors.ts'
import {
  type Block,
  BLOCK_BYTES_MAX,
  BLOCK_DELTAS_MAX,
  type BlockHash,
  type Header,
  SALT_BYTES,
  SIGNATURE_BYTES,
} from './block.ts'
import { decodeHeader, hashHeader } from './header.ts'
import { leafOf, rootOf } from './merkle.ts'
import { verify } from './signature.ts'

const LIMITS = { depthMax: 2, itemsMax: BLOCK_DELTAS_MAX + 8 }

/**
 * A reference to an earlier delta of the same block, whose hash its creator cannot know yet: `./<index>`.
 * Reading resolves it to the full id, so nothing above this file ever sees one; no other target may begin like it.
 */
const OWN_BLOCK_PREFIX = './'
const OWN_BLOCK = /^\.\/(0|[1-9][0-9]{0,3})$/

export function encodeBlock(block: Block): Uint8Array {
  return encode([block.headerBytes, block.signature ?? null, block.payload])
}

/**
 * The block that `bytes` hold, checked against its own header: limits, root, every delta canonical.
 * Its signature is not checked (`hasValidSignature`). Throws RZ_BYTES_INVALID, RZ_BLOCK_INVALID, RZ_BLOCK_TOO_LARGE,
 * RZ_BLOCK_VERSION, RZ_DELTA_INVALID or RZ_DELTA_TOO_LARGE. Byte fields are views into `bytes`.
 */
export function decodeBlock(bytes: Uint8Array): Block {
  const block = decodeStoredBlock(bytes)
  checkPayload(block)
  return block
}

/** As `decodeBlock`, for bytes that were checked when they were committed: the payload is taken to match the header. */
export function decodeStoredBlock(bytes: Uint8Array): Block {
  if (bytes.length > BLOCK_BYTES_MAX) {
    throw new RhizomeError('RZ_BLOCK_TOO_LARGE', `a block of ${bytes.length} bytes; the limit is ${BLOCK_BYTES_MAX}`)
  }
  const parts = decode(bytes, LIMITS)
  if (!isList(parts) || parts.length !== 3) throw invalid('a block has three parts')
  const [headerBytes, signature, payload] = parts as readonly [Value, Value, Value]
  if (!(headerBytes instanceof Uint8Array)) throw invalid('the header is not bytes')
  if (signature !== null && !(signature instanceof Uint8Array && signature.length === SIGNATURE_BYTES)) {
    throw invalid(`the signature is not ${SIGNATURE_BYTES} bytes`)
  }
  if (!isList(payload) || !payload.every((item) => item instanceof Uint8Array)) {
    throw invalid('the payload is not a list of bytes')
  }
  return {
    header: decodeHeader(headerBytes),
    hash: hashHeader(headerBytes),
    headerBytes,
    ...(signature === null ? {} : { signature }),
    payload,
  }
}

/** True when the block carries its creator's signature over its hash. */
export function hasValidSignature(block: Block): boolean {
  return block.signature !== undefined && verify(block.header.creator, hashBytes(block.hash), block.signature)
}

/** The deltas of a checked block in order of their index. A sealed payload has none that can be read. */
export function deltasOf(block: Block): readonly Delta[] {
  if (block.header.payloadKind === 'sealed') return []
  return block.payload.map((_, index) => deltaAt(block, index))
}

/** The delta at `index` of a checked, plain block. */
export function deltaAt(block: Block, index: number): Delta {
  const item = block.payload[index]
  if (item === undefined) throw invalid(`no delta at index ${index}`)
  return deltaOf(originOf(block), index, item.subarray(SALT_BYTES))
}

function originOf({ hash, header: { time, creator, host, logId, seq } }: Block): DeltaOrigin {
  return { hash, time, creator, host, logId, seq }
}

/** What a delta has from its block. */
export interface DeltaOrigin extends Pick<Header, 'time' | 'creator' | 'host' | 'logId' | 'seq'> {
  readonly hash: BlockHash
}

/** The delta at `index` of the block of `origin`, from its own bytes alone. */
export function deltaOf(origin: DeltaOrigin, index: number, bytes: Uint8Array): Delta {
  const { hash, time, creator, host, logId, seq } = origin
  const pointers = resolveOwn(decodePointers(bytes), hash)
  return { id: deltaIdOf(hash, index), time, creator, host, log: logId, seq, index, pointers }
}

function checkPayload({ header, payload }: Block): void {
  if (payload.length !== header.count) throw invalid(`${payload.length} deltas where the header says ${header.count}`)
  const size = payload.reduce((sum, item) => sum + item.length, 0)
  if (size !== header.payloadBytes)
    throw invalid(`a payload of ${size} bytes where the header says ${header.payloadBytes}`)
  if (payload.some((item) => item.length <= SALT_BYTES)) throw invalid('a payload item without a delta')
  if (Buffer.compare(rootOf(payload.map(leafOf)), header.root) !== 0)
    throw invalid('the payload does not match the root')
  if (header.payloadKind === 'sealed') return
  for (const [index, item] of payload.entries()) checkOwnReferences(decodePointers(item.subarray(SALT_BYTES)), index)
}

/** Inside a block only a lower index may be targeted, so negations have no cycles. Throws RZ_BLOCK_INVALID. */
export function checkOwnReferences(pointers: readonly Pointer[], index: number): void {
  for (const pointer of pointers) {
    const target = ownIndex(pointer)
    // Written so that NaN, the index of what only begins like a reference, is refused too.
    if (target !== undefined && !(target < index))
      throw invalid(`delta ${index} refers to no earlier delta of its block`)
  }
}

/** True when the delta refers to an earlier one of its block by index. */
export function refersToOwnBlock(pointers: readonly Pointer[]): boolean {
  return pointers.some((pointer) => ownIndex(pointer) !== undefined)
}

function resolveOwn(pointers: readonly Pointer[], hash: Block['hash']): readonly Pointer[] {
  if (!refersToOwnBlock(pointers)) return pointers
  return pointers.map((pointer) => {
    const index = ownIndex(pointer)
    return index === undefined ? pointer : { ...pointer, target: deltaIdOf(hash, index) }
  })
}

function ownIndex(pointer: Pointer): number | undefined {
  if (!isReference(pointer) || !pointer.target.startsWith(OWN_BLOCK_PREFIX)) return undefined
  return Number(OWN_BLOCK.exec(pointer.target)?.[1])
}

function invalid(why: string): RhizomeError {
  return new RhizomeError('RZ_BLOCK_INVALID', `not a block: ${why}`)
}
