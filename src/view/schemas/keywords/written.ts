/** Reading what a schema writes under a keyword. Throws RZ_SCHEMA_INVALID for what JSON Schema does not allow there. */

import type { Value } from '../../../delta/delta.ts'
import { isList } from '../../../delta/value.ts'
import { RhizomeError } from '../../../errors.ts'
import { objectOf } from '../content.ts'
import type { Compiling, Fields } from '../subschema.ts'

export function invalidSchema(at: string, why: string): RhizomeError {
  const place = at.length > 200 ? `${at.slice(0, 200).toWellFormed()}…` : at
  return new RhizomeError('RZ_SCHEMA_INVALID', `not a JSON Schema: at "${place}", ${why}`)
}

/** A count or length; undefined where the keyword is absent. */
export function countOf(fields: Fields, keyword: string, { at }: Compiling): number | undefined {
  const written = fields[keyword]
  if (written === undefined) return undefined
  if (typeof written === 'number' && Number.isInteger(written) && written >= 0) return written
  throw invalidSchema(at, `"${keyword}" is a whole number from 0`)
}

export function numberOf(fields: Fields, keyword: string, { at }: Compiling): number | undefined {
  const written = fields[keyword]
  if (written === undefined || typeof written === 'number') return written
  throw invalidSchema(at, `"${keyword}" is a number`)
}

export function textOf(fields: Fields, keyword: string, { at }: Compiling): string | undefined {
  const written = fields[keyword]
  if (written === undefined || typeof written === 'string') return written
  throw invalidSchema(at, `"${keyword}" is a text`)
}

export function listOf(fields: Fields, keyword: string, { at }: Compiling): readonly Value[] | undefined {
  const written = fields[keyword]
  if (written === undefined || isList(written)) return written
  throw invalidSchema(at, `"${keyword}" is a list`)
}

/** Names of properties. */
export function namesOf(written: Value, keyword: string, { at }: Compiling): readonly string[] {
  if (isList(written) && written.every((name) => typeof name === 'string')) return [...new Set(written)]
  throw invalidSchema(at, `"${keyword}" lists names of properties`)
}

/** By name. */
export function mapOf(fields: Fields, keyword: string, { at }: Compiling): readonly (readonly [string, Value])[] {
  const written = fields[keyword]
  if (written === undefined) return []
  const map = objectOf(written)
  if (map === undefined) throw invalidSchema(at, `"${keyword}" is an object`)
  return Object.entries(map)
}

/** Cut for a message. */
export function shown(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…`.toWellFormed() : text)
}
