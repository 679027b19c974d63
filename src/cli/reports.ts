/**
 * From what a node tells observers, often and in small pieces, to what somebody who watches wants to know: each report
 * once, deltas gathered by the second, a sync status when it has settled. Pure: time is passed in with every call.
 */

import type { NodeEvent } from '../node/events.ts'
import type { RhizomeNode } from '../node/node.ts'
import { withoutPeer } from './paths.ts'

export type SyncStatus = ReturnType<ReturnType<RhizomeNode['namespaces']>[number]['status']>

/** A line of the running node; as JSON it is this object with the time. README.md documents each. */
export type Report =
  | { readonly event: 'connected'; readonly peer: string; readonly name?: string; readonly address: string }
  | { readonly event: 'disconnected'; readonly peer: string; readonly name?: string }
  | {
      readonly event: 'deltas'
      readonly topic: string
      /** New ones since the last report. */
      readonly received: number
      readonly from: readonly PeerName[]
      /** All that the node holds now. */
      readonly total: number
    }
  | { readonly event: 'sync'; readonly topic: string; readonly status: SyncStatus; readonly peers: readonly PeerName[] }
  | {
      readonly event: 'alone'
      readonly interfaces: readonly string[]
      readonly queriesSent: number
      readonly answersHeard: number
    }
  | { readonly event: 'wrong-secret'; readonly address: string; readonly message: string }
  | { readonly event: 'dial-failed'; readonly address: string; readonly code: string; readonly message: string }
  | { readonly event: 'clock'; readonly peer: string; readonly name?: string; readonly offsetMs: number }
  | { readonly event: 'future-block'; readonly topic: string; readonly peer: string; readonly aheadMs: number }
  | { readonly event: 'log-renewed'; readonly topic: string; readonly why: string }
  | { readonly event: 'reasserted'; readonly topic: string; readonly deltas: number }
  | {
      readonly event: 'forked'
      readonly topic: string
      readonly log: string
      readonly cut: number
      readonly own: boolean
    }
  | {
      readonly event: 'rejected' | 'sync-failed'
      readonly topic: string
      readonly peer: string
      readonly name?: string
      readonly code: string
      readonly why: string
    }
  | {
      readonly event: 'store-refused' | 'announce-failed'
      readonly topic: string
      readonly code: string
      readonly why: string
    }

export interface PeerName {
  readonly peer: string
  readonly name?: string
}

/** What is asked of the node when a report is made. */
export interface Watched {
  nameOf(peer: string): string | undefined
  /** Where the peer can be dialled; undefined when it is not connected. */
  addressOf(peer: string): string | undefined
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

interface Pending {
  readonly address: string
  readonly sinceMs: number
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
}

export class Reports {
  readonly #watched: Watched
  readonly #tell: (report: Report) => void
  readonly #connecting = new Map<string, Pending>()
  readonly #connected = new Set<string>()
  /** Peers that were connected once, with the last name known. */
  readonly #met = new Map<string, string | undefined>()
  /** Whose the addresses are that were discovered. */
  readonly #discovered = new Map<string, string>()
  readonly #gathered = new Map<string, Gathered>()
  readonly #standings = new Map<string, Standing>()
  readonly #toldMs = new Map<string, number>()
  #deltasMs = -Infinity
  #isSecretWrong = false

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
      case 'log-renewed':
        return this.#tell({ event: 'log-renewed', topic: event.namespace, why: event.why })
      case 'reasserted':
        return this.#tell({ event: 'reasserted', topic: event.namespace, deltas: event.deltas })
    }
  }

  /** Tells what has waited long enough; called a few times a second. */
  tick(nowMs: number): void {
    for (const [peer, { address, sinceMs }] of this.#connecting) {
      const name = this.#watched.nameOf(peer)
      if (name === undefined && nowMs - sinceMs < NAME_MS) continue
      this.#connecting.delete(peer)
      this.#connected.add(peer)
      this.#tell({
        event: 'connected',
        ...this.#named(peer),
        address: withoutPeer(this.#watched.addressOf(peer) ?? address),
      })
    }
    if (nowMs - this.#deltasMs >= DELTAS_MS) this.#tellDeltas(nowMs)
    for (const { topic, status } of this.#watched.statuses()) this.#lookAt(topic, status, nowMs)
  }

  /** Tells what was gathered and not told yet: the last word before the end. */
  flush(nowMs: number): void {
    this.#tellDeltas(nowMs)
  }

  #hearNetwork(event: Extract<NodeEvent, { kind: 'network' }>['event'], nowMs: number): void {
    switch (event.kind) {
      case 'connected':
        this.#connecting.set(event.peer, { address: event.address, sinceMs: nowMs })
        this.#meet(event.peer)
        return
      case 'disconnected': {
        if (this.#connecting.delete(event.peer) || !this.#connected.delete(event.peer)) return
        return this.#tell({ event: 'disconnected', ...this.#named(event.peer) })
      }
      case 'dial-failed': {
        const { address, code, message } = event
        if (code === 'secret-mismatch') return this.#tellSecret(address, message, nowMs)
        if (this.#isWorthTelling(address, code)) this.#tell({ event: 'dial-failed', address, code, message })
        return
      }
      case 'alone': {
        // There is no riddle in why somebody is alone whose peers left, or who has the wrong secret: that is told.
        if (this.#met.size > 0 || this.#isSecretWrong) return
        const { interfaces, queriesSent, answersHeard } = event
        return this.#tell({ event: 'alone', interfaces, queriesSent, answersHeard })
      }
      case 'discovered':
        if (this.#discovered.size >= PEERS_MAX) this.#discovered.clear()
        for (const address of event.addresses) this.#discovered.set(address, event.peer)
        return
      case 'joined':
      case 'left':
        return
    }
  }

  /**
   * One who left is dialled again for ever, and two who share a machine meet their own address: that is no news. An address
   * that the user gave, and a peer that was found and cannot be reached, as behind a firewall, are.
   */
  #isWorthTelling(address: string, code: string): boolean {
    if (this.#watched.isGiven(address)) return true
    const peer = this.#discovered.get(address)
    return code !== 'self' && !(peer !== undefined && this.#met.has(peer))
  }

  /** Both sides dial, so one mismatch shows twice: at the port of the other and at the one from which it came. */
  #tellSecret(address: string, message: string, nowMs: number): void {
    this.#isSecretWrong = true
    const host = address.replace(/\/tcp\/.*$/, '')
    if (this.#isNew(`secret ${host}`, nowMs)) this.#tell({ event: 'wrong-secret', address, message })
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
    const standing = this.#standings.get(topic) ?? { told: { kind: 'alone' }, current: status, sinceMs: nowMs }
    this.#standings.set(topic, standing)
    if (standing.current.kind !== status.kind) standing.sinceMs = nowMs
    standing.current = status
    if (!isNews(standing.told, status) || nowMs - standing.sinceMs < SETTLED_MS[status.kind]) return
    standing.told = status
    const peers = 'peers' in status ? status.peers : []
    this.#tell({ event: 'sync', topic, status, peers: peers.map((peer) => this.#named(peer)) })
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
