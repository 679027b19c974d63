/**
 * Replication of namespaces over the ports of store and net: what `node` opens and closes. It keeps one replica per namespace
 * (replica.ts) and passes the network's events on; what comes with a peer's session is read first by greeting.ts. design.md 4 and 6.
 */

import { isFuture } from '../delta/clock.ts'
import type { PeerId, Value } from '../delta/delta.ts'
import { assert, RhizomeError } from '../errors.ts'
import type { LogKey, Run } from '../log/block.ts'
import { verifyRun } from '../log/chain.ts'
import type { NamespaceId } from '../log/namespace.ts'
import type { Net, NetEvent, PeerIdText } from '../net/net.ts'
import type { CommitResult, Store } from '../store/store.ts'
import { Receipts, type ReceiptsOptions } from './delivery/receipts.ts'
import type { ReplicationEvent } from './events.ts'
import type { Schedule } from './exchange.ts'
import { Greeting } from './greeting.ts'
import { DEFAULT_INTERVAL_MS, PEER_NAME_BYTES_MAX, SYNC_PROTOCOL } from './limits.ts'
import type { Member } from './members/member.ts'
import { Members, type MembersOptions } from './members/members.ts'
import type { OwnClock } from './members/own-clock.ts'
import { Messages, type MessagesOptions } from './messages/messages.ts'
import { Replica } from './replica.ts'
import type { SyncStatus } from './status.ts'

export interface ReplicationOptions {
  readonly store: Store
  readonly net: Net
  /** This node's name, shown to peers. */
  readonly name: string
  readonly nowMs: () => number
  /** Only ever grows: how long ago something was, whatever becomes of the wall clock. Default: `nowMs`. */
  readonly steadyMs?: () => number
  /** From 0 to 1; spreads contacts over time and decides nothing else. */
  readonly random: () => number
  /** Calls `run` once after `delayMs`; answers the function that cancels it. */
  readonly schedule: Schedule
  /** Logs that this node writes: a peer that holds more of them, or a cut in one, is told by event. */
  readonly own?: (log: LogKey) => boolean
  /** Peers are synced with at least this often. Shorter finds what gossip lost sooner, and costs a round trip each time. */
  readonly intervalMs?: number
  /** Who takes part is told and watched over. Default: nobody is; `members` answers none. */
  readonly members?: MembersOptions
  /** This node asks for receipts, and gives them. Default: neither; `receipts` answers none. */
  readonly receipts?: ReceiptsOptions
  /** Messages that are not data are sent and heard. Default: neither. */
  readonly messages?: MessagesOptions
}

export interface PeerSync {
  readonly peer: PeerIdText
  readonly name?: string
  readonly state: 'syncing' | 'in sync' | 'behind' | 'failing'
  /** Blocks that the peer has shown by signed heads and this node lacks. */
  readonly behindBlocks: number
  /** When this node last held all that the peer held. */
  readonly inSyncAtMs?: number
  /** The peer's clock less ours, within half a round trip. */
  readonly clockOffsetMs?: number
  /** Smoothed, by heartbeats. */
  readonly roundTripMs?: number
}

export interface Replication extends AsyncDisposable {
  /**
   * Takes part in a namespace that the store has opened under `name`. Attaching twice is a bug of the caller. `shards`: those that
   * this node holds, whose collections its presence tells as well.
   */
  attach(namespace: NamespaceId, name: string, shards?: () => readonly NamespaceId[]): void
  /** Resolves when nothing of it is under way. Idempotent. */
  detach(namespace: NamespaceId): Promise<void>
  status(namespace: NamespaceId): SyncStatus
  peers(namespace: NamespaceId): readonly PeerSync[]
  /** Whoever is known to take part or to have taken part, in no order, without this node. */
  members(namespace: NamespaceId): readonly Member[]
  /**
   * Asks every member that has not left to answer; resolves to the round trips, milliseconds, of those that answered within
   * `timeoutMs`, as soon as all have. Throws RZ_SYNC_CLOSED for a namespace that is not attached.
   */
  probe(namespace: NamespaceId, options: { readonly timeoutMs: number }): Promise<ReadonlyMap<PeerIdText, number>>
  /**
   * Takes runs that a peer carries here without taking part itself: verified as those of any peer are, committed, and offered to
   * the others. Throws RZ_SYNC_CLOSED for a namespace that is not attached, RZ_SYNC_QUESTION_INVALID for a run of another
   * namespace or one dated too far ahead, what `verifyRun` and what the store throws.
   */
  carried(namespace: NamespaceId, runs: readonly Run[], from: PeerIdText): readonly CommitResult[]
  /** Who holds what by signed word; undefined for a namespace that is not attached. */
  receipts(namespace: NamespaceId): Receipts | undefined
  /**
   * Sends a message that is not data; answers how many neighbours it was handed to. Throws RZ_SYNC_CLOSED for a namespace that
   * is not attached, and as `Messages.send`.
   */
  sendMessage(namespace: NamespaceId, value: Value, to?: PeerId): Promise<number>
  /** This node's clock by those of its connected peers; undefined while none is known. */
  ownClock(): OwnClock | undefined
  /**
   * Resolves when this node is in sync with a peer at least and knows no signed head that it lacks. Rejects with the
   * signal's reason, or RZ_SYNC_CLOSED when the namespace is left.
   */
  waitForSync(namespace: NamespaceId, options: { readonly signal: AbortSignal }): Promise<SyncStatus>
  onEvent(listener: (event: ReplicationEvent) => void): () => void
  /** Idempotent. Store and net stay open: they are the caller's. */
  close(): Promise<void>
}

