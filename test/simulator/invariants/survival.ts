/** What was acknowledged survives, as far as the durability of the disk that acknowledged it promises. */

import { FORGED } from '../liar.ts'
import type { Invariant } from '../invariant.ts'

export const survival: Invariant = {
  name: 'survival',
  inTheEnd: (world) => {
    const promised = world.witness.mustSurvive()
    return world.members.flatMap(({ machine }) => {
      const lost = promised.filter((id) => machine.store?.delta(world.namespace, id) === undefined)
      return lost.length === 0
        ? []
        : [`${machine.name} lacks ${lost.length} acknowledged deltas, ${lost[0]} among them`]
    })
  },
}

/** Liars sign in the names of others, about this collection alone. */
export const nothingForged: Invariant = {
  name: 'nothing forged',
  throughout: (world) =>
    world.members
      .filter(
        ({ machine }) =>
          (machine.store?.entities(world.namespace, { prefix: `${FORGED}/`, countMax: 1 }) ?? []).length > 0,
      )
      .map(({ machine }) => `${machine.name} holds what another signed in the name of a node`),
}

/** A log whose owner keeps to the rules has one history: a fork of one would cost its owner what was written there. */
export const honestLogs: Invariant = {
  name: 'honest logs',
  throughout: (world) => {
    const honest = new Set<string>(world.members.map(({ machine }) => machine.peerId))
    return world.members.flatMap(({ machine }) =>
      (machine.store?.frontier(world.namespace) ?? [])
        .filter(({ log, cut }) => cut !== undefined && honest.has(log.slice(0, log.indexOf('/'))))
        .map(({ log }) => `${machine.name} holds ${log} to be forked`),
    )
  },
}
