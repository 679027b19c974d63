/**
 * Membership of all namespaces of a node: one timer, one set of heartbeats, a room for each namespace (room.ts), and rolls
 * from neighbours (roll.ts). What `replication.ts` opens; it does no I/O before a namespace is attached.
 */

import type { PeerId } from '../../delta/delta.ts'
import { assert, RhizomeError } from '../../errors.ts'
import type { NamespaceId } from '../../log/namespace.ts'
import type { Signer } from '../../log/signature.ts'
import type { Net, NetEvent, NetStream, PeerIdText } from '../../net/net.ts'
import type { Store } from '../../store/store.ts'
import type { Schedule } from '../exchange.ts'
import { Awareness } from './awareness.ts'
import { type DetectorOptions, DETECTORS, windowOf } from './detector.ts'
import { Heartbeats } from './heartbeats.ts'
import { HEARTBEAT_MS_MAX, ROLL_PROTOCOL } from './limits.ts'
import type { Member, MemberChange, MemberState } from './member.ts'
import type { KnownMember } from './membership.ts'
import { judgeOwnClock, type OwnClock } from './own-clock.ts'
import { Room, type SelfDescription } from './room.ts'
import { Rolls } from './rolls.ts'

/** What membership needs beside what replication has. */
export interface MembersOptions {
  /** The node's own identity. */
  readonly signer: Signer
  readonly version: string
  /** Default: `DETECTORS.lan`. */
  readonly detector?: DetectorOptions
  /** Members remembered in a namespace. Default `MEMBERS_MAX`. */
  readonly membersMax?: number
  /** A clock that only ever grows, whatever is done to the one that tells the date. */
  readonly steadyMs: () => number
  /** This node's clock has come to be off, or right again. */
  readonly onOwnClock?: (clock: OwnClock) => void
}

export interface MembersParts extends MembersOptions {
  readonly store: Store
  readonly net: Net
  readonly name: string
  readonly wallMs: () => number
  readonly random: () => number
  readonly schedule: Schedule
  readonly onChange: (
    namespace: NamespaceId,
    change: { readonly member: Member; readonly change: MemberChange; readonly before?: MemberState },
  ) => void
  readonly onRejected: (namespace: NamespaceId, from: PeerIdText, error: RhizomeError) => void
}

/** Judging twice a heartbeat finds a silence at most half of one late. */
const TURNS_PER_HEARTBEAT = 2
/** Without heartbeats, presences alone are looked after. */
const TURN_OFF_MS = 1_000
/** What this node tells of itself is looked at again after so long: asking the network for its addresses is not free. */
const DESCRIBE_MS = 1_000

export class Members {
  readonly #parts: MembersParts
  readonly #detector: DetectorOptions
  readonly #awareness: Awareness
  readonly #heartbeats: Heartbeats | undefined
  readonly #rolls: Rolls
  readonly #rooms = new Map<NamespaceId, Room>()
  readonly #names = new Map<NamespaceId, string>()
  #description: { readonly atMs: number; readonly self: SelfDescription } | undefined
  #ownClock: OwnClock | undefined
  #cancelTurn: (() => void) | undefined
  #turns = 0
  #closed = false

  constructor(parts: MembersParts) {
    const { net, steadyMs, wallMs, schedule, random, detector = DETECTORS.lan } = parts
    this.#parts = parts
    this.#detector = detector
    const heartbeatMs = detector.kind === 'off' ? HEARTBEAT_MS_MAX : detector.heartbeatMs
    const slownessMax = detector.kind === 'phi' ? detector.slownessMax : 0
    this.#awareness = new Awareness({ heartbeatMs, slownessMax })
    if (detector.kind !== 'off') {
      this.#heartbeats = new Heartbeats({
        net,
        ...windowOf(detector),
        intervalMs: heartbeatMs,
        steadyMs,
        wallMs,
        schedule,
        onBeat: (peer, nowMs) => {
          for (const room of this.#rooms.values()) room.membership.beat(peer as PeerId, nowMs)
        },
      })
    }
    this.#rolls = new Rolls({ net, random, schedule, roomOf: (namespace) => this.#rooms.get(namespace) })
    net.handle(ROLL_PROTOCOL, (stream: NetStream) => this.#rolls.serve(stream))
  }

