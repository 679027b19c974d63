/**
 * Deltas, views and properties as JSON. Bytes are `{ "$bytes": "<base64>" }` (delta/json.ts). In the properties of a record,
 * and there alone, `{ "$ref": "<entity id>", "as": "<property of it>" }` is a reference; a plain object of that very shape
 * is written with one more dollar (`$$ref`), so the mapping has an inverse.
 */

import type { Delta, Pointer, Value } from '../delta/delta.ts'
import { fromJson, type Json, toJson } from '../delta/json.ts'
import { type PropertyInput, ref } from '../delta/record.ts'
import { RhizomeError } from '../errors.ts'
import type { ReferredRecord } from '../node/expand.ts'
import type { Entity } from '../node/records.ts'
import { JSON_DEPTH_MAX } from './options.ts'

const ESCAPABLE = /^\$+ref$/

/** Values to write, from JSON that the route's schema has passed. Throws RZ_DELTA_INVALID. */
export function readProperties(json: { readonly [property: string]: unknown }): Record<string, PropertyInput> {
  checkDepth(json)
  return Object.fromEntries(
    Object.entries(json as { readonly [property: string]: Json }).map(([property, value]) => [
      property,
      readProperty(value),
    ]),
  )
}

function readProperty(json: Json): PropertyInput {
  const shape = referenceShape(json)
  if (shape === undefined) return fromJson(json)
  if (shape.key !== '$ref') return { [shape.key.slice(1)]: fromJson(shape.target), as: fromJson(shape.as) }
  if (typeof shape.target !== 'string' || typeof shape.as !== 'string') {
    throw new RhizomeError(
      'RZ_DELTA_INVALID',
      '"$ref" and "as" must hold text; a plain object of these keys is written "$$ref"',
    )
  }
  return ref(shape.target, shape.as)
}

/** `errors`, `unseen` and `references` where there are some: most have none. */
export function writeEntity({ id, properties, errors = {}, unseen = [], references }: Entity): {
  readonly id: string
  readonly properties: { readonly [property: string]: Json }
  readonly errors?: Json
  readonly unseen?: Json
  readonly references?: Json
} {
  return {
    id,
    ...writeValues(properties, errors),
    ...(references && { references: writeReferences(references) }),
    ...(unseen.length > 0 && {
      unseen: unseen.map(({ code, message, delta }) => ({ code, message, delta: writeDelta(delta) })),
    }),
  }
}

function writeValues(
  properties: Entity['properties'],
  errors: NonNullable<Entity['errors']>,
): { readonly properties: { readonly [property: string]: Json }; readonly errors?: Json } {
  return {
    properties: Object.fromEntries(
      Object.entries(properties).map(([property, value]) => [property, writeProperty(value)]),
    ),
    ...(Object.keys(errors).length > 0 && {
      errors: Object.fromEntries(Object.entries(errors).map(([property, fault]) => [property, { ...fault }])),
    }),
  }
}

function writeReferences(references: NonNullable<Entity['references']>): { readonly [property: string]: Json } {
  return Object.fromEntries(
    Object.entries(references).map(([property, referred]) => [
      property,
      'id' in referred ? writeReferred(referred) : referred.map(writeReferred),
    ]),
  )
}

function writeReferred({ collection, id, properties, errors = {}, error, references }: ReferredRecord): Json {
  return {
    collection,
    id,
    ...(properties && writeValues(properties, errors)),
    ...(error && { error: { ...error } }),
    ...(references && { references: writeReferences(references) }),
  }
}

function writeProperty(value: Value): Json {
  const json = toJson(value)
  const shape = referenceShape(json)
  return shape === undefined ? json : { [`$${shape.key}`]: shape.target, as: shape.as }
}

/** The parts of an object of exactly two keys: `$ref`, or that with more dollars, and `as`. */
function referenceShape(json: Json): { readonly key: string; readonly target: Json; readonly as: Json } | undefined {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return undefined
  const entries = Object.entries(json as { readonly [key: string]: Json })
  const reference = entries.find(([key]) => ESCAPABLE.test(key))
  const as = entries.find(([key]) => key === 'as')
  if (entries.length !== 2 || reference === undefined || as === undefined) return undefined
  return { key: reference[0], target: reference[1], as: as[1] }
}

/** A pointer whose shape the route's schema has passed. Throws RZ_DELTA_INVALID. */
export function readPointer(pointer: {
  readonly localContext: string
  readonly target?: unknown
  readonly targetContext?: string | undefined
}): Pointer {
  const { localContext, target, targetContext } = pointer
  if (targetContext === undefined) {
    checkDepth(target)
    return { localContext, target: fromJson(target as Json) }
  }
  if (typeof target === 'string') return { localContext, target, targetContext }
  throw new RhizomeError(
    'RZ_DELTA_INVALID',
    'the target of a pointer with a "targetContext" is the id of an entity or delta',
  )
}

export function writeDelta(delta: Delta): { readonly [key: string]: Json } {
  const { id, time, creator, host, log, seq, index, pointers } = delta
  return { id, time: { ...time }, creator, host, log, seq, index, pointers: pointers.map(writePointer) }
}

function writePointer(pointer: Pointer): Json {
  const { localContext, target } = pointer
  return 'targetContext' in pointer
    ? { localContext, target: pointer.target, targetContext: pointer.targetContext }
    : { localContext, target: toJson(target) }
}

/** Keeps the walks over foreign JSON from exhausting the stack. */
export function checkDepth(json: unknown, levelsLeft: number = JSON_DEPTH_MAX): void {
  if (typeof json !== 'object' || json === null) return
  if (levelsLeft === 0)
    throw new RhizomeError(
      'RZ_DELTA_INVALID',
      `a value is nested more than ${JSON_DEPTH_MAX} levels deep: make it flatter`,
    )
  for (const inner of Object.values(json)) checkDepth(inner, levelsLeft - 1)
}
