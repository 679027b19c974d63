/** The peers of one namespace and what their sessions told. A state holder without a clock or a network. */

import type { PeerIdText } from '../net/net.ts'

export interface SyncPeer {
  readonly peer: PeerIdText
  name?: string
  /** Sessions under way, in either direction. */
  sessions: number
  /** When the last complete session began: we held then all that the peer held. */
  inSyncAtMs?: number
  /** Sessions that failed in a row. */
  failures: number
  /** The peer's clock less ours. */
  clockOffsetMs?: number
}

export class SyncPeers {
  readonly #peers = new Map<PeerIdText, SyncPeer>()

  /** Answers false when it was there already. */
  join(peer: PeerIdText): boolean {
    if (this.#peers.has(peer)) return false
    this.#peers.set(peer, { peer, sessions: 0, failures: 0 })
    return true
  }

  leave(peer: PeerIdText): boolean {
    return this.#peers.delete(peer)
  }

  get(peer: PeerIdText): SyncPeer | undefined {
    return this.#peers.get(peer)
  }

  all(): readonly SyncPeer[] {
    return [...this.#peers.values()]
  }
}
