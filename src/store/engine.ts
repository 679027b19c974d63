/**
 * The store over any log file and, if there is one, an index: every rule that has nothing to do with a disk. `sqlite.ts`
 * and `memory.ts` open it. Reads join the index with the overlay of what it does not cover yet. design.md 6.
 */

import type { Time } from '../delta/clock.ts'
import type { Delta, PeerId } from '../delta/delta.ts'
import { parseDeltaId } from '../delta/identifiers.ts'
import { compareDeltas, compareUtf8 } from '../delta/order.ts'
import { RhizomeError } from '../errors.ts'
import { type Block, type LogKey, logKeyOfHeader, type Run, RUN_BLOCKS_MAX, RUN_BYTES_MAX } from '../log/block.ts'
import { deltaAt } from '../log/block-bytes.ts'
import { type ForkProof, verifyForkProof } from '../log/fork.ts'
import type { Frontier } from '../log/frontier.ts'
import type { NamespaceId } from '../log/namespace.ts'
import { Draft, type HeldBlock, type Verdict } from './draft.ts'
import type { Heads, HeldLog } from './heads.ts'
import type { LogFile, PlacedRecord, Placement } from './log-file.ts'
import type { Overlay } from './overlay.ts'
import { isShown, negates } from './shown.ts'
import type {
  Change,
  CommitResult,
  EntityDeltas,
  LogState,
  NamespaceCounts,
  Position,
  Store,
  StoreOrigin,
} from './store.ts'
import { Waiters } from './waiters.ts'

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
  block(hash: string): Block | undefined
  /** Deltas that point at `entity`, of admitted blocks, up to position `end`. Those in `read` are not read again. */
  deltas(namespace: NamespaceId, entity: string, end: number, admits: Admits, read?: ReadDeltas): readonly Delta[]
  /** False when no delta of that block is negated up to the newest position indexed. */
  mayBeNegated(blockHash: string): boolean
  /** As `Overlay.nextEntity`, of entities with an admitted delta when `admits` is given. */
  nextEntity(namespace: NamespaceId, from: string, inclusive: boolean, admits?: Admits): string | undefined
  /** Indexes what is left and lets go of the files. */
  close(): Promise<void>
}

export interface EngineParts {
  readonly log: LogFile
  readonly heads: Heads
  readonly overlay: Overlay
  readonly forkPlaces: Map<string, number>
  readonly index?: LogIndex
  readonly origin: StoreOrigin
  /** Lets go of the files and the lock, after the index did. */
  readonly release: () => void
}

/** One batch that `changes` reads ahead. */
const BATCH = { countMax: 256, bytesMax: 1_048_576 }

export class StoreEngine implements Store {
  readonly origin: StoreOrigin
  readonly #log: LogFile
  readonly #heads: Heads
  readonly #overlay: Overlay
  readonly #index: LogIndex | undefined
  readonly #forkPlaces: Map<string, number>
  readonly #release: () => void
  readonly #waiters = new Waiters()
  readonly #admits: Admits
  #end: number
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
    this.#admits = (namespace, log, seq) => parts.heads.admits(namespace, log, seq)
    this.origin = parts.origin
    for (const { id } of parts.log.namespaces()) parts.heads.openNamespace(id)
    // What the overlay's floor leaves open is the tail that no index covers: it is replayed from the log.
    this.#end = parts.overlay.floor
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

  commit(run: Run): CommitResult {
    return this.#transact((draft) => [draft.take(run)])[0] as CommitResult
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
    if (this.#log.namespaces().some((known) => known.id === id)) return
    this.#write('note', () => this.#log.addNamespace(id, name))
    this.#heads.openNamespace(id)
  }

  setNote(key: string, value: string | undefined): void {
    this.#checkOpen()
    this.#write('note', () => this.#log.setNote(key, value))
  }

  #transact(plan: (draft: Draft) => readonly Verdict[]): readonly CommitResult[] {
    this.#checkOpen()
    this.#settle()
    const draft = new Draft(this.#heads, this)
    const verdicts = plan(draft)
    const placements = draft.records.length === 0 ? [] : this.#append(draft)
    return verdicts.map((verdict) => resultOf(verdict, placements))
  }

  #append(draft: Draft): readonly Placement[] {
    this.#releaseIndexed()
    this.#index?.makeRoom(this.#overlay.bytes)
    let placements: readonly Placement[]
    try {
      placements = this.#write('block', () => this.#log.append(draft.records))
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
      this.#end = end
      if (record.kind === 'fork') this.#forkPlaces.set(`${record.fork.namespace}/${record.fork.log}`, place)
    }
    if (placements.length > 0) this.#recorded()
  }

