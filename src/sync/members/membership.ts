/**
 * The members of one namespace as one node holds them: a machine without clock, network or keys. It is told what was heard
 * and that time passes, and tells what changed, whom it accuses, and when this node must refute. Messages are signed and
 * verified elsewhere (room.ts).
 *
 * alive → suspect: it is silent here (φ), a member accuses it and it is not heard here, or its presences stay away.
 * suspect → alive: it is heard here, or tells a higher incarnation. suspect → down: time is up (suspicion.ts).
 * down, left → alive: it is heard here, or tells a newer presence. any → left: it says so.
 * Das, Gupta, Motivala, "SWIM" (2002), 4.2; Lifeguard (2018).
 */

import type { PeerId } from '../../delta/delta.ts'
import type { Awareness } from './awareness.ts'
import { type DetectorOptions, windowOf } from './detector.ts'
import { GONE_MS, MEMBERS_MAX, PRESENCES_MISSED_MAX } from './limits.ts'
import type { MemberChange, MemberState } from './member.ts'
import type { Accusation, Presence } from './message.ts'
import { Arrivals } from './phi.ts'
import { Suspicion } from './suspicion.ts'

export interface MembershipOptions {
  readonly self: PeerId
  readonly detector: DetectorOptions
  readonly awareness: Awareness
  /** Heartbeats of a peer; undefined when none came. */
  readonly arrivalsOf: (peer: PeerId) => Arrivals | undefined
  readonly membersMax?: number
  readonly onChange: (member: KnownMember, change: MemberChange, before: MemberState | undefined) => void
  readonly accuse: (suspect: PeerId, incarnation: number) => void
  /** This node is accused, or another life of its own has told this incarnation: it must tell a higher one. */
  readonly refute: (incarnation: number) => void
}

export interface KnownMember {
  readonly presence: Presence
  /** The message that holds it, signed, to be passed on. */
  readonly bytes: Uint8Array
  readonly state: MemberState
  /** Connected, and in the namespace. */
  readonly connected: boolean
  readonly heardMs: number
}

interface Entry {
  presence: Presence
  bytes: Uint8Array
  state: MemberState
  connected: boolean
  /** Its heartbeats are waited for: it was heard here, and has not been found to live elsewhere since. */
  watched: boolean
  /** Its connection broke before it was ever heard: as if its only heartbeat had come then. */
  lost?: Arrivals
  /** The last sign of life. */
  heardMs: number
  /** When the presence came. */
  toldMs: number
  /** Who suspects it; it is `suspect` only once this node does. */
  suspicion?: Suspicion
  /** It was suspected only because its presences stayed away. */
  isStale: boolean
}

export class Membership {
  readonly #options: MembershipOptions
  readonly #membersMax: number
  readonly #entries = new Map<PeerId, Entry>()
  readonly #connected = new Set<PeerId>()
  #incarnation = 0

  constructor(options: MembershipOptions) {
    this.#options = options
    this.#membersMax = options.membersMax ?? MEMBERS_MAX
  }

  /** What this node tells of itself from now on. */
  speakAs(incarnation: number): void {
    this.#incarnation = incarnation
  }

  get size(): number {
    return this.#entries.size
  }

