/**
 * The port of storage: the only door to disk. Blocks enter by `commit` alone, which re-checks the chain rule in the
 * transaction that writes them, whoever brings them; change is learnt from the durable cursor alone.
 * Implementations: `sqlite.ts` (disk) and `memory.ts` (tests, `--memory`, the simulator). Every one passes the contract
 * suite under test/store. design.md 6, "What must stay true".
 *
 * Commits and reads are synchronous: one process owns a store, a commit is one sequential write of 50 µs, and nothing can
 * come between a check and the write that relies on it.
 */

import type { Brand } from '../delta/brand.ts'
import type { Time } from '../delta/clock.ts'
import type { Delta, PeerId } from '../delta/delta.ts'
import type { Block, LogKey, Run } from '../log/block.ts'
import type { Head } from '../log/chain.ts'
import type { ForkProof } from '../log/fork.ts'
import type { Frontier, FrontierEntry } from '../log/frontier.ts'
import type { NamespaceId } from '../log/namespace.ts'
import type { DerivedTables } from './derived.ts'

/** A place in the store's sequence of changes: rises by commit, survives restarts, means nothing in another store. */
export type Position = Brand<number, 'Position'>

export const POSITION_START = 0 as Position

/** Notes to be written together, by key; one without a value is removed. */
export type Notes = ReadonlyMap<string, string | undefined>

/** What became of a run. Expected results are values; only a failing disk throws. */
export type CommitResult =
  /** Every block that was new is durable (as `durability` promises) and visible; `position` is the last one's. */
  | { readonly kind: 'committed'; readonly position: Position; readonly blocks: number }
  | { readonly kind: 'duplicate' }
  /** It starts past the head; `missingFrom` is the first seq that is lacking. */
  | { readonly kind: 'gap'; readonly missingFrom: number }
  /** It contradicts what is held: the proof was made, stored and applied, and `log` is void from `cut` on. */
  | { readonly kind: 'forked'; readonly log: LogKey; readonly cut: number; readonly position: Position }
  /** Its log is void from `cut` on, and the run lies there: it is not taken. */
  | { readonly kind: 'void'; readonly cut: number }
  | { readonly kind: 'invalid'; readonly why: string }

/** One durable change, as the cursor yields it. */
export type Change =
  | { readonly kind: 'committed'; readonly position: Position; readonly namespace: NamespaceId; readonly block: Block }
  /** Blocks of `log` from `cut` on no longer count. */
  | {
      readonly kind: 'voided'
      readonly position: Position
      readonly namespace: NamespaceId
      readonly log: LogKey
      readonly cut: number
    }

export interface LogState extends FrontierEntry {
  readonly head?: Head
}

/** What is held about one entity: its deltas, and every delta that negates one of them, or such a negation, and so on. */
export interface EntityDeltas {
  /** In the total order. */
  readonly deltas: readonly Delta[]
  readonly negations: readonly Delta[]
}

export interface NamespaceCounts {
  readonly blocks: number
  readonly deltas: number
  readonly logs: number
}

/** Where this store's data comes from: whether it is certain that nobody else went on writing its logs. */
export interface StoreOrigin {
  /**
   * Why logs written before must be left for new ones (design.md 3, "Logs never fork by honest accident"): another machine,
   * another directory, a boot since an unclean stop without fsync, a repair. Absent when it is the same life going on.
   */
  readonly renewal?: string
}

export interface Store extends AsyncDisposable {
  /** Differs whenever positions of an earlier life of this directory no longer hold (new, restored, repaired). 32 hex digits. */
  readonly instance: string
  readonly origin: StoreOrigin
  /** Rows that others derive from the log and keep here. */
  readonly derived: DerivedTables
  /** True when a write was refused for want of space; cleared by the next that succeeds, of a block if it was one. */
  readonly full: boolean

  /**
   * Takes a run as `verifyRun` has answered it: drops the part already held, checks the chain rule for the rest, writes it in
   * one transaction. The namespace must have been opened. Throws RZ_STORE_FULL, RZ_STORE_FAILED, RZ_STORE_CLOSED; then
   * nothing of the run is visible. `notes` are written in the same transaction if the run is committed, and else not at all:
   * who follows the changes and writes because of them notes there how far it is.
   */
  commit(run: Run, notes?: Notes): CommitResult
  /** Takes several runs in one transaction, each with a result of its own: for bulk sync and import. */
  commitAll(runs: readonly Run[]): readonly CommitResult[]
  /** Takes a fork proof that `verifyForkProof` has passed. A cut that is no lower than the one held is a duplicate. */
  commitForkProof(proof: ForkProof): CommitResult

