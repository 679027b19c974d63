/**
 * Finds peers that are connected and deaf. GossipSub's stream to a peer can die while the connection lives, and nothing
 * opens it again (ChainSafe/js-libp2p-gossipsub#456); the same happens when the older of two connections ends.
 * Pure: it is shown all peers from time to time and answers what to do. First the peer is identified anew, which makes
 * GossipSub open its stream; if that does not help, the connection is closed and the dial loop makes another. Patience
 * begins again when identify is over: on a busy machine a peer is slow, not deaf, and closing would cost it even more.
 */
import { DEAF_AFTER_MS } from './limits.ts'
import type { PeerIdText } from './net.ts'

export interface WatchedPeer {
  readonly peer: PeerIdText
  /** Gossip flows both ways: an open stream of its protocol in each direction. */
  readonly hears: boolean
}

export type WatchdogAction = { readonly kind: 'identify' | 'close'; readonly peer: PeerIdText }

/** Peers remembered for having been closed in vain; the oldest is forgotten first. */
const REMEMBERED_PEERS_MAX = 1_000
/** A peer that never hears (it speaks no GossipSub, or shares its identity with another) is closed ever more rarely. */
const DOUBLINGS_MAX = 6

export class Watchdog {
  readonly #deafAfterMs: number
  readonly #deaf = new Map<PeerIdText, { readonly sinceMs: number; asked: boolean; identifiedMs?: number }>()
  /** How often in a row a peer was closed without having heard since. */
  readonly #closedCount = new Map<PeerIdText, number>()

  constructor(deafAfterMs = DEAF_AFTER_MS) {
    this.#deafAfterMs = deafAfterMs
  }

  look(peers: readonly WatchedPeer[], nowMs: number): WatchdogAction[] {
    const present = new Set(peers.map(({ peer }) => peer))
    for (const peer of this.#deaf.keys()) if (!present.has(peer)) this.#deaf.delete(peer)
    return peers.flatMap((peer) => this.#judge(peer, nowMs) ?? [])
  }

  /** Identifying the peer anew has ended, in whatever way: a connection that is dead is found by its pings. */
  identified(peer: PeerIdText, nowMs: number): void {
    const deaf = this.#deaf.get(peer)
    if (deaf?.asked === true) deaf.identifiedMs ??= nowMs
  }

  #judge({ peer, hears }: WatchedPeer, nowMs: number): WatchdogAction | undefined {
    if (hears) {
      this.#deaf.delete(peer)
      this.#closedCount.delete(peer)
      return undefined
    }
    const deaf = this.#deaf.get(peer)
    if (deaf === undefined) {
      this.#deaf.set(peer, { sinceMs: nowMs, asked: false })
      return undefined
    }
    const closedCount = this.#closedCount.get(peer) ?? 0
    const patienceMs = this.#deafAfterMs * 2 ** Math.min(closedCount, DOUBLINGS_MAX)
    if (!deaf.asked && nowMs - deaf.sinceMs >= patienceMs) {
      deaf.asked = true
      return { kind: 'identify', peer }
    }
    if (deaf.identifiedMs === undefined || nowMs - deaf.identifiedMs < patienceMs) return undefined
    this.#deaf.delete(peer)
    this.#remember(peer, closedCount + 1)
    return { kind: 'close', peer }
  }

  #remember(peer: PeerIdText, closedCount: number): void {
    this.#closedCount.delete(peer)
    this.#closedCount.set(peer, closedCount)
    const [oldest] = this.#closedCount.keys()
    if (this.#closedCount.size > REMEMBERED_PEERS_MAX && oldest !== undefined) this.#closedCount.delete(oldest)
  }
}