  attach(
    namespace: NamespaceId,
    name: string,
    { digest, tagged }: { readonly digest: () => Uint8Array; readonly tagged: () => readonly NamespaceId[] },
  ): void {
    assert(!this.#rooms.has(namespace), 'a namespace is attached once')
    const { net, store, signer, membersMax, steadyMs, wallMs, random, schedule, onChange, onRejected } = this.#parts
    const room = new Room({
      store,
      net,
      namespace,
      topicName: name,
      signer,
      describe: () => this.#describe(),
      digest,
      tagged,
      detector: this.#detector,
      awareness: this.#awareness,
      arrivalsOf: (peer) => this.#heartbeats?.arrivalsOf(peer),
      ...(membersMax === undefined ? {} : { membersMax }),
      steadyMs,
      wallMs,
      random,
      schedule,
      onChange: (known, change, before) =>
        onChange(namespace, { member: this.#member(known), change, ...(before === undefined ? {} : { before }) }),
      onRejected: (from, error) => onRejected(namespace, from, error),
    })
    this.#rooms.set(namespace, room)
    this.#names.set(namespace, name)
    this.#description = undefined
    room.start()
    for (const { id, topics } of net.peers()) if (topics.includes(room.topic)) this.#joined(namespace, room, id)
    this.#cancelTurn ??= this.#planTurn()
  }

  /** Takes leave of the namespace. Resolves when that is said. */
  async detach(namespace: NamespaceId): Promise<void> {
    const room = this.#rooms.get(namespace)
    this.#rooms.delete(namespace)
    this.#names.delete(namespace)
    this.#description = undefined
    await room?.stop()
  }

  onNetEvent(event: NetEvent): void {
    for (const [namespace, room] of this.#rooms) {
      if (event.kind === 'joined' && event.topic === room.topic) this.#joined(namespace, room, event.peer)
      if (event.kind === 'left' && event.topic === room.topic) this.#parted(room, event.peer)
      if (event.kind === 'disconnected') this.#parted(room, event.peer)
    }
  }

  /** Those known, in no order, without this node. */
  all(namespace: NamespaceId): readonly Member[] {
    return (this.#rooms.get(namespace)?.membership.all() ?? []).map((known) => this.#member(known))
  }

  /** Clocks and round trips of a connected peer, as heartbeats tell them. */
  timesOf(peer: PeerIdText): { readonly roundTripMs?: number; readonly clockOffsetMs?: number } {
    const { roundTripMs, clockOffsetMs } = this.#heartbeats?.timesOf(peer) ?? {}
    return {
      ...(roundTripMs === undefined ? {} : { roundTripMs }),
      ...(clockOffsetMs === undefined ? {} : { clockOffsetMs }),
    }
  }

  /** This node's clock by those of its peers; undefined while none is known. */
  ownClock(): OwnClock | undefined {
    return judgeOwnClock(this.#heartbeats?.clockOffsets() ?? [])
  }

  /** Asks all members that have not left; answers the round trips of those that answer in time. */
  async probe(namespace: NamespaceId, timeoutMs: number): Promise<ReadonlyMap<PeerIdText, number>> {
    const room = this.#rooms.get(namespace)
    if (room === undefined) throw new RhizomeError('RZ_SYNC_CLOSED', 'this node takes no part in the namespace')
    const present = room.membership.all().filter(({ state }) => state !== 'left')
    return room.probing.probe({ members: present.map(({ presence }) => presence.peer), timeoutMs })
  }

  /** Idempotent. Resolves when all were told. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#cancelTurn?.()
    this.#rolls.close()
    await Promise.all([...this.#rooms.keys()].map((namespace) => this.detach(namespace)))
    this.#heartbeats?.close()
  }

  #joined(namespace: NamespaceId, room: Room, peer: PeerIdText): void {
    this.#heartbeats?.add(peer)
    room.joined(peer)
    this.#rolls.meet(namespace, peer)
  }

  #parted(room: Room, peer: PeerIdText): void {
    room.parted(peer)
    const isShared = [...this.#rooms.values()].some((each) => each.isConnected(peer))
    if (!isShared) this.#heartbeats?.remove(peer)
  }

  #planTurn(): () => void {
    const turnMs = this.#turnMs
    return this.#parts.schedule(turnMs, () => {
      if (this.#closed) return
      this.#cancelTurn = this.#planTurn()
      this.#turn()
    })
  }

  get #turnMs(): number {
    return this.#detector.kind === 'off' ? TURN_OFF_MS : this.#detector.heartbeatMs / TURNS_PER_HEARTBEAT
  }

  #turn(): void {
    const nowMs = this.#parts.steadyMs()
    const lateMs = this.#awareness.turn(nowMs, this.#turnMs)
    if (this.#turns++ % TURNS_PER_HEARTBEAT === 0) this.#heartbeats?.send()
    for (const room of this.#rooms.values()) room.turn(nowMs, lateMs)
    this.#rolls.turn(nowMs, this.#rooms)
    this.#judgeClock()
  }

  #judgeClock(): void {
    const clock = this.ownClock()
    if (clock === undefined) return
    const before = this.#ownClock
    const isNews = clock.isOff !== (before?.isOff ?? false) || (clock.isOff && clock.isSure && before?.isSure === false)
    if (!isNews) return
    this.#ownClock = clock
    this.#parts.onOwnClock?.(clock)
  }

  #describe(): SelfDescription {
    const { net, name, version, steadyMs } = this.#parts
    const nowMs = steadyMs()
    if (this.#description === undefined || nowMs - this.#description.atMs >= DESCRIBE_MS) {
      const self = { name, version, addresses: net.addresses(), namespaces: [...this.#names.values()] }
      this.#description = { atMs: nowMs, self }
    }
    return this.#description.self
  }

  #member({ presence, state, connected, heardMs }: KnownMember): Member {
    const { steadyMs, wallMs } = this.#parts
    const { peer, name, version, addresses, namespaces, tags, tagsCut, incarnation } = presence
    return {
      peer,
      name,
      state,
      addresses,
      namespaces,
      tags,
      tagsCut,
      version,
      connected,
      lastHeardMs: Math.round(wallMs() - (steadyMs() - heardMs)),
      incarnation,
      ...(connected ? this.timesOf(peer) : {}),
    }
  }
}
