/** Peers as people are shown them: connection and sync state put together. */

import type { PeerId } from '../delta/delta.ts'
import { parsePeerId } from '../delta/identifiers.ts'
import type { NetPeer } from '../net/net.ts'
import type { Replication } from '../sync/replication.ts'
import type { Namespace } from './namespace.ts'

export interface PeerSummary {
  readonly id: PeerId
  /** As the peer calls itself; absent until it has said so. */
  readonly name?: string
  readonly self: boolean
  readonly connected: boolean
  /** Multiaddrs to dial it at. Of one that dialled us, what it says of itself: the port it came from leads nowhere. */
  readonly addresses: readonly string[]
  /** Those of ours that it holds too. */
  readonly namespaces: readonly string[]
  readonly roundTripMs?: number
  /** How far its clock is ahead of ours; negative when it is behind. */
  readonly clockOffsetMs?: number
  /** The worst of its states over the namespaces. */
  readonly state: 'self' | 'connected' | 'syncing' | 'in sync' | 'behind' | 'failing'
}

const STATES = ['connected', 'in sync', 'syncing', 'behind', 'failing'] as const

export function summarise(
  connected: readonly NetPeer[],
  namespaces: readonly Namespace[],
  replication: Replication,
): readonly PeerSummary[] {
  const known = namespaces.flatMap(({ name, id }) =>
    replication.peers(id).map((state) => ({ namespace: name, ...state })),
  )
  return connected.map((peer) => {
    const id = parsePeerId(peer.id)
    const states = known.filter((state) => state.peer === id)
    const name = states.find((state) => state.name !== undefined)?.name
    const clockOffsetMs = states.find((state) => state.clockOffsetMs !== undefined)?.clockOffsetMs
    const worst = Math.max(0, ...states.map((state) => STATES.indexOf(state.state)))
    return {
      id,
      self: false,
      connected: true,
      addresses: dialable(peer),
      namespaces: states.map((state) => state.namespace),
      state: STATES[worst] ?? 'connected',
      ...(name === undefined ? {} : { name }),
      ...(peer.roundTripMs === undefined ? {} : { roundTripMs: peer.roundTripMs }),
      ...(clockOffsetMs === undefined ? {} : { clockOffsetMs }),
    }
  })
}

function dialable({ direction, addresses }: NetPeer): readonly string[] {
  const [, ...announced] = addresses
  return direction === 'inbound' && announced.length > 0 ? announced : addresses
}
