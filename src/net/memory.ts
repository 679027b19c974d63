/**
 * A whole network in memory, for tests and the simulator: the same port as `libp2p.ts`, with faults at will. Clock, timers
 * and randomness are given, so that a run is a function of its seed: delay, loss, duplication and reordering of gossip,
 * one-way cuts, streams that break in the middle, crashes. It knows no real timer, and no promise waits for real time.
 *
 * It behaves like the real one where that matters: connections come by themselves (as with discovery) and again after a
 * cut; a cut is noticed only after a while, and streams stall until then; gossip floods from node to node with
 * de-duplication; streams are reliable, ordered and bounded.
 */
import { assert } from '../errors.ts'
import { type ConnectionEnd, MemoryConnection, type World } from './memory-connection.ts'
import { MemoryNet } from './memory-node.ts'
import type { Net, PeerIdText } from './net.ts'

export interface MemoryNetworkOptions {
  /** Calls `fn` once, `delayMs` later by the caller's clock, never from within this call. */
  readonly schedule: (delayMs: number, fn: () => void) => void
  /** From 0 up to but not including 1. */
  readonly random: () => number
  /** The caller's clock, milliseconds; it only ever grows. */
  readonly nowMs: () => number
  readonly faults?: Partial<MemoryFaults>
}

/** What every hop is subject to. May be changed while the network runs. */
export interface MemoryFaults {
  /** Each hop takes between these, evenly spread, so gossip reorders when they differ. @default 1 and 1 */
  readonly delayMsMin: number
  readonly delayMsMax: number
  /** Share of gossip messages lost on a hop, 0 to 1. Streams lose nothing. @default 0 */
  readonly lossRate: number
  /** Share of gossip messages delivered twice. @default 0 */
  readonly duplicateRate: number
  /** How long a cut lasts before both sides take the connection for dead. @default 10_000 */
  readonly noticeMs: number
  /** A connection that could be is made within this time. @default 1_000 */
  readonly reconnectMsMax: number
}

const NO_FAULTS: MemoryFaults = {
  delayMsMin: 1,
  delayMsMax: 1,
  lossRate: 0,
  duplicateRate: 0,
  noticeMs: 10_000,
  reconnectMsMax: 1_000,
}

export interface MemoryNetwork {
  /** A node of that name; opening a name that is open already is a bug. After `close` or `crash` it may open again. */
  open(peer: PeerIdText): Net
  setFaults(faults: Partial<MemoryFaults>): void
  /** Nothing travels from the one to the other any more; the other way is untouched. */
  cut(from: PeerIdText, to: PeerIdText): void
  /** Cuts, both ways, between nodes of different groups; nodes in no group are cut from all. Heals all else first. */
  partition(...groups: readonly (readonly PeerIdText[])[]): void
  /** Ends every cut. */
  heal(): void
  /** Breaks all streams between the two, wherever they are; the connection stays. Answers how many it broke. */
  breakStreams(a: PeerIdText, b: PeerIdText): number
  /** The node is gone without a word, as by `kill -9`. */
  crash(peer: PeerIdText): void
  /**
   * The node stands still, as a process that is not scheduled: nothing reaches it or leaves it until it resumes, and its peers
   * take it for dead meanwhile. `heal` leaves it so. Timers are the caller's.
   */
  pause(peer: PeerIdText): void
  resume(peer: PeerIdText): void
}

export function createMemoryNetwork(options: MemoryNetworkOptions): MemoryNetwork {
  return new Network(options)
}

class Network implements MemoryNetwork, World {
  readonly #options: MemoryNetworkOptions
  #faults: MemoryFaults
  readonly #nodes = new Map<PeerIdText, MemoryNet>()
  readonly #cuts = new Set<string>()
  #groupOf: ReadonlyMap<PeerIdText, number> | undefined
  readonly #paused = new Set<PeerIdText>()

  constructor(options: MemoryNetworkOptions) {
    this.#options = options
    this.#faults = { ...NO_FAULTS, ...options.faults }
  }

  get lossRate(): number {
    return this.#faults.lossRate
  }

  get duplicateRate(): number {
    return this.#faults.duplicateRate
  }

