/**
 * One node of the network in memory. See `memory.ts`, which owns the cuts and the clock.
 * Like everything there it reads no clock and sets no timer of its own.
 */
import { createHash } from 'node:crypto'
import { assert, RhizomeError } from '../errors.ts'
import { ALONE_AFTER_MS, BLOCK_MS } from './limits.ts'
import type { ConnectionEnd, MemoryConnection, World } from './memory-connection.ts'
import type { Lane, MemoryStream } from './memory-link.ts'
import { dialFailed, messageTooLarge, netClosed } from './net-errors.ts'
import {
  GOSSIP_BYTES_MAX,
  type MessageListener,
  type Net,
  type NetEvent,
  type NetPeer,
  type NetStream,
  type PeerIdText,
  type Validator,
} from './net.ts'
import { Notices } from './notices.ts'
import { Standing } from './standing.ts'

/** Messages that a node remembers having seen; the oldest is forgotten first. */
const SEEN_MESSAGES_MAX = 100_000

export class MemoryNet implements Net, ConnectionEnd {
  readonly self: PeerIdText
  readonly standing: Standing
  readonly #world: World
  readonly #notices: Notices
  readonly #connections = new Map<PeerIdText, { readonly node: MemoryNet; readonly connection: MemoryConnection }>()
  readonly #topics = new Map<string, { readonly validate: Validator; readonly listen: MessageListener }>()
  /** By peer, the topics that it said it has joined. */
  readonly #joinedBy = new Map<PeerIdText, Set<string>>()
  readonly #handlers = new Map<string, (stream: NetStream) => Promise<void>>()
  readonly #seen = new Set<string>()
  #open = true
  #aloneRound = 0

  constructor(self: PeerIdText, world: World) {
    this.self = self
    this.#world = world
    this.standing = new Standing(() => world.nowMs())
    this.#notices = new Notices(() => world.nowMs())
    this.#expectCompany()
  }

  addresses(): readonly string[] {
    return [memoryAddress(this.self)]
  }

