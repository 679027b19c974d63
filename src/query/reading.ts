/**
 * How deltas are read as rows: which one value a property has, and whether a delta stands. The one place where a context
 * (resolvers, whose negations count) enters a query.
 */

import { type Delta, isReference, type Value } from '../delta/delta.ts'
import type { EntityDeltas } from '../store/store.ts'
import { latestView } from '../view/latest.ts'
import { losslessView } from '../view/lossless.ts'

export interface Reading {
  /** The properties of which something stands; undefined when nothing does. */
  properties(entity: string, held: EntityDeltas): { readonly [property: string]: Value } | undefined
  /** Of a delta that points at an entity at least. */
  stands(delta: Delta, negations: readonly Delta[]): boolean
}

/** The latest standing claim of each property; everyone's negations count. */
export const LATEST: Reading = {
  properties(entity, { deltas, negations }) {
    const { properties } = latestView(losslessView(entity, deltas, negations))
    return Object.keys(properties).length === 0 ? undefined : properties
  },
  stands(delta, negations) {
    if (negations.length === 0) return true
    const about = delta.pointers.find(isReference)
    if (about === undefined) return false
    const claims = losslessView(about.target, [delta], negations).properties[about.targetContext]
    return claims?.some((claim) => claim.standing) ?? false
  },
}
