/**
 * Properties of a record as the faces' JSON. Bytes are `{ "$bytes": "<base64>" }` (delta/json.ts). In the properties of a
 * record, and there alone, `{ "$ref": "<entity id>", "as": "<property of it>" }` is a reference; a plain object of that very
 * shape is written with one more dollar (`$$ref`), so the mapping has an inverse.
 */

import type { Value } from '../delta/delta.ts'
import { fromJson, type Json, toJson } from '../delta/json.ts'
import { type PropertyInput, ref } from '../delta/record.ts'
import { RhizomeError } from '../errors.ts'

/** Levels of foreign JSON; deltas themselves allow fewer. Keeps the recursion over it shallow. */
const JSON_DEPTH_MAX = 64
const ESCAPABLE = /^\$+ref$/

/** Values to write, from an object of whatever JSON there is. Throws RZ_DELTA_INVALID. */
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

export function writeProperty(value: Value): Json {
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
