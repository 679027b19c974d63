/**
 * The Kademlia DHT of libp2p as a place where the nodes of a topic leave word of where they are: under a protocol of its own, so
 * that the public one of IPFS is never met, and loaded only when it is switched on.
 *
 * It refuses to keep anything but such word, and more of it than `limits.ts` says; and it dials nobody who may not connect.
 */
import { createHmac } from 'node:crypto'
import type { Libp2p } from '@libp2p/interface'
import type { KadDHTComponents, SingleKadDHT } from '@libp2p/kad-dht'
import type { Libp2pOptions } from 'libp2p'
import type { CID } from 'multiformats/cid'
import * as limits from './limits.ts'
import type { PeerIdText } from './net.ts'
import type { Outside } from './outside.ts'
import { replacing } from './replacing.ts'
import { overlayKey } from './secret.ts'

const PROTOCOL = '/rhizome/kad/1'
const KEY_DOMAIN = 'rhizome-node/dht/1\0'
const RAW = 0x55
const SHA2_256 = 0x12

export interface DhtChoice {
  /** Asks and does not answer: nobody can be told to dial a node that cannot be reached. */
  readonly isClient: boolean
  readonly secret: string | undefined
  readonly allow: ReadonlySet<PeerIdText> | undefined
  readonly outside: Outside
  readonly connectionsMax: number
}

export interface Provider {
  readonly peer: PeerIdText
  readonly addresses: readonly string[]
}

export interface Dht {
  readonly services: NonNullable<Libp2pOptions['services']>
  /** Leaves word that this node is in the topic, which is kept for DHT_RECORD_MS. False if nobody is there who would keep it. */
  provide(libp2p: Libp2p, topic: string, signal: AbortSignal): Promise<boolean>
  /** This node gives no such word itself any more; what others keep is forgotten in time. */
  withdraw(libp2p: Libp2p, topic: string): Promise<void>
  /** Those who left word, this node included, as they are found. It is hearsay: who answers there proves who it is. */
  providers(libp2p: Libp2p, topic: string, signal: AbortSignal): AsyncIterable<Provider>
}

export async function loadDht(choice: DhtChoice): Promise<Dht> {
  const [{ kadDHT, passthroughMapper }, { CID }, digest] = await Promise.all([
    import('@libp2p/kad-dht'),
    import('multiformats/cid'),
    import('multiformats/hashes/digest'),
  ])
  const service = kadDHT({
    protocol: PROTOCOL,
    clientMode: choice.isClient,
    // A private overlay has private addresses.
    peerInfoMapper: passthroughMapper,
    allowQueryWithZeroPeers: true,
    maxInboundStreams: limits.INBOUND_STREAMS_MAX,
    maxOutboundStreams: limits.OUTBOUND_STREAMS_MAX,
    // `rendezvous.ts` provides again, long before a record ends; what is left to do here is to forget those that did.
    reprovide: { validity: limits.DHT_RECORD_MS, interval: limits.DHT_CLEANUP_INTERVAL_MS, threshold: 0 },
  })
  let made: SingleKadDHT | undefined
  const keyOf = (topic: string): CID => CID.createV1(RAW, digest.create(SHA2_256, topicKey(topic, choice.secret)))
  return {
    // libp2p's types do not tell a service of the others, of which ping is one.
    services: {
      dht: (components) => {
        made = service(guarded(components as unknown as KadDHTComponents, choice)) as SingleKadDHT
        return made
      },
    },
    async provide(libp2p, topic, signal) {
      await libp2p.contentRouting.provide(keyOf(topic), { signal })
      return made !== undefined && made.routingTable.size > 0
    },
    withdraw: (libp2p, topic) => libp2p.contentRouting.cancelReprovide(keyOf(topic)),
    async *providers(libp2p, topic, signal) {
      for await (const { id, multiaddrs } of libp2p.contentRouting.findProviders(keyOf(topic), { signal })) {
        yield { peer: id.toString(), addresses: multiaddrs.map(String) }
      }
    },
  }
}

/** With a secret nobody without it can tell which topic is meant; without one whoever guesses the topic can. */
export function topicKey(topic: string, secret: string | undefined): Uint8Array {
  const key = secret === undefined ? '' : overlayKey(secret)
  return createHmac('sha256', key).update(KEY_DOMAIN).update(topic, 'utf8').digest()
}

function guarded(components: KadDHTComponents, choice: DhtChoice): KadDHTComponents {
  const { outside, allow, connectionsMax } = choice
  const { connectionManager, datastore } = components
  const openStream: typeof connectionManager.openStream = (peer, protocol, options) => {
    const id = String(peer)
    const connections = connectionManager.getConnections().filter(({ remotePeer }) => remotePeer.toString() === id)
    if (connections.some((connection) => outside.has(connection))) throw new Error(`${id} takes no part in this`)
    if (allow !== undefined && !allow.has(id)) throw new Error(`${id} is not on the allow-list`)
    if (connections.length === 0 && connectionManager.getConnections().length >= connectionsMax)
      throw new Error('no connection is free')
    return connectionManager.openStream(peer, protocol, options)
  }
  return replacing(outside.guarded(components), {
    connectionManager: replacing(connectionManager, { openStream: async (...args) => openStream(...args) }),
    datastore: boundedRecords(datastore, components.peerId.toString()),
  })
}

/** Room for so many records in all, and so many of one provider, beside this node's own: others decide what is put here. */
export function boundedRecords<Store extends KadDHTComponents['datastore']>(datastore: Store, self: PeerIdText): Store {
  const kept = new Map<string, Set<string>>()
  let count = 0
  const bounded: Pick<KadDHTComponents['datastore'], 'put' | 'delete'> = {
    async put(key, value, options) {
      const name = key.toString()
      if (!name.startsWith('/dht/provider/')) throw new Error('nothing but providers is kept here')
      const provider = providerOf(name)
      if (provider === self) return datastore.put(key, value, options)
      const own = kept.get(provider) ?? new Set()
      const isFull = own.size >= limits.DHT_RECORDS_PER_PEER_MAX || count >= limits.DHT_RECORDS_MAX
      if (!own.has(name)) {
        if (isFull) throw new Error('there is no room for more providers')
        kept.set(provider, own.add(name))
        count += 1
      }
      return datastore.put(key, value, options)
    },
    async delete(key, options) {
      const name = key.toString()
      const own = kept.get(providerOf(name))
      if (own?.delete(name) === true) count -= 1
      if (own?.size === 0) kept.delete(providerOf(name))
      return datastore.delete(key, options)
    },
  }
  return replacing(datastore, bounded as Partial<Store>)
}

function providerOf(key: string): PeerIdText {
  return key.slice(key.lastIndexOf('/') + 1)
}
