/**
 * Holds writes of this node against the schemas in force, before anything is signed. Only what is written here by records is
 * held: raw deltas are not, and what comes from elsewhere is kept as it is, and told by `violations.ts`.
 */

import type { Delta, DeltaId, PeerId, Pointer } from '../delta/delta.ts'
import { negatedIds } from '../delta/delta.ts'
import { entityIdOf, parseEntityId } from '../delta/record.ts'
import { RhizomeError } from '../errors.ts'
import type { NamespaceId } from '../log/namespace.ts'
import type { Store } from '../store/store.ts'
import { type Conformity, conformity, referencesIn, referredBy } from '../view/schemas/conform.ts'
import type { CollectionSchemas } from '../view/schemas/schema-set.ts'
import type { Views } from './views.ts'

export interface Intent {
  /** The entities of the records that are put. */
  readonly records: ReadonlySet<string>
  /** All that is to be written together, by which other deltas are named `./<index>`. */
  readonly deltas: readonly (readonly Pointer[])[]
  /** Refuses records that refer to records that are not here. */
  readonly checkReferences: boolean
  readonly creator: () => PeerId
}

/** Reasons named in a message. */
const NAMED_MAX = 3

export class Conformance {
  readonly #store: Store
  readonly #namespace: NamespaceId
  readonly #views: Views

  constructor(store: Store, namespace: NamespaceId, views: Views) {
    this.#store = store
    this.#namespace = namespace
    this.#views = views
  }

  /**
   * Throws RZ_SCHEMA_VIOLATION, or RZ_SCHEMA_PROPERTY for a property that the schema does not allow, with path and reason;
   * RZ_SCHEMA_GAS where the schema asks for too much; RZ_REFERENCE_MISSING.
   */
  check({ records, deltas, checkReferences, creator }: Intent): void {
    const { schemas, resolvers } = this.#views.definitions()
    if (schemas.collections.size === 0) return
    for (const entity of records) {
      const collection = parseEntityId(entity)?.collection ?? ''
      const own = schemas.collections.get(collection)
      if (own === undefined) continue
      const held = this.#store.entity(this.#namespace, entity)
      const known = [...held.deltas, ...held.negations]
      const intended = intendedDeltas(deltas, known, creator())
      const conformed = conformity(own, resolvers, entity, {
        deltas: [...held.deltas, ...intended.filter((delta) => delta.pointers.some(({ target }) => target === entity))],
        negations: [...held.negations, ...intended.filter(({ pointers }) => negatedIds(pointers).length > 0)],
      })
      refuse(entity, conformed)
      if (checkReferences) this.#checkReferences(entity, own, conformed, records)
    }
  }

  #checkReferences(
    entity: string,
    schemas: CollectionSchemas,
    { record = {} }: Conformity,
    written: ReadonlySet<string>,
  ): void {
    for (const [property, collection] of referencesIn(schemas)) {
      const referred = Object.hasOwn(record, property) ? referredBy(record[property] ?? null, collection) : undefined
      for (const { id } of [referred ?? []].flat()) {
        const target = entityIdOf(collection, id)
        if (written.has(target) || this.#views.stands(target, { context: false })) continue
        const message = `${entity} is not written: its "${property}" refers to ${target}, which is not here`
        throw new RhizomeError('RZ_REFERENCE_MISSING', message)
      }
    }
  }
}

/** What is to be written as deltas, dated later than all that is known. */
function intendedDeltas(
  deltas: readonly (readonly Pointer[])[],
  known: readonly Delta[],
  creator: PeerId,
): readonly Delta[] {
  const ms = known.reduce((latest, { time }) => Math.max(latest, time.ms + 1), 0)
  return deltas.map((pointers, index) => ({
    id: `./${index}` as DeltaId,
    time: { ms, counter: 0 },
    creator,
    host: creator,
    log: '',
    seq: 0,
    index,
    pointers,
  }))
}

function refuse(entity: string, { faults, version }: Conformity): void {
  const [first] = faults
  if (first === undefined) return
  const named = faults
    .slice(0, NAMED_MAX)
    .map(({ path, message }) => (path === '' ? `it ${message}` : `${path} ${message}`))
  const more = faults.length > NAMED_MAX ? '; and more' : ''
  const message = `${entity} is not written, as its schema (version ${version}) has it otherwise: ${named.join('; ')}${more}`
  throw new RhizomeError(first.code, message)
}
