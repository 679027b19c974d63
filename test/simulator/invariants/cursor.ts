/**
 * What an application is told by the cursor of deltas, over crashes and restarts: everything, each log in its order, never
 * twice, never backwards. This is what every kind of delivery stands on; `causal` adds dependencies between logs.
 */

import { compareTime, laterTime, type Time, TIME_ZERO } from '../../../src/delta/clock.ts'
import type { Invariant } from '../invariant.ts'
import type { Told } from '../follower.ts'

export const cursorOrder: Invariant = {
  name: 'cursor order',
  inTheEnd: (world) => world.members.flatMap(({ follower }) => disorder(follower.name, follower.told)),
}

export const cursorTellsAll: Invariant = {
  name: 'cursor tells all',
  inTheEnd: (world) =>
    world.members.flatMap(({ machine, follower }) => {
      const told = new Set<string>(follower.told.map(({ delta }) => delta.id))
      const missed = world.witness
        .mustSurvive()
        .filter((id) => machine.store?.delta(world.namespace, id) && !told.has(id))
      return missed.length === 0
        ? []
        : [`${follower.name} was not told of ${missed.length} deltas, ${missed[0]} among them`]
    }),
}

/** What a node writes is later than all that it had taken in. */
export const clockOrder: Invariant = {
  name: 'clock order',
  inTheEnd: (world) =>
    world.members.flatMap((member) => {
      const { machine, follower } = member
      if (world.witness.isDisordered(member)) return []
      let latest: Time = TIME_ZERO
      return follower.told.flatMap(({ delta }) => {
        const isOwn = delta.creator === machine.peerId && delta.index === 0
        const isLate = isOwn && compareTime(delta.time, latest) <= 0
        latest = laterTime(latest, delta.time)
        return isLate ? [`${machine.name} dated ${delta.id} before what it had taken in`] : []
      })
    }),
}

function disorder(name: string, told: readonly Told[]): readonly string[] {
  const ids = new Set<string>()
  const newest = new Map<string, number>()
  const found: string[] = []
  let position = 0
  for (const { position: next, delta } of told) {
    const log = `${delta.creator}/${delta.log}`
    const before = newest.get(log) ?? -1
    if (ids.has(delta.id)) found.push(`${name} was told ${delta.id} twice`)
    if (next < position) found.push(`${name} was told of position ${next} after ${position}`)
    if (delta.seq !== before && delta.seq !== before + 1)
      found.push(`${name} was told block ${delta.seq} of ${log} after ${before}`)
    ids.add(delta.id)
    newest.set(log, delta.seq)
    position = next
  }
  return found
}
