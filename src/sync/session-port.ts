/**
 * What a sync session may ask of the node around it: synchronous reads of the store, the one way in for blocks, and
 * observers. `replica.ts` implements it; the session itself does no I/O, reads no clock and draws no random number.
 */

import type { BlockHash, Header, LogKey, Run } from '../log/block.ts'
import type { AttestedHeader, ForkProof } from '../log/fork.ts'
import type { FrontierEntry } from '../log/frontier.ts'
import type { CommitResult } from '../store/store.ts'
import type { Summary } from './summary.ts'

export interface SessionPort {
  readonly instance: string
  position(): number
  summary(): Summary
  entry(log: LogKey): FrontierEntry | undefined
  /** Logs that changed after a position of this store; undefined when there are too many, or it cannot be told. */
  changedSince(position: number): readonly FrontierEntry[] | undefined
  readRun(log: LogKey, fromSeq: number, bytesMax: number): Run | undefined
  /** The signed header of the head; undefined for a head that only a run certified. */
  attestedHead(log: LogKey): AttestedHeader | undefined
  forkProof(log: LogKey): ForkProof | undefined

  /** Commits verified runs. Throws what the store throws. */
  take(runs: readonly Run[]): readonly CommitResult[]
  takeProof(proof: ForkProof): CommitResult

  /** Makes a log this session's to fetch; false while another fetches it. */
  reserve(log: LogKey): boolean
  release(log: LogKey): void
  /** True for a log that this peer has claimed before and not served. */
  passedOver(log: LogKey): boolean

  /** The peer showed a signed head that we lack. */
  headKnown(header: Header, hash: BlockHash): void
  /** The peer holds a block dated too far ahead. */
  futureKnown(header: Header): void
}
