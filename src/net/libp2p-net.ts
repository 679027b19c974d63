/**
 * The port over libp2p: wires the parts to each other and to libp2p's events. Each part has its file: whom to dial
 * (`dial-plan.ts`, `dialler.ts`), discovery (`mdns.ts`, `registry.ts`, `seeds.ts`, `rendezvous.ts`), gossip (`gossip.ts`), streams (`streams.ts`), deaf
 * connections (`watchdog.ts`), offences (`standing.ts`). `libp2p.ts` opens it.
 */
import type { Connection, IdentifyResult, Libp2p } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { assert } from '../errors.ts'
import { invalid, isRelayed, isWeb, type PeerAddress } from './address.ts'
import { DialLoop } from './dial-loop.ts'
import { DialPlan } from './dial-plan.ts'
import { dialTarget } from './dialler.ts'
import { Gossip, GOSSIP_PROTOCOL_PREFIX } from './gossip.ts'
import * as limits from './limits.ts'
import { interfaceAddresses, type MdnsDiscovery } from './mdns.ts'
import { dialFailed, netClosed } from './net-errors.ts'
import type { MessageListener, Net, NetEvent, NetPeer, NetStream, PeerIdText, Validator } from './net.ts'
import type { Notices } from './notices.ts'
import type { Outside } from './outside.ts'
import type { PortMapping } from './port-mapping.ts'
import { Registry } from './registry.ts'
import { Rendezvous } from './rendezvous.ts'
import { Reservations } from './reservations.ts'
import { readPeers, type Seed, Seeds } from './seeds.ts'
import type { Services, Stack } from './stack.ts'
import type { Standing } from './standing.ts'
import { frameStream } from './streams.ts'
import { Watchdog } from './watchdog.ts'

/** What the network is made of, opened and listening. */
export interface Libp2pNetParts {
  readonly stack: Stack
  readonly standing: Standing
  readonly notices: Notices
  readonly mdns: MdnsDiscovery | undefined
  readonly hasSecret: boolean
  readonly outside: Outside
  readonly portMapping: PortMapping | undefined
  /** Relays to be reached through. */
  readonly via: readonly PeerAddress[]
  readonly canReachRelays: boolean
  readonly canReachWeb: boolean
  readonly isRelay: boolean
  readonly connectionsMax: number
  readonly log: ((line: string) => void) | undefined
}

export class Libp2pNet implements Net {
  readonly self: PeerIdText
  readonly #libp2p: Libp2p<Services>
  readonly #parts: Libp2pNetParts
  readonly #gossip: Gossip
  readonly #plan: DialPlan
  readonly #loop: DialLoop
  readonly #seeds: Seeds
  readonly #reservations: Reservations
  readonly #rendezvous: Rendezvous | undefined
  /** By address, the seed whose records name it. */
  #seedOf: ReadonlyMap<string, string> = new Map()
  readonly #watchdog = new Watchdog()
  #registry: Registry | undefined
  /** Peers that identify has met: their connections are good for streams. Others are not shown to anybody. */
  readonly #met = new Set<PeerIdText>()
  /** Those of them that no direct connection was made to yet. */
  readonly #relayed = new Set<PeerIdText>()
  /** Connected peers that gossip has flowed to and from. */
  readonly #hearing = new Set<PeerIdText>()
  readonly #protocols = new Set<string>()
  #watchTimer: NodeJS.Timeout | undefined
  #aloneTimer: NodeJS.Timeout | undefined
  #closing: Promise<void> | undefined

