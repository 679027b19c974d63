/** Peers as people are shown them: connection, membership and sync state put together. */

import type { PeerId } from '../delta/delta.ts'
import { parsePeerId } from '../delta/identifiers.ts'
import type { NamespaceId } from '../log/namespace.ts'
import type { NetPeer } from '../net/net.ts'
import type { Member, MemberState } from '../sync/members/member.ts'
import type { Replication } from '../sync/replication.ts'

export interface PeerSummary {
  readonly id: PeerId
  /** As the peer calls itself; absent until it has said so. */
  readonly name?: string
  readonly self: boolean
  readonly connected: boolean
  /** Multiaddrs to dial it at. Of one that dialled us directly, what it says of itself: the port it came from leads nowhere. */
  readonly addresses: readonly string[]
  /** Connected through a relay, for want of a direct connection. */
  readonly isRelayed?: boolean
  /** Those of ours that it holds too. */
  readonly namespaces: readonly string[]
  readonly roundTripMs?: number
  /** How far its clock is ahead of ours; negative when it is behind. */
  readonly clockOffsetMs?: number
  /** The worst of its states over the namespaces; `apart` when it is not connected. */
  readonly state: 'self' | 'connected' | 'syncing' | 'in sync' | 'behind' | 'failing' | 'apart'
  /** How it stands as a member, the best of the namespaces; absent until it has told its presence. */
  readonly member?: MemberState
  /** Collections that it holds of those namespaces; absent until it has told them. */
  readonly tags?: readonly string[]
  /** Of its software. */
  readonly version?: string
  /** Blocks that it has shown and this node lacks, over the namespaces. */
  readonly behindBlocks?: number
  /** When it was last heard, by this node's clock, milliseconds since 1970. */
  readonly lastHeardMs?: number
}

const STATES = ['connected', 'in sync', 'syncing', 'behind', 'failing'] as const
const MEMBER_STATES = ['alive', 'suspect', 'down', 'left'] as const
const TAGS_SHOWN_MAX = 64

/** What a peer has told of itself in the namespaces that this node holds. */
type Told = [ToldIn, ...ToldIn[]]

interface ToldIn {
  readonly namespace: string
  readonly member: Member
}

export interface PeersOptions {
  /** Members too that are not connected: suspect, down, left, or only heard of. Default false. */
  readonly all?: boolean
}

export function summarise(
  connected: readonly NetPeer[],
  namespaces: readonly { readonly name: string; readonly id: NamespaceId }[],
  replication: Replication,
  { all = false }: PeersOptions = {},
): readonly PeerSummary[] {
  const known = namespaces.flatMap(({ name, id }) =>
    replication.peers(id).map((state) => ({ namespace: name, ...state })),
  )
  const members = new Map<string, Told>()
  for (const { name, id } of namespaces) {
    for (const member of replication.members(id)) {
      const told = { namespace: name, member }
      const earlier = members.get(member.peer)
      if (earlier === undefined) members.set(member.peer, [told])
      else earlier.push(told)
    }
  }
  const here = connected.map((peer): PeerSummary => {
    const id = parsePeerId(peer.id)
    const states = known.filter((state) => state.peer === id)
    const name = states.find((state) => state.name !== undefined)?.name
    const clockOffsetMs = states.find((state) => state.clockOffsetMs !== undefined)?.clockOffsetMs
    const roundTripMs = states.find((state) => state.roundTripMs !== undefined)?.roundTripMs ?? peer.roundTripMs
    const worst = Math.max(0, ...states.map((state) => STATES.indexOf(state.state)))
    return {
      id,
      self: false,
      connected: true,
      addresses: dialable(peer),
      isRelayed: peer.isRelayed,
      namespaces: states.map((state) => state.namespace),
      state: STATES[worst] ?? 'connected',
      ...membership(members.get(id)),
      ...(name === undefined ? {} : { name }),
      ...(roundTripMs === undefined ? {} : { roundTripMs }),
      ...(clockOffsetMs === undefined ? {} : { clockOffsetMs }),
      ...(states.length === 0 ? {} : { behindBlocks: states.reduce((sum, state) => sum + state.behindBlocks, 0) }),
    }
  })
  if (!all) return here
  const present = new Set<string>(here.map(({ id }) => id))
  const apart = [...members].flatMap(([id, of]) => (present.has(id) ? [] : [summaryOf(of)]))
  return [...here, ...apart.toSorted((a, b) => (a.id < b.id ? -1 : 1))]
}

/** Of one that is not connected, from what it has told. */
function summaryOf(told: Told): PeerSummary {
  const { peer, addresses } = newestOf(told)
  const namespaces = told.map(({ namespace }) => namespace)
  return { id: peer, self: false, connected: false, addresses, namespaces, state: 'apart', ...membership(told) }
}

function membership(told: Told | undefined): Partial<PeerSummary> {
  if (told === undefined) return {}
  const { name, version, lastHeardMs, state } = newestOf(told)
  const best = Math.min(...told.map(({ member }) => MEMBER_STATES.indexOf(member.state)))
  const tags = [...new Set(told.flatMap(({ member }) => member.tags))].slice(0, TAGS_SHOWN_MAX)
  return { name, version, member: MEMBER_STATES[best] ?? state, tags, lastHeardMs }
}

function newestOf([{ member: first }, ...rest]: Told): Member {
  return rest.reduce((best, { member }) => (member.lastHeardMs > best.lastHeardMs ? member : best), first)
}

function dialable({ direction, isRelayed, addresses }: NetPeer): readonly string[] {
  const [, ...announced] = addresses
  return direction === 'inbound' && !isRelayed && announced.length > 0 ? announced : addresses
}
