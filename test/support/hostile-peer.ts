/**
 * A peer that speaks libp2p and GossipSub by the book, and beyond that whatever a test wants: bytes on the topic, streams that
 * are opened and never read, frames that are no frames. Dials one node on loopback and listens nowhere.
 */
import { randomBytes } from 'node:crypto'
import { gossipsub, StrictNoSign } from '@chainsafe/libp2p-gossipsub'
import { noise } from '@chainsafe/libp2p-noise'
import { identify } from '@libp2p/identify'
import type { Stream } from '@libp2p/interface'
import { ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { frameStream } from '../../src/net/streams.ts'
import type { NetStream } from '../../src/net/net.ts'

export type HostilePeer = Awaited<ReturnType<typeof openHostilePeer>>

export async function openHostilePeer(address: string, topic: string) {
  const libp2p = await createLibp2p({
    addresses: { listen: [] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    // Its own read buffer must not overflow, or it would reset the streams that it does not read.
    streamMuxers: [yamux({ streamOptions: { maxStreamWindowSize: 1_048_576 } })],
    services: {
      identify: identify(),
      ping: ping(),
      pubsub: gossipsub({
        globalSignaturePolicy: StrictNoSign,
        allowPublishToZeroTopicPeers: true,
        fallbackToFloodsub: false,
      }),
    },
  })
  const { pubsub } = libp2p.services
  pubsub.subscribe(topic)
  await libp2p.dial(multiaddr(address))
  const rawStream = (protocol: string): Promise<Stream> => libp2p.dialProtocol(multiaddr(address), protocol)
  return {
    self: libp2p.peerId.toString(),

    get isConnected(): boolean {
      return libp2p.getConnections().length > 0
    },

    dial: () => libp2p.dial(multiaddr(address)),

    /** True once the node is known to be in the topic, so that what is published reaches it. */
    get isHeard(): boolean {
      return pubsub.getSubscribers(topic).length > 0
    },

    /** Messages of random bytes on the topic, each another. */
    async publishGarbage(count: number): Promise<void> {
      for (let index = 0; index < count; index++) await pubsub.publish(topic, randomBytes(100 + index))
    },

    rawStream,

    /** A stream of frames, as nodes use it. */
    async frameStream(protocol: string): Promise<NetStream> {
      return frameStream(await rawStream(protocol), { peer: address })
    },

    async [Symbol.asyncDispose](): Promise<void> {
      await libp2p.stop()
    },
  }
}