  constructor(parts: Libp2pNetParts) {
    this.#parts = parts
    this.#libp2p = parts.stack.libp2p
    this.self = this.#libp2p.peerId.toString()
    this.#gossip = new Gossip({
      gossipsub: this.#libp2p.services.pubsub,
      onRejected: (peer) => this.penalise(peer, 'a gossip message was invalid'),
      onJoined: (peer, topic) => this.#emit({ kind: 'joined', peer, topic }),
      onLeft: (peer, topic) => this.#emit({ kind: 'left', peer, topic }),
    })
    this.#plan = new DialPlan({
      self: this.self,
      nowMs: Date.now,
      random: Math.random,
      parallelMax: limits.DIALS_PARALLEL_MAX,
      connectedMax: parts.connectionsMax,
    })
    this.#loop = new DialLoop({
      plan: this.#plan,
      dial: (target) =>
        dialTarget(target, {
          libp2p: this.#libp2p,
          hasSecret: parts.hasSecret,
          hasMet: (peer) => this.#met.has(peer),
          outside: parts.outside,
        }),
      onFailed: (target, { code, message }) => {
        const [address = target.key] = target.addresses
        const seed = this.#seedOf.get(address)
        const of = seed === undefined ? {} : { seed }
        parts.notices.tell(target.key, { kind: 'dial-failed', address, ...of, code, message })
      },
      nowMs: Date.now,
    })
    this.#seeds = new Seeds({
      onAnswer: (addresses) => {
        const own = new Set(this.addresses().map((address) => withoutPeer(address, this.self)))
        const others = addresses.filter(({ address }) => !own.has(address))
        this.#seedOf = new Map(others.map(({ address, seed }) => [address, seed]))
        this.#plan.seeded(others)
        this.#loop.wake()
      },
      onFailed: (seed, message) =>
        parts.notices.tell(seed, { kind: 'dial-failed', address: seed, seed, code: 'unreachable', message }),
      isAlone: () => this.#met.size === 0,
      log: (line) => parts.log?.(line),
    })
    this.#reservations = new Reservations({
      libp2p: this.#libp2p,
      relays: parts.via,
      outside: parts.outside,
      reserve: (relayAddress) => parts.stack.reserve(relayAddress),
      onFailed: (address, failure) =>
        parts.notices.tell(`via ${address}`, { kind: 'dial-failed', address, ...failure }),
      onChanged: (address, isReserved) => {
        this.#emit({ kind: 'relay', address, isReserved })
        this.#rendezvous?.wake()
      },
      log: (line) => parts.log?.(line),
    })
    this.#rendezvous =
      parts.stack.dht &&
      new Rendezvous({
        ...parts.stack.dht,
        topics: () => this.#gossip.topics,
        isAlone: (topic) => this.#isAloneIn(topic),
        onFound: (topic, { peer, addresses }) => this.#met.has(peer) || this.#found(topic, peer, addresses),
        log: (line) => parts.log?.(line),
      })
    this.#libp2p.addEventListener('peer:identify', ({ detail }) => this.#onIdentified(detail))
    this.#libp2p.addEventListener('peer:disconnect', ({ detail }) => this.#onDisconnected(detail.toString()))
  }

  async start(registryDirectory: string | undefined): Promise<void> {
    this.#watchTimer = setInterval(() => this.#watch(), limits.WATCHDOG_INTERVAL_MS)
    this.#expectCompany()
    this.#parts.mdns?.start((peer, addresses) => this.#discovered(peer, addresses, 'mdns'))
    this.#loop.wake()
    this.#reservations.start()
    this.#parts.portMapping?.start()
    if (registryDirectory === undefined) return
    const registry = new Registry({
      directory: registryDirectory,
      self: this.self,
      addresses: () => {
        const loopback = this.#parts.stack.loopbackAddresses()
        return loopback.length > 0 ? loopback : this.addresses()
      },
      topics: () => this.#gossip.topics,
      onEntry: ({ peer, addresses }, isNew) => {
        if (!this.#met.has(peer)) this.#discovered(peer, addresses, 'registry', isNew)
      },
      log: (line) => this.#parts.log?.(line),
    })
    try {
      await registry.start()
      this.#registry = registry
    } catch (error) {
      // One way of finding others less; the node works without it.
      this.#parts.log?.(`registry: ${registryDirectory} cannot be used: ${String(error)}`)
    }
  }

  addresses(): readonly string[] {
    return this.#libp2p.getMultiaddrs().map(String)
  }

  peers(): readonly NetPeer[] {
    return [...this.#met].flatMap((peer) => {
      const [connection] = this.#connectionsOf(peer)
      return connection === undefined ? [] : [this.#describe(peer, connection)]
    })
  }

  #describe(peer: PeerIdText, connection: Connection): NetPeer {
    const address = connection.remoteAddr.toString()
    return {
      id: peer,
      addresses: [address, ...this.#plan.addressesOf(peer).filter((each) => each !== address)],
      direction: connection.direction,
      isRelayed: !connection.direct,
      connectedAtMs: connection.timeline.open,
      topics: this.#gossip.topicsOf(peer),
      ...(connection.rtt === undefined ? {} : { roundTripMs: connection.rtt }),
    }
  }

  join(topic: string, validate: Validator, listen: MessageListener): void {
    this.#throwIfClosed()
    this.#gossip.join(topic, validate, listen)
    this.#rendezvous?.wake()
    void this.#registry?.update().then(() => this.#registry?.look())
  }

  leave(topic: string): void {
    this.#gossip.leave(topic)
    this.#withdraw(topic)
    void this.#registry?.update()
  }

  async publish(topic: string, bytes: Uint8Array): Promise<number> {
    this.#throwIfClosed()
    return this.#gossip.publish(topic, bytes)
  }

  handle(protocol: string, handler: (stream: NetStream) => Promise<void>): void {
    this.#throwIfClosed()
    assert(!this.#protocols.has(protocol), `protocol ${protocol} has one handler`)
    this.#protocols.add(protocol)
    const bounds = {
      maxInboundStreams: limits.INBOUND_STREAMS_MAX,
      maxOutboundStreams: limits.OUTBOUND_STREAMS_MAX,
      runOnLimitedConnection: true,
    }
    void this.#libp2p.handle(
      protocol,
      (raw, connection) => {
        if (this.#parts.outside.has(connection)) return raw.abort(new Error('a relay takes no part in this'))
        const stream = frameStream(raw, { peer: connection.remotePeer.toString() })
        handler(stream).then(
          () => stream.close(),
          (error: unknown) => stream.abort(`the handler of ${protocol} failed: ${String(error)}`),
        )
      },
      bounds,
    )
  }

  async open(peer: PeerIdText, protocol: string, { signal }: { readonly signal: AbortSignal }): Promise<NetStream> {
    this.#throwIfClosed()
    const [connection] = this.#connectionsOf(peer)
    if (connection === undefined) throw dialFailed(peer, protocol, 'it is not connected')
    try {
      const options = { signal, maxOutboundStreams: limits.OUTBOUND_STREAMS_MAX, runOnLimitedConnection: true }
      return frameStream(await connection.newStream(protocol, options), { peer })
    } catch (error) {
      signal.throwIfAborted()
      throw dialFailed(peer, protocol, error instanceof Error ? error.message : String(error), error)
    }
  }

  addPeer(address: string): void {
    this.#throwIfClosed()
    const { addresses, seeds } = readPeers([address], [])
    for (const each of addresses) this.dialForever(each)
    for (const seed of seeds) this.follow(seed)
    this.#loop.wake()
  }

  dialForever({ address, peer }: PeerAddress): void {
    if (isRelayed(address) && !this.#parts.canReachRelays) {
      throw invalid(address, 'nothing here reaches relays: name one when opening the node')
    }
    if (isWeb(address) && !this.#parts.canReachWeb) {
      throw invalid(address, 'nothing here speaks WebSocket: name such an address when opening the node')
    }
    this.#plan.addAddress(address, peer)
  }

  follow(seed: Seed): void {
    this.#seeds.add(seed)
  }

  #isAloneIn(topic: string): boolean {
    return [...this.#met].every((peer) => !this.#gossip.topicsOf(peer).includes(topic))
  }

  /** Somebody who keeps such word tells that the peer is in the topic. */
  #found(topic: string, peer: PeerIdText, addresses: readonly string[]): void {
    if (peer === this.self) return
    this.#discovered(peer, this.#notOwn(addresses.map((each) => withoutPeer(each, peer))), 'dht', false)
    if (this.#isAloneIn(topic)) this.#plan.seek(peer)
    this.#loop.wake()
  }

  #withdraw(topic: string): void {
    this.#parts.stack.dht
      ?.withdraw(topic)
      .catch((error: unknown) => this.#parts.log?.(`dht: ${topic} cannot be withdrawn: ${String(error)}`))
  }

  /**
   * Behind routers at home the same addresses are in use everywhere: one that is ours as well leads back here. The place of another at
   * our relay does not.
   */
  #notOwn(addresses: readonly string[]): readonly string[] {
    const own = new Set(this.addresses().map((each) => withoutPeer(each, this.self)))
    return addresses.filter((each) => isRelayed(each) || !own.has(each))
  }

  #discovered(
    peer: PeerIdText,
    addresses: readonly string[],
    by: 'mdns' | 'registry' | 'dht',
    isSignOfLife = true,
  ): void {
    if (this.#closing !== undefined) return
    if (peer === this.self) return this.#hasTwin(addresses)
    if (this.#plan.discovered(peer, addresses, isSignOfLife)) this.#emit({ kind: 'discovered', peer, addresses, by })
    this.#loop.wake()
  }

  /** Discovery hears no answer of its own, so this one came from another node of the same identity. */
  #hasTwin(addresses: readonly string[]): void {
    const [address = 'an unknown address'] = addresses
    const message = `another node with this node's identity is at ${address}: the two can never connect; give one its own`
    this.#parts.notices.tell('twin', { kind: 'dial-failed', address, code: 'self', message })
  }

  penalise(peer: PeerIdText, reason: string): void {
    this.#parts.log?.(`${peer} is penalised: ${reason}`)
    if (this.#parts.standing.offend(peer)) this.#hangUp(peer, `it sent too much that is invalid, last: ${reason}`)
  }

  onEvent(listener: (event: NetEvent) => void): () => void {
    return this.#parts.notices.listen(listener)
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(): Promise<void> {
    this.#loop.stop()
    this.#seeds.stop()
    this.#reservations.stop()
    this.#rendezvous?.stop()
    this.#parts.mdns?.stop()
    clearInterval(this.#watchTimer)
    clearTimeout(this.#aloneTimer)
    try {
      await this.#parts.portMapping?.stop()
      await this.#registry?.close()
    } finally {
      await this.#libp2p.stop()
    }
  }

  #onIdentified({ peerId, listenAddrs, connection }: IdentifyResult): void {
    const peer = peerId.toString()
    if (connection.status !== 'open' || this.#parts.outside.has(connection)) return
    const isNew = !this.#met.has(peer)
    this.#met.add(peer)
    clearTimeout(this.#aloneTimer)
    this.#plan.connected(peer)
    // What worked comes first when it is dialled again; a hole that was punched is closed by then.
    const worked = connection.direction === 'outbound' && !this.#relayed.has(peer) ? [connection.remoteAddr] : []
    const heard = [...worked, ...listenAddrs].map((each) => withoutPeer(each.toString(), peer))
    this.#plan.discovered(peer, this.#notOwn(heard))
    // Its word alone would do to keep others from being dialled.
    const host = hostOf(connection.remoteAddr.toString())
    for (const each of heard) if (hostOf(each) === host) this.#plan.listensAt(peer, each)
    const address = connection.remoteAddr.toString()
    if (isNew) {
      this.#emit({ kind: 'connected', peer, address })
      this.#rendezvous?.wake()
    }
    if (!connection.direct) this.#relayed.add(peer)
    else if (this.#relayed.delete(peer)) this.#emit({ kind: 'direct', peer, address })
    this.#loop.wake()
  }

  #onDisconnected(peer: PeerIdText): void {
    this.#gossip.disconnected(peer)
    this.#plan.disconnected(peer)
    this.#relayed.delete(peer)
    if (this.#met.delete(peer)) {
      this.#emit({ kind: 'disconnected', peer })
      this.#rendezvous?.wake()
    }
    if (this.#met.size === 0) this.#expectCompany()
    this.#loop.wake()
  }

  #expectCompany(): void {
    clearTimeout(this.#aloneTimer)
    if (this.#closing !== undefined) return
    this.#aloneTimer = setTimeout(() => {
      const { queriesSent = 0, answersHeard = 0 } = this.#parts.mdns ?? {}
      this.#emit({ kind: 'alone', interfaces: interfaceAddresses(), queriesSent, answersHeard })
    }, limits.ALONE_AFTER_MS)
  }

  #watch(): void {
    const inside = this.#libp2p.getConnections().filter((connection) => !this.#parts.outside.has(connection))
    const peers = new Set(inside.map((connection) => connection.remotePeer.toString()))
    for (const peer of this.#hearing) if (!peers.has(peer)) this.#hearing.delete(peer)
    for (const peer of peers) if (this.#hears(peer)) this.#hearing.add(peer)
    // Of those whom a relay serves, many have no part in its gossip and never will.
    const watched = [...peers]
      .filter((peer) => !this.#parts.isRelay || this.#hearing.has(peer))
      .map((peer) => ({ peer, hears: this.#hears(peer) }))
    for (const { kind, peer } of this.#watchdog.look(watched, Date.now())) {
      if (kind === 'close') this.#hangUp(peer, 'gossip does not flow')
      else void this.#identifyAnew(peer)
    }
  }

  #hears(peer: PeerIdText): boolean {
    const streams = this.#connectionsOf(peer).flatMap((connection) => connection.streams)
    const gossip = streams.filter(
      ({ protocol, status }) => status === 'open' && protocol.startsWith(GOSSIP_PROTOCOL_PREFIX),
    )
    return ['inbound', 'outbound'].every((direction) => gossip.some((stream) => stream.direction === direction))
  }

  async #identifyAnew(peer: PeerIdText): Promise<void> {
    const [connection] = this.#connectionsOf(peer)
    if (connection === undefined) return
    try {
      await this.#libp2p.services.identify.identify(connection)
    } catch (error) {
      this.#parts.log?.(`${peer} cannot be identified anew: ${String(error)}`)
    } finally {
      this.#watchdog.identified(peer, Date.now())
    }
  }

  #hangUp(peer: PeerIdText, why: string): void {
    this.#parts.log?.(`hanging up on ${peer}: ${why}`)
    for (const connection of this.#libp2p.getConnections(peerIdFromString(peer))) connection.abort(new Error(why))
  }

  /** The direct ones first. */
  #connectionsOf(peer: PeerIdText): Connection[] {
    return this.#libp2p
      .getConnections(peerIdFromString(peer))
      .filter((connection) => connection.status === 'open' && !this.#parts.outside.has(connection))
      .toSorted((a, b) => Number(b.direct) - Number(a.direct))
  }

  #emit(event: NetEvent): void {
    this.#parts.notices.emit(event)
  }

  #throwIfClosed(): void {
    if (this.#closing !== undefined) throw netClosed()
  }
}

function withoutPeer(address: string, peer: PeerIdText): string {
  const end = `/p2p/${peer}`
  return address.endsWith(end) ? address.slice(0, -end.length) : address
}

function hostOf(address: string): string {
  return address.split('/').slice(0, 3).join('/')
}