  nowMs(): number {
    return this.#options.nowMs()
  }

  random(): number {
    return this.#options.random()
  }

  schedule(delayMs: number, fn: () => void): void {
    this.#options.schedule(delayMs, fn)
  }

  open(peer: PeerIdText): Net {
    assert(!this.#nodes.has(peer), `${peer} is open once at a time`)
    const node = new MemoryNet(peer, this)
    this.#nodes.set(peer, node)
    this.#reconsiderAll()
    return node
  }

  setFaults(faults: Partial<MemoryFaults>): void {
    this.#faults = { ...this.#faults, ...faults }
  }

  cut(from: PeerIdText, to: PeerIdText): void {
    this.#cuts.add(`${from} ${to}`)
    this.#reconsiderAll()
  }

  partition(...groups: readonly (readonly PeerIdText[])[]): void {
    this.#cuts.clear()
    this.#groupOf = new Map(groups.flatMap((group, index) => group.map((peer) => [peer, index] as const)))
    this.#reconsiderAll()
  }

  heal(): void {
    this.#cuts.clear()
    this.#groupOf = undefined
    for (const node of this.#nodes.values()) node.healed()
    this.#reconsiderAll()
  }

  breakStreams(a: PeerIdText, b: PeerIdText): number {
    return this.#nodes.get(a)?.connectionTo(b)?.breakStreams('it was reset on the way') ?? 0
  }

  crash(peer: PeerIdText): void {
    this.#nodes.get(peer)?.vanish('it crashed')
    this.#paused.delete(peer)
  }

  pause(peer: PeerIdText): void {
    this.#paused.add(peer)
    this.#reconsiderAll()
  }

  resume(peer: PeerIdText): void {
    this.#paused.delete(peer)
    for (const node of this.#nodes.values()) node.healed()
    this.#reconsiderAll()
  }

  isCut(from: PeerIdText, to: PeerIdText): boolean {
    if (this.#cuts.has(`${from} ${to}`) || this.#paused.has(from) || this.#paused.has(to)) return true
    if (this.#groupOf === undefined) return false
    const group = this.#groupOf.get(from)
    return group === undefined || group !== this.#groupOf.get(to)
  }

  hop(arrive: () => void): void {
    const { delayMsMin, delayMsMax } = this.#faults
    this.schedule(delayMsMin + this.random() * (delayMsMax - delayMsMin), arrive)
  }

  removed(node: ConnectionEnd): void {
    if (this.#nodes.get(node.self) === node) this.#nodes.delete(node.self)
  }

  /** Looks at every pair: makes what can be connected and, after a while, unmakes what cannot. */
  #reconsiderAll(): void {
    const peers = [...this.#nodes.keys()]
    for (const [index, a] of peers.entries()) for (const b of peers.slice(index + 1)) this.reconsider(a, b)
  }

  reconsider(a: PeerIdText, b: PeerIdText): void {
    const connection = this.#nodes.get(a)?.connectionTo(b)
    if (connection === undefined && this.#canConnect(a, b)) {
      this.schedule(this.random() * this.#faults.reconnectMsMax, () => this.#connect(a, b))
    }
    if (connection !== undefined && !this.#canConnect(a, b)) {
      this.schedule(this.#faults.noticeMs, () => {
        if (!this.#canConnect(a, b)) connection.end('nothing came through any more')
      })
    }
  }

  #connect(a: PeerIdText, b: PeerIdText): void {
    const [first, second] = [this.#nodes.get(a), this.#nodes.get(b)]
    if (first === undefined || second === undefined || first.connectionTo(b) !== undefined) return
    if (!this.#canConnect(a, b)) return
    const connection = new MemoryConnection(first, second, this)
    first.connected(second, connection)
    second.connected(first, connection)
  }

  #canConnect(a: PeerIdText, b: PeerIdText): boolean {
    const [first, second] = [this.#nodes.get(a), this.#nodes.get(b)]
    if (first === undefined || second === undefined) return false
    const blocked = first.standing.blocked(b) || second.standing.blocked(a)
    return !blocked && !this.isCut(a, b) && !this.isCut(b, a)
  }
}
