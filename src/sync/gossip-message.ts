/**
 * The messages of a namespace's topic: `[version, 0, [block, …]]`, a run of one log whose last block is signed, mostly a
 * single block; or `[version, 1, header, signature]`, the signed header of a block too large for gossip, which whoever
 * lacks it fetches by sync. One run in a message is one signature to check for everything that was written meanwhile.
 * Decoding throws for what is no message; the signature is the caller's to check. design.md 4.
 */

import { decode, encode } from '../delta/cbor.ts'
import type { Value } from '../delta/delta.ts'
import { RhizomeError } from '../errors.ts'
import { GOSSIP_BYTES_MAX } from '../net/net.ts'
import { type Block, type BlockHash, type Header, type Run, RUN_BLOCKS_MAX, SIGNATURE_BYTES } from '../log/block.ts'
import { decodeBlock, encodeBlock } from '../log/block-bytes.ts'
import { decodeHeader, hashHeader } from '../log/header.ts'
import { GOSSIP_VERSION } from './limits.ts'

export type GossipMessage =
  | { readonly kind: 'run'; readonly run: Run }
  | { readonly kind: 'head'; readonly header: Header; readonly hash: BlockHash; readonly signature: Uint8Array }

const RUN = 0
const HEAD = 1
const LIMITS = { depthMax: 2, itemsMax: RUN_BLOCKS_MAX + 8 }

/** Inner blocks travel without their signatures: the last one certifies them. */
export function encodeGossipRun(run: Run): Uint8Array {
  return encode([GOSSIP_VERSION, RUN, encodeRun(run)])
}

/** The announcement of a block that is signed. */
export function encodeGossipHead(block: Block): Uint8Array {
  return encode([GOSSIP_VERSION, HEAD, block.headerBytes, block.signature ?? null])
}

/** The bytes of a run's blocks, the last alone with its signature. */
export function encodeRun({ blocks }: Run): readonly Uint8Array[] {
  const last = blocks.length - 1
  return blocks.map((block, index) => encodeBlock(index === last ? block : withoutSignature(block)))
}

/** The run in foreign bytes, each block checked against its own header; the run is not verified. */
export function decodeRun(items: readonly Uint8Array[]): Run {
  const [first, ...rest] = items.map(decodeBlock)
  if (first === undefined) throw invalid('an empty run')
  return { blocks: [first, ...rest] }
}

/** Throws RZ_SYNC_GOSSIP_INVALID, RZ_SYNC_VERSION, or what `decodeBlock` throws. */
export function decodeGossip(bytes: Uint8Array): GossipMessage {
  if (bytes.length > GOSSIP_BYTES_MAX) throw invalid(`${bytes.length} bytes`)
  const value = decodeMessage(bytes)
  if (!Array.isArray(value)) throw invalid('no list')
  const [version, kind, content, signature] = value as readonly Value[]
  if (typeof version !== 'number') throw invalid('no version')
  if (version !== GOSSIP_VERSION) throw new RhizomeError('RZ_SYNC_VERSION', `a gossip message of version ${version}`)
  if (kind === RUN && value.length === 3) return { kind: 'run', run: decodeRun(parseBlocks(content)) }
  if (kind === HEAD && value.length === 4) return parseHead(content, signature)
  throw invalid('an unknown kind')
}

function decodeMessage(bytes: Uint8Array): Value {
  try {
    return decode(bytes, LIMITS)
  } catch (cause) {
    throw invalid(cause instanceof Error ? cause.message : String(cause), cause)
  }
}

function parseBlocks(value: Value | undefined): readonly Uint8Array[] {
  if (!Array.isArray(value) || value.length > RUN_BLOCKS_MAX) throw invalid('no run')
  if (!value.every((item) => item instanceof Uint8Array)) throw invalid('a run of other things than bytes')
  return value
}

function parseHead(headerBytes: Value | undefined, signature: Value | undefined): GossipMessage {
  if (!(headerBytes instanceof Uint8Array)) throw invalid('no header')
  if (!(signature instanceof Uint8Array) || signature.length !== SIGNATURE_BYTES) throw invalid('no signature')
  return { kind: 'head', header: decodeHeader(headerBytes), hash: hashHeader(headerBytes), signature }
}

function withoutSignature(block: Block): Block {
  const { signature: _, ...rest } = block
  return rest
}

function invalid(why: string, cause?: unknown): RhizomeError {
  return new RhizomeError('RZ_SYNC_GOSSIP_INVALID', `not a gossip message: ${why}`, { cause })
}
