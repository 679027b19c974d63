/**
 * The store over any log file and, if there is one, an index: writing, and memory that follows the disk. `sqlite.ts` and
 * `memory.ts` open it. Blocks and deltas are read by `reading.ts`, changes followed by `changes.ts`. design.md 6.
 */

import type { Time } from '../delta/clock.ts'
import type { Delta, PeerId } from '../delta/delta.ts'
import { RhizomeError } from '../errors.ts'
import type { Block, LogKey, Run } from '../log/block.ts'
import { type ForkProof, verifyForkProof } from '../log/fork.ts'
import type { Frontier } from '../log/frontier.ts'
import type { NamespaceId } from '../log/namespace.ts'
import { Changes } from './changes.ts'
import type { DerivedTables } from './derived.ts'
import { Draft, type Verdict } from './draft.ts'
import type { Heads, HeldLog } from './heads.ts'
import type { LogFile, Placement } from './log-file.ts'
import type { LogIndex } from './log-index.ts'
import type { Overlay } from './overlay.ts'
import { Reading } from './reading.ts'
import type {
  Change,
  CommitResult,
  EntityDeltas,
  LogState,
  NamespaceCounts,
  Notes,
  Position,
  Store,
  StoreOrigin,
} from './store.ts'

export interface EngineParts {
  readonly derived: DerivedTables
  readonly log: LogFile
  readonly heads: Heads
  readonly overlay: Overlay
  readonly forkPlaces: Map<string, number>
  readonly index?: LogIndex
  readonly origin: StoreOrigin
  /** Lets go of the files and the lock, after the index did. */
  readonly release: () => void
}

export class StoreEngine implements Store {
  readonly origin: StoreOrigin
  readonly derived: DerivedTables
  readonly #log: LogFile
  readonly #heads: Heads
  readonly #overlay: Overlay
  readonly #index: LogIndex | undefined
  readonly #forkPlaces: Map<string, number>
  readonly #release: () => void
  readonly #reading: Reading
  readonly #changes: Changes
  /** What the disk refused last for want of space: where there is no room for a block there may be some for a note. */
  #full: 'block' | 'note' | undefined
  /** The disk may hold more than memory knows: on opening, and after a write of unknown outcome. */
  #unsure: boolean
  #closed: Promise<void> | undefined

  constructor(parts: EngineParts) {
    this.#log = parts.log
    this.#heads = parts.heads
    this.#overlay = parts.overlay
    this.#index = parts.index
    this.#forkPlaces = parts.forkPlaces
    this.#release = parts.release
    this.#reading = new Reading(parts.heads, parts.overlay, parts.index)
    // What the overlay's floor leaves open is the tail that no index covers: it is replayed from the log.
    this.#changes = new Changes(parts.log, parts.heads, parts.overlay)
    this.origin = parts.origin
    this.derived = parts.derived
    for (const { id } of parts.log.namespaces()) parts.heads.openNamespace(id)
    this.#unsure = true
    this.#settle()
    this.#index?.onIndexed(() => this.#releaseIndexed())
  }

  get instance(): string {
    return this.#log.instance
  }

  get full(): boolean {
    return this.#full !== undefined
  }

  // ------------------------------------------------------------------------------------------------------- writing

  commit(run: Run, notes?: Notes): CommitResult {
    return this.#transact((draft) => [draft.take(run)], notes)[0] as CommitResult
  }

  commitAll(runs: readonly Run[]): readonly CommitResult[] {
    return this.#transact((draft) => runs.map((run) => draft.take(run)))
  }

  commitForkProof(proof: ForkProof): CommitResult {
    const fork = verifyForkProof(proof)
    return this.#transact((draft) => [draft.takeProof(proof, fork)])[0] as CommitResult
  }

  openNamespace(id: NamespaceId, name: string): void {
    this.#checkOpen()
    // A disk may say that it failed, and have the name all the same.
    const isOnDisk = this.#log.namespaces().some((known) => known.id === id)
    if (!isOnDisk) this.#write('note', () => this.#log.addNamespace(id, name))
    this.#heads.openNamespace(id)
  }

