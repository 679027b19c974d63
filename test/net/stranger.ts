/** A libp2p node that is not ours, with its insides open: for what our own nodes never do. */
import { gossipsub, StrictNoSign } from '@chainsafe/libp2p-gossipsub'
import { noise } from '@chainsafe/libp2p-noise'
import { identify } from '@libp2p/identify'
import { ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'

export interface Stranger extends AsyncDisposable {
  readonly self: string
  publish(bytes: Uint8Array): void
  heardCount(): number
  /** Resets every gossip stream on every connection; the connections stay. Answers how many. */
  killGossipStreams(): number
}

export async function openStranger({
  dial,
  topic,
}: {
  readonly dial: string
  readonly topic: string
}): Promise<Stranger> {
  const libp2p = await createLibp2p({
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
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
  let heardCount = 0
  libp2p.services.pubsub.addEventListener('message', () => (heardCount += 1))
  libp2p.services.pubsub.subscribe(topic)
  await libp2p.dial(multiaddr(dial))
  return {
    self: libp2p.peerId.toString(),
    publish: (bytes) => void libp2p.services.pubsub.publish(topic, bytes),
    heardCount: () => heardCount,
    killGossipStreams() {
      const streams = libp2p.getConnections().flatMap((connection) => connection.streams)
      const gossip = streams.filter(({ protocol }) => protocol.startsWith('/meshsub/'))
      for (const stream of gossip) stream.abort(new Error('a test'))
      return gossip.length
    },
    [Symbol.asyncDispose]: async () => libp2p.stop(),
  }
}
