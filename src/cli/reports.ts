/**
 * From what a node tells observers, often and in small pieces, to what somebody who watches wants to know: each report
 * once, deltas gathered by the second, a sync status when it has settled. Pure: time is passed in with every call.
 */

import { toJson } from '../delta/json.ts'
import type { NodeEvent } from '../node/events.ts'
import { withoutPeer } from './paths.ts'
import type { PeerName, Report, SyncStatus } from './report.ts'
import { Unreachable } from './unreachable.ts'

/** What is asked of the node when a report is made. */
export interface Watched {
  nameOf(peer: string): string | undefined
  /** Where the peer can be dialled; undefined when it is not connected. */
  addressOf(peer: string): string | undefined
  /** Whether the peer, which is connected, is known to have a topic of ours. */
  sharesTopic(peer: string): boolean
  /** Whether the user gave this address (`--peer`). */
  isGiven(address: string): boolean
  statuses(): readonly { readonly topic: string; readonly status: SyncStatus }[]
  /** Deltas that the node holds of a topic. */
  deltasOf(topic: string): number
}

/** A name comes with the first message of a peer; a report of its connection waits for it so long. */
const NAME_MS = 1_000
const DELTAS_MS = 1_000
/** The same complaint about the same peer is told again after this long. */
const REPEAT_MS = 60_000
const REPEATS_MAX = 1_000
/** How long a node is alone before it is told of what it could not guess; peers need a moment to say what they share. */
const ALONE_MS = 10_000
/** Hosts with another secret that are told of in one run. */
const STRANGERS_MAX = 4
/** Peers remembered; beyond that all are forgotten, and some line comes without a name or once too often. */
const PEERS_MAX = 10_000
/** How long a status must last before it is told: while blocks come in, a node is behind for a moment at each. */
const SETTLED_MS: Readonly<Record<SyncStatus['kind'], number>> = {
  alone: 1_000,
  looking: 5_000,
  behind: 1_500,
  'in-sync': 0,
  full: 0,
}

type MemberChanged = Extract<NodeEvent, { kind: 'replication' }>['event'] & { readonly kind: 'member-changed' }
type NetworkEvent = Extract<NodeEvent, { kind: 'network' }>['event']

interface Pending {
  readonly address: string
  readonly sinceMs: number
  /** When it was first seen to have a topic of ours. */
  sharedMs?: number
}

interface Gathered {
  received: number
  readonly from: Set<string>
}

interface Standing {
  /** The status last told. */
  told: SyncStatus
  current: SyncStatus
  sinceMs: number
  /** Whether anybody who has this topic was ever there. */
  hadCompany: boolean
  isUnshared: boolean
}

export class Reports {
  readonly #watched: Watched
  readonly #tell: (report: Report) => void
  readonly #connecting = new Map<string, Pending>()
  /** Peers that were told of, and since when they are connected. */
  readonly #connected = new Map<string, number>()
  /** Peers that were connected once, with the last name known. */
  readonly #met = new Map<string, string | undefined>()
  readonly #gathered = new Map<string, Gathered>()
  readonly #standings = new Map<string, Standing>()
  readonly #toldMs = new Map<string, number>()
  readonly #unreachable = new Unreachable()
  /** By host, nodes with another secret; the message is undefined once told. */
  readonly #strangers = new Map<string, { readonly address: string; message: string | undefined }>()
  #deltasMs = -Infinity
  #hadCompany = false
  #isSecretWrong = false
  #isAloneTold = false

  constructor(watched: Watched, tell: (report: Report) => void) {
    this.#watched = watched
    this.#tell = tell
  }

  hear(event: NodeEvent, nowMs: number): void {
    switch (event.kind) {
      case 'network':
        return this.#hearNetwork(event.event, nowMs)
      case 'replication':
        return this.#hearReplication(event.namespace, event.event, nowMs)
      case 'own-clock':
        return this.#tell({ event: 'own-clock', ...event.clock })
      case 'log-renewed':
        return this.#tell({ event: 'log-renewed', topic: event.namespace, why: event.why })
      case 'reasserted':
        return this.#tell({ event: 'reasserted', topic: event.namespace, deltas: event.deltas })
      case 'shard':
        return this.#tell({ event: 'shard', topic: event.namespace, shard: event.shard, change: event.change })
      case 'records-moved':
        return this.#tell({ event: 'records-moved', topic: event.namespace, records: event.records })
      case 'function':
        return this.#hearFunction(event)
      case 'subscription':
        // Applications subscribe, and hear of it themselves; a node that runs by the command does not.
        return
    }
  }

