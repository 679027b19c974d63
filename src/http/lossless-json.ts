/**
 * The lossless view as JSON: property → claims, the negations beside them, and under `deltas` each delta once, with its
 * provenance; claims and negations name theirs by id. A delta may speak about hundreds of properties of an entity, so that
 * repeating it in each claim would make answers as large as its square; whoever writes deltas decides, so answers are bounded.
 */

import type { Delta } from '../delta/delta.ts'
import { type Json, toJson } from '../delta/json.ts'
import { RhizomeError } from '../errors.ts'
import type { Namespace } from '../node/namespace.ts'
import { writeDelta } from './json.ts'
import { ANSWER_CHARS_MAX } from './options.ts'

type LosslessView = NonNullable<ReturnType<Namespace['lossless']>>
type Claim = LosslessView['properties'][string][number]
type Negation = LosslessView['negations'][number]

/** What a claim's JSON has beside its value, delta and negations: keys, and the id of its delta. */
const CLAIM_CHARS = 128

/** Throws RZ_HTTP_ANSWER_TOO_LARGE. */
export function writeLossless(
  view: LosslessView,
  charsMax: number = ANSWER_CHARS_MAX,
): { readonly [key: string]: Json } {
  const evidence = new EvidenceWriter(charsMax)
  return {
    id: view.id,
    referencedAs: view.referencedAs,
    properties: Object.fromEntries(
      Object.entries(view.properties).map(([property, claims]) => [property, evidence.claims(claims)]),
    ),
    negations: evidence.negations(view.negations),
    deltas: evidence.deltas(),
  }
}

/** Writes the claims and negations of one answer, gathers their deltas, and ends it when it grows past all bounds. */
export class EvidenceWriter {
  readonly #deltas = new Map<string, Json>()
  readonly #charsMax: number
  #chars = 0

  constructor(charsMax: number = ANSWER_CHARS_MAX) {
    this.#charsMax = charsMax
  }

  claims(claims: readonly Claim[]): Json {
    return claims.map((claim) => {
      const value = toJson(claim.value)
      this.#spend(typeof value === 'object' ? JSON.stringify(value).length : String(value).length)
      const { delta, ...against } = this.#against(claim)
      return { delta, value, ...against }
    })
  }

  negations(negations: readonly Negation[]): Json {
    return negations.map((negation) => this.#against(negation))
  }

  /** By id, those of all claims and negations written so far. */
  deltas(): Json {
    return Object.fromEntries(this.#deltas)
  }

  #against({ delta, negatedBy, standing }: Negation): { readonly delta: string; readonly [key: string]: Json } {
    this.#spend(CLAIM_CHARS * (1 + negatedBy.length))
    this.#gather(delta)
    return { delta: delta.id, negatedBy: negatedBy.map((against) => ({ ...against })), standing }
  }

  #gather(delta: Delta): void {
    if (this.#deltas.has(delta.id)) return
    const json = writeDelta(delta)
    this.#spend(JSON.stringify(json).length)
    this.#deltas.set(delta.id, json)
  }

  #spend(chars: number): void {
    this.#chars += chars
    if (this.#chars <= this.#charsMax) return
    throw new RhizomeError(
      'RZ_HTTP_ANSWER_TOO_LARGE',
      `what is claimed takes more than ${this.#charsMax} characters: read the deltas by page, or the values alone`,
    )
  }
}
