/**
 * Membership in one namespace: wires its machines (membership.ts, announcing.ts, probing.ts) to the presence topic, to the
 * rolls of neighbours and to this node's key. Verdicts come from memory alone; REJECT only what is invalid in itself.
 */

import type { PeerId } from '../../delta/delta.ts'
import { HASH_BYTES } from '../../delta/identifiers.ts'
import { RhizomeError } from '../../errors.ts'
import type { NamespaceId } from '../../log/namespace.ts'
import type { Signer } from '../../log/signature.ts'
import type { Net, PeerIdText, Verdict } from '../../net/net.ts'
import type { Store } from '../../store/store.ts'
import type { Schedule } from '../exchange.ts'
import { tryNote } from '../notes.ts'
import { Announcing } from './announcing.ts'
import type { Awareness } from './awareness.ts'
import { Buckets } from './buckets.ts'
import { Collections } from './collections.ts'
import type { DetectorOptions } from './detector.ts'
import {
  ADDRESS_BYTES_MAX,
  ADDRESSES_MAX,
  MEMBER_BURST,
  MEMBERS_MAX,
  NAMESPACES_BYTES_MAX,
  NAMESPACES_MAX,
  NEIGHBOUR_BURST,
  NEIGHBOUR_PER_SECOND,
} from './limits.ts'
import type { MemberChange, MemberState } from './member.ts'
import { type KnownMember, Membership } from './membership.ts'
import {
  decodeMemberMessage,
  encodeMemberMessage,
  type MemberMessage,
  type Presence,
  presenceTopicOf,
  type Signed,
} from './message.ts'
import type { Arrivals } from './phi.ts'
import { Probing } from './probing.ts'
import type { AgedMessage, RollEntry } from './roll.ts'

/** What a node tells of itself, as it is now. */
export interface SelfDescription {
  readonly name: string
  readonly version: string
  readonly addresses: readonly string[]
  readonly namespaces: readonly string[]
}

export interface RoomOptions {
  readonly store: Store
  readonly net: Net
  readonly namespace: NamespaceId
  readonly topicName: string
  readonly signer: Signer
  readonly describe: () => SelfDescription
  /** Of the frontier. */
  readonly digest: () => Uint8Array
  /** Whose collections are told: its own, and of its shards. */
  readonly tagged: () => readonly NamespaceId[]
  readonly detector: DetectorOptions
  readonly awareness: Awareness
  readonly arrivalsOf: (peer: PeerIdText) => Arrivals | undefined
  readonly membersMax?: number
  readonly steadyMs: () => number
  readonly wallMs: () => number
  readonly random: () => number
  readonly schedule: Schedule
  readonly onChange: (member: KnownMember, change: MemberChange, before: MemberState | undefined) => void
  /** Something that is invalid in itself came by this peer. */
  readonly onRejected: (from: PeerIdText, error: RhizomeError) => void
}

