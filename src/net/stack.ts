/**
 * Opens libp2p with this project's settings, on the wanted port or, where that is allowed, one of the next.
 * Every setting that differs from libp2p's default is a named limit with its reason in `limits.ts`.
 */
import { setMaxListeners } from 'node:events'
import type { GossipSub } from '@chainsafe/libp2p-gossipsub'
import { noise } from '@chainsafe/libp2p-noise'
import type { CircuitRelayTransportComponents } from '@libp2p/circuit-relay-v2'
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import { type Identify, identify } from '@libp2p/identify'
import type { ConnectionGater, ConnectionProtector, Libp2p, PrivateKey } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { type Ping, ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { createLibp2p, type Libp2pOptions } from 'libp2p'
import { RhizomeError } from '../errors.ts'
import { announced, isLoopback, isWeb } from './address.ts'
import { type DhtChoice, loadDht, type Provider } from './dht.ts'
import { gossipService } from './gossip.ts'
import * as limits from './limits.ts'
import { componentLogger } from './logger.ts'
import type { MdnsDiscovery } from './mdns.ts'
import { muxing } from './muxing.ts'
import type { Outside } from './outside.ts'
import { loadRelaying, type RelayingChoice } from './relaying.ts'
import type { Standing } from './standing.ts'

export type Services = { identify: Identify; ping: Ping; pubsub: GossipSub }

export interface StackOptions {
  readonly seed: Uint8Array
  readonly listen: readonly string[]
  readonly portFallbackCount: number
  readonly connectionsMax: number
  readonly standing: Standing
  readonly gater: ConnectionGater
  readonly protector: ConnectionProtector
  readonly mdns: MdnsDiscovery | undefined
  readonly outside: Outside
  readonly relaying: RelayingChoice
  /** Undefined: there is no DHT. */
  readonly dht: DhtChoice | undefined
  /** Speaks WebSocket as well; where it listens so, it does whatever is given here. */
  readonly web: boolean
  /** Addresses that lead to this node from outside, by a proxy or a router, without the peer id. */
  readonly reachedAt?: () => readonly string[]
  readonly log: ((line: string) => void) | undefined
}

export interface Stack {
  readonly libp2p: Libp2p<Services>
  /** Addresses for this machine alone, peer id included; empty when the node does not listen on loopback. */
  loopbackAddresses(): readonly string[]
  /** As `Relaying` has it. */
  reserve(relayAddress: string): Promise<void>
  /** As `Dht` has them; undefined where it is not switched on. */
  readonly dht: StackDht | undefined
}

export interface StackDht {
  provide(topic: string, signal: AbortSignal): Promise<boolean>
  withdraw(topic: string): Promise<void>
  providers(topic: string, signal: AbortSignal): AsyncIterable<Provider>
}

/** Listening when it resolves. Throws RZ_NET_PORT_TAKEN, RZ_NET_ADDRESS_INVALID. */
export async function openStack(options: StackOptions): Promise<Stack> {
  const privateKey = await generateKeyPairFromSeed('Ed25519', options.seed)
  for (let offset = 0; ; offset += 1) {
    const listen = options.listen.map((address) => withPortOffset(address, offset))
    try {
      return await startStack(privateKey, listen, options)
    } catch (error) {
      if (!/EADDRINUSE/.test(String(error))) throw listenFailed(listen, error)
      if (offset >= options.portFallbackCount) throw portTaken(options, error)
    }
  }
}

async function startStack(privateKey: PrivateKey, listen: readonly string[], options: StackOptions): Promise<Stack> {
  const { standing, gater, protector, mdns, outside, log } = options
  let own: readonly string[] = []
  let transportManager: TransportManager | undefined
  const self = peerIdFromPrivateKey(privateKey).toString()
  const relaying = await loadRelaying(options.relaying)
  const dht = options.dht && (await loadDht(options.dht))
  const web = options.web || listen.some(isWeb) ? [(await import('@libp2p/websockets')).webSockets()] : []
  const libp2p = await createLibp2p<Services>({
    privateKey,
    nodeInfo: { name: 'rhizome-node' },
    addresses: {
      listen: [...listen],
      announceFilter: (addresses) => {
        // libp2p holds public addresses back until AutoNAT has found them reachable; nobody would ask for that here.
        const outer = (options.reachedAt?.() ?? []).map((address) => multiaddr(address))
        const all = withPeerId([...addresses, ...(transportManager?.getAddrs() ?? []), ...outer], self)
        own = all.map(String)
        return announced(all, String)
      },
    },
    transports: [tcp(), ...web, ...relaying.transports],
    connectionEncrypters: [noise()],
    connectionProtector: () => protector,
    streamMuxers: [
      muxing({
        streamOptions: { maxStreamWindowSize: limits.STREAM_WINDOW_BYTES_MAX },
      }),
    ],
    connectionGater: gater,
    connectionManager: {
      maxConnections: options.connectionsMax,
      inboundConnectionThreshold: limits.INBOUND_CONNECTIONS_PER_SECOND_MAX,
      maxIncomingPendingConnections: limits.INBOUND_PENDING_MAX,
      maxParallelDials: limits.DIALS_PARALLEL_MAX,
      dialTimeout: limits.DIAL_TIMEOUT_MS,
      addressDialTimeout: limits.ADDRESS_DIAL_TIMEOUT_MS,
      // The plan puts them in order, another one first after each failure.
      addressSorter: () => 0,
      inboundUpgradeTimeout: limits.UPGRADE_TIMEOUT_MS,
      // Our own loop redials; libp2p's gives up after five tries.
      reconnectRetries: 0,
    },
    connectionMonitor: {
      pingInterval: limits.PING_INTERVAL_MS,
      pingTimeout: { minTimeout: limits.PING_TIMEOUT_MS, maxTimeout: limits.PING_TIMEOUT_MS },
    },
    ...(mdns === undefined ? {} : { peerDiscovery: [(components) => mdns.component(components)] }),
    ...(log === undefined ? {} : { logger: componentLogger(log) }),
    services: {
      identify: identify(),
      ping: ping({ maxInboundStreams: limits.PING_STREAMS_MAX, maxOutboundStreams: limits.PING_STREAMS_MAX }),
      pubsub: (components) => gossipService(standing)(outside.guarded(components)),
      ...relaying.services,
      ...dht?.services,
      ...transports((given) => {
        transportManager = given
      }),
    },
  })
  // Each dial under way listens for its peer to be identified; Node warns of a leak at eleven.
  setMaxListeners(0, libp2p)
  return {
    libp2p,
    loopbackAddresses: () => {
      libp2p.getMultiaddrs()
      return own.filter(isLoopback)
    },
    reserve: (relayAddress) => relaying.reserve(relayAddress),
    dht: dht && {
      provide: (topic, signal) => dht.provide(libp2p, topic, signal),
      withdraw: (topic) => dht.withdraw(libp2p, topic),
      providers: (topic, signal) => dht.providers(libp2p, topic, signal),
    },
  }
}

type TransportManager = CircuitRelayTransportComponents['transportManager']

/** A service that does nothing but hand out a part of libp2p. */
function transports(take: (transportManager: TransportManager) => void): NonNullable<Libp2pOptions['services']> {
  return {
    transports: ({ transportManager }: { readonly transportManager: TransportManager }) => {
      take(transportManager)
      return {}
    },
  }
}

/** Each once, the peer id at its end. */
function withPeerId(addresses: readonly Multiaddr[], self: string): Multiaddr[] {
  const end = `/p2p/${self}`
  const texts = addresses.map(String).map((text) => (text.endsWith(end) ? text : text + end))
  return [...new Set(texts)].map((text) => multiaddr(text))
}

function withPortOffset(address: string, offset: number): string {
  try {
    const parts = multiaddr(address).getComponents()
    const [, transport, web, ...rest] = parts
    if (transport?.name !== 'tcp' || (web !== undefined && web.name !== 'ws') || rest.length > 0)
      throw new Error('it is not /ip4/…/tcp/… or /ip6/…/tcp/…, with /ws at its end or not')
  } catch (error) {
    throw new RhizomeError('RZ_NET_ADDRESS_INVALID', `cannot listen on '${address}': ${messageOf(error)}`, {
      cause: error,
    })
  }
  return address.replace(/(?<=\/tcp\/)\d+/, (port) =>
    port === '0' ? port : String(Math.min(Number(port) + offset, 65_535)),
  )
}

function portTaken({ listen, portFallbackCount }: StackOptions, cause: unknown): RhizomeError {
  const ports = listen.map((address) => address.split('/')[4]).join(', ')
  const next = portFallbackCount === 0 ? '' : ` and so are the next ${portFallbackCount}`
  const message = `port ${ports} is taken${next}: stop the program that holds it or choose another with --listen`
  return new RhizomeError('RZ_NET_PORT_TAKEN', message, { cause })
}

function listenFailed(listen: readonly string[], cause: unknown): unknown {
  if (cause instanceof RhizomeError) return cause
  const reason = messageOf(cause)
  const line = reason.split('\n').find((each) => /E[A-Z]{4,}/.test(each))
  const message = `cannot listen on ${listen.join(', ')}: ${(line ?? reason).trim()}`
  return new RhizomeError('RZ_NET_ADDRESS_INVALID', message, { cause })
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
