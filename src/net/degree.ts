/**
 * Which of the known peers a node wants to be connected to. Pure and deterministic: no clock, no random numbers.
 *
 * Up to FULL_MESH_NODES_MAX nodes: all. Beyond that every node wants
 * - its next RING_SUCCESSORS reachable neighbours on the ring of SHA-256(peer id), and
 * - RENDEZVOUS_PEERS more: those with the smallest SHA-256(self, peer), as good as random and yet stable.
 *
 * Why the graph stays connected: follow each node's first reachable successor. On a ring whose nodes know each other these
 * edges alone form one cycle through all of them, whatever else is there. A dead successor is stepped over, so a death
 * opens no gap; a second successor covers the moment until it is noticed. The rendezvous edges do not depend on the ring:
 * they keep the graph whole with high probability while nodes know only a part of each other, and its diameter small.
 * The degree is bounded: a node dials at most RING_SUCCESSORS + RENDEZVOUS_PEERS and is dialled by as many on average.
 * Connections that exist are kept, whoever began them: closing a good one gains nothing.
 */
import { createHash } from 'node:crypto'
import { FULL_MESH_NODES_MAX, RENDEZVOUS_PEERS, RING_SUCCESSORS } from './limits.ts'
import type { PeerIdText } from './net.ts'

export interface Candidate {
  readonly id: PeerIdText
  readonly connected: boolean
  /** Dialled in vain since it was last heard of. It stays wanted, but others are wanted in its place as well. */
  readonly failing: boolean
}

/** The ids to dial, a superset of none: peers that are connected already may be among them. */
export function wantedPeers(self: PeerIdText, candidates: readonly Candidate[]): ReadonlySet<PeerIdText> {
  if (candidates.length < FULL_MESH_NODES_MAX) return new Set(candidates.map((candidate) => candidate.id))
  const start = ringPosition(self)
  const ring = ordered(candidates, ({ id }) => {
    const position = ringPosition(id)
    return (position > start ? '0' : '1') + position
  })
  const rendezvous = ordered(candidates, ({ id }) => rendezvousRank(self, id))
  const wanted = new Set<PeerIdText>()
  takeReachable(ring, RING_SUCCESSORS, wanted)
  takeReachable(rendezvous, RING_SUCCESSORS + RENDEZVOUS_PEERS, wanted)
  return wanted
}

/** Adds from the front until `count` of the wanted are not failing; failing ones on the way are added too, at no cost. */
function takeReachable(order: readonly Candidate[], count: number, wanted: Set<PeerIdText>): void {
  let reachableCount = order.filter(({ id, failing }) => !failing && wanted.has(id)).length
  for (const { id, failing } of order) {
    if (reachableCount >= count) return
    if (!failing && !wanted.has(id)) reachableCount += 1
    wanted.add(id)
  }
}

function ordered(candidates: readonly Candidate[], keyOf: (candidate: Candidate) => string): readonly Candidate[] {
  return candidates
    .map((candidate) => ({ candidate, key: keyOf(candidate) }))
    .toSorted((a, b) => (a.key < b.key ? -1 : 1))
    .map(({ candidate }) => candidate)
}

function ringPosition(id: PeerIdText): string {
  return createHash('sha256').update(id).digest('hex')
}

function rendezvousRank(self: PeerIdText, id: PeerIdText): string {
  return createHash('sha256').update(self).update('\0').update(id).digest('hex')
}