  /** Makes the namespace known under its name. Idempotent. */
  openNamespace(id: NamespaceId, name: string): void
  namespaces(): readonly { readonly id: NamespaceId; readonly name: string }[]

  counts(namespace: NamespaceId): NamespaceCounts
  /** A snapshot that later commits leave alone. After a change a copy is made: 3 ms for 300,000 logs. Else constant. */
  frontier(namespace: NamespaceId): Frontier
  /**
   * The logs that came or changed after revision `after` of the frontier, as they stand now and in no order: all of them for
   * 0 or when it is long ago. Revisions begin anew with each opening. Linear in the answer.
   */
  frontierChanges(namespace: NamespaceId, after: number): { readonly revision: number; readonly entries: Frontier }
  /** How many logs of one creator are held. */
  logsOf(namespace: NamespaceId, creator: PeerId): number
  logState(namespace: NamespaceId, log: LogKey): LogState | undefined
  forkProof(namespace: NamespaceId, log: LogKey): ForkProof | undefined
  /** Held blocks of a log at and past its cut, oldest first: kept locally, part of no view. */
  voided(namespace: NamespaceId, log: LogKey): readonly Block[]
  /**
   * Whole blocks that a repair had to take out, because one that they follow was damaged: what no peer gives back can be
   * asserted again from them. Some may be held again meanwhile.
   */
  setAside(): readonly Block[]
  /** The latest time among blocks held of every namespace, void ones too: the clock starts after it. */
  latestTime(): Time

  /**
   * Admitted blocks of a log from `fromSeq` on as a run that ends at a verified signature; undefined when there are none.
   * Within `bytesMax` where a signature allows it, and always within `RUN_BLOCKS_MAX` and `RUN_BYTES_MAX`. Where a cut has
   * taken the signature, the run goes on to it through void blocks: they certify those before, and whoever knows the cut
   * admits no more than those.
   */
  readRun(namespace: NamespaceId, log: LogKey, fromSeq: number, bytesMax: number): Run | undefined
  /** The admitted block of that hash. */
  block(namespace: NamespaceId, hash: string): Block | undefined
  /** Where that block stands in the sequence of changes. */
  positionOf(namespace: NamespaceId, hash: string): Position | undefined

  /**
   * Includes everything committed before the call, or of that what `admits` says yes to. A block that is void or of another
   * namespace is never seen, nor is what belongs to a transaction that is not complete (delta/gathered.ts).
   */
  entity(namespace: NamespaceId, entity: string, admits?: (delta: Delta) => boolean): EntityDeltas
  /** The delta with its negations, as `entity` sees them; undefined when not held or void. */
  delta(
    namespace: NamespaceId,
    id: string,
    admits?: (delta: Delta) => boolean,
  ): { readonly delta: Delta; readonly negations: readonly Delta[] } | undefined
  /** A transaction, and the held deltas that point at it, in no order: those that it shows or hides. */
  transaction(
    namespace: NamespaceId,
    id: string,
  ): { readonly isComplete: boolean; readonly deltas: () => readonly Delta[] }
  /** Ids of entities that deltas point at and that begin with `prefix`, in order of their UTF-8 bytes, after `after`. */
  entities(
    namespace: NamespaceId,
    options: { readonly prefix: string; readonly after?: string; readonly countMax: number },
  ): readonly string[]

  /**
   * Changes after `after`, oldest first, then waits for more until `signal` ends it. Every change is yielded at least once to
   * whoever comes back with the last position it has dealt with. Blocks voided since are left out, their `voided` is not.
   */
  changes(options: { readonly after: Position; readonly signal: AbortSignal }): AsyncIterable<Change>
  /** As `changes`, but what is there now, at most `countMax`: for paging. */
  changesNow(options: {
    readonly after: Position
    readonly countMax: number
    readonly bytesMax: number
  }): readonly Change[]
  /** The position of the newest change. */
  position(): Position

  /** Small durable notes beside the log (sync positions of peers, own log ids): last write wins, committed at once. */
  note(key: string): string | undefined
  setNote(key: string, value: string | undefined): void
  /** All of them in one transaction. */
  setNotes(notes: Notes): void

  /** Idempotent. Waits for indexes to be written, so that the next opening has no tail to read. */
  close(): Promise<void>
}
