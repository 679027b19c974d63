/**
 * What each kind of delivery promises, held against what applications were handed (receiver.ts). Looked at in the histories
 * that deliver: receipts and three subscriptions for each machine make one take several times as long.
 */

import type { Invariant } from '../invariant.ts'
import { DELIVERIES, type DeliveryKind } from '../receiver.ts'
import type { World } from '../world.ts'

/** In causal order, and nothing twice in one life. */
export const deliveryOrder: Invariant = {
  name: 'delivery order',
  inTheEnd: (world) => world.members.flatMap(({ receiver }) => receiver.faults.slice(0, 3)),
}

/**
 * Reliable: every correct node is handed everything that survives. Causal and uniform too, unless a disk has lost what others
 * depend on, or what its node had given receipts for.
 */
export const deliveryOfAll: Invariant = {
  name: 'delivery of all',
  inTheEnd: (world) => (world.delivers ? DELIVERIES.flatMap((kind) => undelivered(world, kind)) : []),
}

/** What anybody was handed by `uniform` is on every node, whatever became of those who were handed it. */
export const uniformAgreement: Invariant = {
  name: 'uniform agreement',
  inTheEnd: (world) => {
    if (!world.delivers || 2 * world.witness.losers().length >= world.members.length) return []
    const handed = new Set(world.members.flatMap(({ receiver }) => [...receiver.handed.uniform]))
    return world.members.flatMap(({ machine }) => {
      const { store, name } = machine
      const lacked = [...handed].filter((id) => store?.delta(world.namespace, id) === undefined && !isVoid(world, id))
      return lacked.length === 0
        ? []
        : [`${name} lacks ${lacked.length} deltas that uniform handed out, ${lacked[0]} among them`]
    })
  },
}

/** Nothing is left of what is promised to be handed out. */
export function isAllDelivered(world: World): boolean {
  return DELIVERIES.every((kind) => undelivered(world, kind).length === 0)
}

function undelivered(world: World, kind: DeliveryKind): readonly string[] {
  if (kind !== 'reliable' && world.witness.losers().length > 0) return []
  const promised = world.witness.mustSurvive()
  return world.members.flatMap(({ receiver }) => {
    const missed = promised.filter((id) => !receiver.handed[kind].has(id))
    return missed.length === 0
      ? []
      : [`${receiver.name} was not handed ${missed.length} deltas by ${kind}, ${missed[0]} among them`]
  })
}

/** Of a log that an author has forked since: that is the author's doing, and no matter of delivery. */
function isVoid(world: World, id: string): boolean {
  return !world.witness.acknowledgedIds().some((known) => known === id)
}
