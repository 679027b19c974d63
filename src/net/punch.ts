/**
 * Hole punching for TCP: libp2p's own DCUtR, made to work where its dials cannot (libp2p/js-libp2p#2620).
 *
 * DCUtR has two nodes behind NATs, connected through a relay, dial each other at the same moment, so that each NAT takes what
 * comes in for the answer to what went out. For that both must know from which port the other's dial will come. Node cannot
 * dial from a port that it listens on, so libp2p announces ports that no dial comes from, and no hole is ever punched. Here
 * each try has a port of its own: it is announced with the address at which others see this node, in the hope that the NAT keeps
 * ports as most do, and dialled from. Where the NAT does not, the connection stays relayed.
 */
import { isIPv4 } from 'node:net'
import type { DCUtRServiceComponents } from '@libp2p/dcutr'
import type { Connection, IdentifyResult, Libp2pEvents, PeerId, TypedEventTarget, Upgrader } from '@libp2p/interface'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { PUNCH_PORT_MAX, PUNCH_PORT_MIN, PUNCH_PORT_MS } from './limits.ts'
import { replacing } from './replacing.ts'

interface PunchComponents extends DCUtRServiceComponents {
  readonly peerId: PeerId
  readonly events: TypedEventTarget<Libp2pEvents>
  readonly upgrader: Upgrader
}

type ConnectionManager = DCUtRServiceComponents['connectionManager']
type OpenOptions = NonNullable<Parameters<ConnectionManager['openConnection']>[1]>

/** The service for libp2p's configuration. */
export function punching(dcutr: (components: DCUtRServiceComponents) => unknown) {
  return (components: PunchComponents): unknown => {
    const hole = new Hole(components)
    return dcutr({
      peerStore: components.peerStore,
      registrar: components.registrar,
      transportManager: components.transportManager,
      logger: components.logger,
      addressManager: replacing(components.addressManager, { getAddresses: () => hole.addresses() }),
      connectionManager: replacing(components.connectionManager, {
        // A dial without a priority is that to an address which is public anyway.
        openConnection: (to, options) =>
          Array.isArray(to) && options?.priority !== undefined
            ? hole.punch(to, options)
            : components.connectionManager.openConnection(to, options),
      }),
    })
  }
}

class Hole {
  readonly #components: PunchComponents
  /** Where others saw this node last, by family. */
  readonly #seen = new Map<'ip4' | 'ip6', string>()
  #port = 0
  #portMs = 0

  constructor(components: PunchComponents) {
    this.#components = components
    components.events.addEventListener('peer:identify', ({ detail }) => this.#onIdentified(detail))
  }

  #onIdentified({ observedAddr, connection }: IdentifyResult): void {
    const [host] = observedAddr?.getComponents() ?? []
    if (host?.value === undefined || !connection.direct) return
    if (host.name === 'ip4' || host.name === 'ip6') this.#seen.set(host.name, host.value)
  }

  /** Where the other side is to dial now: those that libp2p knows of, and the port of this try. */
  addresses(): Multiaddr[] {
    const { addressManager, peerId } = this.#components
    if (Date.now() - this.#portMs > PUNCH_PORT_MS) {
      this.#port = PUNCH_PORT_MIN + Math.floor(Math.random() * (PUNCH_PORT_MAX - PUNCH_PORT_MIN))
      this.#portMs = Date.now()
    }
    const hoped = [...this.#seen].map(
      ([family, host]) => `/${family}/${host}/tcp/${this.#port}/p2p/${peerId.toString()}`,
    )
    return [...hoped.map((text) => multiaddr(text)), ...addressManager.getAddresses()]
  }

  /** Dials all at the same time, from the port of this try; the first connection is the one. */
  async punch(addresses: Multiaddr[], options: OpenOptions): Promise<Connection> {
    // Node ends a socket by the signal that it was opened with, long after it is open: each has its own, and the one that opened
    // is let go of.
    const tries = new Set<AbortController>()
    const giveUp = (): void => {
      for (const each of tries) each.abort(options.signal?.reason)
    }
    options.signal?.addEventListener('abort', giveUp)
    try {
      return await Promise.any(
        addresses.map(async (address) => {
          const abort = new AbortController()
          tries.add(abort)
          const connection = await this.#dial(address, { ...options, signal: abort.signal })
          tries.delete(abort)
          return connection
        }),
      )
    } finally {
      options.signal?.removeEventListener('abort', giveUp)
      giveUp()
    }
  }

  async #dial(address: Multiaddr, options: OpenOptions & { readonly signal: AbortSignal }): Promise<Connection> {
    const { transportManager, upgrader } = this.#components
    const transport = transportManager.dialTransportForMultiaddr(address)
    if (transport === undefined) throw new Error(`nothing dials ${address.toString()}`)
    const local = { localPort: this.#port, localAddress: isIPv4(hostOf(address)) ? '0.0.0.0' : '::' }
    return transport.dial(address, { ...options, ...local, upgrader: asDialled(upgrader, options.initiator) })
  }
}

/** Both sides dial, so one of them must behave as if it had been: in the handshakes, and in numbering its streams. */
function asDialled(upgrader: Upgrader, initiator: boolean | undefined): Upgrader {
  if (initiator !== false) return upgrader
  return replacing(upgrader, {
    upgradeOutbound: (connection, options) => {
      ;(connection as { direction: 'inbound' | 'outbound' }).direction = 'inbound'
      return upgrader.upgradeOutbound(connection, { ...options, initiator: false })
    },
  })
}

function hostOf(address: Multiaddr): string {
  return address.getComponents()[0]?.value ?? ''
}
