/**
 * One namespace on one node, kept equal to its peers: joins the topic, announces what is written here (announce.ts), takes in
 * what peers bring (intake.ts), syncs with those that join (contacts.ts, sessions.ts), and says how far behind it is.
 * Wires these to each other and to the ports; rules of its own it has none. design.md 4 and 6.
 */

import type { PeerId } from '../delta/delta.ts'
import type { LogKey, Run } from '../log/block.ts'
import { type NamespaceId, topicOf } from '../log/namespace.ts'
import type { Net, NetStream, PeerIdText } from '../net/net.ts'
import type { CommitResult, Store } from '../store/store.ts'
import { Announcer } from './announce.ts'
import { Contacts } from './contacts.ts'
import type { NamespaceEvent } from './events.ts'
import type { Frames, Schedule } from './exchange.ts'
import { failureOf } from './failure.ts'
import { Intake } from './intake.ts'
import { KnownHeads } from './known-heads.ts'
import { IN_SYNC_INTERVALS, SPREAD_MS, STATUS_GATHER_MS, TIE_BREAK_MS } from './limits.ts'
import { type SyncPeer, SyncPeers } from './peers.ts'
import { Sessions } from './sessions.ts'
import { Source } from './source.ts'
import { sameStatus, statusOf, type SyncStatus } from './status.ts'
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
  /** Only ever grows. */
  readonly steadyMs: () => number
  /** From 0 to 1. */
  readonly random: () => number
  readonly schedule: Schedule
  readonly own: (log: LogKey) => boolean
  readonly intervalMs: number
  readonly emit: (event: NamespaceEvent) => void
}

export class Replica {
  readonly topic: string
  readonly #options: ReplicaOptions
  readonly #peers = new SyncPeers()
  readonly #known: KnownHeads
  readonly #announcer: Announcer
  readonly #source: Source
  readonly #intake: Intake
  readonly #sessions: Sessions
  readonly #contacts: Contacts
  readonly #waiters = new Set<() => void>()
  #status: SyncStatus = { kind: 'alone' }
  #cancelStatus: (() => void) | undefined
  #stopped = false

