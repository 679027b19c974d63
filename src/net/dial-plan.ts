/**
 * Whom to dial and when: the endless redial of every known peer, as a machine without I/O. Time and randomness are given.
 *
 * libp2p does not dial what it discovers, forgets `keep-alive` peers after five tries, and tells of a discovery once per
 * peer for ever (stack-notes.md). So this plan holds every target that was ever named: addresses that the user gave are
 * tried until the end of time; what a seed's records name as long as they name it; peers found by mDNS, the registry or
 * identify until nothing was heard for FORGET_AFTER_MS.
 * `dial-loop.ts` runs it. It refuses to hold more than KNOWN_PEERS_MAX peers.
 */
import { backoffMs } from './backoff.ts'
import { wantedPeers } from './degree.ts'
import {
  ADDRESSES_PER_PEER_MAX,
  DISCOVERY_SETTLE_MS,
  FORGET_AFTER_MS,
  FULL_MESH_NODES_MAX,
  KNOWN_PEERS_MAX,
  REDIAL_BASE_MS,
  REDIAL_CAP_MS,
  REDIAL_LATE_AFTER_MS,
  REDIAL_LATE_CAP_MS,
  RETRY_FLOOR_MS,
  SELF_RETRY_MS,
  SOUGHT_PEERS_MAX,
  TIE_BREAK_GRACE_MS,
} from './limits.ts'
import type { PeerIdText } from './net.ts'

/** One thing to dial: an address that the user gave or a seed names, or a peer with the addresses that it was heard at. */
export interface Target {
  readonly key: string
  readonly kind: 'address' | 'seed' | 'peer'
  /** Known from the start for peers; for addresses known from `/p2p/…` or once somebody answered. */
  readonly peer: PeerIdText | undefined
  readonly addresses: readonly string[]
}

export type DialFailure = 'unreachable' | 'secret-mismatch' | 'refused' | 'self' | 'other'

interface Entry {
  readonly key: string
  readonly kind: Target['kind']
  peer: PeerIdText | undefined
  /** Nobody else may answer: a peer, or an address that was given with an id. Else `peer` is who answered last. */
  readonly isPinned: boolean
  addresses: string[]
  dueMs: number
  /** However fresh the news of it, it is not dialled before this. */
  notBeforeMs: number
  failureCount: number
  /** Since when it fails; undefined when the last try went well or none was made. */
  failingSinceMs: number | undefined
  heardMs: number
  dialling: boolean
}

export interface DialPlanOptions {
  readonly self: PeerIdText
  readonly nowMs: () => number
  readonly random: () => number
  readonly parallelMax: number
  /** With so many connected nobody is dialled any more. Default: no limit. */
  readonly connectedMax?: number
}

export class DialPlan {
  readonly #options: DialPlanOptions
  readonly #entries = new Map<string, Entry>()
  readonly #connected = new Set<PeerIdText>()
  /** Dialled whatever the degree policy says, the latest last. */
  readonly #sought = new Set<PeerIdText>()

  constructor(options: DialPlanOptions) {
    this.#options = options
  }