  /** What is tried again is no news yet. */
  #hearFunction({ namespace: topic, name, event }: NodeEvent & { readonly kind: 'function' }): void {
    if (event.kind === 'retrying') return
    const { kind, delta, code, message: why } = event
    this.#tell({ event: `function-${kind}`, topic, name, ...(delta !== undefined && { delta }), code, why })
  }

  /** Tells what has waited long enough; called a few times a second. */
  tick(nowMs: number): void {
    for (const [peer, pending] of this.#connecting) {
      // Who shares nothing with this node is connected, as discovery cannot tell, and is no news.
      if (!this.#watched.sharesTopic(peer)) continue
      this.#hadCompany = true
      pending.sharedMs ??= nowMs
      const name = this.#watched.nameOf(peer)
      if (name === undefined && nowMs - pending.sharedMs < NAME_MS) continue
      const { address, sinceMs } = pending
      this.#connecting.delete(peer)
      this.#connected.set(peer, sinceMs)
      this.#tell({
        event: 'connected',
        ...this.#named(peer),
        address: withoutPeer(this.#watched.addressOf(peer) ?? address),
      })
    }
    if (nowMs - this.#deltasMs >= DELTAS_MS) this.#tellDeltas(nowMs)
    for (const { topic, status } of this.#watched.statuses()) this.#lookAt(topic, status, nowMs)
    this.#tellStrangers(nowMs)
  }

  /** Tells what was gathered and not told yet: the last word before the end. */
  flush(nowMs: number): void {
    this.#tellDeltas(nowMs)
  }

  #hearNetwork(event: NetworkEvent, nowMs: number): void {
    switch (event.kind) {
      case 'connected':
        this.#connecting.set(event.peer, { address: event.address, sinceMs: nowMs })
        this.#unreachable.connected(event.peer, event.address)
        this.#meet(event.peer)
        return
      case 'disconnected': {
        if (this.#connecting.delete(event.peer) || !this.#connected.delete(event.peer)) return
        return this.#tell({ event: 'disconnected', ...this.#named(event.peer) })
      }
      case 'dial-failed': {
        const given = event.seed !== undefined || this.#watched.isGiven(event.address)
        if (event.code === 'secret-mismatch') this.#hearSecret(event, given, nowMs)
        else if (given ? this.#unreachable.isDue(event, nowMs) : this.#unreachable.isUnanswered(event, nowMs)) {
          const { address, code, message } = event
          this.#tell({ event: 'dial-failed', address, given, code, message })
        }
        return
      }
      case 'alone': {
        // There is no riddle in why somebody is alone whose peers left, or who has the wrong secret: that is told.
        if (this.#hadCompany || this.#isSecretWrong || this.#isAloneTold) return
        this.#isAloneTold = true
        const { interfaces, queriesSent, answersHeard } = event
        return this.#tell({ event: 'alone', interfaces, queriesSent, answersHeard })
      }
      case 'discovered':
        return this.#unreachable.found(event.peer, event.addresses)
      case 'direct':
        if (!this.#connected.has(event.peer)) return
        return this.#tell({ event: 'direct', ...this.#named(event.peer), address: event.address })
      case 'relay':
        return this.#tell({ event: 'relay', address: event.address, reserved: event.isReserved })
      case 'upnp': {
        if (!event.isMapped) return this.#tell({ event: 'upnp', mapped: false, message: event.message })
        return this.#tell({ event: 'upnp', mapped: true, address: event.address })
      }
      case 'joined':
      case 'left':
        return
    }
  }

  /**
   * Discovery cannot tell whose nodes are near and which topics they have, so another secret is no fault by itself: it is
   * told of an address that the user gave, and to one who is alone. Both sides dial, so one mismatch shows twice, at the
   * port of the other and at the one from which it came: only the host counts.
   */
  #hearSecret(event: Extract<NetworkEvent, { kind: 'dial-failed' }>, given: boolean, nowMs: number): void {
    const { address, message } = event
    const host = address.replace(/\/tcp\/.*$/, '')
    if (given) {
      this.#isSecretWrong = true
      this.#strangers.set(host, { address, message: undefined })
      if (this.#unreachable.isDue(event, nowMs)) this.#tell({ event: 'wrong-secret', address, given, message })
      return
    }
    this.#unreachable.answered(address)
    if (!this.#strangers.has(host) && this.#strangers.size < STRANGERS_MAX) {
      this.#strangers.set(host, { address, message })
    }
  }

  #tellStrangers(nowMs: number): void {
    const standings = [...this.#standings.values()]
    if (!standings.every(({ current, sinceMs }) => current.kind === 'alone' && nowMs - sinceMs >= ALONE_MS)) return
    for (const stranger of this.#strangers.values()) {
      const { address, message } = stranger
      if (message === undefined) continue
      stranger.message = undefined
      this.#tell({ event: 'wrong-secret', address, given: false, message })
    }
  }

  #meet(peer: string): void {
    if (this.#met.size >= PEERS_MAX) this.#met.clear()
    this.#met.set(peer, this.#watched.nameOf(peer))
  }

  #hearReplication(topic: string, event: Extract<NodeEvent, { kind: 'replication' }>['event'], nowMs: number): void {
    switch (event.kind) {
      case 'received': {
        const gathered = this.#gathered.get(topic) ?? { received: 0, from: new Set() }
        gathered.received += event.deltas
        gathered.from.add(event.from)
        this.#gathered.set(topic, gathered)
        return
      }
      case 'member-changed':
        return this.#hearMember(topic, event)
      case 'message': {
        const { from, to, value } = event.message
        const addressed = to !== undefined
        return this.#tell({ event: 'message', topic, ...this.#named(from), addressed, message: toJson(value) })
      }
      case 'clock-off':
        if (this.#isNew(`clock ${event.peer}`, nowMs)) {
          this.#tell({ event: 'clock', ...this.#named(event.peer), offsetMs: event.offsetMs })
        }
        return
      case 'future-block':
        if (this.#isNew(`future ${event.peer}`, nowMs)) {
          this.#tell({ event: 'future-block', topic, peer: event.peer, aheadMs: event.aheadMs })
        }
        return
      case 'many-logs':
        return this.#tell({ event: 'many-logs', topic, creator: event.creator, logs: event.logs })
      case 'forked':
        return this.#tell({ event: 'forked', topic, log: event.log, cut: event.cut, own: event.own })
      case 'rejected':
        return this.#complain('rejected', topic, event.from, event, nowMs)
      case 'sync-failed':
        return this.#complain('sync-failed', topic, event.peer, event, nowMs)
      case 'store-refused':
      case 'announce-failed': {
        const { kind, code, why } = event
        if (this.#isNew(`${kind} ${topic} ${code}`, nowMs)) this.#tell({ event: kind, topic, code, why })
        return
      }
      // Told by the node's `log-renewed`, by `received`, and by looking at the status.
      case 'own-log-ahead':
      case 'synced':
      case 'status-changed':
        return
    }
  }

  #hearMember(topic: string, event: MemberChanged): void {
    const { member, change, before } = event
    const { peer, name, state, tags } = member
    if (change === 'state') {
      this.#tell({ event: 'member', topic, peer, name, state, ...(before === undefined ? {} : { before }) })
    } else if (change !== 'details') {
      this.#tell({ event: 'presence', topic, peer, name, tags })
    }
  }

  #complain(
    event: 'rejected' | 'sync-failed',
    topic: string,
    peer: string,
    { code, why }: { readonly code: string; readonly why: string },
    nowMs: number,
  ): void {
    if (this.#isNew(`${event} ${topic} ${peer} ${code}`, nowMs)) {
      this.#tell({ event, topic, ...this.#named(peer), code, why })
    }
  }

  #tellDeltas(nowMs: number): void {
    if (this.#gathered.size === 0) return
    this.#deltasMs = nowMs
    for (const [topic, { received, from }] of this.#gathered) {
      const names = [...from].map((peer) => this.#named(peer))
      this.#tell({ event: 'deltas', topic, received, from: names, total: this.#watched.deltasOf(topic) })
    }
    this.#gathered.clear()
  }

  #lookAt(topic: string, status: SyncStatus, nowMs: number): void {
    const fresh = { hadCompany: false, isUnshared: false, sinceMs: nowMs }
    const standing = this.#standings.get(topic) ?? { told: { kind: 'alone' }, current: status, ...fresh }
    this.#standings.set(topic, standing)
    if (standing.current.kind !== status.kind) standing.sinceMs = nowMs
    standing.current = status
    standing.hadCompany ||= status.kind !== 'alone'
    this.#tellUnshared(topic, standing, nowMs)
    if (!isNews(standing.told, status) || nowMs - standing.sinceMs < SETTLED_MS[status.kind]) return
    standing.told = status
    const peers = 'peers' in status ? status.peers : []
    this.#tell({ event: 'sync', topic, status, peers: peers.map((peer) => this.#named(peer)) })
  }

  /** A topic that none of those who are connected has may well be a slip of the fingers: told once. */
  #tellUnshared(topic: string, standing: Standing, nowMs: number): void {
    // That nobody else holds a shard is no slip.
    if (standing.hadCompany || standing.isUnshared || topic.includes(':')) return
    const sinceMs = [...[...this.#connecting.values()].map((pending) => pending.sinceMs), ...this.#connected.values()]
    const connected = sinceMs.filter((ms) => nowMs - ms >= ALONE_MS).length
    if (connected === 0) return
    standing.isUnshared = true
    this.#tell({ event: 'unshared', topic, connected })
  }

  #isNew(complaint: string, nowMs: number): boolean {
    if (nowMs - (this.#toldMs.get(complaint) ?? -Infinity) < REPEAT_MS) return false
    if (this.#toldMs.size >= REPEATS_MAX) this.#toldMs.clear()
    this.#toldMs.set(complaint, nowMs)
    return true
  }

  #named(peer: string): PeerName {
    const name = this.#watched.nameOf(peer) ?? this.#met.get(peer)
    if (name !== undefined && this.#met.has(peer)) this.#met.set(peer, name)
    return name === undefined ? { peer } : { peer, name }
  }
}

/** Whether the status says more than what was told: another kind, or in sync with somebody new. */
function isNews(told: SyncStatus, status: SyncStatus): boolean {
  if (told.kind !== 'in-sync' || status.kind !== 'in-sync') return told.kind !== status.kind
  return status.peers.some((peer) => !told.peers.includes(peer))
}
