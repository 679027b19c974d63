/**
 * Reading foreign JSON field by field: every field is known or refused, and every refusal says where it is.
 * Throws RZ_QUERY_INVALID for a wrong shape, RZ_QUERY_TOO_LARGE for a query beyond the limits of its text.
 */

import type { Json } from '../delta/json.ts'
import { RhizomeError } from '../errors.ts'
import { QUERY_DEPTH_MAX, QUERY_ITEMS_MAX, QUERY_TEXT_UNITS_MAX } from './limits.ts'

/** Operators nest by `QUERY_DEPTH_MAX`, with a list between two of them, and rules and values inside the innermost. */
const LEVELS_MAX = QUERY_DEPTH_MAX * 2 + 128

/** A copy that is JSON and nothing else, so that what is checked is what is run. */
export function readJson(foreign: unknown): Json {
  let items = 0
  let units = 0
  const text = (read: string): string => {
    units += read.length
    if (units > QUERY_TEXT_UNITS_MAX) throw tooLarge(`more than ${QUERY_TEXT_UNITS_MAX} characters`)
    return read
  }
  const copy = (value: unknown, levels: number): Json => {
    if (++items > QUERY_ITEMS_MAX) throw tooLarge(`more than ${QUERY_ITEMS_MAX} values`)
    if (levels === 0) throw tooLarge('too many levels')
    if (typeof value === 'string') return text(value)
    if (value === null || typeof value === 'boolean' || Number.isFinite(value)) return value as Json
    if (Array.isArray(value)) return value.map((item) => copy(item, levels - 1))
    if (typeof value !== 'object') throw invalid('the query', 'holds what is not JSON')
    return Object.fromEntries(
      Object.entries(value)
        .filter(([, inner]) => inner !== undefined)
        .map(([name, inner]) => [text(name), copy(inner, levels - 1)]),
    )
  }
  return copy(foreign, LEVELS_MAX)
}

function tooLarge(what: string): RhizomeError {
  return new RhizomeError('RZ_QUERY_TOO_LARGE', `the query has ${what}: keep it as several queries`)
}

export function invalid(where: string, why: string): RhizomeError {
  return new RhizomeError('RZ_QUERY_INVALID', `${where}: ${why}; the grammar is in query/README.md`)
}

export type JsonObject = { readonly [name: string]: Json }

export function isJsonObject(json: Json | undefined): json is JsonObject {
  return typeof json === 'object' && json !== null && !Array.isArray(json)
}

/** The fields of one object, each read once by name. */
export class Shape {
  readonly where: string
  readonly #object: JsonObject

  constructor(json: Json | undefined, where: string) {
    if (!isJsonObject(json)) throw invalid(where, 'an object belongs here')
    this.where = where
    this.#object = json
  }

  names(): readonly string[] {
    return Object.keys(this.#object)
  }

  /** Refuses fields beside these. */
  only(...known: readonly string[]): void {
    const unknown = this.names().find((name) => !known.includes(name))
    if (unknown !== undefined) throw invalid(this.where, `"${unknown}" is not known here; ${known.join(', ')} are`)
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#object, name)
  }

  json(name: string): Json {
    const json = this.optionalJson(name)
    if (json === undefined) throw invalid(this.where, `"${name}" is missing`)
    return json
  }

  optionalJson(name: string): Json | undefined {
    return this.has(name) ? this.#object[name] : undefined
  }

  text(name: string): string {
    return readText(this.json(name), this.at(name))
  }

  optionalText(name: string): string | undefined {
    return this.has(name) ? this.text(name) : undefined
  }

  list(name: string): readonly Json[] {
    return readItems(this.json(name), this.at(name))
  }

  object(name: string): Shape {
    return new Shape(this.json(name), this.at(name))
  }

  integer(name: string, min: number, max: number): number {
    const json = this.json(name)
    if (typeof json === 'number' && Number.isInteger(json) && json >= min && json <= max) return json
    throw invalid(this.at(name), `a whole number from ${min} to ${max} belongs here`)
  }

  at(name: string): string {
    return `${this.where}.${name}`
  }
}

export function readText(json: Json, where: string): string {
  if (typeof json === 'string' && json !== '') return json
  throw invalid(where, 'a non-empty text belongs here')
}

export function readItems(json: Json, where: string): readonly Json[] {
  if (Array.isArray(json)) return json as readonly Json[]
  throw invalid(where, 'a list belongs here')
}
