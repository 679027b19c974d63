/** Deltas and views as JSON. Bytes are `{ "$bytes": "<base64>" }` (delta/json.ts); properties are node/record-json.ts's. */

import type { Delta, Pointer } from '../delta/delta.ts'
import { fromJson, type Json, toJson } from '../delta/json.ts'
import { RhizomeError } from '../errors.ts'
import type { ReferredRecord } from '../node/expand.ts'
import { checkDepth, writeProperty } from '../node/record-json.ts'
import type { Entity } from '../node/records.ts'

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