  /** An address that the user gave: due at once, never forgotten. Naming it twice changes nothing. */
  addAddress(address: string, peer?: PeerIdText): void {
    const key = `address ${address}`
    if (peer === this.#options.self || this.#entries.has(key)) return
    this.#entries.set(key, this.#entry(key, 'address', peer, [address], this.#options.nowMs()))
  }

  /**
   * All that the records of all seeds say now. What is new is due soon, at a random moment: nodes of one seed begin at the same
   * time, and dial each other. What they say no longer is forgotten.
   */
  seeded(addresses: readonly { readonly address: string; readonly peer?: PeerIdText }[]): void {
    const { self, nowMs, random } = this.#options
    const keys = new Set(addresses.map(({ address }) => `seed ${address}`))
    for (const { key, kind } of this.#entries.values()) if (kind === 'seed' && !keys.has(key)) this.#entries.delete(key)
    for (const { address, peer } of addresses) {
      const key = `seed ${address}`
      if (peer === self || this.#entries.has(key) || this.#entries.has(`address ${address}`)) continue
      this.#entries.set(key, this.#entry(key, 'seed', peer, [address], nowMs() + random() * TIE_BREAK_GRACE_MS))
    }
  }

  /** A connected peer listens at this address, and its connection comes from there: it need not be dialled to learn who it is. */
  listensAt(peer: PeerIdText, address: string): void {
    const entry = this.#entries.get(`seed ${address}`)
    if (entry !== undefined) entry.peer ??= peer
  }

  /**
   * A peer was heard of. True if it is new, or its addresses are. A peer that is away is tried again soon if this is a
   * sign of life: an answer of its own or a new address, not the same old file read once more.
   */
  discovered(peer: PeerIdText, addresses: readonly string[], isSignOfLife = true): boolean {
    if (peer === this.#options.self || addresses.length === 0) return false
    const nowMs = this.#options.nowMs()
    const key = `peer ${peer}`
    const known = this.#entries.get(key)
    const soonMs = nowMs + this.#settleMs(peer)
    if (known === undefined) {
      if (this.#entries.size >= KNOWN_PEERS_MAX && !this.#forgetWorst()) return false
      this.#entries.set(key, this.#entry(key, 'peer', peer, addresses.slice(0, ADDRESSES_PER_PEER_MAX), soonMs))
      return true
    }
    const fresh = addresses.some((address) => !known.addresses.includes(address))
    known.addresses = [...new Set([...addresses, ...known.addresses])].slice(0, ADDRESSES_PER_PEER_MAX)
    known.heardMs = nowMs
    if (isSignOfLife || fresh) known.dueMs = Math.min(known.dueMs, Math.max(soonMs, known.notBeforeMs))
    return fresh
  }

  /** This peer is wanted until it is connected, however many others are: it is in a topic where nobody else is. */
  seek(peer: PeerIdText): void {
    this.#sought.delete(peer)
    this.#sought.add(peer)
    for (const oldest of this.#sought) if (this.#sought.size > SOUGHT_PEERS_MAX) this.#sought.delete(oldest)
  }

  connected(peer: PeerIdText): void {
    this.#connected.add(peer)
    this.#sought.delete(peer)
    for (const entry of this.#entriesOf(peer)) this.#succeed(entry)
  }

  disconnected(peer: PeerIdText): void {
    this.#connected.delete(peer)
    const dueMs = this.#options.nowMs() + this.#settleMs(peer)
    for (const entry of this.#entriesOf(peer)) entry.dueMs = dueMs
  }

  /** Takes what is due now, with another address first after each failure, and marks it as being dialled until `succeeded` or `failed` is called with its key. */
  take(): Target[] {
    const nowMs = this.#options.nowMs()
    this.#forgetOld(nowMs)
    const taken = this.#open()
      .filter((entry) => entry.dueMs <= nowMs)
      .slice(0, this.#room())
    for (const entry of taken) entry.dialling = true
    return taken.map(({ key, kind, peer, addresses, failureCount }) => {
      const first = failureCount % addresses.length
      return { key, kind, peer, addresses: [...addresses.slice(first), ...addresses.slice(0, first)] }
    })
  }

  /** When `take` will next have something; undefined when only an event can change that. */
  nextDueMs(): number | undefined {
    if (this.#room() === 0) return undefined
    const dueMs = this.#open().map((entry) => entry.dueMs)
    return dueMs.length === 0 ? undefined : Math.min(...dueMs)
  }

  /** How many more may be dialled now; a dial that ends, or a connection, makes room. */
  #room(): number {
    const { parallelMax, connectedMax = Infinity } = this.#options
    const diallingCount = [...this.#entries.values()].filter((entry) => entry.dialling).length
    return Math.max(0, Math.min(parallelMax, connectedMax - this.#connected.size) - diallingCount)
  }

  succeeded(key: string, peer: PeerIdText): void {
    const entry = this.#entries.get(key)
    if (entry === undefined) return
    entry.dialling = false
    entry.peer = peer
    this.#succeed(entry)
  }

  failed(key: string, code: DialFailure): void {
    const entry = this.#entries.get(key)
    if (entry === undefined) return
    const { nowMs, random } = this.#options
    const now = nowMs()
    entry.dialling = false
    if (code === 'other' && !entry.isPinned && entry.peer !== undefined) {
      // Another node has the address now: a host was given away, or a node lost its data and with it the identity.
      entry.peer = undefined
      entry.dueMs = now + RETRY_FLOOR_MS
      return
    }
    entry.failureCount += 1
    entry.failingSinceMs ??= now
    // Whoever answered and did not want us, or cannot, will not change its mind within seconds.
    const late = code !== 'unreachable' || now - entry.failingSinceMs > REDIAL_LATE_AFTER_MS
    const capMs = late ? REDIAL_LATE_CAP_MS : REDIAL_CAP_MS
    const waitMs =
      code === 'self' ? SELF_RETRY_MS : backoffMs(entry.failureCount, { baseMs: REDIAL_BASE_MS, capMs, random })
    entry.dueMs = now + waitMs
    entry.notBeforeMs = code === 'unreachable' ? now + RETRY_FLOOR_MS : entry.dueMs
  }

  /** Addresses that this peer was heard at, the newest first. */
  addressesOf(peer: PeerIdText): readonly string[] {
    return [...new Set(this.#entriesOf(peer).flatMap((entry) => entry.addresses))]
  }

  #entry(key: string, kind: Entry['kind'], peer: PeerIdText | undefined, addresses: string[], dueMs: number): Entry {
    const heardMs = this.#options.nowMs()
    const fresh = { notBeforeMs: 0, failureCount: 0, failingSinceMs: undefined, heardMs, dialling: false }
    return { key, kind, peer, isPinned: peer !== undefined, addresses, dueMs, ...fresh }
  }

  /** Whom to dial at all: what the user named, a few of the seeds, and the peers that the degree policy wants. */
  #open(): Entry[] {
    const peers = [...this.#entries.values()].filter((entry) => entry.kind === 'peer')
    const candidates = peers.map(({ peer, failureCount }) => ({
      id: peer ?? '',
      connected: this.#connected.has(peer ?? ''),
      failing: failureCount > 0,
    }))
    const wanted = wantedPeers(this.#options.self, candidates)
    return [...this.#entries.values()].filter((entry) => {
      if (entry.dialling || (entry.peer !== undefined && this.#connected.has(entry.peer))) return false
      // Each node has its own few of many seeds, in the order of their moments, so that the graph of all is whole.
      if (entry.kind === 'seed') return this.#connected.size < FULL_MESH_NODES_MAX
      const peer = entry.peer ?? ''
      return entry.kind === 'address' || wanted.has(peer) || this.#sought.has(peer)
    })
  }

  #entriesOf(peer: PeerIdText): Entry[] {
    return [...this.#entries.values()].filter((entry) => entry.peer === peer)
  }

  #succeed(entry: Entry): void {
    entry.failureCount = 0
    entry.failingSinceMs = undefined
    entry.notBeforeMs = 0
    entry.heardMs = this.#options.nowMs()
    entry.dueMs = entry.heardMs
  }

  #settleMs(peer: PeerIdText): number {
    const graceMs = this.#options.self < peer ? 0 : TIE_BREAK_GRACE_MS
    return graceMs + DISCOVERY_SETTLE_MS * (0.5 + this.#options.random())
  }

  #forgetOld(nowMs: number): void {
    for (const entry of this.#entries.values()) {
      const lost = entry.failureCount > 0 && nowMs - entry.heardMs > FORGET_AFTER_MS
      if (entry.kind === 'peer' && lost && !entry.dialling) this.#entries.delete(entry.key)
    }
  }

  /** Makes room by dropping the peer that was silent longest; false if all are connected or being dialled. */
  #forgetWorst(): boolean {
    const idle = [...this.#entries.values()].filter(
      (entry) => entry.kind === 'peer' && !entry.dialling && !this.#connected.has(entry.peer ?? ''),
    )
    const [worst] = idle.toSorted((a, b) => b.failureCount - a.failureCount || a.heardMs - b.heardMs)
    return worst !== undefined && worst.failureCount > 0 && this.#entries.delete(worst.key)
  }
}
