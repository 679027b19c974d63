/**
 * How deltas are read as rows: which one value a property has, and whether a delta stands. The one place where a context
 * and its resolvers enter a query. A property whose resolver fails is a column that the row lacks.
 */

import { type Delta, isReference, type Value } from '../delta/delta.ts'
import type { EntityDeltas } from '../store/store.ts'
import { type Context, OPEN_CONTEXT, viewIn } from '../view/contexts/context.ts'
import type { GasMeter } from '../view/lossy.ts'
import { NO_RESOLVERS, type ResolverSet } from '../view/resolvers/resolver-set.ts'
import type { Lens, ReadCache } from './read-cache.ts'

/** The properties of an entity that have a value. */
export interface ReadProperties {
  /** Undefined when none has. */
  readonly properties: { readonly [property: string]: Value } | undefined
  /** Deltas and negations of which they are made. */
  readonly deltaCount: number
  /** What the rules of its resolvers took. */
  readonly gasUsed: number
}

export interface Reading {
  /** `held` is asked for what the store holds where that is not known. */
  properties(entity: string, held: () => EntityDeltas): ReadProperties
  /** Whether a delta is seen and not negated. Of one that points at an entity at least. `spent` is told what that took. */
  stands(delta: Delta, negations: readonly Delta[], spent: GasMeter): boolean
}

/** What `context` shows; `resolvers` are those in force in it (`resolversIn`). */
export function readingIn(context: Context, resolvers: ResolverSet): Reading {
  return {
    properties(entity, held) {
      const { deltas, negations } = held()
      const { lossy, gasUsed } = viewIn(context, resolvers, entity, deltas, negations)
      return { properties: unlessEmpty(lossy.properties), deltaCount: deltas.length + negations.length, gasUsed }
    },
    stands: (delta, negations, spent) => standsIn(context, delta, negations, spent),
  }
}

/** As `readingIn`, of the current moment, by views that are kept. */
export function keptReading(cache: ReadCache, lens: Lens): Reading {
  return {
    properties(entity, held) {
      const { lossy, deltaCount, gasUsed } = cache.view(entity, lens, held)
      return { properties: unlessEmpty(lossy.properties), deltaCount, gasUsed }
    },
    stands: (delta, negations, spent) => standsIn(lens.context, delta, negations, spent),
  }
}

function standsIn(context: Context, delta: Delta, negations: readonly Delta[], spent: GasMeter): boolean {
  if (negations.length === 0 && context.filter === undefined) return true
  const about = delta.pointers.find(isReference)
  if (about === undefined) return false
  const { lossless, gasUsed } = viewIn(context, NO_RESOLVERS, about.target, [delta], negations)
  spent(gasUsed)
  const { properties } = lossless
  return properties[about.targetContext]?.some((claim) => claim.standing) ?? false
}

function unlessEmpty(properties: { readonly [property: string]: Value }): ReadProperties['properties'] {
  return Object.keys(properties).length === 0 ? undefined : properties
}

/** The latest standing claim of each property; everyone's negations count. */
export const LATEST: Reading = readingIn(OPEN_CONTEXT, NO_RESOLVERS)
