/**
 * One namespace on one node, kept equal to its peers: joins the topic, screens and commits what gossip brings, announces what
 * is written here, and holds sync sessions with the peers that join. Wires the parts of this room to the ports of store and
 * net; the judgements are theirs. design.md 4 and 6.
 */

import { RhizomeError, assert } from '../errors.ts'
import type { PeerId } from '../delta/delta.ts'
import { type Header, type LogKey, logKeyOfHeader, type Run } from '../log/block.ts'
import { attest, type ForkProof } from '../log/fork.ts'
import { type FrontierEntry, lengthOf } from '../log/frontier.ts'
import { type NamespaceId, topicOf } from '../log/namespace.ts'
import type { Net, NetStream, PeerIdText, Verdict } from '../net/net.ts'
import type { CommitResult, Position, Store } from '../store/store.ts'
import { Announcer } from './announce.ts'
import { type ContactResult, Contacts } from './contacts.ts'
import type { NamespaceEvent } from './events.ts'
import { exchange, type Frames, framesOf, type Schedule } from './exchange.ts'
import { FutureBlocks } from './future-blocks.ts'
import { type Arrival, GapBuffer } from './gap-buffer.ts'
import { Inbox } from './inbox.ts'
import { KnownHeads } from './known-heads.ts'
import {
  CHANGED_LOGS_MAX,
  CHANGES_READ_BYTES_MAX,
  CHANGES_READ_MAX,
  CLOCK_OFFSET_REPORT_MS,
  GAP_MS,
  IN_SYNC_INTERVALS,
  SESSION_OPEN_MS,
  SPREAD_MS,
  SYNC_PROTOCOL,
  TIE_BREAK_MS,
} from './limits.ts'
import { readToken, tryNoteToken } from './notes.ts'
import { PassedOver } from './passed-over.ts'
import { type SyncPeer, SyncPeers } from './peers.ts'
import { type LogKnowledge, screen } from './screen.ts'
import { Session } from './session.ts'
import type { SessionPort } from './session-port.ts'
import { sameStatus, statusOf, type SyncStatus } from './status.ts'
import { Summaries, type Summary } from './summary.ts'
import type { Hello } from './wire.ts'

export interface ReplicaOptions {
  readonly store: Store
  readonly net: Net
  readonly namespace: NamespaceId
  /** The namespace's name, which is its topic's. */
  readonly topicName: string
  /** This node's name, shown to peers. */
  readonly name: string
  readonly nowMs: () => number
  readonly random: () => number
  readonly schedule: Schedule
  readonly own: (log: LogKey) => boolean
  readonly intervalMs: number
  readonly emit: (event: NamespaceEvent) => void
}

/** What status is looked at again after: many changes at once are one. */
const STATUS_GATHER_MS = 5

export class Replica {
  readonly topic: string
  readonly #options: ReplicaOptions
  readonly #stop = new AbortController()
  readonly #peers = new SyncPeers()
  readonly #contacts: Contacts
  readonly #known: KnownHeads
  readonly #passedOver = new PassedOver()
  readonly #future = new FutureBlocks()
  readonly #gaps = new GapBuffer()
  readonly #inbox: Inbox
  readonly #announcer: Announcer
  readonly #summaries = new Summaries()
  #summary: { readonly at: Position; readonly summary: Summary } | undefined
  /** Logs that a session is fetching, by the session's port. */
  readonly #reserved = new Map<LogKey, SessionPort>()
  /** Peers whose session found its logs reserved by another. */
  readonly #deferred = new Set<PeerIdText>()
  readonly #inbound = new Set<PeerIdText>()
  readonly #running = new Set<Promise<unknown>>()
  readonly #waiters = new Set<() => void>()
  #status: SyncStatus = { kind: 'alone' }
  #cancelStatus: (() => void) | undefined
  #cancelDue: (() => void) | undefined
  readonly #gapTimers = new Map<LogKey, () => void>()

