/**
 * Which failures to reach somebody are news. An address that the user gave is told at once, then ever more rarely. A peer
 * that was found is told once, if it never answered for a while, as behind a firewall. One who left is dialled again for
 * long, addresses go stale, and two who share a machine meet their own: that is no news. Pure: time is passed in.
 */

import { withoutPeer } from './paths.ts'

/** An address that the user gave is told again after one minute, then two, four … until this. */
const GIVEN_REPEAT_MS_MAX = 3_600_000
const GIVEN_REPEAT_MS = 60_000
/** A peer that was found and never answered is told after so long: who stops right after a start is no news. */
const UNANSWERED_MS = 30_000
/** Peers and addresses remembered; beyond that all are forgotten, and some line comes once too often. */
const PEERS_MAX = 10_000

interface Given {
  readonly toldMs: number
  readonly waitMs: number
}

interface Failure {
  readonly address: string
  readonly code: string
}

export class Unreachable {
  /** By address, the peer that was found there. */
  readonly #found = new Map<string, string>()
  /** By address and code, when a given one was told. */
  readonly #given = new Map<string, Given>()
  /** By peer, since when it fails. */
  readonly #sinceMs = new Map<string, number>()
  /** Peers of which nothing more is told: somebody answered there once, or it was told. */
  readonly #settled = new Set<string>()

  found(peer: string, addresses: readonly string[]): void {
    for (const address of addresses) remember(this.#found, address, peer)
  }

  connected(peer: string, address: string): void {
    for (const key of this.#given.keys()) if (key.endsWith(` ${withoutPeer(address)}`)) this.#given.delete(key)
    this.#settle(peer)
  }

  /** Somebody answered there, whoever it is. */
  answered(address: string): void {
    const peer = this.#found.get(address)
    if (peer !== undefined) this.#settle(peer)
  }

  /** Whether it is time to tell of an address that the user gave. */
  isDue({ address, code }: Failure, nowMs: number): boolean {
    const key = `${code} ${withoutPeer(address)}`
    const before = this.#given.get(key)
    if (before !== undefined && nowMs - before.toldMs < before.waitMs) return false
    const waitMs = before === undefined ? GIVEN_REPEAT_MS : Math.min(2 * before.waitMs, GIVEN_REPEAT_MS_MAX)
    remember(this.#given, key, { toldMs: nowMs, waitMs })
    return true
  }

  /** Whether this is the time to tell that a peer was found and never answered. */
  isUnanswered({ address, code }: Failure, nowMs: number): boolean {
    const peer = this.#found.get(address)
    if (peer === undefined || this.#settled.has(peer)) return false
    const sinceMs = this.#sinceMs.get(peer) ?? nowMs
    remember(this.#sinceMs, peer, sinceMs)
    if (code === 'unreachable' && nowMs - sinceMs < UNANSWERED_MS) return false
    // With any other code somebody did answer there.
    this.#settle(peer)
    return code === 'unreachable'
  }

  #settle(peer: string): void {
    this.#sinceMs.delete(peer)
    if (this.#settled.size >= PEERS_MAX) this.#settled.clear()
    this.#settled.add(peer)
  }
}

function remember<Value>(map: Map<string, Value>, key: string, value: Value): void {
  if (map.size >= PEERS_MAX && !map.has(key)) map.clear()
  map.set(key, value)
}
