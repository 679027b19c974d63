/**
 * Signed heads that peers have shown and this node lacks: what `behind` counts. Only heads whose signature was checked may
 * be noted. Bounded; a head that no connected peer shows any more is forgotten after a while, since its blocks may be gone
 * for good. A state holder without a clock. design.md 4.
 */

import type { LogKey } from '../log/block.ts'
import { type FrontierEntry, lengthOf } from '../log/frontier.ts'
import type { PeerIdText } from '../net/net.ts'
import { KNOWN_HEADS_MAX, MISSES_MAX, ORPHANED_HEAD_MS } from './limits.ts'

interface KnownHead {
  readonly seq: number
  /** Who showed it, with the number of complete syncs that did not bring it. */
  readonly peers: Map<PeerIdText, number>
  orphanedAtMs?: number
}

export interface Lacked {
  readonly blocks: number
  readonly peers: readonly PeerIdText[]
}

export class KnownHeads {
  readonly #heads = new Map<LogKey, KnownHead>()
  readonly #entryOf: (log: LogKey) => FrontierEntry | undefined

  constructor(entryOf: (log: LogKey) => FrontierEntry | undefined) {
    this.#entryOf = entryOf
  }

  note(log: LogKey, seq: number, peer: PeerIdText): void {
    const known = this.#heads.get(log)
    if (known !== undefined && known.seq > seq) return
    if (known === undefined && this.#heads.size >= KNOWN_HEADS_MAX) return
    const peers = known?.seq === seq ? known.peers : new Map<PeerIdText, number>()
    this.#heads.set(log, { seq, peers: peers.set(peer, peers.get(peer) ?? 0) })
  }

  /** The peer does not serve what it showed: it is not trusted for this log. */
  distrust(log: LogKey, peer: PeerIdText): void {
    const known = this.#heads.get(log)
    known?.peers.delete(peer)
    if (known?.peers.size === 0) this.#heads.delete(log)
  }

  /**
   * A sync with the peer was complete, and yet what it showed is lacking: it may have passed on by gossip what it had not
   * fetched itself. After a few times it is not trusted, so that nobody keeps a node behind by heads that no one holds.
   */
  missed(peer: PeerIdText): void {
    for (const [log, known] of this.#heads) {
      const misses = known.peers.get(peer)
      if (misses === undefined || this.#lackedOf(log, known) === 0) continue
      known.peers.set(peer, misses + 1)
      if (misses + 1 >= MISSES_MAX) this.distrust(log, peer)
    }
  }

  peerLeft(peer: PeerIdText, nowMs: number): void {
    for (const known of this.#heads.values()) {
      if (known.peers.delete(peer) && known.peers.size === 0) known.orphanedAtMs = nowMs
    }
  }

  /** Counts the blocks that are lacked now, and forgets what is held by now or orphaned too long. Linear in the heads. */
  lacked(nowMs: number): Lacked {
    let blocks = 0
    const peers = new Set<PeerIdText>()
    for (const [log, known] of this.#heads) {
      const count = this.#lackedOf(log, known)
      if (count === 0 || nowMs - (known.orphanedAtMs ?? nowMs) > ORPHANED_HEAD_MS) {
        this.#heads.delete(log)
        continue
      }
      blocks += count
      for (const peer of known.peers.keys()) peers.add(peer)
    }
    return { blocks, peers: [...peers] }
  }

  lacks(log: LogKey): boolean {
    const known = this.#heads.get(log)
    return known !== undefined && this.#lackedOf(log, known) > 0
  }

  /** The blocks that one peer showed and we lack. */
  lackedFrom(peer: PeerIdText): number {
    let blocks = 0
    for (const [log, known] of this.#heads) if (known.peers.has(peer)) blocks += this.#lackedOf(log, known)
    return blocks
  }

  #lackedOf(log: LogKey, { seq }: KnownHead): number {
    const held = this.#entryOf(log)
    return Math.max(0, Math.min(seq + 1, held?.cut ?? Infinity) - lengthOf(held))
  }
}
