/**
 * GossipSub as this project uses it: topics with a synchronous validator each, and no promise of delivery (sync has that).
 * It decodes nothing. The settings differ from the defaults where stack-notes.md tells why:
 * - no envelope signature: a block is signed by its author, a second check per message buys nothing;
 * - a message's id is the hash of all its bytes, so the same block published twice is one message;
 * - the score of a peer is our own account of its offences (`standing.ts`), which `penalise` feeds as well;
 *   scoring by IP address is off, or the 15th node behind one address is ignored.
 */
import { createHash } from 'node:crypto'
import {
  type GossipSub,
  type GossipSubComponents,
  gossipsub,
  type GossipsubMessage,
  type Message,
  StrictNoSign,
  TopicValidatorResult,
} from '@chainsafe/libp2p-gossipsub'
import { assert } from '../errors.ts'
import { GOSSIP_BEHAVIOUR_THRESHOLD, GOSSIP_BUFFER_BYTES_MAX, GOSSIP_FOLLOWUP_MS } from './limits.ts'
import { messageTooLarge } from './net-errors.ts'
import { GOSSIP_BYTES_MAX, type MessageListener, type PeerIdText, type Validator } from './net.ts'
import type { Standing } from './standing.ts'

/** Prefix of GossipSub's protocols; its streams carry one of them. */
export const GOSSIP_PROTOCOL_PREFIX = '/meshsub/'

/** The service for libp2p's configuration. */
export function gossipService(standing: Standing): (components: GossipSubComponents) => GossipSub {
  return gossipsub({
    globalSignaturePolicy: StrictNoSign,
    msgIdFn: messageId,
    allowPublishToZeroTopicPeers: true,
    ignoreDuplicatePublishError: true,
    fallbackToFloodsub: false,
    floodPublish: true,
    emitSelf: false,
    doPX: false,
    runOnLimitedConnection: true,
    maxOutboundBufferSize: GOSSIP_BUFFER_BYTES_MAX,
    gossipsubIWantFollowupMs: GOSSIP_FOLLOWUP_MS,
    scoreParams: {
      IPColocationFactorWeight: 0,
      behaviourPenaltyThreshold: GOSSIP_BEHAVIOUR_THRESHOLD,
      appSpecificScore: (peer) => -standing.points(peer),
      appSpecificWeight: 1,
    },
  })
}

/** SHA-256 of the whole message; the topic is part of it, or a block in two topics would be dropped from the second. */
function messageId(message: Message): Uint8Array {
  return createHash('sha256').update(message.topic).update('\0').update(message.data).digest()
}

export interface GossipOptions {
  readonly gossipsub: GossipSub
  /** Told of each message that was rejected: invalid in itself. */
  readonly onRejected: (peer: PeerIdText) => void
  readonly onJoined: (peer: PeerIdText, topic: string) => void
  readonly onLeft: (peer: PeerIdText, topic: string) => void
}

/** The topics of this node and who else is in them. */
export class Gossip {
  readonly #options: GossipOptions
  readonly #listeners = new Map<string, MessageListener>()
  /** By topic of ours, the peers that were told of as joined. */
  readonly #members = new Map<string, Set<PeerIdText>>()

  constructor(options: GossipOptions) {
    this.#options = options
    options.gossipsub.addEventListener('gossipsub:message', (event) => this.#deliver(event.detail))
    options.gossipsub.addEventListener('subscription-change', () => this.#compare())
  }

  get topics(): readonly string[] {
    return [...this.#listeners.keys()]
  }

  join(topic: string, validate: Validator, listen: MessageListener): void {
    assert(!this.#listeners.has(topic), `topic ${topic} is joined once`)
    this.#listeners.set(topic, listen)
    this.#members.set(topic, new Set())
    this.#options.gossipsub.topicValidators.set(topic, (peer, message) => this.#judge(validate, message, String(peer)))
    this.#options.gossipsub.subscribe(topic)
    this.#compare()
  }

  leave(topic: string): void {
    if (!this.#listeners.delete(topic)) return
    this.#members.delete(topic)
    this.#options.gossipsub.unsubscribe(topic)
    this.#options.gossipsub.topicValidators.delete(topic)
  }

  async publish(topic: string, bytes: Uint8Array): Promise<number> {
    if (bytes.length > GOSSIP_BYTES_MAX) throw messageTooLarge(bytes.length)
    // Published to nobody, a message counts as seen and could not be published again for two minutes.
    if (this.#options.gossipsub.getSubscribers(topic).length === 0) return 0
    const { recipients } = await this.#options.gossipsub.publish(topic, bytes)
    return recipients.length
  }

  topicsOf(peer: PeerIdText): readonly string[] {
    return this.topics.filter((topic) => this.#members.get(topic)?.has(peer))
  }

  /** Compares what GossipSub knows with what was told, and tells the difference. Called when either may have changed. */
  #compare(): void {
    for (const [topic, members] of this.#members) {
      const present = new Set(this.#options.gossipsub.getSubscribers(topic).map(String))
      for (const peer of members) if (!present.has(peer)) this.#left(peer, topic)
      for (const peer of present) {
        if (members.has(peer)) continue
        members.add(peer)
        this.#options.onJoined(peer, topic)
      }
    }
  }

  /** The connection is gone: the peer is in no topic until it says so again. */
  disconnected(peer: PeerIdText): void {
    for (const topic of this.topicsOf(peer)) this.#left(peer, topic)
  }

  #left(peer: PeerIdText, topic: string): void {
    this.#members.get(topic)?.delete(peer)
    this.#options.onLeft(peer, topic)
  }

  #judge(validate: Validator, message: Message, peer: PeerIdText): TopicValidatorResult {
    const verdict = message.data.length > GOSSIP_BYTES_MAX ? 'reject' : validate(message.data, peer)
    if (verdict === 'reject') this.#options.onRejected(peer)
    return {
      accept: TopicValidatorResult.Accept,
      ignore: TopicValidatorResult.Ignore,
      reject: TopicValidatorResult.Reject,
    }[verdict]
  }

  #deliver({ propagationSource, msg }: GossipsubMessage): void {
    this.#listeners.get(msg.topic)?.(msg.data, String(propagationSource))
  }
}
