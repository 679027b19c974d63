/**
 * Signed heads that peers have shown and this node lacks: what `behind` counts. Only heads whose signature was checked may
 * be noted. Whoever signs may sign any number, so that heads are bounded in all and per peer, and so is what one of them adds;
 * a head that no connected peer shows any more is forgotten after a while, since its blocks may be gone for good.
 * Sums are kept as heads come and are met: asking costs the same however many are known. A state holder without a clock.
 * design.md 4.
 */

import type { LogKey } from '../log/block.ts'
import { type FrontierEntry, lengthOf } from '../log/frontier.ts'
import type { PeerIdText } from '../net/net.ts'
import {
  HEAD_BLOCKS_COUNTED_MAX,
  HEADS_REVIEWED,
  KNOWN_HEADS_MAX,
  KNOWN_HEADS_PER_PEER_MAX,
  MISSES_MAX,
  ORPHANED_HEAD_MS,
} from './limits.ts'

interface KnownHead {
  readonly seq: number
  /** Who showed it, with the number of complete syncs that did not bring it. */
  readonly peers: Map<PeerIdText, number>
  /** Blocks of it that were lacking when last looked: what the sums hold of it. */
  lacked: number
}

/** What one peer has shown. */
interface Shown {
  readonly logs: Set<LogKey>
  blocks: number
}

export interface Lacked {
  /** A head counts for `HEAD_BLOCKS_COUNTED_MAX` at most: of a longer log, at least so many. */
  readonly blocks: number
  readonly peers: readonly PeerIdText[]
}

export class KnownHeads {
  readonly #heads = new Map<LogKey, KnownHead>()
  readonly #shown = new Map<PeerIdText, Shown>()
  /** Heads that no connected peer shows, and since when; the oldest first. */
  readonly #orphans = new Map<LogKey, number>()
  readonly #entryOf: (log: LogKey) => FrontierEntry | undefined
  #blocks = 0

  constructor(entryOf: (log: LogKey) => FrontierEntry | undefined) {
    this.#entryOf = entryOf
  }

  /** Does nothing for a head that is held, or when there is no room: a node with so many is behind as it is. */
  note(log: LogKey, seq: number, peer: PeerIdText): void {
    const known = this.#heads.get(log)
    if (known !== undefined && known.seq > seq) return
    if (known?.peers.has(peer) === true && known.seq === seq) return
    const shown = this.#shown.get(peer)
    if (shown?.logs.has(log) !== true && (shown?.logs.size ?? 0) >= KNOWN_HEADS_PER_PEER_MAX) return
    if (known === undefined && this.#heads.size >= KNOWN_HEADS_MAX) return
    if (known?.seq !== seq) {
      this.#forget(log)
      this.#heads.set(log, { seq, peers: new Map(), lacked: 0 })
    }
    this.#show(log, peer)
    this.met(log)
  }

  /** What is held of the log may have changed. Whoever commits what peers bring tells it here. */
  met(log: LogKey): void {
    const head = this.#heads.get(log)
    if (head === undefined) return
    const lacked = this.#lackedOf(log, head)
    if (lacked === 0) return this.#forget(log)
    const change = lacked - head.lacked
    head.lacked = lacked
    this.#blocks += change
    for (const peer of head.peers.keys()) this.#addTo(peer, change)
  }

  /** The peer does not serve what it showed: it is not trusted for this log. */
  distrust(log: LogKey, peer: PeerIdText): void {
    const head = this.#heads.get(log)
    if (head === undefined || !head.peers.has(peer)) return
    if (head.peers.size === 1) this.#forget(log)
    else this.#unshow(log, head, peer)
  }

  /**
   * A sync with the peer is over, and yet what it showed is lacking: it may have passed on by gossip what it had not
   * fetched itself. After a few times it is not trusted, so that nobody keeps a node behind by heads that no one holds.
   */
  missed(peer: PeerIdText): void {
    for (const log of this.#shown.get(peer)?.logs ?? []) {
      const head = this.#heads.get(log)
      if (head === undefined || !this.lacks(log)) continue
      const misses = (head.peers.get(peer) ?? 0) + 1
      head.peers.set(peer, misses)
      if (misses >= MISSES_MAX) this.distrust(log, peer)
    }
  }

  peerLeft(peer: PeerIdText, nowMs: number): void {
    for (const log of this.#shown.get(peer)?.logs ?? []) {
      const head = this.#heads.get(log)
      if (head === undefined) continue
      this.#unshow(log, head, peer)
      if (head.peers.size === 0) this.#orphans.set(log, nowMs)
    }
  }

  /**
   * The blocks that are lacked, after forgetting what is orphaned too long. A few heads are looked at again each time, in turn:
   * blocks may come otherwise than from peers. Until its turn such a head counts as lacked, never the other way round.
   */
  lacked(nowMs: number): Lacked {
    for (const [log, sinceMs] of this.#orphans) {
      if (nowMs - sinceMs <= ORPHANED_HEAD_MS) break
      this.#forget(log)
    }
    this.#review()
    const peers = [...this.#shown].flatMap(([peer, { blocks }]) => (blocks > 0 ? [peer] : []))
    return { blocks: this.#blocks, peers }
  }

  lacks(log: LogKey): boolean {
    this.met(log)
    return this.#heads.has(log)
  }

  /** The blocks that one peer showed and we lack. */
  lackedFrom(peer: PeerIdText): number {
    return this.#shown.get(peer)?.blocks ?? 0
  }

  #review(): void {
    const logs = this.#heads.keys().take(HEADS_REVIEWED).toArray()
    for (const log of logs) {
      this.met(log)
      const head = this.#heads.get(log)
      if (head === undefined) continue
      // To the end of the queue.
      this.#heads.delete(log)
      this.#heads.set(log, head)
    }
  }

  #show(log: LogKey, peer: PeerIdText): void {
    const head = this.#heads.get(log)
    if (head === undefined) return
    const shown = this.#shown.get(peer) ?? { logs: new Set(), blocks: 0 }
    this.#shown.set(peer, shown)
    shown.logs.add(log)
    shown.blocks += head.lacked
    head.peers.set(peer, 0)
    this.#orphans.delete(log)
  }

  #unshow(log: LogKey, head: KnownHead, peer: PeerIdText): void {
    head.peers.delete(peer)
    this.#addTo(peer, -head.lacked)
    const shown = this.#shown.get(peer)
    shown?.logs.delete(log)
    if (shown?.logs.size === 0) this.#shown.delete(peer)
  }

  #forget(log: LogKey): void {
    const head = this.#heads.get(log)
    if (head === undefined) return
    for (const peer of head.peers.keys()) this.#unshow(log, head, peer)
    this.#heads.delete(log)
    this.#orphans.delete(log)
    this.#blocks -= head.lacked
  }

  #addTo(peer: PeerIdText, blocks: number): void {
    const shown = this.#shown.get(peer)
    if (shown !== undefined) shown.blocks += blocks
  }

  #lackedOf(log: LogKey, { seq }: KnownHead): number {
    const held = this.#entryOf(log)
    const lacked = Math.min(seq + 1, held?.cut ?? Infinity) - lengthOf(held)
    return Math.max(0, Math.min(lacked, HEAD_BLOCKS_COUNTED_MAX))
  }
}
