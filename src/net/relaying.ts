/**
 * The parts of libp2p for relays (circuit relay v2) and hole punching (DCUtR), loaded only when they are switched on: a node
 * that stays on its LAN neither starts slower nor grows. How long and how much a relay carries is in `options.ts`.
 */
import type { Libp2pOptions } from 'libp2p'
import type { CircuitRelayTransportComponents } from '@libp2p/circuit-relay-v2'
import { multiaddr } from '@multiformats/multiaddr'
import { DEFAULT_RELAY, type RelayChoice } from './options.ts'
import {
  CIRCUITS_PER_PEER_MAX,
  RELAY_CONNECTION_BYTES_MIN,
  RELAY_CONNECTION_MS_MAX,
  RELAY_CONNECTION_MS_MIN,
  RELAY_NODES_MAX,
  RELAY_RESERVATION_MS,
  RESERVATION_TIMEOUT_MS,
} from './limits.ts'
import { punching } from './punch.ts'

export interface RelayingChoice {
  /** Serves as a relay. */
  readonly serve: RelayChoice | undefined
  /** Dials through relays, and may be reached through them. */
  readonly reach: boolean
}

export interface Relaying {
  readonly transports: NonNullable<Libp2pOptions['transports']>
  readonly services: NonNullable<Libp2pOptions['services']>
  /** Reserves a place at a relay that is connected, or refreshes it, so that this node listens there. */
  reserve(relayAddress: string): Promise<void>
}

export async function loadRelaying({ serve, reach }: RelayingChoice): Promise<Relaying> {
  const transports: Relaying['transports'] = []
  const services: Relaying['services'] = {}
  let components: CircuitRelayTransportComponents | undefined
  if (serve !== undefined || reach) {
    const { circuitRelayServer, circuitRelayTransport } = await import('@libp2p/circuit-relay-v2')
    if (serve !== undefined) services['relay'] = circuitRelayServer(serverInit(serve))
    if (reach) {
      const { dcutr } = await import('@libp2p/dcutr')
      const transport = circuitRelayTransport({ reservationCompletionTimeout: RESERVATION_TIMEOUT_MS })
      transports.push((given) => {
        components = given
        return transport(given)
      })
      services['dcutr'] = punching(dcutr())
    }
  }
  const listeners = new Map<string, Listener>()
  return {
    transports,
    services,
    async reserve(relayAddress) {
      if (components === undefined) throw new Error('libp2p was not made with these transports')
      const { transportManager } = components
      const address = multiaddr(`${relayAddress}/p2p-circuit`)
      const known = listeners.get(relayAddress)
      // libp2p makes a new listener each time and never lets it go.
      if (known !== undefined) return known.listen(address)
      const before = new Set(transportManager.getListeners())
      try {
        await transportManager.listen([address])
      } finally {
        const made = transportManager.getListeners().find((listener) => !before.has(listener))
        if (made !== undefined) listeners.set(relayAddress, made)
      }
    },
  }
}

type Listener = ReturnType<CircuitRelayTransportComponents['transportManager']['getListeners']>[number]

function serverInit(choice: RelayChoice) {
  const { nodesMax, connectionBytesMax, connectionMs } = { ...DEFAULT_RELAY, ...choice }
  return {
    maxInboundHopStreams: CIRCUITS_PER_PEER_MAX,
    maxOutboundStopStreams: CIRCUITS_PER_PEER_MAX,
    reservations: {
      maxReservations: within(nodesMax, 1, RELAY_NODES_MAX),
      reservationTtl: RELAY_RESERVATION_MS,
      defaultDurationLimit: within(connectionMs, RELAY_CONNECTION_MS_MIN, RELAY_CONNECTION_MS_MAX),
      defaultDataLimit: BigInt(within(connectionBytesMax, RELAY_CONNECTION_BYTES_MIN, Number.MAX_SAFE_INTEGER)),
    },
  }
}

function within(value: number, min: number, max: number): number {
  return Math.min(Math.max(min, Math.floor(value)), max)
}