export class Room {
  readonly topic: string
  readonly membership: Membership
  readonly probing: Probing
  readonly #options: RoomOptions
  readonly #self: PeerId
  readonly #announcing: Announcing
  readonly #collections: Collections
  readonly #ofMember = new Buckets({ burst: MEMBER_BURST, perSecond: 1, countMax: MEMBERS_MAX })
  readonly #ofNeighbour = new Buckets({
    burst: NEIGHBOUR_BURST,
    perSecond: NEIGHBOUR_PER_SECOND,
    countMax: MEMBERS_MAX,
  })
  /** What was told last but for its numbers: told anew when it differs. */
  #told = ''
  /** The presence told last. */
  #latest: { readonly presence: Presence; readonly bytes: Uint8Array } | undefined
  #closed = false

  constructor(options: RoomOptions) {
    const { signer, topicName, store, detector, awareness, arrivalsOf, membersMax, onChange } = options
    this.#options = options
    this.#self = signer.id
    this.topic = presenceTopicOf(topicName)
    this.#collections = new Collections(store, options.tagged)
    const incarnation = this.#nextIncarnation()
    this.#announcing = new Announcing({ incarnation, random: options.random })
    this.membership = new Membership({
      self: this.#self,
      detector,
      awareness,
      arrivalsOf,
      ...(membersMax === undefined ? {} : { membersMax }),
      onChange,
      accuse: (suspect, of) => this.#publish({ ...this.#head('accusation'), suspect, incarnation: of }),
      refute: (of) => this.#refute(of),
    })
    this.membership.speakAs(incarnation)
    this.probing = new Probing({
      self: this.#self,
      steadyMs: options.steadyMs,
      random: options.random,
      schedule: options.schedule,
      membersCount: () => this.membership.presentCount,
      ask: (number) => this.#publish({ ...this.#head('probe'), number }),
      answer: (asker, number, heldMs) => this.#publish({ ...this.#head('answer'), asker, number, heldMs }),
    })
  }

  start(): void {
    this.#options.net.join(
      this.topic,
      (bytes, from) => this.#judge(bytes, from),
      () => undefined,
    )
  }

  /** Takes its leave, and is heard no more. Idempotent. */
  async stop(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.probing.close()
    const { net, signer, steadyMs } = this.#options
    if (this.#latest !== undefined) {
      const numbers = this.#announcing.next(steadyMs(), this.membership.presenceMs)
      const leave = encodeMemberMessage({ ...this.#latest.presence, ...numbers, leaving: true }, signer)
      // Who does not hear of it finds this node silent instead.
      await net.publish(this.topic, leave).catch(() => 0)
    }
    net.leave(this.topic)
  }

  isConnected(peer: PeerIdText): boolean {
    return this.membership.isConnected(peer as PeerId)
  }

  neighbours(): readonly PeerIdText[] {
    return this.membership.neighbours()
  }

  joined(peer: PeerIdText): void {
    this.membership.connect(peer as PeerId)
    this.#announcing.changed(this.#options.steadyMs())
  }

  parted(peer: PeerIdText): void {
    this.membership.disconnect(peer as PeerId, this.#options.steadyMs())
  }

  /** Once in a while. */
  turn(nowMs: number, lateMs: number): void {
    this.membership.turn(nowMs, lateMs)
    if (this.#contents() !== this.#told) this.#announcing.changed(nowMs)
    if (this.#announcing.isDue(nowMs)) this.#tell()
  }

  // -------------------------------------------------------------------------------------------------- rolls

  /** What this node has of others. */
  roll(): readonly RollEntry[] {
    return this.membership.all().map(({ presence: { peer, incarnation, counter } }) => ({ peer, incarnation, counter }))
  }

  /** What a neighbour lacks that has no more than this, this node's own presence first; and what it is known to have said. */
  lackedBy(neighbour: PeerIdText, known: readonly RollEntry[]): readonly AgedMessage[] {
    const theirs = new Map(known.map((entry) => [entry.peer, entry]))
    const nowMs = this.#options.steadyMs()
    const lacked = this.membership.all().flatMap(({ presence, bytes, state, heardMs }) => {
      const their = theirs.get(presence.peer)
      if (presence.peer === neighbour) return [{ bytes, ageMs: nowMs - heardMs }]
      // That a member is down is each node's own finding; only what the member has signed is told.
      if (state === 'down' || (state === 'left' && their === undefined)) return []
      if (their !== undefined && !isNewer(presence, their)) return []
      return [{ bytes, ageMs: nowMs - heardMs }]
    })
    if (this.#latest === undefined) this.#tell()
    return this.#latest === undefined ? lacked : [{ bytes: this.#latest.bytes, ageMs: 0 }, ...lacked]
  }

  /** Takes what a neighbour told of others. Throws RZ_SYNC_MEMBER_INVALID for what is no presence. */
  take(messages: readonly AgedMessage[]): void {
    for (const { bytes, ageMs } of messages) {
      const { message, isSigned } = decodeMemberMessage(bytes)
      if (message.kind !== 'presence' || message.namespace !== this.#options.namespace) {
        throw new RhizomeError('RZ_SYNC_MEMBER_INVALID', 'a roll with another message than presences of its namespace')
      }
      if (!this.membership.isNews(message)) continue
      if (!isSigned()) throw unsigned(message)
      this.membership.hear(message, bytes, this.#options.steadyMs(), ageMs)
    }
  }

  // -------------------------------------------------------------------------------------------------- gossip

  #judge(bytes: Uint8Array, from: PeerIdText): Verdict {
    try {
      return this.#hear(decodeMemberMessage(bytes), bytes, from) ? 'accept' : 'ignore'
    } catch (error) {
      if (!(error instanceof RhizomeError)) throw error
      if (error.code === 'RZ_SYNC_VERSION') return 'ignore'
      this.#options.onRejected(from, error)
      return 'reject'
    }
  }

  /** Whether it is news, to be passed on. */
  #hear({ message, isSigned }: Signed<MemberMessage>, bytes: Uint8Array, from: PeerIdText): boolean {
    if (message.namespace !== this.#options.namespace) {
      throw new RhizomeError('RZ_SYNC_MEMBER_INVALID', 'a message of another namespace than the topic is for')
    }
    const nowMs = this.#options.steadyMs()
    if (this.#closed || !this.#ofNeighbour.take(from, nowMs)) return false
    if (message.kind === 'presence' && !this.membership.isNews(message)) return false
    if (message.kind !== 'presence' && this.membership.get(message.peer) === undefined) return false
    if (!isSigned()) throw unsigned(message)
    // After the check, or anybody could use up what a member may say.
    if (!this.#ofMember.take(message.peer, nowMs)) return false
    switch (message.kind) {
      case 'presence':
        return this.membership.hear(message, bytes.slice(), nowMs)
      case 'accusation':
        return this.membership.hearAccusation(message, nowMs)
      case 'probe':
        return this.probing.hearProbe(message)
      case 'answer':
        this.probing.hearAnswer(message)
        return message.asker !== this.#self
    }
  }

  // ------------------------------------------------------------------------------------------------ this node

  #refute(incarnation: number): void {
    const { steadyMs, awareness } = this.#options
    if (!this.#announcing.refute(incarnation, steadyMs())) return
    awareness.refuted()
    this.membership.speakAs(this.#announcing.incarnation)
    this.#noteIncarnation(this.#announcing.incarnation)
    if (this.#announcing.isDue(steadyMs())) this.#tell()
  }

  #tell(): void {
    this.#told = this.#contents()
    const presence = this.#presence()
    this.#latest = { presence, bytes: encodeMemberMessage(presence, this.#options.signer) }
    this.#send(this.#latest.bytes)
  }

  #presence(): Presence {
    const { steadyMs } = this.#options
    const { incarnation, counter, nextMs } = this.#announcing.next(steadyMs(), this.membership.presenceMs)
    const { name, version, addresses, namespaces } = this.#options.describe()
    const { names, isCut } = this.#collections.tags(steadyMs())
    return {
      ...this.#head('presence'),
      incarnation,
      counter,
      nextMs,
      leaving: false,
      name,
      version,
      addresses: addresses.filter((each) => Buffer.byteLength(each) <= ADDRESS_BYTES_MAX).slice(0, ADDRESSES_MAX),
      namespaces: fitting(namespaces),
      tags: names,
      tagsCut: isCut,
      digest: this.#digest(),
    }
  }

  /** A store that fails is told by others; this node is there all the same. */
  #digest(): Uint8Array {
    try {
      return this.#options.digest()
    } catch (error) {
      if (error instanceof RhizomeError) return this.#latest?.presence.digest ?? new Uint8Array(HASH_BYTES)
      throw error
    }
  }

  /** What others are told at once when it changes. */
  #contents(): string {
    const { names, isCut } = this.#collections.tags(this.#options.steadyMs())
    return JSON.stringify([this.#options.describe(), names, isCut])
  }

  #head<Kind extends MemberMessage['kind']>(kind: Kind) {
    return { kind, namespace: this.#options.namespace, peer: this.#self } as const
  }

  #publish(message: MemberMessage): void {
    this.#send(encodeMemberMessage(message, this.#options.signer))
  }

  #send(bytes: Uint8Array): void {
    if (this.#closed) return
    // What cannot be sent now is told again, or repaired by a roll.
    this.#options.net.publish(this.topic, bytes).catch(() => undefined)
  }

  /** Higher than that of every earlier start, even if the clock was set back; a node without a disk has the clock alone. */
  #nextIncarnation(): number {
    const noted = Number(this.#options.store.note(this.#noteKey) ?? 0)
    const incarnation = Math.max(Math.floor(this.#options.wallMs()), (Number.isSafeInteger(noted) ? noted : 0) + 1)
    this.#noteIncarnation(incarnation)
    return incarnation
  }

  get #noteKey(): string {
    return `incarnation/${this.#options.namespace}`
  }

  #noteIncarnation(incarnation: number): void {
    tryNote(this.#options.store, this.#noteKey, String(incarnation))
  }
}

/** As many names as a presence holds. */
function fitting(namespaces: readonly string[]): readonly string[] {
  let bytes = 0
  return namespaces
    .slice(0, NAMESPACES_MAX)
    .filter((name) => (bytes += Buffer.byteLength(name)) <= NAMESPACES_BYTES_MAX)
}

function isNewer(presence: Presence, than: RollEntry): boolean {
  return (
    presence.incarnation > than.incarnation ||
    (presence.incarnation === than.incarnation && presence.counter > than.counter)
  )
}

function unsigned({ kind, peer }: MemberMessage): RhizomeError {
  return new RhizomeError('RZ_SIGNATURE_INVALID', `a message (${kind}) that ${peer} has not signed`)
}