  constructor(options: ReplicaOptions) {
    const { store, net, namespace, schedule, nowMs, random, intervalMs } = options
    this.#options = options
    this.topic = topicOf(options.topicName)
    this.#known = new KnownHeads((log) => this.#entry(log))
    this.#inbox = new Inbox({ schedule, commit: (arrivals) => this.#commitArrivals(arrivals) })
    this.#contacts = new Contacts({ schedule, nowMs, random, intervalMs, sync: (peer) => this.#track(this.#open(peer)) })
    this.#announcer = new Announcer({
      store,
      namespace,
      host: net.self as PeerId,
      schedule,
      publish: (bytes) => net.publish(this.topic, bytes),
      onFailure: (error) => this.#emit({ kind: 'announce-failed', ...codeOf(error) }),
    })
  }

  start(): void {
    const { net } = this.#options
    // The verdict and the work are one: what the validator has decoded is not decoded again by a listener.
    net.join(
      this.topic,
      (bytes, from) => this.#onMessage(bytes, from),
      () => undefined,
    )
    for (const { id, topics } of net.peers()) if (topics.includes(this.topic)) this.peerJoined(id)
    this.#announcer.start()
  }

  /** Idempotent. Resolves when nothing of this namespace is under way any more. */
  async stop(): Promise<void> {
    if (!this.#stop.signal.aborted) {
      this.#stop.abort()
      this.#options.net.leave(this.topic)
      this.#contacts.close()
      this.#inbox.close()
      this.#cancelStatus?.()
      this.#cancelDue?.()
      for (const cancel of this.#gapTimers.values()) cancel()
      for (const wake of this.#waiters) wake()
    }
    await this.#announcer.stop()
    await Promise.allSettled(this.#running)
  }

  // -------------------------------------------------------------------------------------------------- peers, status

  peerJoined(peer: PeerIdText): void {
    if (this.#stop.signal.aborted || !this.#peers.join(peer)) return
    const first = this.#options.net.self < peer
    this.#contacts.add(peer, first ? 0 : TIE_BREAK_MS * (1 + this.#options.random()))
    this.#statusChanged()
  }

  peerLeft(peer: PeerIdText): void {
    if (!this.#peers.leave(peer)) return
    this.#contacts.remove(peer)
    this.#known.peerLeft(peer, this.#options.nowMs())
    this.#statusChanged()
  }

  status(): SyncStatus {
    const { store, nowMs, intervalMs } = this.#options
    const now = nowMs()
    return statusOf({
      full: store.full,
      peers: this.#peers.all(),
      lacked: this.#known.lacked(now),
      freshAfterMs: now - IN_SYNC_INTERVALS * intervalMs,
    })
  }

  peers(): readonly (SyncPeer & { readonly behindBlocks: number })[] {
    return this.#peers.all().map((peer) => ({ ...peer, behindBlocks: this.#known.lackedFrom(peer.peer) }))
  }

  /** Calls `wake` whenever the status may have changed; answers the function that stops it. */
  onStatus(wake: () => void): () => void {
    this.#waiters.add(wake)
    return () => this.#waiters.delete(wake)
  }

  get stopped(): boolean {
    return this.#stop.signal.aborted
  }

  #statusChanged(): void {
    if (this.stopped) return
    this.#cancelStatus ??= this.#options.schedule(STATUS_GATHER_MS, () => {
      this.#cancelStatus = undefined
      const status = this.status()
      const changed = !sameStatus(status, this.#status)
      this.#status = status
      if (changed) this.#emit({ kind: 'status-changed', status })
      for (const wake of this.#waiters) wake()
    })
  }

  #emit(event: NamespaceEvent): void {
    this.#options.emit(event)
  }

  // -------------------------------------------------------------------------------------------------- gossip

  #onMessage(bytes: Uint8Array, from: PeerIdText): Verdict {
    const { namespace, nowMs } = this.#options
    const screening = screen(bytes, { namespace, nowMs: nowMs(), knowledgeOf: (log) => this.#knowledgeOf(log) })
    switch (screening.then) {
      case 'nothing':
        break
      case 'report':
        if (screening.verdict === 'reject') {
          this.#emit({ kind: 'rejected', from, code: screening.code, why: screening.why })
        }
        break
      case 'commit':
        this.#inbox.add({ log: screening.log, run: screening.run, from, sizeBytes: bytes.length })
        break
      case 'buffer':
        this.#onGap({ log: screening.log, run: screening.run, from, sizeBytes: bytes.length })
        break
      case 'fetch':
        this.#known.note(screening.log, screening.header.seq, from)
        this.#contacts.soon(from, 0)
        this.#statusChanged()
        break
      case 'remember':
        this.#onFuture(screening.header, from)
    }
    return screening.verdict
  }

  #knowledgeOf(log: LogKey): LogKnowledge | undefined {
    const tail = this.#inbox.tail(log)
    const entry = this.#entry(log)
    return tail === undefined ? entry : { ...tail, ...(entry?.cut === undefined ? {} : { cut: entry.cut }) }
  }

  #onGap(arrival: Arrival): void {
    const last = arrival.run.blocks.at(-1) ?? arrival.run.blocks[0]
    this.#known.note(arrival.log, last.header.seq, arrival.from)
    this.#gaps.add(arrival)
    this.#statusChanged()
    if (this.#gapTimers.has(arrival.log)) return
    const cancel = this.#options.schedule(GAP_MS, () => {
      this.#gapTimers.delete(arrival.log)
      if (this.#known.lackedFrom(arrival.from) > 0) this.#contacts.soon(arrival.from, 0)
    })
    this.#gapTimers.set(arrival.log, cancel)
  }

  #commitArrivals(arrivals: readonly Arrival[]): void {
    const bySender = new Map<PeerIdText, { blocks: number; deltas: number }>()
    let results: readonly CommitResult[]
    try {
      results = this.#commit(
        arrivals.map(({ run }) => run),
        arrivals[0]?.from ?? '',
      )
    } catch (error) {
      return this.#storeRefused(error)
    }
    for (const [index, { log, run, from }] of arrivals.entries()) {
      const result = results[index]
      if (result?.kind === 'gap') this.#onGap({ log, run, from, sizeBytes: 0 })
      if (result?.kind !== 'committed') continue
      const sum = bySender.get(from) ?? { blocks: 0, deltas: 0 }
      sum.blocks += result.blocks
      sum.deltas += deltasOf(run, result.blocks)
      bySender.set(from, sum)
    }
    for (const [from, sum] of bySender) this.#emit({ kind: 'received', from, via: 'gossip', ...sum })
  }

  // -------------------------------------------------------------------------------------------------- the way in

  /** Commits verified runs, whoever brought them, and sees to what follows from it. Throws what the store throws. */
  #commit(runs: readonly Run[], from: PeerIdText): readonly CommitResult[] {
    for (const run of runs) this.#warnOfOwn(run, from)
    const results = this.#options.store.commitAll(runs)
    for (const [index, result] of results.entries()) this.#settled(runs[index], result)
    this.#statusChanged()
    return results
  }

  /** Told before the commit, so that no write of ours can come in between and fork the log. */
  #warnOfOwn({ blocks }: Run, peer: PeerIdText): void {
    const { header } = blocks.at(-1) ?? blocks[0]
    const log = logKeyOfHeader(header)
    if (!this.#options.own(log) || header.seq < lengthOf(this.#entry(log))) return
    this.#emit({ kind: 'own-log-ahead', peer, log, seq: header.seq })
  }

  #settled(run: Run | undefined, result: CommitResult): void {
    if (result.kind === 'forked') this.#onForked(result.log, result.cut)
    if (run === undefined || result.kind === 'gap') return
    const log = logKeyOfHeader(run.blocks[0].header)
    const next = this.#gaps.take(log, lengthOf(this.#entry(log)))
    if (next !== undefined) this.#inbox.add(next)
  }

  #onForked(log: LogKey, cut: number): void {
    this.#emit({ kind: 'forked', log, cut, own: this.#options.own(log) })
    this.#spread()
  }

  #storeRefused(error: unknown): void {
    this.#emit({ kind: 'store-refused', ...codeOf(error) })
    this.#statusChanged()
  }

  #onFuture(header: Header, peer: PeerIdText): void {
    if (this.#future.note(header)) {
      const aheadMs = header.time.ms - this.#options.nowMs()
      this.#emit({ kind: 'future-block', peer, log: logKeyOfHeader(header), aheadMs })
    }
    this.#planDue()
  }

  /** Syncs with everybody when a block that was dated too far ahead is due. */
  #planDue(): void {
    const dueMs = this.#future.nextDueMs()
    if (dueMs === undefined || this.stopped) return
    this.#cancelDue?.()
    const delayMs = Math.min(Math.max(dueMs - this.#options.nowMs(), 0) + 1, DUE_CHECK_MS)
    this.#cancelDue = this.#options.schedule(delayMs, () => {
      this.#cancelDue = undefined
      if (this.#future.takeDue(this.#options.nowMs())) for (const { peer } of this.#peers.all()) this.#contacts.soon(peer, 0)
      this.#planDue()
    })
  }

  // -------------------------------------------------------------------------------------------------- sessions

  /** Opens a session with the peer. Never rejects. */
  async #open(peer: PeerIdText): Promise<ContactResult> {
    const { net, nowMs, schedule } = this.#options
    const known = this.#peers.get(peer)
    if (known === undefined || this.stopped) return 'failed'
    const port = this.#portFor(peer)
    const session = new Session(port, this.#sessionOptions('initiator', peer))
    const opening = new AbortController()
    const cancel = schedule(SESSION_OPEN_MS, () => opening.abort(new RhizomeError('RZ_SYNC_STALLED', 'the peer opens no stream')))
    const signal = AbortSignal.any([opening.signal, this.#stop.signal])
    return this.#hold(peer, session, async (options) => {
      const stream = await net.open(peer, SYNC_PROTOCOL, { signal }).finally(cancel)
      const sentMs = nowMs()
      const onHello = (): void => {
        const hello = session.peer
        if (hello !== undefined) this.#onHello(peer, hello, (sentMs + nowMs()) / 2)
      }
      await exchange(stream, framesOf(stream), session, { ...options, onHello })
    })
  }

  /** Serves a session that the peer opened with `hello`. Rejects when it fails: the stream is aborted then. */
  async serve(stream: NetStream, frames: Frames, hello: Hello): Promise<void> {
    const { peer } = stream
    assert(!this.#inbound.has(peer), 'one session per peer and direction')
    this.peerJoined(peer)
    this.#inbound.add(peer)
    const session = new Session(this.#portFor(peer), this.#sessionOptions('responder', peer))
    const held = this.#hold(peer, session, async (options) => {
      session.take(hello)
      this.#onHello(peer, hello, this.#options.nowMs())
      await exchange(stream, frames, session, options)
    })
    const result = await this.#track(held).finally(() => this.#inbound.delete(peer))
    if (result === 'complete') this.#contacts.met(peer)
    else if (result === 'failed') stream.abort('the session failed')
    else this.#contacts.soon(peer, 0)
  }

  isServing(peer: PeerIdText): boolean {
    return this.#inbound.has(peer)
  }

  get inboundCount(): number {
    return this.#inbound.size
  }

  /** Runs a session and takes account of what it came to. Never rejects. */
  async #hold(
    peer: PeerIdText,
    session: Session,
    run: (options: { schedule: Schedule; signal: AbortSignal }) => Promise<void>,
  ): Promise<ContactResult> {
    const startedMs = this.#options.nowMs()
    this.#count(peer, 1)
    try {
      await run({ schedule: this.#options.schedule, signal: this.#stop.signal })
      return this.#onResult(peer, session, startedMs)
    } catch (error) {
      this.#onFailure(peer, session, error)
      return 'failed'
    } finally {
      session.close()
      this.#count(peer, -1)
      this.#wakeDeferred()
      this.#statusChanged()
    }
  }

  #sessionOptions(role: 'initiator' | 'responder', peer: PeerIdText): ConstructorParameters<typeof Session>[1] {
    const { store, namespace, name, nowMs } = this.#options
    const since = readToken(store, this.#sinceKey(peer))
    return { role, namespace, name, nowMs: nowMs(), ...(since === undefined ? {} : { since }) }
  }

  #onHello(peer: PeerIdText, hello: Hello, atMs: number): void {
    const known = this.#peers.get(peer)
    if (known === undefined) return
    const before = known.clockOffsetMs ?? 0
    known.name = hello.name
    known.clockOffsetMs = Math.round(hello.clockMs - atMs)
    if (Math.abs(known.clockOffsetMs) > CLOCK_OFFSET_REPORT_MS && Math.abs(before) <= CLOCK_OFFSET_REPORT_MS) {
      this.#emit({ kind: 'clock-off', peer, offsetMs: known.clockOffsetMs })
    }
  }

  #onResult(peer: PeerIdText, session: Session, startedMs: number): ContactResult {
    const { complete, deferred, blocks, deltas, unserved } = session.result
    const nowMs = this.#options.nowMs()
    for (const log of unserved) {
      this.#passedOver.note(peer, log, nowMs)
      this.#known.distrust(log, peer)
    }
    const known = this.#peers.get(peer)
    if (known !== undefined) {
      known.failures = 0
      if (complete) known.inSyncAtMs = startedMs
    }
    if (complete && session.peer !== undefined) {
      tryNoteToken(this.#options.store, this.#sinceKey(peer), session.peer.token)
    }
    this.#emit({ kind: 'synced', peer, blocks, deltas })
    if (blocks > 0) this.#spread(peer)
    if (complete) return 'complete'
    if (!deferred) return 'incomplete'
    this.#deferred.add(peer)
    return 'deferred'
  }

  #onFailure(peer: PeerIdText, session: Session, error: unknown): void {
    if (this.stopped) return
    const { code, why } = codeOf(error)
    const known = this.#peers.get(peer)
    if (known !== undefined) known.failures++
    if (session.result.blocks > 0) this.#spread(peer)
    if (code.startsWith('RZ_STORE_')) return this.#storeRefused(error)
    this.#emit({ kind: 'sync-failed', peer, code, why })
    if (!isOffence(code)) return
    this.#emit({ kind: 'rejected', from: peer, code, why })
    this.#options.net.penalise(peer, why)
  }

  /** What came by sync is offered to the others: gossip does not repeat it. */
  #spread(except?: PeerIdText): void {
    const { random } = this.#options
    for (const { peer } of this.#peers.all()) {
      if (peer !== except) this.#contacts.soon(peer, SPREAD_MS * (1 + random()))
    }
  }

  #wakeDeferred(): void {
    for (const peer of this.#deferred) this.#contacts.soon(peer, 0)
    this.#deferred.clear()
  }

  #count(peer: PeerIdText, change: number): void {
    const known = this.#peers.get(peer)
    if (known !== undefined) known.sessions += change
  }

  #track<T>(promise: Promise<T>): Promise<T> {
    this.#running.add(promise)
    return promise.finally(() => this.#running.delete(promise))
  }

  #sinceKey(peer: PeerIdText): string {
    return `synced/${this.#options.namespace}/${peer}`
  }

  // -------------------------------------------------------------------------------------------------- the session's port

  #portFor(peer: PeerIdText): SessionPort {
    const { store, namespace, nowMs } = this.#options
    const port: SessionPort = {
      instance: store.instance,
      position: () => store.position(),
      summary: () => this.#currentSummary(),
      entry: (log) => this.#entry(log),
      changedSince: (position) => this.#changedSince(position as Position),
      readRun: (log, fromSeq, bytesMax) => store.readRun(namespace, log, fromSeq, bytesMax),
      attestedHead: (log) => {
        const hash = this.#entry(log)?.hash
        const block = hash === undefined ? undefined : store.block(namespace, hash)
        return block === undefined ? undefined : attest([block])
      },
      forkProof: (log) => store.forkProof(namespace, log),
      take: (runs) => this.#takeFrom(peer, runs),
      takeProof: (proof) => this.#takeProof(proof),
      reserve: (log) => {
        const holder = this.#reserved.get(log)
        if (holder === undefined) this.#reserved.set(log, port)
        return holder === undefined || holder === port
      },
      release: (log) => {
        if (this.#reserved.get(log) === port) this.#reserved.delete(log)
      },
      passedOver: (log) => this.#passedOver.has(peer, log, nowMs()),
      headKnown: (header) => {
        this.#known.note(logKeyOfHeader(header), header.seq, peer)
        this.#statusChanged()
      },
      futureKnown: (header) => this.#onFuture(header, peer),
    }
    return port
  }

  #takeFrom(peer: PeerIdText, runs: readonly Run[]): readonly CommitResult[] {
    const results = this.#commit(runs, peer)
    let blocks = 0
    let deltas = 0
    for (const [index, run] of runs.entries()) {
      const result = results[index]
      this.#passedOver.forgive(peer, logKeyOfHeader(run.blocks[0].header))
      if (result?.kind !== 'committed') continue
      blocks += result.blocks
      deltas += deltasOf(run, result.blocks)
    }
    if (blocks > 0) this.#emit({ kind: 'received', from: peer, via: 'sync', blocks, deltas })
    return results
  }

  #takeProof(proof: ForkProof): CommitResult {
    const result = this.#options.store.commitForkProof(proof)
    this.#settled(undefined, result)
    this.#statusChanged()
    return result
  }

  #entry(log: LogKey): FrontierEntry | undefined {
    return this.#options.store.logState(this.#options.namespace, log)
  }

  #currentSummary(): Summary {
    const { store, namespace } = this.#options
    const at = store.position()
    if (this.#summary?.at !== at) this.#summary = { at, summary: this.#summaries.of(store.frontier(namespace)) }
    return this.#summary.summary
  }

  #changedSince(after: Position): readonly FrontierEntry[] | undefined {
    const { store, namespace } = this.#options
    const end = store.position()
    if (after > end || end - after > CHANGES_READ_MAX) return undefined
    const logs = new Set<LogKey>()
    const changes = store.changesNow({ after, countMax: CHANGES_READ_MAX, bytesMax: CHANGES_READ_BYTES_MAX })
    if (after !== end && changes.at(-1)?.position !== end) return undefined
    for (const change of changes) {
      if (change.namespace === namespace) logs.add(change.kind === 'voided' ? change.log : logKeyOfHeader(change.block.header))
    }
    if (logs.size > CHANGED_LOGS_MAX) return undefined
    return [...logs].map((log) => {
      const entry = this.#entry(log)
      assert(entry !== undefined, 'a log that changed is known')
      return entry
    })
  }
}

const DUE_CHECK_MS = 3_600_000

/** What no honest peer sends: invalid in itself. */
const OFFENCES = ['RZ_SYNC_FRAME_INVALID', 'RZ_BYTES_INVALID', 'RZ_SIGNATURE_INVALID', 'RZ_FORK_PROOF_INVALID']

function isOffence(code: string): boolean {
  const block = code.startsWith('RZ_BLOCK_') && code !== 'RZ_BLOCK_VERSION'
  return OFFENCES.includes(code) || block || code.startsWith('RZ_DELTA_')
}

/** Deltas in the last `blocks` blocks of a run: those that were new. */
function deltasOf(run: Run, blocks: number): number {
  return run.blocks.slice(-blocks).reduce((sum, { header }) => sum + header.count, 0)
}

export function codeOf(error: unknown): { readonly code: string; readonly why: string } {
  if (error instanceof RhizomeError) return { code: error.code, why: error.message }
  return { code: 'unexpected', why: error instanceof Error ? error.message : String(error) }
}