  /** Members that are not gone, this node not among them. */
  get presentCount(): number {
    let count = 0
    for (const { state } of this.#entries.values()) if (state === 'alive' || state === 'suspect') count++
    return count
  }

  all(): readonly KnownMember[] {
    return [...this.#entries.values()]
  }

  isConnected(peer: PeerId): boolean {
    return this.#connected.has(peer)
  }

  neighbours(): readonly PeerId[] {
    return [...this.#connected]
  }

  get(peer: PeerId): KnownMember | undefined {
    return this.#entries.get(peer)
  }

  /** How often a member should tell its presence when there are so many: their sum stays below `presencesPerSecond`. */
  get presenceMs(): number {
    const { presenceMs, presencesPerSecond } = this.#options.detector
    return Math.max(presenceMs, Math.ceil(((this.presentCount + 1) * 1_000) / presencesPerSecond))
  }

  // ----------------------------------------------------------------------------------------------- what is heard

  /** Whether a presence would be news: to be asked before its signature is checked. */
  isNews({ peer, incarnation, counter, leaving }: Presence): boolean {
    if (peer === this.#options.self) return incarnation >= this.#incarnation
    const known = this.#entries.get(peer)?.presence
    if (known === undefined) return !leaving && this.#hasRoomFor(peer)
    return incarnation > known.incarnation || (incarnation === known.incarnation && counter > known.counter)
  }

  /** Takes a verified presence, which is `ageMs` old if it was not told just now. Answers false when it is no news. */
  hear(presence: Presence, bytes: Uint8Array, nowMs: number, ageMs = 0): boolean {
    const { peer, incarnation, leaving } = presence
    if (!this.isNews(presence)) return false
    if (peer === this.#options.self) return this.#hearSelf(incarnation)
    const entry = this.#entries.get(peer)
    if (entry === undefined) {
      this.#admit(presence, bytes, nowMs - ageMs)
      return true
    }
    const { presence: before, state } = entry
    entry.presence = presence
    entry.bytes = bytes
    entry.toldMs = nowMs - ageMs
    entry.heardMs = Math.max(entry.heardMs, entry.toldMs)
    if (leaving) this.#turnTo(entry, 'left')
    else if (state !== 'alive' && (state !== 'suspect' || isRefuted(entry, incarnation))) {
      // It lives, though it is not heard here: until it is, others watch it.
      entry.watched = false
      delete entry.lost
      this.#turnTo(entry, 'alive')
    }
    const change = differenceOf(before, presence)
    if (change !== undefined && !leaving) this.#options.onChange(entry, change, entry.state)
    return true
  }

  /** Takes a verified accusation. Answers false when it is no news, or nobody's whom this node knows to be there. */
  hearAccusation({ peer, suspect, incarnation }: Accusation, nowMs: number): boolean {
    const { self, detector, refute } = this.#options
    const accuser = this.#entries.get(peer)
    if (accuser === undefined || accuser.state === 'down' || accuser.state === 'left') return false
    if (suspect === self) {
      if (incarnation === this.#incarnation) refute(incarnation)
      return false
    }
    const entry = this.#entries.get(suspect)
    if (entry === undefined || entry.presence.incarnation !== incarnation) return false
    if (entry.state === 'down' || entry.state === 'left') return false
    if (detector.kind !== 'phi') return true
    entry.suspicion ??= new Suspicion(incarnation, nowMs, detector)
    const isNews = entry.suspicion.confirm(peer)
    // What this node hears itself no accusation overrules; the accused may hear of it through this node all the same.
    if (!this.#isHeard(entry, nowMs)) this.#beginSuspicion(entry, nowMs)
    return isNews
  }

  /** A heartbeat came from it. */
  beat(peer: PeerId, nowMs: number): void {
    const entry = this.#entries.get(peer)
    if (entry === undefined || !entry.connected || entry.state === 'left') return
    entry.heardMs = nowMs
    entry.watched = true
    delete entry.lost
    this.#turnTo(entry, 'alive')
  }

  /** It is connected, and in the namespace. */
  connect(peer: PeerId): void {
    this.#connected.add(peer)
    const entry = this.#entries.get(peer)
    if (entry === undefined) return
    entry.connected = true
    delete entry.lost
  }

  /**
   * It is no longer; its silence is judged as before, until it is heard of in another way. Who was never heard here has been
   * silent since now: one that was killed as soon as it had come would be missed by its presences alone.
   */
  disconnect(peer: PeerId, nowMs: number): void {
    const { detector, arrivalsOf } = this.#options
    this.#connected.delete(peer)
    const entry = this.#entries.get(peer)
    if (entry === undefined) return
    if (entry.connected && arrivalsOf(peer) === undefined && detector.kind !== 'off') {
      entry.lost = new Arrivals(windowOf(detector))
      entry.lost.arrived(nowMs, detector.heartbeatMs)
    }
    entry.connected = false
  }

  // ------------------------------------------------------------------------------------------------ time passes

  /** Judges all, once in a while; `lateMs` is by how much this turn came late. */
  turn(nowMs: number, lateMs: number): void {
    const isBlind = this.#options.awareness.isBlind(nowMs)
    for (const [peer, entry] of this.#entries) {
      if (lateMs > 0) excuse(entry, lateMs)
      if (entry.state === 'left' || entry.state === 'down') {
        if (nowMs - entry.heardMs >= GONE_MS && !entry.connected) this.#entries.delete(peer)
      } else if (!isBlind) {
        this.#judge(entry, nowMs)
      }
    }
  }

  #judge(entry: Entry, nowMs: number): void {
    const { detector, awareness } = this.#options
    if (detector.kind === 'off') return
    const silence = this.#silenceOf(entry, nowMs)
    if (detector.kind === 'fixed') {
      if (silence !== undefined) this.#turnTo(entry, 'down')
      return
    }
    if (silence !== undefined) this.#suspect(entry, silence === 'stale', nowMs)
    const deadlineMs = entry.suspicion?.deadlineMs(awareness.factor) ?? Infinity
    if (entry.state === 'suspect' && nowMs >= deadlineMs) this.#turnTo(entry, 'down')
  }

  /** This node suspects it too; accuses it unless enough have. */
  #suspect(entry: Entry, isStale: boolean, nowMs: number): void {
    const { detector, self, accuse } = this.#options
    if (detector.kind !== 'phi') return
    const { peer, incarnation } = entry.presence
    if (entry.suspicion === undefined) entry.isStale = isStale
    entry.suspicion ??= new Suspicion(incarnation, nowMs, detector)
    const isNews = entry.suspicion.confirm(self)
    const { accusersCount } = entry.suspicion
    this.#beginSuspicion(entry, nowMs)
    if (isNews && accusersCount <= detector.confirmationsMax) accuse(peer, incarnation)
  }

  #beginSuspicion(entry: Entry, nowMs: number): void {
    if (entry.state === 'suspect') return
    entry.suspicion?.begin(nowMs)
    this.#turnTo(entry, 'suspect')
  }

  /** Why it is not heard, if so. */
  #silenceOf(entry: Entry, nowMs: number): 'silent' | 'stale' | undefined {
    const { detector, awareness, arrivalsOf } = this.#options
    const arrivals = entry.watched ? arrivalsOf(entry.presence.peer) : entry.lost
    if (arrivals?.lastMs === undefined || detector.kind === 'off') {
      const promisedMs = Math.min(entry.presence.nextMs, 2 * this.presenceMs)
      return nowMs - entry.toldMs > PRESENCES_MISSED_MAX * promisedMs * awareness.factor ? 'stale' : undefined
    }
    const silentMs = (nowMs - arrivals.lastMs) / awareness.factor
    if (detector.kind === 'fixed') return silentMs >= detector.timeoutMs ? 'silent' : undefined
    return arrivals.phi(arrivals.lastMs + silentMs) >= detector.phi ? 'silent' : undefined
  }

  #isHeard(entry: Entry, nowMs: number): boolean {
    if (!entry.connected || !entry.watched) return false
    return this.#silenceOf(entry, nowMs) === undefined
  }

  // ------------------------------------------------------------------------------------------------- entries

  #hearSelf(incarnation: number): boolean {
    this.#options.refute(incarnation)
    return false
  }

  #admit(presence: Presence, bytes: Uint8Array, toldMs: number): void {
    const { peer } = presence
    this.#makeRoom()
    const connected = this.#connected.has(peer)
    const watched = connected && this.#options.arrivalsOf(peer)?.lastMs !== undefined
    const entry: Entry = {
      presence,
      bytes,
      state: 'alive',
      connected,
      watched,
      heardMs: toldMs,
      toldMs,
      isStale: false,
    }
    this.#entries.set(peer, entry)
    this.#options.onChange(entry, 'appeared', undefined)
  }