/** Registers the protocol's handler and listens to the network; does no I/O before a namespace is attached. */
export function openReplication(options: ReplicationOptions): Replication {
  return new Replicas(options)
}

class Replicas implements Replication {
  readonly #options: ReplicationOptions
  readonly #steadyMs: () => number
  readonly #replicas = new Map<NamespaceId, Replica>()
  readonly #listeners = new Set<(event: ReplicationEvent) => void>()
  readonly #members: Members | undefined
  readonly #receipts = new Map<NamespaceId, Receipts>()
  readonly #messages = new Map<NamespaceId, Messages>()
  readonly #stop = new AbortController()
  readonly #stopListening: () => void

  constructor(options: ReplicationOptions) {
    this.#options = options
    this.#steadyMs = options.steadyMs ?? options.nowMs
    this.#members = options.members && this.#openMembers(options.members)
    const greeting = new Greeting({
      net: options.net,
      replicas: this.#replicas,
      steadyMs: this.#steadyMs,
      schedule: options.schedule,
      closing: this.#stop.signal,
    })
    options.net.handle(SYNC_PROTOCOL, (stream) => greeting.receive(stream))
    this.#stopListening = options.net.onEvent((event) => this.#onNetEvent(event))
  }

  attach(namespace: NamespaceId, name: string, shards: () => readonly NamespaceId[] = () => []): void {
    if (this.#stop.signal.aborted) throw closed()
    const { store, net, nowMs, random, schedule, own = () => false, intervalMs = DEFAULT_INTERVAL_MS } = this.#options
    assert(!this.#replicas.has(namespace), 'a namespace is attached once')
    const replica = new Replica({
      store,
      net,
      namespace,
      topicName: name,
      name: shorten(this.#options.name),
      nowMs,
      steadyMs: this.#steadyMs,
      random,
      schedule,
      own,
      intervalMs,
      emit: (event) => this.#emit({ ...event, namespace }),
    })
    this.#replicas.set(namespace, replica)
    replica.start()
    this.#members?.attach(namespace, name, { digest: () => replica.digest(), tagged: () => [namespace, ...shards()] })
    this.#attachReceipts(namespace, name)
    this.#attachMessages(namespace, name)
  }

  async detach(namespace: NamespaceId): Promise<void> {
    const replica = this.#replicas.get(namespace)
    this.#replicas.delete(namespace)
    this.#messages.get(namespace)?.stop()
    this.#messages.delete(namespace)
    await this.#receipts.get(namespace)?.stop()
    this.#receipts.delete(namespace)
    await this.#members?.detach(namespace)
    await replica?.stop()
  }

  status(namespace: NamespaceId): SyncStatus {
    return this.#replicas.get(namespace)?.status() ?? { kind: 'alone' }
  }

  peers(namespace: NamespaceId): readonly PeerSync[] {
    return (this.#replicas.get(namespace)?.peers() ?? []).map(({ peer, name, inSyncAtMs, clockOffsetMs, ...rest }) => ({
      peer,
      ...(name === undefined ? {} : { name }),
      state: stateOf({ ...rest, inSync: inSyncAtMs !== undefined }),
      behindBlocks: rest.behindBlocks,
      ...(inSyncAtMs === undefined ? {} : { inSyncAtMs }),
      ...(clockOffsetMs === undefined ? {} : { clockOffsetMs }),
      ...this.#members?.timesOf(peer),
    }))
  }

  members(namespace: NamespaceId): readonly Member[] {
    const members = this.#members?.all(namespace) ?? []
    const behind = new Map(
      this.#replicas
        .get(namespace)
        ?.peers()
        .map((peer) => [peer.peer, peer.behindBlocks]),
    )
    return members.map((member) => {
      const behindBlocks = member.connected ? behind.get(member.peer) : undefined
      return behindBlocks === undefined ? member : { ...member, behindBlocks }
    })
  }

  async probe(
    namespace: NamespaceId,
    { timeoutMs }: { readonly timeoutMs: number },
  ): Promise<ReadonlyMap<PeerIdText, number>> {
    if (this.#members === undefined) throw closed()
    return this.#members.probe(namespace, timeoutMs)
  }

  carried(namespace: NamespaceId, runs: readonly Run[], from: PeerIdText): readonly CommitResult[] {
    const replica = this.#replicas.get(namespace)
    if (replica === undefined) throw closed()
    for (const { blocks } of runs) {
      const { header } = blocks.at(-1) ?? blocks[0]
      if (header.namespace !== namespace) throw misplaced('a run of another namespace')
      if (isFuture(header.time, this.#options.nowMs())) throw misplaced('a run that is dated too far ahead')
    }
    return replica.carried(runs.map(verifyRun), from)
  }

  receipts(namespace: NamespaceId): Receipts | undefined {
    return this.#receipts.get(namespace)
  }

  async sendMessage(namespace: NamespaceId, value: Value, to?: PeerId): Promise<number> {
    const messages = this.#messages.get(namespace)
    if (messages === undefined) throw closed()
    return messages.send(value, to)
  }

  ownClock(): OwnClock | undefined {
    return this.#members?.ownClock()
  }

  async waitForSync(namespace: NamespaceId, { signal }: { readonly signal: AbortSignal }): Promise<SyncStatus> {
    for (;;) {
      signal.throwIfAborted()
      const replica = this.#replicas.get(namespace)
      if (replica === undefined || replica.stopped) throw closed()
      const status = replica.status()
      if (status.kind === 'in-sync') return status
      await changed(replica, signal)
    }
  }

  onEvent(listener: (event: ReplicationEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  async close(): Promise<void> {
    this.#stop.abort()
    this.#stopListening()
    await this.#members?.close()
    await Promise.all([...this.#replicas.keys()].map((namespace) => this.detach(namespace)))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #emit(event: ReplicationEvent): void {
    for (const listener of this.#listeners) {
      try {
        listener(event)
      } catch (error) {
        // An observer's failure is its own: it is heard of as one that nobody caught, and changes no result here.
        queueMicrotask(() => {
          throw error
        })
      }
    }
  }

  #openMembers(members: MembersOptions): Members {
    const { store, net, name, nowMs, random, schedule } = this.#options
    return new Members({
      ...members,
      store,
      net,
      name: shorten(name),
      wallMs: nowMs,
      random,
      schedule,
      onChange: (namespace, change) => this.#emit({ kind: 'member-changed', namespace, ...change }),
      onRejected: (namespace, from, error) => this.#rejected(namespace, from, error),
    })
  }

  #attachReceipts(namespace: NamespaceId, topicName: string): void {
    const { store, net, nowMs, schedule, receipts: options } = this.#options
    if (options === undefined) return
    const receipts = new Receipts({
      ...options,
      store,
      net,
      namespace,
      topicName,
      wallMs: nowMs,
      schedule,
      onRejected: (from, error) => this.#rejected(namespace, from, error),
    })
    this.#receipts.set(namespace, receipts)
    receipts.start()
  }

  #attachMessages(namespace: NamespaceId, topicName: string): void {
    const { net, nowMs, messages: options } = this.#options
    if (options === undefined) return
    const messages = new Messages({
      ...options,
      net,
      namespace,
      topicName,
      wallMs: nowMs,
      onMessage: (message) => this.#emit({ kind: 'message', namespace, message }),
      onRejected: (from, error) => this.#rejected(namespace, from, error),
    })
    this.#messages.set(namespace, messages)
    messages.start()
  }

  #rejected(namespace: NamespaceId, from: PeerIdText, { code, message }: RhizomeError): void {
    this.#emit({ kind: 'rejected', namespace, from, code, why: message })
  }

  #onNetEvent(event: NetEvent): void {
    this.#members?.onNetEvent(event)
    for (const replica of this.#replicas.values()) {
      if (event.kind === 'joined' && event.topic === replica.topic) replica.peerJoined(event.peer)
      if (event.kind === 'left' && event.topic === replica.topic) replica.peerLeft(event.peer)
      if (event.kind === 'disconnected') replica.peerLeft(event.peer)
    }
  }
}

/** At most as long as peers take it. */
function shorten(name: string): string {
  let short = name.toWellFormed().slice(0, PEER_NAME_BYTES_MAX)
  while (Buffer.byteLength(short) > PEER_NAME_BYTES_MAX) short = short.slice(0, -1).toWellFormed()
  return short
}

function stateOf({
  sessions,
  failures,
  behindBlocks,
  inSync,
}: {
  readonly sessions: number
  readonly failures: number
  readonly behindBlocks: number
  readonly inSync: boolean
}): PeerSync['state'] {
  if (failures > 1) return 'failing'
  if (behindBlocks > 0) return 'behind'
  if (inSync) return 'in sync'
  return sessions > 0 ? 'syncing' : 'behind'
}

/** Resolves when the replica's status may have changed, or the signal is given. */
function changed(replica: Replica, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const stop = replica.onStatus(resolve)
  const onAbort = (): void => resolve()
  signal.addEventListener('abort', onAbort, { once: true })
  return promise.finally(() => {
    stop()
    signal.removeEventListener('abort', onAbort)
  })
}

function misplaced(why: string): RhizomeError {
  return new RhizomeError('RZ_SYNC_QUESTION_INVALID', why)
}

function closed(): RhizomeError {
  return new RhizomeError('RZ_SYNC_CLOSED', 'this node takes no part in the namespace any more')
}
