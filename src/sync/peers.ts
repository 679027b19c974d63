/** The peers of one namespace and what their sessions told. A state holder without a clock or a network. */

import type { PeerIdText } from '../net/net.ts'

export interface SyncPeer {
  readonly peer: PeerIdText
  readonly name?: string
  /** Sessions under way, in either direction. */
  readonly sessions: number
  /** When, by a clock that only grows, the last complete session began: we held at its end all that the peer held then. */
  readonly inSyncAtMs?: number
  /** Sessions that failed in a row. */
  readonly failures: number
  /** The peer's clock less ours. */
  readonly clockOffsetMs?: number
}

export class SyncPeers {
  readonly #peers = new Map<PeerIdText, SyncPeer>()

  /** Answers false when it was there already. */
  join(peer: PeerIdText): boolean {
    if (this.#peers.has(peer)) return false
    this.#peers.set(peer, { peer, sessions: 0, failures: 0 })
    return true
  }

  /** Answers false when it was not there. */
  leave(peer: PeerIdText): boolean {
    return this.#peers.delete(peer)
  }

  all(): readonly SyncPeer[] {
    return [...this.#peers.values()]
  }

  sessionBegan(peer: PeerIdText): void {
    this.#change(peer, ({ sessions }) => ({ sessions: sessions + 1 }))
  }

  sessionEnded(peer: PeerIdText): void {
    this.#change(peer, ({ sessions }) => ({ sessions: Math.max(0, sessions - 1) }))
  }

  /** Answers the offset that was known before. */
  greeted(peer: PeerIdText, name: string, clockOffsetMs: number): number | undefined {
    const beforeMs = this.#peers.get(peer)?.clockOffsetMs
    this.#change(peer, () => ({ name, clockOffsetMs }))
    return beforeMs
  }

  synced(peer: PeerIdText, inSyncAtMs: number | undefined): void {
    this.#change(peer, () => ({ failures: 0, ...(inSyncAtMs === undefined ? {} : { inSyncAtMs }) }))
  }

  failed(peer: PeerIdText): void {
    this.#change(peer, ({ failures }) => ({ failures: failures + 1 }))
  }

  #change(peer: PeerIdText, change: (known: SyncPeer) => Partial<SyncPeer>): void {
    const known = this.#peers.get(peer)
    if (known !== undefined) this.#peers.set(peer, { ...known, ...change(known) })
  }
}
