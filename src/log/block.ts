/**
 * Blocks: signed batches of deltas, the unit of the log, of gossip and of sync. Types and limits only.
 * Bytes: header.ts (what is signed) and block-bytes.ts (what is stored and sent). design.md 3, Block.
 */

import type { Brand } from '../delta/brand.ts'
import type { Time } from '../delta/clock.ts'
import type { PeerId, Value } from '../delta/delta.ts'
import type { NamespaceId } from './namespace.ts'

/** SHA-256 of a domain prefix and the header bytes, as 52 characters of base32. */
export type BlockHash = Brand<string, 'BlockHash'>

/** `<creator>/<log id, 32 hex digits>`: one log within a namespace. Sorts as its bytes do. */
export type LogKey = Brand<string, 'LogKey'>

/** The head of another log that the creator had seen. */
export interface Dependency {
  readonly log: LogKey
  readonly seq: number
  readonly hash: BlockHash
}

export interface Header {
  readonly namespace: NamespaceId
  readonly creator: PeerId
  /** 16 random bytes as 32 hex digits. */
  readonly logId: string
  readonly host: PeerId
  readonly seq: number
  /** Absent exactly at seq 0. */
  readonly previous?: BlockHash
  /** Sorted by log; at most `DEPENDENCIES_MAX`. */
  readonly dependencies: readonly Dependency[]
  /** True when there were more heads than fit: the newest are given. */
  readonly dependenciesCut: boolean
  readonly time: Time
  /** Deltas in the block. */
  readonly count: number
  /** Merkle root over the leaves. */
  readonly root: Uint8Array
  /** Sum of the payload items' lengths. */
  readonly payloadBytes: number
  readonly payloadKind: 'plain' | 'sealed'
  /** A key with `!` first is critical: who does not know it keeps, forwards and reports the block, but shows it not. */
  readonly extensions: Readonly<Record<string, Value>>
}

export interface Block {
  readonly header: Header
  readonly hash: BlockHash
  readonly headerBytes: Uint8Array
  /** Present only where verified or about to be: a run's inner blocks are certified by the chain instead. */
  readonly signature?: Uint8Array
  /** Per delta: a salt of 16 bytes, then its canonical bytes. */
  readonly payload: readonly Uint8Array[]
}

/** Consecutive blocks of one log, oldest first, the last one signed. design.md 3, "One signature check proves a run" */
export interface Run {
  readonly blocks: readonly [Block, ...Block[]]
}

export const FORMAT_VERSION = 0
export const BLOCK_BYTES_MAX = 1_048_576
export const BLOCK_DELTAS_MAX = 4_096
export const HEADER_BYTES_MAX = 16_384
export const EXTENSIONS_BYTES_MAX = 4_096
export const DEPENDENCIES_MAX = 64
export const SALT_BYTES = 16
export const LOG_ID_BYTES = 16
export const SIGNATURE_BYTES = 64

/** Bounds of a run: what one signature may certify, and what a receiver must hold before it can check. */
export const RUN_BLOCKS_MAX = 1_024
export const RUN_BYTES_MAX = 1_048_576

export function logKeyOf(creator: PeerId, logId: string): LogKey {
  return `${creator}/${logId}` as LogKey
}

export function logKeyOfHeader(header: Header): LogKey {
  return logKeyOf(header.creator, header.logId)
}

/** The creator and log id in a key. */
export function splitLogKey(key: LogKey): { readonly creator: PeerId; readonly logId: string } {
  const slash = key.indexOf('/')
  return { creator: key.slice(0, slash) as PeerId, logId: key.slice(slash + 1) }
}