  #recorded(): void {
    this.#index?.recorded(this.#end)
    this.#waiters.wake()
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
    const onDisk = this.#log.after(this.#end, { countMax: Infinity, bytesMax: Infinity })
    const draft = new Draft(this.#heads, this)
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

  frontierDigest(namespace: NamespaceId): Uint8Array {
    this.#checkOpen()
    return this.#heads.digest(namespace)
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
      const found = this.heldBlock(namespace, log, seq)
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
    return this.#end as Position
  }

  note(key: string): string | undefined {
    this.#checkOpen()
    return this.#log.note(key)
  }

  // ------------------------------------------------------------------------------------------------------- reading

  heldBlock(namespace: NamespaceId, log: LogKey, seq: number): HeldBlock | undefined {
    return this.#overlay.heldBlock(namespace, log, seq) ?? this.#index?.heldBlock(namespace, log, seq)
  }

  readRun(namespace: NamespaceId, log: LogKey, fromSeq: number, bytesMax: number): Run | undefined {
    this.#checkOpen()
    const held = this.#heads.get(namespace, log)
    if (held?.head === undefined || held.top === undefined || fromSeq < 0 || fromSeq > held.head.seq) return undefined
    const blocks: Block[] = []
    let bytes = 0
    let signedCount = 0
    for (let seq = fromSeq; seq <= held.top.seq && blocks.length < RUN_BLOCKS_MAX; seq++) {
      // Past the cut there is nothing to give but the signature that the blocks before it lack.
      if (seq > held.head.seq && signedCount > 0) break
      const block = this.heldBlock(namespace, log, seq)?.block
      if (block === undefined) throw damaged(log, seq)
      bytes += block.headerBytes.length + block.header.payloadBytes
      if (signedCount > 0 && bytes > bytesMax) break
      if (blocks.length > 0 && bytes > RUN_BYTES_MAX) break
      blocks.push(block)
      if (block.signature !== undefined) signedCount = blocks.length
    }
    const [first, ...rest] = blocks.slice(0, signedCount)
    return first === undefined ? undefined : { blocks: [first, ...rest] }
  }

  block(namespace: NamespaceId, hash: string): Block | undefined {
    this.#checkOpen()
    const block = this.#overlay.block(hash) ?? this.#index?.block(hash)
    if (block === undefined || block.header.namespace !== namespace) return undefined
    return this.#admits(namespace, logKeyOfHeader(block.header), block.header.seq) ? block : undefined
  }

  entity(namespace: NamespaceId, entity: string): EntityDeltas {
    this.#checkOpen()
    const deltas = this.#pointingAt(namespace, entity).sort(compareDeltas)
    return { deltas, negations: this.#negationsOf(namespace, deltas) }
  }

  delta(
    namespace: NamespaceId,
    id: string,
  ): { readonly delta: Delta; readonly negations: readonly Delta[] } | undefined {
    this.#checkOpen()
    const { blockHash, index } = parseDeltaId(id)
    const block = this.block(namespace, blockHash)
    if (block === undefined || index >= block.payload.length || !isShown(block.header)) return undefined
    const delta = deltaAt(block, index)
    return { delta, negations: this.#negationsOf(namespace, [delta]) }
  }

  entities(
    namespace: NamespaceId,
    options: { readonly prefix: string; readonly after?: string; readonly countMax: number },
  ): readonly string[] {
    this.#checkOpen()
    const { prefix, after, countMax } = options
    const found: string[] = []
    let inclusive = after === undefined || compareUtf8(after, prefix) < 0
    let from = inclusive ? prefix : (after as string)
    while (found.length < countMax) {
      const next = this.#nextEntity(namespace, from, inclusive)
      if (next === undefined || !next.startsWith(prefix)) break
      found.push(next)
      from = next
      inclusive = false
    }
    return found
  }

  /** Deltas that point at `entity`, in no order. */
  #pointingAt(namespace: NamespaceId, entity: string, read?: ReadDeltas): Delta[] {
    const deltas: Delta[] = []
    for (const { block, index } of this.#overlay.entries(namespace, entity)) {
      if (!this.#admits(namespace, logKeyOfHeader(block.header), block.header.seq)) continue
      const place = `${block.hash}/${index}`
      const delta = read?.get(place) ?? deltaAt(block, index)
      read?.set(place, delta)
      deltas.push(delta)
    }
    if (this.#index !== undefined) {
      const indexed = this.#index.deltas(namespace, entity, this.#overlay.floor, this.#admits, read)
      for (const delta of indexed) deltas.push(delta)
    }
    return deltas
  }

  /** Every delta that negates one of `deltas`, or such a negation, and so on: in the total order. */
  #negationsOf(namespace: NamespaceId, deltas: readonly Delta[]): readonly Delta[] {
    const found = new Map<string, Delta>()
    const read: ReadDeltas = new Map()
    const open = [...deltas]
    for (let delta = open.pop(); delta !== undefined; delta = open.pop()) {
      for (const negation of this.#negating(namespace, delta, read)) {
        if (found.has(negation.id)) continue
        found.set(negation.id, negation)
        open.push(negation)
      }
    }
    return [...found.values()].sort(compareDeltas)
  }

  #negating(namespace: NamespaceId, { id }: Delta, read: ReadDeltas): readonly Delta[] {
    const indexed = this.#index?.mayBeNegated(id.slice(0, id.indexOf('/'))) ?? false
    if (!indexed && this.#overlay.entries(namespace, id).length === 0) return []
    return this.#pointingAt(namespace, id, read).filter((delta) => negates(delta, id))
  }

  #nextEntity(namespace: NamespaceId, from: string, inclusive: boolean): string | undefined {
    const admits = this.#heads.hasVoid(namespace) ? this.#admits : undefined
    const indexed = this.#index?.nextEntity(namespace, from, inclusive, admits)
    const recent = this.#nextRecent(namespace, from, inclusive, admits)
    if (indexed === undefined || recent === undefined) return indexed ?? recent
    return compareUtf8(indexed, recent) <= 0 ? indexed : recent
  }

  #nextRecent(namespace: NamespaceId, from: string, inclusive: boolean, admits?: Admits): string | undefined {
    let next = this.#overlay.nextEntity(namespace, from, inclusive)
    while (next !== undefined && admits !== undefined) {
      const entries = this.#overlay.entries(namespace, next)
      if (entries.some(({ block: { header } }) => admits(namespace, logKeyOfHeader(header), header.seq))) break
      next = this.#overlay.nextEntity(namespace, next, false)
    }
    return next
  }

