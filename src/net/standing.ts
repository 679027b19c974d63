/**
 * What peers have done wrong, forgiven over time: each offence adds points that halve every minute; enough of them block
 * the peer for a while. One account per peer serves both roads: messages that a validator rejected and `penalise` of the
 * callers. Pure: the time is given. It never forgets a block early and holds at most as many accounts as offenders seen
 * within the last few half-lives.
 */
import { BLOCK_MS, PENALTY_HALF_LIFE_MS, PENALTY_POINTS, PENALTY_POINTS_MAX } from './limits.ts'
import type { PeerIdText } from './net.ts'

/** So many accounts are held at most; the oldest one goes first. */
const ACCOUNTS_MAX = 10_000

interface Account {
  points: number
  atMs: number
  blockedUntilMs: number
}

export class Standing {
  readonly #accounts = new Map<PeerIdText, Account>()
  readonly #nowMs: () => number

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
  }

  /** Adds one offence. True if this one made the peer blocked. */
  offend(peer: PeerIdText): boolean {
    const nowMs = this.#nowMs()
    const old = this.#accounts.get(peer)
    const points = this.points(peer) + PENALTY_POINTS
    const wasBlocked = this.blocked(peer)
    const blocks = points >= PENALTY_POINTS_MAX && !wasBlocked
    this.#accounts.delete(peer)
    this.#accounts.set(peer, {
      points: Math.min(points, PENALTY_POINTS_MAX),
      atMs: nowMs,
      blockedUntilMs: blocks ? nowMs + BLOCK_MS : (old?.blockedUntilMs ?? 0),
    })
    const [oldest] = this.#accounts.keys()
    if (this.#accounts.size > ACCOUNTS_MAX && oldest !== undefined) this.#accounts.delete(oldest)
    return blocks
  }

  /** From 0, nothing known against it, to PENALTY_POINTS_MAX. */
  points(peer: PeerIdText): number {
    const account = this.#accounts.get(peer)
    if (account === undefined) return 0
    const points = account.points * 0.5 ** ((this.#nowMs() - account.atMs) / PENALTY_HALF_LIFE_MS)
    return points < 1 ? 0 : points
  }

  blocked(peer: PeerIdText): boolean {
    return (this.#accounts.get(peer)?.blockedUntilMs ?? 0) > this.#nowMs()
  }
}
