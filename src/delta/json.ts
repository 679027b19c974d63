/**
 * Values as JSON, for HTTP, the command line and exports: bytes become `{ "$bytes": "<base64>" }`.
 * An object whose only key is `$bytes` (or that with more dollars) gets one more dollar, so the mapping has an inverse.
 */

import { RhizomeError } from '../errors.ts'
import { VALUE_DEPTH_MAX, type Value } from './delta.ts'

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }

const ESCAPABLE = /^\$+bytes$/

export function toJson(value: Value): Json {
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Uint8Array) return { $bytes: base64Of(value) }
  if (Array.isArray(value)) return value.map(toJson)
  const entries = Object.entries(value as { readonly [key: string]: Value })
  const escaped = entries.length === 1 && ESCAPABLE.test((entries[0] as [string, Value])[0])
  return Object.fromEntries(entries.map(([key, inner]) => [escaped ? `$${key}` : key, toJson(inner)]))
}

/** The inverse of `toJson`. Throws RZ_DELTA_INVALID for a `$bytes` without base64, and for too deep nesting. */
export function fromJson(json: Json): Value {
  return fromLevels(json, VALUE_DEPTH_MAX)
}

function fromLevels(json: Json, levels: number): Value {
  if (typeof json !== 'object' || json === null) return json
  if (levels === 0) throw new RhizomeError('RZ_DELTA_INVALID', `a value is nested at most ${VALUE_DEPTH_MAX} deep`)
  if (Array.isArray(json)) return json.map((item: Json) => fromLevels(item, levels - 1))
  const entries = Object.entries(json as { readonly [key: string]: Json })
  const [first] = entries
  if (entries.length === 1 && first !== undefined && ESCAPABLE.test(first[0])) {
    if (first[0] === '$bytes') return bytesOf(first[1])
    return { [first[0].slice(1)]: fromLevels(first[1], levels - 1) }
  }
  return Object.fromEntries(entries.map(([key, inner]) => [key, fromLevels(inner, levels - 1)]))
}

function bytesOf(json: Json): Uint8Array {
  const bytes = typeof json === 'string' ? new Uint8Array(Buffer.from(json, 'base64')) : undefined
  // Buffer reads base64 leniently; only the one right spelling comes back the same.
  if (bytes === undefined || base64Of(bytes) !== json) {
    throw new RhizomeError('RZ_DELTA_INVALID', '"$bytes" must hold base64 (RFC 4648, padded)')
  }
  return bytes
}

function base64Of(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64')
}
