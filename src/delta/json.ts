/**
 * Values as JSON, for HTTP, the command line and exports: bytes become `{ "$bytes": "<base64>" }`.
 * An object whose only key is `$bytes` (or that with more dollars) gets one more dollar, so the mapping has an inverse.
 */

import { fromString, toString } from 'uint8arrays'
import { RhizomeError } from '../errors.ts'
import type { Value } from './delta.ts'

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }

const ESCAPABLE = /^\$+bytes$/
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

export function toJson(value: Value): Json {
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Uint8Array) return { $bytes: toString(value, 'base64pad') }
  if (Array.isArray(value)) return value.map(toJson)
  const entries = Object.entries(value as { readonly [key: string]: Value })
  const escaped = entries.length === 1 && ESCAPABLE.test((entries[0] as [string, Value])[0])
  return Object.fromEntries(entries.map(([key, inner]) => [escaped ? `$${key}` : key, toJson(inner)]))
}

/** Throws RZ_DELTA_INVALID for a `$bytes` that is not base64. */
export function fromJson(json: Json): Value {
  if (typeof json !== 'object' || json === null) return json
  if (Array.isArray(json)) return json.map(fromJson)
  const entries = Object.entries(json as { readonly [key: string]: Json })
  const [first] = entries
  if (entries.length === 1 && first !== undefined && ESCAPABLE.test(first[0])) {
    if (first[0] !== '$bytes') return { [first[0].slice(1)]: fromJson(first[1]) }
    if (typeof first[1] !== 'string' || !BASE64.test(first[1])) {
      throw new RhizomeError('RZ_DELTA_INVALID', '"$bytes" must hold base64 (RFC 4648, padded)')
    }
    return fromString(first[1], 'base64pad')
  }
  return Object.fromEntries(entries.map(([key, inner]) => [key, fromJson(inner)]))
}
