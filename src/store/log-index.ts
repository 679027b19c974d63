/**
 * The port of an index of the log up to a position, as the engine sees it: `index-thread.ts` implements it on disk, and a
 * store in memory has none. What it does not cover yet is in the overlay.
 */

import type { Delta } from '../delta/delta.ts'
import type { Block, LogKey } from '../log/block.ts'
import type { NamespaceId } from '../log/namespace.ts'
import type { HeldBlock } from './draft.ts'
import type { ReadLimits } from './log-file.ts'

/** Whether blocks of a log count from `seq` on: asked of every block that an index finds. */
export type Admits = (namespace: NamespaceId, log: LogKey, seq: number) => boolean

/** Deltas that one call has read, by their place: one that points at hundreds of others is met once for each of them. */
export type ReadDeltas = Map<string, Delta>

/** What the engine asks of an index of the log up to a position. */
export interface LogIndex {
  /** Everything up to this position is found in the index; it rises by itself. */
  indexedEnd(): number
  /** Told of new records, so that they get indexed. */
  recorded(end: number): void
  /**
   * Asked before a write: waits for the index when it is too far behind, so that writers go at its rate. Throws RZ_STORE_FULL
   * or RZ_STORE_FAILED when it is and can go no further.
   */
  makeRoom(unindexedBytes: number): void
  /** Calls back, at some later time, after more has been indexed. */
  onIndexed(listener: () => void): void
  heldBlock(namespace: NamespaceId, log: LogKey, seq: number): HeldBlock | undefined
  /** Consecutive blocks of a log from `fromSeq` on: one at least if that one is indexed, else within the limits. */
  blocksFrom(namespace: NamespaceId, log: LogKey, fromSeq: number, limits: ReadLimits): readonly Block[]
  block(hash: string): Block | undefined
  /** The position of the block of that hash, void or not. */
  positionOf(hash: string): number | undefined
  /** Deltas that point at `entity`, of admitted blocks, up to position `end`. Those in `read` are not read again. */
  deltas(namespace: NamespaceId, entity: string, end: number, admits: Admits, read?: ReadDeltas): readonly Delta[]
  /** False when no delta of that block is negated up to the newest position indexed. */
  mayBeNegated(blockHash: string): boolean
  /** As `Overlay.nextEntity`, of entities with an admitted delta when `admits` is given. */
  nextEntity(namespace: NamespaceId, from: string, inclusive: boolean, admits?: Admits): string | undefined
  /** Indexes what is left and lets go of the files. */
  close(): Promise<void>
}
