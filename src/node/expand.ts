/**
 * The records that a record refers to, and those that these refer to, to a depth: by the references that the schemas of their
 * collections declare. What cannot be shown is named where it would stand, and nothing fails.
 */

import type { Value } from '../delta/delta.ts'
import { entityIdOf } from '../delta/record.ts'
import { RhizomeError } from '../errors.ts'
import type { Fault } from '../view/fault.ts'
import { type Referred, referencesIn, referredBy } from '../view/schemas/conform.ts'
import type { View, ViewOptions, Views } from './views.ts'

/** A record that another refers to, as it is seen where that one is. */
export interface ReferredRecord extends Referred {
  /** Absent where `error` is there. */
  readonly properties?: Readonly<Record<string, Value>>
  /** Per property that has no value because its rule failed; absent when there is none. */
  readonly errors?: Readonly<Record<string, Fault>>
  /**
   * Why it is not shown: RZ_REFERENCE_MISSING when nothing stands about it here, RZ_REFERENCE_CYCLE when it stands further up
   * already, RZ_REFERENCE_LIMIT when 1,000 others are shown, or those take too much.
   */
  readonly error?: Fault
  /** Absent past the depth, and where it refers to nothing. */
  readonly references?: References
}

/** By property: one record, or a list where the property has a list. */
export type References = Readonly<Record<string, ReferredRecord | readonly ReferredRecord[]>>

const EXPAND_MAX = 8
const RECORDS_MAX = 1_000
/** What their views may take together: some 1 to 2 s, and far more than a thousand records do that mean no harm. */
const GAS_MAX = 5_000_000

/** Throws RZ_REFERENCE_LIMIT for a depth that is no whole number from 0 to 8, and as `view`. */
export function expand(
  views: Views,
  from: Referred,
  { properties }: View,
  depth: number,
  options: ViewOptions,
): References | undefined {
  if (!Number.isInteger(depth) || depth < 0 || depth > EXPAND_MAX) {
    throw new RhizomeError('RZ_REFERENCE_LIMIT', `references are expanded 0 to ${EXPAND_MAX} deep, not ${depth}`)
  }
  return new Expansion(views, options).of(from, properties, depth, [])
}

class Expansion {
  readonly #views: Views
  readonly #options: ViewOptions
  /** Many may refer to one record. */
  readonly #seen = new Map<string, View | undefined>()
  #count = 0
  #gasUsed = 0

  constructor(views: Views, options: ViewOptions) {
    this.#views = views
    this.#options = options
  }

  of(
    { collection, id }: Referred,
    properties: View['properties'],
    depth: number,
    above: readonly string[],
  ): References | undefined {
    const schemas = this.#views.definitions(this.#options.asOf).schemas.collections.get(collection)
    if (depth === 0 || schemas === undefined) return undefined
    const path = [...above, entityIdOf(collection, id)]
    const references: [string, ReferredRecord | readonly ReferredRecord[]][] = []
    for (const [property, target] of referencesIn(schemas)) {
      const referred = Object.hasOwn(properties, property)
        ? referredBy(properties[property] ?? null, target)
        : undefined
      if (referred === undefined) continue
      references.push([
        property,
        'id' in referred ? this.#record(referred, depth, path) : this.#list(referred, depth, path),
      ])
    }
    return references.length === 0 ? undefined : Object.fromEntries(references)
  }

  /** Ends at the first that is one too many. */
  #list(list: readonly Referred[], depth: number, path: readonly string[]): readonly ReferredRecord[] {
    const records: ReferredRecord[] = []
    for (const referred of list) {
      const isFull = this.#isFull
      records.push(this.#record(referred, depth, path))
      if (isFull) break
    }
    return records
  }

  #record(referred: Referred, depth: number, path: readonly string[]): ReferredRecord {
    const entity = entityIdOf(referred.collection, referred.id)
    if (path.includes(entity)) {
      const message = `${[...path.slice(path.indexOf(entity)), entity].join(' → ')}: it stands further up already`
      return { ...referred, error: { code: 'RZ_REFERENCE_CYCLE', message } }
    }
    if (this.#isFull) {
      const why = this.#count >= RECORDS_MAX ? `${RECORDS_MAX} records are shown already` : 'those before take too much'
      const message = `${why}: ask for ${entity} by itself`
      return { ...referred, error: { code: 'RZ_REFERENCE_LIMIT', message } }
    }
    this.#count++
    const view = this.#view(entity, referred.id)
    if (view === undefined) {
      return { ...referred, error: { code: 'RZ_REFERENCE_MISSING', message: `nothing about ${entity} is here` } }
    }
    const { properties, errors } = view
    const references = this.of(referred, properties, depth - 1, path)
    return {
      ...referred,
      properties,
      ...(Object.keys(errors).length > 0 && { errors }),
      ...(references && { references }),
    }
  }

  get #isFull(): boolean {
    return this.#count >= RECORDS_MAX || this.#gasUsed >= GAS_MAX
  }

  #view(entity: string, id: string): View | undefined {
    if (this.#seen.has(entity)) return this.#seen.get(entity)
    const { view, gas } = this.#views.measured(entity, id, this.#options)
    this.#gasUsed += gas
    this.#seen.set(entity, view)
    return view
  }
}
