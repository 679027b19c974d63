/**
 * How deltas are read as rows: which one value a property has, and whether a delta stands. The one place where a context
 * and its resolvers enter a query. A property whose resolver fails is a column that the row lacks.
 */

import { type Delta, isReference, type Value } from '../delta/delta.ts'
import type { EntityDeltas } from '../store/store.ts'
import { type Context, OPEN_CONTEXT, viewIn } from '../view/contexts/context.ts'
import { NO_RESOLVERS, type ResolverSet } from '../view/resolvers/resolver-set.ts'

export interface Reading {
  /** The properties that have a value; undefined when none does. */
  properties(entity: string, held: EntityDeltas): { readonly [property: string]: Value } | undefined
  /** Whether a delta is seen and not negated. Of one that points at an entity at least. */
  stands(delta: Delta, negations: readonly Delta[]): boolean
}

/** What `context` shows; `resolvers` are those in force in it (`resolversIn`). */
export function readingIn(context: Context, resolvers: ResolverSet): Reading {
  return {
    properties(entity, { deltas, negations }) {
      const { properties } = viewIn(context, resolvers, entity, deltas, negations).lossy
      return Object.keys(properties).length === 0 ? undefined : properties
    },
    stands(delta, negations) {
      if (negations.length === 0 && context.filter === undefined) return true
      const about = delta.pointers.find(isReference)
      if (about === undefined) return false
      const { properties } = viewIn(context, NO_RESOLVERS, about.target, [delta], negations).lossless
      return properties[about.targetContext]?.some((claim) => claim.standing) ?? false
    },
  }
}

/** The latest standing claim of each property; everyone's negations count. */
export const LATEST: Reading = readingIn(OPEN_CONTEXT, NO_RESOLVERS)