  // ------------------------------------------------------------------------------------------------------- changes

  changesNow(options: {
    readonly after: Position
    readonly countMax: number
    readonly bytesMax: number
  }): readonly Change[] {
    this.#checkOpen()
    let { after } = options
    // A page that holds nothing but void blocks must not look like the end.
    while (after < this.#end) {
      const records =
        after >= this.#overlay.floor ? this.#overlay.after(after, options) : this.#log.after(after, options)
      const changes = records.flatMap((record) => this.#changeOf(record) ?? [])
      const last = records.at(-1)
      if (changes.length > 0 || last === undefined) return changes
      after = last.end as Position
    }
    return []
  }

  async *changes(options: { readonly after: Position; readonly signal: AbortSignal }): AsyncIterable<Change> {
    const { signal } = options
    let { after } = options
    this.#checkOpen()
    while (!signal.aborted && this.#closed === undefined) {
      const batch = this.changesNow({ after, ...BATCH })
      for (const change of batch) {
        if (signal.aborted) return
        // A fork found since the batch was read has voided it.
        if (change.kind === 'committed' && !this.#stands(change.block)) continue
        yield change
      }
      const last = batch.at(-1)
      if (last !== undefined) after = last.position
      else if (!(await this.#waiters.wait(signal))) return
    }
  }

  #changeOf(record: PlacedRecord): Change | undefined {
    const position = record.end as Position
    if (record.kind === 'fork') return { kind: 'voided', position, ...record.fork }
    const { block } = record
    return this.#stands(block) ? { kind: 'committed', position, namespace: block.header.namespace, block } : undefined
  }

  #stands({ header }: Block): boolean {
    return this.#admits(header.namespace, logKeyOfHeader(header), header.seq)
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
    this.#waiters.end()
    try {
      await this.#index?.close()
    } finally {
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

function damaged(log: LogKey, seq: number): RhizomeError {
  return new RhizomeError('RZ_STORE_DAMAGED', `block ${seq} of log ${log} cannot be found: run rhizome-node repair`)
}
