/**
 * Connections to relays that are outside the overlay: the relay has not the secret, or is not on the allow-list. Such a
 * connection is not boxed, and good for nothing but what relaying takes; what is relayed through it is boxed and encrypted from
 * end to end, like any connection. So a relay learns who speaks to whom, when and how much, and can read or write nothing.
 */
import type { GossipSubComponents } from '@chainsafe/libp2p-gossipsub'
import type { Connection, Libp2p } from '@libp2p/interface'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import type { PeerIdText } from './net.ts'
import { replacing } from './replacing.ts'

type DialOptions = NonNullable<Parameters<Libp2p['dial']>[1]>

type Registrar = GossipSubComponents['registrar']

export interface OutsideOptions {
  readonly hasSecret: boolean
  readonly allow: ReadonlySet<PeerIdText> | undefined
}

/** A connection and the one of the transport below it have this object in common. */
type Timeline = object

export class Outside {
  readonly #allow: ReadonlySet<PeerIdText> | undefined
  readonly #hasSecret: boolean
  /** Addresses that are being dialled as relays, each as often as it is. */
  readonly #dialling = new Map<string, number>()
  readonly #timelines = new WeakSet<Timeline>()

  constructor({ hasSecret, allow }: OutsideOptions) {
    this.#hasSecret = hasSecret
    this.#allow = allow
  }

  /** Whether the relay is outside. In an open overlay without an allow-list relays are peers like others. */
  holds(address: string): boolean {
    if (this.#hasSecret) return true
    return this.#allow !== undefined && !this.#allow.has(address.split('/p2p/').at(-1) ?? '')
  }

  /** Whether the connection that is about to be protected is that of a relay; from then on it `has` it. */
  takes(connection: {
    readonly timeline: Timeline
    readonly direction: string
    readonly remoteAddr: Multiaddr
  }): boolean {
    const taken = connection.direction === 'outbound' && this.#dialling.has(connection.remoteAddr.toString())
    if (taken) this.#timelines.add(connection.timeline)
    return taken
  }

  /** Whether the peer is being dialled as a relay. */
  isDialling(peer: PeerIdText): boolean {
    return [...this.#dialling.keys()].some((address) => address.endsWith(`/p2p/${peer}`))
  }

  has(connection: { readonly timeline: Timeline }): boolean {
    return this.#timelines.has(connection.timeline)
  }

  /** Connects to a relay, whose address may end with its peer id. Answers the connection that there is, if there is one. */
  async dial(libp2p: Libp2p, address: string, options: DialOptions): Promise<Connection> {
    if (!this.holds(address)) return libp2p.dial(multiaddr(address), options)
    this.#dialling.set(address, (this.#dialling.get(address) ?? 0) + 1)
    try {
      return await libp2p.dial(multiaddr(address), options)
    } finally {
      const count = (this.#dialling.get(address) ?? 1) - 1
      if (count === 0) this.#dialling.delete(address)
      else this.#dialling.set(address, count)
    }
  }

  /** For a service of libp2p: what it registers is not for such connections, in neither direction. */
  guarded<Components extends { readonly registrar: Registrar }>(components: Components): Components {
    const { registrar } = components
    const guarded: Pick<Registrar, 'handle' | 'register'> = {
      handle: (protocol, handler, options) =>
        registrar.handle(
          protocol,
          (stream, connection) => {
            if (!this.has(connection)) return handler(stream, connection)
            stream.abort(new Error('a relay outside the overlay takes no part in it'))
          },
          options,
        ),
      register: (protocol, topology) =>
        registrar.register(protocol, {
          ...topology,
          onConnect: async (peer, connection) => {
            if (!this.has(connection)) await topology.onConnect?.(peer, connection)
          },
        }),
    }
    return replacing(components, { registrar: replacing(registrar, guarded) } as Partial<Components>)
  }
}
