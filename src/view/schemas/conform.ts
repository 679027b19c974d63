/**
 * Whether a record is as its collection's schemas want it. What is held against them is the record as everybody sees it in
 * no context, merged from all claims that stand. A record that satisfies one version of the schema in force is in order.
 */

import type { Delta, Value } from '../../delta/delta.ts'
import { OPEN_CONTEXT, viewIn } from '../contexts/context.ts'
import { type Claim, type LosslessView, mapOf } from '../lossless.ts'
import type { ResolverSet } from '../resolvers/resolver-set.ts'
import type { SchemaFault } from './run.ts'
import type { CollectionSchemas } from './schema-set.ts'

/** Deltas that point at the record, and those that negate one of them, as for `losslessView`. */
export interface RecordDeltas {
  readonly deltas: readonly Delta[]
  readonly negations: readonly Delta[]
}

export interface Conformity {
  /** The properties that are held against the schema; undefined when nothing stands about the record. */
  readonly record: { readonly [property: string]: Value } | undefined
  /** Of the schema whose faults these are: the latest, where the record satisfies none. */
  readonly version: number
  /** Empty when the record is in order. */
  readonly faults: readonly SchemaFault[]
  readonly lossless: LosslessView
}

/** `resolvers` are those of the log. */
export function conformity(
  schemas: CollectionSchemas,
  resolvers: ResolverSet,
  entity: string,
  { deltas, negations }: RecordDeltas,
): Conformity {
  const { lossless, lossy } = viewIn(OPEN_CONTEXT, resolvers, entity, deltas, negations)
  const own = Object.entries(lossy.properties).filter(([property]) => isOwn(entity, lossless.properties[property]))
  const record = mapOf(own)
  const [first, ...others] = schemas.toReversed()
  const version = first?.definition.version ?? 0
  if (own.length === 0) return { record: undefined, version, faults: [], lossless }
  const faults = first?.json.faultsOf(record) ?? []
  if (faults.length === 0) return { record, version, faults, lossless }
  const satisfied = others.find(({ json }) => json.faultsOf(record).length === 0)
  if (satisfied === undefined) return { record, version, faults, lossless }
  return { record, version: satisfied.definition.version, faults: [], lossless }
}

/**
 * Whether a property is the record's own. One that it has only because other records refer to it is not: a delta is about
 * what its first pointer with a target names, and another's reference cannot make this record break its schema.
 */
function isOwn(entity: string, claims: readonly Claim[] = []): boolean {
  const standing = claims.filter((claim) => claim.standing)
  // A property that its rule made of others has no claims.
  return standing.length === 0 || standing.some(({ delta: { pointers } }) => pointers[0]?.target === entity)
}

/** The collection that each property refers to, by the latest version that says so. */
export function referencesIn(schemas: CollectionSchemas): ReadonlyMap<string, string> {
  return new Map(schemas.flatMap(({ definition }) => Object.entries(definition.references)))
}

/** A record that a value of a property names. */
export interface Referred {
  readonly collection: string
  readonly id: string
}

/**
 * The records that a property's value names, the property being declared to refer to `collection`: an id, the id of an entity,
 * or a list of these. In a list, what names none is passed over.
 */
export function referredBy(value: Value, collection: string): Referred | readonly Referred[] | undefined {
  if (typeof value === 'string') return referredIn(value, collection)
  if (!Array.isArray(value)) return undefined
  const items: readonly Value[] = value
  return items.flatMap((item) => (typeof item === 'string' ? (referredIn(item, collection) ?? []) : []))
}

function referredIn(text: string, collection: string): Referred | undefined {
  const prefix = `${collection}/`
  const id = text.startsWith(prefix) ? text.slice(prefix.length) : text
  return id === '' ? undefined : { collection, id }
}
