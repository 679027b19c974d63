/**
 * Records over deltas: which pointers a `put` writes, and which value a delta has for an entity's property.
 * design.md 3, Records.
 */

import { RhizomeError } from '../errors.ts'
import { namesTransaction } from './gathered.ts'
import { type Delta, isReference, type Pointer, type ReferencePointer, type Value } from './delta.ts'

/** What `put` takes for a property: a value, or a reference to another entity's property. */
export interface Reference {
  readonly target: string
  readonly targetContext: string
}

/** A reference made with `ref`, so that a plain JSON object `{ target, targetContext }` stays a value. */
export class EntityReference implements Reference {
  readonly target: string
  readonly targetContext: string

  constructor(target: string, targetContext: string) {
    this.target = target
    this.targetContext = targetContext
  }
}

export type PropertyInput = Value | EntityReference

/** A reference to the entity `target`, seen from there under `targetContext`. */
export function ref(target: string, targetContext: string): EntityReference {
  return new EntityReference(target, targetContext)
}

/** The entity id of record `id` of `collection`. Throws RZ_RECORD_INVALID. */
export function entityIdOf(collection: string, id: string): string {
  // `./…` would be read as a reference to a delta of the same block (log/block-bytes.ts).
  if (typeof collection !== 'string' || collection === '' || collection === '.' || collection.includes('/')) {
    throw new RhizomeError(
      'RZ_RECORD_INVALID',
      `"${collection}" is not a collection name: it must be a non-empty text, without a slash, and not "."`,
    )
  }
  if (typeof id !== 'string' || id === '') {
    throw new RhizomeError('RZ_RECORD_INVALID', 'a record needs an id: a non-empty text')
  }
  return `${collection}/${id}`
}

/** The collection and id in a record's entity id, or undefined for a raw entity id. */
export function parseEntityId(entity: string): { readonly collection: string; readonly id: string } | undefined {
  const slash = entity.indexOf('/')
  if (slash < 1 || slash === entity.length - 1) return undefined
  return { collection: entity.slice(0, slash), id: entity.slice(slash + 1) }
}

/** One delta's pointers per property, in the order given. Throws RZ_RECORD_INVALID for an empty property name, and for no plain object. */
export function recordPointers(
  collection: string,
  id: string,
  properties: Readonly<Record<string, PropertyInput>>,
): readonly (readonly Pointer[])[] {
  const entity = entityIdOf(collection, id)
  // A list or a text has entries that nobody means, and a Map or a promise has none.
  if (!isPlainObject(properties)) {
    throw new RhizomeError('RZ_RECORD_INVALID', 'a record is written from a plain object: { <property>: <value> }')
  }
  return Object.entries(properties).map(([property, input]) => propertyPointers(collection, entity, property, input))
}

function isPlainObject(properties: unknown): boolean {
  if (typeof properties !== 'object' || properties === null) return false
  const prototype: unknown = Object.getPrototypeOf(properties)
  return prototype === Object.prototype || prototype === null
}

function propertyPointers(
  collection: string,
  entity: string,
  property: string,
  input: PropertyInput,
): readonly Pointer[] {
  if (property === '') throw new RhizomeError('RZ_RECORD_INVALID', 'a property needs a non-empty name')
  const about: ReferencePointer = { localContext: collection, target: entity, targetContext: property }
  if (input instanceof EntityReference) {
    return [about, { localContext: property, target: input.target, targetContext: input.targetContext }]
  }
  return [about, { localContext: property, target: input }]
}

/** The pointers of `delta` that speak about `entity`, with the property each speaks about. */
export function pointersAt(delta: Delta, entity: string): readonly ReferencePointer[] {
  return delta.pointers.filter(
    (pointer): pointer is ReferencePointer => isReference(pointer) && pointer.target === entity,
  )
}

/**
 * What `delta` says about (entity, property): the target of its only other pointer, else an object keyed by
 * localContext, with arrays on repeats; null when it only points at the entity. Which transaction it belongs to is no part
 * of it.
 */
export function valueAt(delta: Delta, about: ReferencePointer): Value {
  const others = delta.pointers.filter((pointer) => pointer !== about && !namesTransaction(pointer))
  const [only] = others
  if (only === undefined) return null
  if (others.length === 1) return only.target
  const byContext = new Map<string, Value[]>()
  for (const pointer of others) {
    const seen = byContext.get(pointer.localContext)
    if (seen === undefined) byContext.set(pointer.localContext, [pointer.target])
    else seen.push(pointer.target)
  }
  return Object.fromEntries(
    [...byContext].map(([context, targets]) => [context, targets.length === 1 ? (targets[0] as Value) : targets]),
  )
}
