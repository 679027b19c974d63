/** The lossless view as JSON: property → claims, each delta with its provenance, and the negations beside them. */

import { type Json, toJson } from '../delta/json.ts'
import type { Namespace } from '../node/namespace.ts'
import { writeDelta } from './json.ts'

type LosslessView = NonNullable<ReturnType<Namespace['lossless']>>
type Claims = LosslessView['properties'][string]

export function writeLossless(view: LosslessView): { readonly [key: string]: Json } {
  return {
    id: view.id,
    referencedAs: view.referencedAs,
    properties: Object.fromEntries(
      Object.entries(view.properties).map(([property, claims]) => [property, writeClaims(claims)]),
    ),
    negations: writeNegations(view.negations),
  }
}

export function writeNegations(negations: LosslessView['negations']): Json {
  return negations.map(({ delta, negatedBy, standing }) => ({
    delta: writeDelta(delta),
    negatedBy: negatedBy.map((against) => ({ ...against })),
    standing,
  }))
}

export function writeClaims(claims: Claims): Json {
  return claims.map(({ delta, value, negatedBy, standing }) => ({
    delta: writeDelta(delta),
    value: toJson(value),
    negatedBy: negatedBy.map((against) => ({ ...against })),
    standing,
  }))
}
