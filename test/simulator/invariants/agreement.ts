/** All nodes end with the same set and see the same in it. */

import { digestOf } from '../../../src/log/frontier.ts'
import type { Namespace } from '../../../src/node/namespace.ts'
import type { ViewOptions } from '../../../src/node/views.ts'
import type { Invariant } from '../invariant.ts'
import type { Member, World } from '../world.ts'
import { allViews } from '../views.ts'

export function digest(world: World, { machine }: Member): string {
  return machine.store === undefined
    ? 'down'
    : Buffer.from(digestOf(machine.store.frontier(world.namespace))).toString('hex')
}

export const equalFrontiers: Invariant = {
  name: 'frontiers',
  inTheEnd: (world) => {
    const [first, ...others] = world.members
    if (first === undefined) return []
    const wanted = digest(world, first)
    return others
      .filter((other) => digest(world, other) !== wanted)
      .map((other) => `${other.machine.name} holds other blocks than ${first.machine.name}`)
  },
}

/** Byte for byte: lossless, lossy, and in each context. */
export const equalViews: Invariant = {
  name: 'views',
  inTheEnd: (world) => {
    const [first, ...others] = world.members
    if (first === undefined) return []
    return others.flatMap((other) => {
      if (digest(world, other) !== digest(world, first)) return []
      const of = `${other.machine.name} and ${first.machine.name}`
      return viewDifferences(of, world.namespaceOf(other), world.namespaceOf(first))
    })
  },
}

/** What a node keeps of views and definitions is what it would make anew: a moment's views are made anew. */
export const keptViews: Invariant = {
  name: 'kept views',
  inTheEnd: (world) =>
    world.members.flatMap((member) => {
      const namespace = world.namespaceOf(member)
      const of = `${member.machine.name} as it keeps them and as it makes them anew`
      return viewDifferences(of, namespace, namespace, { asOf: namespace.frontier() })
    }),
}

/** Between what the one shows now, and the other as of `moment`. */
export function viewDifferences(
  of: string,
  ...[shown, wanted, moment]: readonly [Namespace, Namespace, Pick<ViewOptions, 'asOf'>?]
): readonly string[] {
  const [one, other] = [allViews(shown), allViews(wanted, moment)]
  const kinds = (['lossless', 'lossy'] as const).filter((kind) => one[kind] !== other[kind])
  const contexts = one.contexts.flatMap((text, index) => (text === other.contexts[index] ? [] : [`context ${index}`]))
  return [...kinds, ...contexts].map((kind) => `${of} differ in their ${kind} views`)
}
