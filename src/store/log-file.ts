/**
 * The inner port of a store: the log, a sequence of records that is the truth, and the few small things kept beside it.
 * Implementations: `log-sqlite.ts` (log.db) and the disk of `memory.ts`. What they share stands in `engine.ts`.
 */

import type { Block } from '../log/block.ts'
import type { Fork, ForkProof } from '../log/fork.ts'
import type { NamespaceId } from '../log/namespace.ts'
import type { Notes } from './store.ts'

/** What one row, or a few rows in sequence, of the log hold. */
export type LogRecord =
  | { readonly kind: 'block'; readonly block: Block; readonly bytes: number }
  | { readonly kind: 'fork'; readonly proof: ForkProof; readonly fork: Fork; readonly bytes: number }

/** Where a record lies: `place` is its first row, `end` its last, which is its position in the sequence of changes. */
export interface Placement {
  readonly place: number
  readonly end: number
}

export type PlacedRecord = LogRecord & Placement

export interface ReadLimits {
  readonly countMax: number
  readonly bytesMax: number
}

export interface LogFile {
  readonly instance: string
  /** False once it takes no more calls. */
  readonly isOpen: boolean
  /** The position of the newest record on disk; 0 when there is none. Read from disk, not remembered. */
  end(): number
  /**
   * Writes all records and notes in one transaction. Throws RZ_STORE_FULL when nothing was written for want of space, and
   * RZ_STORE_FAILED when it is not known whether it was: `end` tells, as soon as the disk can be read again.
   */
  append(records: readonly LogRecord[], notes?: Notes): readonly Placement[]
  /** Records after `position`, oldest first: one at least if there is one, else within the limits. */
  after(position: number, limits: ReadLimits): readonly PlacedRecord[]
  /** The block whose first row is `place`. Throws RZ_STORE_DAMAGED when that row is not what was written. */
  blockAt(place: number): Block
  /** The position of the record whose first row is `place`. Throws as `blockAt`. */
  positionAt(place: number): number
  forkProofAt(place: number): ForkProof

  /** Whole blocks that a repair had to take out. */
  setAside(): readonly Block[]
  namespaces(): readonly { readonly id: NamespaceId; readonly name: string }[]
  addNamespace(id: NamespaceId, name: string): void
  note(key: string): string | undefined
  setNote(key: string, value: string | undefined): void
}
