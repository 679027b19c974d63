/** The resolvers in force, by collection and property, and in which order they can read one another. */

import { compareUtf8 } from '../../delta/order.ts'
import type { DefinitionFault, DefinitionRecord } from '../definition.ts'
import { type Dependencies, dependenciesOf } from './dependencies.ts'
import { byClaim, type Resolver } from './resolver.ts'

export interface CollectionResolvers extends Dependencies {
  readonly byProperty: ReadonlyMap<string, Resolver>
}

export interface ResolverSet {
  readonly collections: ReadonlyMap<string, CollectionResolvers>
  /** Definitions that were passed over, to be reported. */
  readonly faults: readonly DefinitionFault[]
}

export const NO_RESOLVERS: ResolverSet = { collections: new Map(), faults: [] }

/**
 * All records' definitions for the same property compete, and the one claimed last is in force, in whatever order they
 * are handed in. `pinned` ones, which no record holds, take the place of all records'. A collection whose resolvers are those
 * that it has in `before` keeps that very object, so that what was made by them is known not to be old.
 */
export function resolverSet(
  records: readonly DefinitionRecord<Resolver>[],
  pinned: readonly Resolver[] = [],
  before: ResolverSet = NO_RESOLVERS,
): ResolverSet {
  const definitions = records.flatMap(({ definition }) => definition ?? [])
  const byCollection = new Map<string, Map<string, Resolver>>()
  for (const resolver of [...definitions.sort(byClaim), ...pinned]) {
    const { collection, property } = resolver.definition
    const properties = byCollection.get(collection) ?? new Map<string, Resolver>()
    byCollection.set(collection, properties.set(property, resolver))
  }
  return {
    collections: new Map(
      [...byCollection].map(([collection, byProperty]) => {
        const known = before.collections.get(collection)
        return [collection, known !== undefined && areSame(known.byProperty, byProperty) ? known : ordered(byProperty)]
      }),
    ),
    faults: records.flatMap((record) => record.faults),
  }
}

function areSame(a: ReadonlyMap<string, Resolver>, b: ReadonlyMap<string, Resolver>): boolean {
  return a.size === b.size && [...a].every(([property, resolver]) => b.get(property) === resolver)
}

/** The resolvers of `base`, but those of `above` where both have one. */
export function overlaid(base: ResolverSet, above: ResolverSet): ResolverSet {
  const collections = new Map(base.collections)
  for (const [collection, { byProperty }] of above.collections) {
    const below = collections.get(collection)?.byProperty ?? []
    collections.set(collection, ordered(new Map([...below, ...byProperty])))
  }
  return { collections, faults: [...base.faults, ...above.faults] }
}

function ordered(byProperty: ReadonlyMap<string, Resolver>): CollectionResolvers {
  const readsOf = (name: string) => byProperty.get(name)?.rule?.reads ?? []
  const reading = [...byProperty.keys()].filter((name) => readsOf(name).length > 0).sort(compareUtf8)
  return { byProperty, ...dependenciesOf(reading, readsOf) }
}