  constructor(options: ReplicaOptions) {
    const { store, net, namespace, schedule, emit } = options
    this.#options = options
    this.topic = topicOf(options.topicName)
    const source = new Source(store, namespace)
    this.#source = source
    this.#known = new KnownHeads((log) => source.entry(log))
    const shared = { ...options, source, known: this.#known, peers: this.#peers, changed: () => this.#statusChanged() }
    this.#intake = new Intake({ ...shared, needSync: (from) => this.#needSync(from) })
    this.#sessions = new Sessions({
      ...shared,
      intake: this.#intake,
      spread: (from) => this.#spread(from),
      resume: (peers) => this.#resume(peers),
    })
    this.#contacts = new Contacts({ ...options, nowMs: options.steadyMs, sync: (peer) => this.#sessions.open(peer) })
    this.#announcer = new Announcer({
      store,
      namespace,
      schedule,
      host: net.self as PeerId,
      publish: (bytes) => net.publish(this.topic, bytes),
      onFailure: (error) => emit({ kind: 'announce-failed', ...failureOf(error) }),
    })
  }

  start(): void {
    const { net } = this.#options
    // The work is done with the verdict: a listener would have to decode again.
    net.join(
      this.topic,
      (bytes, from) => this.#intake.message(bytes, from),
      () => undefined,
    )
    for (const { id, topics } of net.peers()) if (topics.includes(this.topic)) this.peerJoined(id)
    this.#announcer.start()
  }

  /** Idempotent. Resolves when nothing of this namespace is under way any more. */
  async stop(): Promise<void> {
    if (!this.#stopped) {
      this.#stopped = true
      this.#options.net.leave(this.topic)
      this.#contacts.close()
      this.#intake.close()
      this.#cancelStatus?.()
      for (const wake of this.#waiters) wake()
    }
    await Promise.all([this.#announcer.stop(), this.#sessions.close()])
  }

  get stopped(): boolean {
    return this.#stopped
  }

  peerJoined(peer: PeerIdText): void {
    if (this.#stopped || !this.#peers.join(peer)) return
    const { net, random } = this.#options
    this.#contacts.add(peer, net.self < peer ? 0 : TIE_BREAK_MS * (1 + random()))
    this.#statusChanged()
  }

  peerLeft(peer: PeerIdText): void {
    if (!this.#peers.leave(peer)) return
    this.#contacts.remove(peer)
    this.#known.peerLeft(peer, this.#options.nowMs())
    this.#statusChanged()
  }

  get inboundCount(): number {
    return this.#sessions.inboundCount
  }

  isServing(peer: PeerIdText): boolean {
    return this.#sessions.isServing(peer)
  }

  /** Serves a session that the peer opened at `openedMs`. */
  async serve(stream: NetStream, frames: Frames, hello: Hello, openedMs: number): Promise<void> {
    const { peer } = stream
    // Whoever syncs takes part, even if gossip has not told yet.
    this.peerJoined(peer)
    const result = await this.#sessions.serve(stream, frames, hello, openedMs)
    if (result === 'complete') this.#contacts.met(peer)
    if (result === 'progressed' || result === 'stuck') this.#contacts.soon(peer, 0)
  }

  /** Commits verified runs that a peer carried here without taking part, and offers them to the others. Throws what the store throws. */
  carried(runs: readonly Run[], from: PeerIdText): readonly CommitResult[] {
    const results = this.#intake.take(runs, from)
    if (results.some(({ kind }) => kind === 'committed')) this.#spread(from)
    return results
  }

  status(): SyncStatus {
    const { store, nowMs, intervalMs } = this.#options
    const now = nowMs()
    return statusOf({
      full: store.full,
      peers: this.peers(),
      lacked: this.#known.lacked(now),
      freshAfterMs: now - IN_SYNC_INTERVALS * intervalMs,
    })
  }

  /** Times are told by the wall clock as it stands now: it may have been set since. */
  peers(): readonly (SyncPeer & { readonly behindBlocks: number })[] {
    const aheadMs = this.#options.nowMs() - this.#options.steadyMs()
    return this.#peers.all().map(({ inSyncAtMs, ...peer }) => ({
      ...peer,
      ...(inSyncAtMs === undefined ? {} : { inSyncAtMs: Math.floor(inSyncAtMs + aheadMs) }),
      behindBlocks: this.#known.lackedFrom(peer.peer),
    }))
  }

  /** Of the frontier: equal digests, equal frontiers. */
  digest(): Uint8Array {
    return this.#source.summary().digest
  }

  /** Calls `wake` when the status may have changed; answers the function that ends it. */
  onStatus(wake: () => void): () => void {
    this.#waiters.add(wake)
    return () => this.#waiters.delete(wake)
  }

  #statusChanged(): void {
    if (this.#stopped) return
    this.#cancelStatus ??= this.#options.schedule(STATUS_GATHER_MS, () => {
      this.#cancelStatus = undefined
      const status = this.status()
      const changed = !sameStatus(status, this.#status)
      this.#status = status
      if (changed) this.#options.emit({ kind: 'status-changed', status })
      for (const wake of this.#waiters) wake()
    })
  }

  #needSync(from: PeerIdText | undefined): void {
    if (from !== undefined && this.#contacts.soon(from, 0)) return
    for (const { peer } of this.#peers.all()) this.#contacts.soon(peer, 0)
  }

  /** What came by sync is offered to the others: gossip does not repeat it. */
  #spread(from: PeerIdText): void {
    for (const { peer } of this.#peers.all()) {
      if (peer !== from) this.#contacts.soon(peer, SPREAD_MS * (1 + this.#options.random()))
    }
  }

  #resume(peers: readonly PeerIdText[]): void {
    for (const peer of peers) this.#contacts.soon(peer, 0)
  }
}
