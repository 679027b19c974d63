/**
 * Messages that are not data, in one namespace: sent by gossip to whoever is there, and never stored.
 *
 * Best-effort broadcast (Cachin, Guerraoui, Rodrigues, "Introduction to Reliable and Secure Distributed Programming", 3.2) as
 * far as gossip goes. No creation: what is delivered was signed by its sender. No duplication: once, and what is a minute
 * off this node's clock not at all, so that it cannot be replayed later. Validity is likely and not promised: who is not
 * connected, slow or flooded misses it, and nothing is sent again. In no order. Unlike there, a sender does not hear itself.
 *
 * Verdicts come from memory alone; REJECT only what is invalid in itself: rates, dates and what was heard before depend on us.
 */

import type { PeerId, Value } from '../../delta/delta.ts'
import { RhizomeError } from '../../errors.ts'
import type { NamespaceId } from '../../log/namespace.ts'
import type { Signer } from '../../log/signature.ts'
import type { Net, PeerIdText, Verdict } from '../../net/net.ts'
import { Buckets } from '../members/buckets.ts'
import { Heard } from './heard.ts'
import {
  MESSAGE_AGE_MS_MAX,
  NEIGHBOUR_BURST,
  NEIGHBOUR_PER_SECOND,
  SENDER_BURST,
  SENDER_PER_SECOND,
  SENDERS_MAX,
  SENT_BURST,
  SENT_PER_SECOND,
} from './limits.ts'
import { decodeMessage, encodeMessage, type Message, messageTopicOf } from './message.ts'

/** What messages need beside what replication has. */
export interface MessagesOptions {
  /** The node's own identity. */
  readonly signer: Signer
  /** A clock that only ever grows. */
  readonly steadyMs: () => number
}

export interface MessagesParts extends MessagesOptions {
  readonly net: Net
  readonly namespace: NamespaceId
  readonly topicName: string
  readonly wallMs: () => number
  /** One for this node, or for all, has come. */
  readonly onMessage: (message: Message) => void
  /** Something that is invalid in itself came by this peer. */
  readonly onRejected: (from: PeerIdText, error: RhizomeError) => void
}

export class Messages {
  readonly #parts: MessagesParts
  readonly #topic: string
  readonly #sent = new Buckets({ burst: SENT_BURST, perSecond: SENT_PER_SECOND, countMax: 1 })
  readonly #ofSender = new Buckets({ burst: SENDER_BURST, perSecond: SENDER_PER_SECOND, countMax: SENDERS_MAX })
  readonly #ofNeighbour = new Buckets({
    burst: NEIGHBOUR_BURST,
    perSecond: NEIGHBOUR_PER_SECOND,
    countMax: SENDERS_MAX,
  })
  readonly #heard = new Heard()
  #sentMs = 0
  #isStopped = false

  constructor(parts: MessagesParts) {
    this.#parts = parts
    this.#topic = messageTopicOf(parts.topicName)
  }

  start(): void {
    this.#parts.net.join(
      this.#topic,
      (bytes, from) => this.#judge(bytes, from),
      () => undefined,
    )
  }

  /** Idempotent. */
  stop(): void {
    if (this.#isStopped) return
    this.#isStopped = true
    this.#parts.net.leave(this.#topic)
  }

  /**
   * Answers how many neighbours it was handed to. Throws RZ_MESSAGE_INVALID, RZ_MESSAGE_TOO_LARGE, and RZ_MESSAGE_RATE for
   * more than 32 at once and 16 a second.
   */
  async send(value: Value, to?: PeerId): Promise<number> {
    const { net, namespace, signer, steadyMs, wallMs } = this.#parts
    if (to === signer.id) throw new RhizomeError('RZ_MESSAGE_INVALID', 'a message is addressed to another node')
    // No two have one date, since the date is the name.
    const atMs = Math.max(wallMs(), this.#sentMs + 1)
    const message = { from: signer.id, ...(to === undefined ? {} : { to }), atMs, value }
    const bytes = encodeMessage(namespace, message, signer)
    if (!this.#sent.take(signer.id, steadyMs())) {
      const why = `more than ${SENT_BURST} messages at once and ${SENT_PER_SECOND} a second: others would not take them`
      throw new RhizomeError('RZ_MESSAGE_RATE', why)
    }
    this.#sentMs = atMs
    return net.publish(this.#topic, bytes)
  }

  #judge(bytes: Uint8Array, from: PeerIdText): Verdict {
    try {
      return this.#hear(bytes, from) ? 'accept' : 'ignore'
    } catch (error) {
      if (!(error instanceof RhizomeError)) throw error
      if (error.code === 'RZ_SYNC_VERSION') return 'ignore'
      this.#parts.onRejected(from, error)
      return 'reject'
    }
  }

  /** Whether it is to be passed on. */
  #hear(bytes: Uint8Array, neighbour: PeerIdText): boolean {
    const { signer, steadyMs, wallMs } = this.#parts
    const nowMs = steadyMs()
    if (this.#isStopped || !this.#ofNeighbour.take(neighbour, nowMs)) return false
    const { namespace, message, isSigned } = decodeMessage(bytes)
    const { from, to, atMs } = message
    if (namespace !== this.#parts.namespace) {
      throw new RhizomeError('RZ_SYNC_MESSAGE_INVALID', 'a message of another namespace than the topic is for')
    }
    if (from === signer.id || Math.abs(wallMs() - atMs) > MESSAGE_AGE_MS_MAX || this.#heard.has(message)) return false
    if (!isSigned()) throw new RhizomeError('RZ_SIGNATURE_INVALID', `a message that ${from} has not signed`)
    // After the check, or anybody could use up what a sender may say.
    if (!this.#ofSender.take(from, nowMs)) return false
    this.#heard.note(message, nowMs)
    if (to === undefined || to === signer.id) this.#parts.onMessage(message)
    return true
  }
}