  peers(): readonly NetPeer[] {
    return [...this.#connections].map(([id, { connection }]) => ({
      id,
      addresses: [memoryAddress(id)],
      direction: connection.ends[0] === this ? 'outbound' : 'inbound',
      isRelayed: false,
      connectedAtMs: connection.connectedAtMs,
      topics: [...this.#topics.keys()].filter((topic) => this.#joinedBy.get(id)?.has(topic)),
    }))
  }

  join(topic: string, validate: Validator, listen: MessageListener): void {
    this.#throwIfClosed()
    assert(!this.#topics.has(topic), `topic ${topic} is joined once`)
    this.#topics.set(topic, { validate, listen })
    for (const [peer, { node }] of this.#connections) {
      this.#laneTo(peer)?.put(() => node.hearJoin(this.self, topic))
      if (this.#joinedBy.get(peer)?.has(topic)) this.#notices.emit({ kind: 'joined', peer, topic })
    }
  }

  leave(topic: string): void {
    if (!this.#topics.delete(topic)) return
    for (const [peer, { node }] of this.#connections) this.#laneTo(peer)?.put(() => node.hearLeave(this.self, topic))
  }

  async publish(topic: string, bytes: Uint8Array): Promise<number> {
    this.#throwIfClosed()
    if (bytes.length > GOSSIP_BYTES_MAX) throw messageTooLarge(bytes.length)
    const members = this.#membersOf(topic)
    const id = createHash('sha256').update(topic).update('\0').update(bytes).digest('base64')
    if (members.length === 0 || !this.#seeNew(id)) return 0
    return this.#spread({ topic, bytes: bytes.slice(), id }, members)
  }

  handle(protocol: string, handler: (stream: NetStream) => Promise<void>): void {
    this.#throwIfClosed()
    assert(!this.#handlers.has(protocol), `protocol ${protocol} has one handler`)
    this.#handlers.set(protocol, handler)
  }

  open(peer: PeerIdText, protocol: string, { signal }: { readonly signal: AbortSignal }): Promise<NetStream> {
    const { promise, resolve, reject } = Promise.withResolvers<NetStream>()
    const onAbort = (): void => reject(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    this.#openStream(peer, protocol, signal).then(
      // An abort that came first leaves a stream that nobody has: it is dropped.
      (stream) => (signal.aborted ? stream.abort('nobody waits for it any more') : resolve(stream)),
      reject,
    )
    return promise.finally(() => signal.removeEventListener('abort', onAbort))
  }

  async #openStream(peer: PeerIdText, protocol: string, signal: AbortSignal): Promise<NetStream> {
    this.#throwIfClosed()
    signal.throwIfAborted()
    const found = this.#connections.get(peer)
    if (found === undefined) throw dialFailed(peer, protocol, 'it is not connected')
    return found.connection.openStream(this, found.node, protocol)
  }

  serve(protocol: string, stream: MemoryStream): boolean {
    const handler = this.#handlers.get(protocol)
    if (handler === undefined || !this.#open) return false
    handler(stream).then(
      () => stream.close(),
      (error: unknown) => stream.abort(`the handler of ${protocol} failed: ${String(error)}`),
    )
    return true
  }

  addPeer(address: string): void {
    this.#throwIfClosed()
    if (/^\/memory\/\S+$/.test(address)) return
    throw new RhizomeError('RZ_NET_ADDRESS_INVALID', `'${address}' is not /memory/<name>`)
  }

  penalise(peer: PeerIdText, reason: string): void {
    if (!this.standing.offend(peer)) return
    const found = this.#connections.get(peer)
    found?.connection.end(`it sent invalid data: ${reason}`)
    if (found !== undefined) this.#world.schedule(BLOCK_MS, () => this.#world.reconsider(this.self, peer))
  }

  onEvent(listener: (event: NetEvent) => void): () => void {
    return this.#notices.listen(listener)
  }

  async close(): Promise<void> {
    this.vanish('it closed')
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  vanish(reason: string): void {
    if (!this.#open) return
    this.#open = false
    this.#world.removed(this)
    for (const { connection } of this.#connections.values()) connection.end(reason)
  }

  connectionTo(peer: PeerIdText): MemoryConnection | undefined {
    return this.#connections.get(peer)?.connection
  }

  has(connection: MemoryConnection): boolean {
    return [...this.#connections.values()].some((each) => each.connection === connection)
  }

  healed(): void {
    for (const { connection } of this.#connections.values()) connection.healed()
  }

  connected(node: MemoryNet, connection: MemoryConnection): void {
    this.#connections.set(node.self, { node, connection })
    this.#joinedBy.set(node.self, new Set())
    this.#notices.emit({ kind: 'connected', peer: node.self, address: memoryAddress(node.self) })
    for (const topic of this.#topics.keys()) {
      connection.laneOf(this.self).put(() => node.hearJoin(this.self, topic))
    }
  }

  disconnected(peer: PeerIdText, connection: MemoryConnection): void {
    if (this.connectionTo(peer) !== connection) return
    for (const topic of this.#joinedBy.get(peer) ?? []) this.hearLeave(peer, topic)
    this.#connections.delete(peer)
    this.#joinedBy.delete(peer)
    if (!this.#open) return
    this.#notices.emit({ kind: 'disconnected', peer })
    this.#expectCompany()
  }

  hearJoin(peer: PeerIdText, topic: string): void {
    this.#joinedBy.get(peer)?.add(topic)
    if (this.#open && this.#topics.has(topic)) this.#notices.emit({ kind: 'joined', peer, topic })
  }

  hearLeave(peer: PeerIdText, topic: string): void {
    const left = this.#joinedBy.get(peer)?.delete(topic)
    if (left && this.#open && this.#topics.has(topic)) this.#notices.emit({ kind: 'left', peer, topic })
  }

  /** A gossip message arrives; the first time it is judged, handed over and passed on. */
  hearMessage(message: GossipMessage, from: PeerIdText): void {
    const joined = this.#topics.get(message.topic)
    if (!this.#open || joined === undefined || !this.#seeNew(message.id)) return
    const verdict = joined.validate(message.bytes.slice(), from)
    if (verdict === 'reject') this.penalise(from, 'a gossip message was invalid')
    if (verdict !== 'accept') return
    joined.listen(message.bytes.slice(), from)
    this.#spread(
      message,
      this.#membersOf(message.topic).filter((peer) => peer !== from),
    )
  }

  #spread(message: GossipMessage, peers: readonly PeerIdText[]): number {
    const { lossRate, duplicateRate } = this.#world
    for (const peer of peers) {
      const found = this.#connections.get(peer)
      if (found === undefined) continue
      const copies = this.#world.random() < lossRate ? 0 : this.#world.random() < duplicateRate ? 2 : 1
      for (let copy = 0; copy < copies; copy += 1) {
        this.#world.hop(() => {
          const lives = found.node.has(found.connection)
          if (lives && !this.#world.isCut(this.self, peer)) found.node.hearMessage(message, this.self)
        })
      }
    }
    return peers.length
  }

  #membersOf(topic: string): PeerIdText[] {
    return [...this.#connections.keys()].filter((peer) => this.#joinedBy.get(peer)?.has(topic))
  }

  /** True the first time. */
  #seeNew(id: string): boolean {
    if (this.#seen.has(id)) return false
    this.#seen.add(id)
    const [oldest] = this.#seen
    if (this.#seen.size > SEEN_MESSAGES_MAX && oldest !== undefined) this.#seen.delete(oldest)
    return true
  }

  #laneTo(peer: PeerIdText): Lane | undefined {
    return this.connectionTo(peer)?.laneOf(this.self)
  }

  /** After a while with nobody there, says so once. */
  #expectCompany(): void {
    const round = (this.#aloneRound += 1)
    this.#world.schedule(ALONE_AFTER_MS, () => {
      if (!this.#open || round !== this.#aloneRound || this.#connections.size > 0) return
      this.#notices.emit({ kind: 'alone', interfaces: [], queriesSent: 0, answersHeard: 0 })
    })
  }

  #throwIfClosed(): void {
    if (!this.#open) throw netClosed()
  }
}

interface GossipMessage {
  readonly topic: string
  readonly bytes: Uint8Array
  readonly id: string
}

function memoryAddress(peer: PeerIdText): string {
  return `/memory/${peer}`
}
