/**
 * The default lossy view: of each property the value claimed last, in the total order, among the claims that stand.
 * A property without a standing claim is absent; `null` is a value like any other. design.md 5, Lossy.
 */

import type { Value } from '../delta/delta.ts'
import { type Claim, type LosslessView, mapOf } from './lossless.ts'

export interface LossyView {
  readonly id: string
  /** One value per property, ordered and without a prototype as in the lossless view. */
  readonly properties: { readonly [property: string]: Value }
}

export function latestView(view: LosslessView): LossyView {
  const resolved: [string, Value][] = []
  for (const [property, claims] of Object.entries(view.properties)) {
    const claim = latestClaim(claims)
    if (claim !== undefined) resolved.push([property, claim.value])
  }
  return { id: view.id, properties: mapOf(resolved) }
}

/** The last standing claim of one property's, which come in the total order. */
export function latestClaim(claims: readonly Claim[]): Claim | undefined {
  return claims.findLast((claim) => claim.standing)
}
