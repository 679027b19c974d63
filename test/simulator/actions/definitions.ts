/** Resolvers and contexts, written while the history goes on; and reads, so that whatever is kept of views is in use. */

import { fromTrustedFirst, SHIPPED_RESOLVERS } from '../../../src/view/resolvers/shipped.ts'
import { trustOnly } from '../../../src/view/contexts/context.ts'
import type { Value } from '../../../src/delta/delta.ts'
import type { ActionKind } from '../action.ts'
import { allViews, CONTEXTS } from '../views.ts'
import { COLLECTION, PROPERTIES } from './data.ts'

const RULES = Object.entries(SHIPPED_RESOLVERS) as readonly (readonly [string, Value])[]

export const resolver: ActionKind = {
  kind: 'resolver',
  weight: 1.5,
  draw: (random, machines) => {
    const [index, property, [name, rule]] = [random.below(machines), random.pick(PROPERTIES), random.pick(RULES)]
    const trusted = random.next() < 0.2 ? random.below(machines) : undefined
    return {
      told: `${index} for ${property}: ${trusted === undefined ? name : `of node-${trusted} first`}`,
      machines: [index],
      perform: (world) => {
        const member = world.running(index)
        const author = trusted === undefined ? undefined : world.member(trusted)?.machine.peerId
        const definition = {
          collection: COLLECTION,
          property,
          rule: author === undefined ? rule : fromTrustedFirst([author]),
        }
        if (member !== undefined) world.write(member, (namespace) => namespace.resolver(property, definition))
      },
    }
  },
}

export const context: ActionKind = {
  kind: 'context',
  weight: 1,
  draw: (random, machines) => {
    const [index, id] = [random.below(machines), random.pick(CONTEXTS)]
    const trusted = Array.from({ length: machines }, (_, machine) => machine).filter(() => random.next() < 0.6)
    const isTrust = random.next() < 0.5
    return {
      told: `${index} ${id}: ${isTrust ? `trusts ${trusted.join(', ')}` : "authors' negations"}`,
      machines: [index],
      perform: (world) => {
        const member = world.running(index)
        if (member === undefined) return
        const creators = trusted.flatMap((machine) => world.member(machine)?.machine.peerId ?? [])
        world.write(member, (namespace) =>
          namespace.context(id, isTrust ? trustOnly(creators) : { negations: 'author' }),
        )
      },
    }
  },
}

export const read: ActionKind = {
  kind: 'read',
  weight: 2,
  draw: (random, machines) => {
    const index = random.below(machines)
    return {
      told: `${index} everything`,
      machines: [index],
      perform: (world) => {
        const member = world.running(index)
        if (member !== undefined) allViews(world.namespaceOf(member))
      },
    }
  },
}
