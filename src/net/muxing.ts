/**
 * Many streams over one connection: libp2p's yamux, with one thing mended. It announces a new stream a moment after it was asked
 * for; where the connection has closed by then, as that of a machine that stood still, it throws where nobody can catch it, and the
 * process ends. What cannot be sent any more is dropped here: the connection's end closes its streams and tells who waits.
 */
import type { StreamMuxer, StreamMuxerFactory } from '@libp2p/interface'
import { yamux } from '@libp2p/yamux'

/** What yamux's muxer has beside its interface. */
interface SendingMuxer extends StreamMuxer {
  /** False when the sender should wait. */
  send(data: unknown): boolean
}

/** Takes what yamux does. */
export function muxing(...options: Parameters<typeof yamux>): () => StreamMuxerFactory {
  const make = yamux(...options)
  return () => {
    const factory = make()
    return {
      protocol: factory.protocol,
      createStreamMuxer: (connection) => {
        const muxer = factory.createStreamMuxer(connection) as SendingMuxer
        const send = muxer.send.bind(muxer)
        muxer.send = (data) => {
          try {
            return send(data)
          } catch (error) {
            if (error instanceof Error && error.name === 'StreamStateError') return false
            throw error
          }
        }
        return muxer
      },
    }
  }
}