  /** Whoever is connected finds room; others only where somebody is gone. */
  #hasRoomFor(peer: PeerId): boolean {
    if (this.#entries.size < this.#membersMax || this.#connected.has(peer)) return true
    for (const { state } of this.#entries.values()) if (state === 'down' || state === 'left') return true
    return false
  }

  /** Gives up the one longest gone, else the one longest unheard, of those not connected. */
  #makeRoom(): void {
    if (this.#entries.size < this.#membersMax) return
    let least: Entry | undefined
    for (const entry of this.#entries.values()) {
      if (!entry.connected && (least === undefined || worthOf(entry) < worthOf(least))) least = entry
    }
    if (least !== undefined) this.#entries.delete(least.presence.peer)
  }

  #turnTo(entry: Entry, state: MemberState): void {
    const before = entry.state
    if (state !== 'suspect') {
      delete entry.suspicion
      entry.isStale = false
    }
    if (state === before) return
    entry.state = state
    const isBack = state === 'alive' && before !== 'suspect'
    this.#options.onChange(entry, isBack ? 'appeared' : 'state', before)
  }
}

/** Those gone come before all others. */
function worthOf({ state, heardMs }: Entry): number {
  return state === 'down' || state === 'left' ? heardMs - Number.MAX_SAFE_INTEGER : heardMs
}

/** A higher incarnation is its answer to the accusation; where only its presences stayed away, any of them is. */
function isRefuted({ suspicion, isStale }: Entry, incarnation: number): boolean {
  return isStale || incarnation > (suspicion?.incarnation ?? Infinity)
}

/** What this node could not have heard while it was late does not count against others. */
function excuse(entry: Entry, lateMs: number): void {
  entry.toldMs += lateMs
  entry.suspicion?.extend(lateMs)
}

function differenceOf(before: Presence, now: Presence): MemberChange | undefined {
  if (now.tags.join('\0') !== before.tags.join('\0') || now.tagsCut !== before.tagsCut) return 'tags'
  const isSame =
    now.name === before.name &&
    now.version === before.version &&
    now.addresses.join('\0') === before.addresses.join('\0') &&
    now.namespaces.join('\0') === before.namespaces.join('\0')
  return isSame ? undefined : 'details'
}
