/**
 * What membership costs as members grow, on virtual time: every member's own schedule of presences, and the graph that the
 * network's rule of degree makes of them. Signatures and sockets are left out: what is counted does not depend on them.
 */

import { wantedPeers } from '../../src/net/degree.ts'
import { seededRandom } from '../../src/testing/seeded-random.ts'
import { Announcing } from '../../src/sync/members/announcing.ts'
import type { DetectorOptions } from '../../src/sync/members/detector.ts'

const STEP_MS = 100

/** Presences per second that each node is told, its own among them, once each; gossip brings each by several neighbours. */
export function presencesPerSecond(options: {
  readonly members: number
  readonly detector: DetectorOptions
  readonly seconds: number
}): number {
  const { members, detector, seconds } = options
  const random = seededRandom(1)
  const intervalMs = Math.max(detector.presenceMs, Math.ceil((members * 1_000) / detector.presencesPerSecond))
  const all = Array.from({ length: members }, () => new Announcing({ incarnation: 1, random: () => random.next() }))
  // Started together, as after a cut of power: the spread of the intervals drives them apart.
  let told = 0
  for (let nowMs = 0; nowMs < seconds * 1_000; nowMs += STEP_MS) {
    for (const each of all) {
      if (!each.isDue(nowMs)) continue
      each.next(nowMs, intervalMs)
      if (nowMs > 0) told++
    }
  }
  return told / seconds
}

/** How many each member is connected to, dialled by either side: to each of them goes a heartbeat, and one comes. */
export function degreesOf(members: number): readonly number[] {
  const ids = Array.from({ length: members }, (_, index) => `peer-${index}`)
  const neighbours = new Map(ids.map((id) => [id, new Set<string>()]))
  for (const id of ids) {
    const others = ids.filter((other) => other !== id).map((other) => ({ id: other, connected: false, failing: false }))
    for (const wanted of wantedPeers(id, others)) {
      neighbours.get(id)?.add(wanted)
      neighbours.get(wanted)?.add(id)
    }
  }
  return [...neighbours.values()].map((each) => each.size)
}