  setNote(key: string, value: string | undefined): void {
    this.#checkOpen()
    this.#write('note', () => this.#log.setNote(key, value))
  }

  setNotes(notes: Notes): void {
    this.#checkOpen()
    if (notes.size > 0) this.#write('note', () => this.#log.append([], notes))
  }

  /** `notes` belong to the verdict `committed`. */
  #transact(plan: (draft: Draft) => readonly Verdict[], notes?: Notes): readonly CommitResult[] {
    this.#checkOpen()
    this.#settle()
    const draft = new Draft(this.#heads, this.#reading)
    const verdicts = plan(draft)
    const isCommitted = verdicts.every(({ kind }) => kind === 'committed')
    const placements = draft.records.length === 0 ? [] : this.#append(draft, isCommitted ? notes : undefined)
    return verdicts.map((verdict) => resultOf(verdict, placements))
  }

  #append(draft: Draft, notes: Notes | undefined): readonly Placement[] {
    this.#releaseIndexed()
    this.#index?.makeRoom(this.#overlay.bytes)
    let placements: readonly Placement[]
    try {
      placements = this.#write('block', () => this.#log.append(draft.records, notes))
    } catch (error) {
      if (error instanceof RhizomeError && error.code === 'RZ_STORE_FAILED') this.#unsure = true
      throw error
    }
    this.#accept(draft, placements)
    return placements
  }

  /** What the draft planned is on disk: memory follows. */
  #accept(draft: Draft, placements: readonly Placement[]): void {
    for (const held of draft.held()) this.#heads.set(held)
    for (const [index, record] of draft.records.entries()) {
      const { place, end } = placements[index] as Placement
      this.#overlay.add({ ...record, place, end }, draft.deltas[index] as number)
      if (record.kind === 'block') this.#reading.take(record.block)
      if (record.kind !== 'fork') continue
      this.#forkPlaces.set(`${record.fork.namespace}/${record.fork.log}`, place)
      this.#reading.forget()
    }
    const end = placements.at(-1)?.end
    if (end === undefined) return
    this.#index?.recorded(end)
    this.#changes.advance(end)
  }

  /** What the index covers by now need not stay in memory. */
  #releaseIndexed(): void {
    if (this.#index !== undefined && this.#closed === undefined) this.#overlay.release(this.#index.indexedEnd())
  }

  #write<Answer>(what: 'block' | 'note', write: () => Answer): Answer {
    try {
      const answer = write()
      if (what === 'block' || this.#full === 'note') this.#full = undefined
      return answer
    } catch (error) {
      if (!(error instanceof RhizomeError) || error.code !== 'RZ_STORE_FULL') this.#full = undefined
      else if (this.#full !== 'block') this.#full = what
      throw error
    }
  }

  /** Memory goes on from what the disk holds, and not before it can be read. */
  #settle(): void {
    if (!this.#unsure) return
    const onDisk = this.#log.after(this.#changes.end, { countMax: Infinity, bytesMax: Infinity })
    const draft = new Draft(this.#heads, this.#reading)
    for (const record of onDisk) draft.replay(record)
    this.#unsure = false
    this.#accept(draft, onDisk)
  }

  // ------------------------------------------------------------------------------------------------- what is held

  namespaces(): readonly { readonly id: NamespaceId; readonly name: string }[] {
    this.#checkOpen()
    return this.#log.namespaces()
  }

  counts(namespace: NamespaceId): NamespaceCounts {
    this.#checkOpen()
    return this.#heads.counts(namespace)
  }

  frontier(namespace: NamespaceId): Frontier {
    this.#checkOpen()
    return this.#heads.frontier(namespace)
  }

  frontierChanges(namespace: NamespaceId, after: number): { readonly revision: number; readonly entries: Frontier } {
    this.#checkOpen()
    return this.#heads.changes(namespace, after)
  }

  logsOf(namespace: NamespaceId, creator: PeerId): number {
    this.#checkOpen()
    return this.#heads.logsOf(namespace, creator)
  }

  logState(namespace: NamespaceId, log: LogKey): LogState | undefined {
    this.#checkOpen()
    const held = this.#heads.get(namespace, log)
    return held === undefined ? undefined : stateOf(held)
  }

  forkProof(namespace: NamespaceId, log: LogKey): ForkProof | undefined {
    this.#checkOpen()
    const place = this.#forkPlaces.get(`${namespace}/${log}`)
    return place === undefined ? undefined : this.#log.forkProofAt(place)
  }

  voided(namespace: NamespaceId, log: LogKey): readonly Block[] {
    this.#checkOpen()
    const held = this.#heads.get(namespace, log)
    const blocks: Block[] = []
    if (held?.cut === undefined || held.top === undefined) return blocks
    for (let seq = held.cut; seq <= held.top.seq; seq++) {
      const found = this.#reading.heldBlock(namespace, log, seq)
      if (found !== undefined) blocks.push(found.block)
    }
    return blocks
  }

  setAside(): readonly Block[] {
    this.#checkOpen()
    return this.#log.setAside()
  }

  latestTime(): Time {
    this.#checkOpen()
    return this.#heads.latestTime()
  }

  position(): Position {
    return this.#changes.end as Position
  }

  note(key: string): string | undefined {
    this.#checkOpen()
    return this.#log.note(key)
  }

  // ------------------------------------------------------------------------------------------------------- reading

  readRun(namespace: NamespaceId, log: LogKey, fromSeq: number, bytesMax: number): Run | undefined {
    this.#checkOpen()
    return this.#reading.run(namespace, log, fromSeq, bytesMax)
  }

  block(namespace: NamespaceId, hash: string): Block | undefined {
    this.#checkOpen()
    return this.#reading.block(namespace, hash)
  }

  positionOf(namespace: NamespaceId, hash: string): Position | undefined {
    this.#checkOpen()
    return this.#reading.positionOf(namespace, hash)
  }

  entity(namespace: NamespaceId, entity: string, admits?: (delta: Delta) => boolean): EntityDeltas {
    this.#checkOpen()
    return this.#reading.entity(namespace, entity, admits)
  }

  delta(namespace: NamespaceId, id: string, admits?: (delta: Delta) => boolean): ReturnType<Store['delta']> {
    this.#checkOpen()
    return this.#reading.delta(namespace, id, admits)
  }

  transaction(namespace: NamespaceId, id: string): ReturnType<Store['transaction']> {
    this.#checkOpen()
    return this.#reading.transaction(namespace, id)
  }

  entities(namespace: NamespaceId, options: Parameters<Store['entities']>[1]): readonly string[] {
    this.#checkOpen()
    return this.#reading.entities(namespace, options)
  }

  // ------------------------------------------------------------------------------------------------------- changes

  changesNow(options: Parameters<Store['changesNow']>[0]): readonly Change[] {
    this.#checkOpen()
    return this.#changes.now(options)
  }

  async *changes(options: { readonly after: Position; readonly signal: AbortSignal }): AsyncIterable<Change> {
    this.#checkOpen()
    yield* this.#changes.follow(options)
  }

  // ------------------------------------------------------------------------------------------------------- closing

  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(): Promise<void> {
    this.#changes.close()
    try {
      await this.#index?.close()
    } finally {
      this.derived.close()
      this.#release()
    }
  }

  #checkOpen(): void {
    if (this.#closed !== undefined || !this.#log.isOpen)
      throw new RhizomeError('RZ_STORE_CLOSED', 'the store is closed')
  }
}

function resultOf(verdict: Verdict, placements: readonly Placement[]): CommitResult {
  if (verdict.kind !== 'committed' && verdict.kind !== 'forked') return verdict
  const { record, ...rest } = verdict
  return { ...rest, position: (placements[record] as Placement).end as Position }
}

function stateOf({ log, head, cut }: HeldLog): LogState {
  return {
    log,
    ...(head === undefined ? {} : { seq: head.seq, hash: head.hash, head }),
    ...(cut === undefined ? {} : { cut }),
  }
}
