/** Frontiers: for each log the head up to which a node has everything, and the digest that tells two of them apart. */

import { encode } from '../delta/cbor.ts'
import type { Value } from '../delta/delta.ts'
import { hashBytes, keyOfPeerId } from '../delta/identifiers.ts'
import { type BlockHash, type LogKey, splitLogKey } from './block.ts'
import { sha256 } from './sha256.ts'

export interface FrontierEntry {
  readonly log: LogKey
  /** Newest admitted block; both absent for a log that is void from its first block on. */
  readonly seq?: number
  readonly hash?: BlockHash
  /** Blocks at or past it are void (fork.ts). */
  readonly cut?: number
}

/** Sorted by log. */
export type Frontier = readonly FrontierEntry[]

/** The number of blocks admitted: an entry without a head has none. */
export function lengthOf(entry: FrontierEntry | undefined): number {
  return entry?.seq === undefined ? 0 : entry.seq + 1
}

/** True when both hold the same blocks of the log and know the same cut. */
export function sameEntry(a: FrontierEntry, b: FrontierEntry): boolean {
  return a.seq === b.seq && a.hash === b.hash && a.cut === b.cut
}

/** 32 bytes that are equal exactly when the frontiers are. Linear in the logs. */
export function digestOf(frontier: Frontier): Uint8Array {
  // Each encoding tells its own length, so that the chain of them can be read in one way only.
  return new Uint8Array(sha256(Buffer.concat(frontier.map((entry) => encode(entryValue(entry))))))
}

/** An entry as CBOR: `[creator key, log id, seq | null, hash | null, cut | null]`. */
export function entryValue(entry: FrontierEntry): Value {
  const { creator, logId } = splitLogKey(entry.log)
  return [
    keyOfPeerId(creator),
    Buffer.from(logId, 'hex'),
    entry.seq ?? null,
    entry.hash === undefined ? null : hashBytes(entry.hash),
    entry.cut ?? null,
  ]
}
