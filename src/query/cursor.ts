/**
 * Where a page ended, as text: the place of its last row in the order of the rows. The next page begins behind that place,
 * whether the row is still there or not, and whatever came or went before it. Bound to the query by a digest.
 * Throws RZ_QUERY_CURSOR for what no page of this query handed out.
 */

import { createHash } from 'node:crypto'
import type { Value } from '../delta/delta.ts'
import { fromJson, type Json, toJson } from '../delta/json.ts'
import { RhizomeError } from '../errors.ts'
import { CURSOR_UNITS_MAX } from './limits.ts'
import type { Ordering } from './order.ts'

export type Place = readonly Value[]

/** Throws RZ_QUERY_LIMIT when what the row is ordered by is too long, or nested too deeply, for a cursor. */
export function writeCursor(place: Place, query: Json): string {
  const json = place.map(toJson)
  const text = Buffer.from(JSON.stringify([digestOf(query), ...json])).toString('base64url')
  if (text.length > CURSOR_UNITS_MAX) throw unfit(`takes more than ${CURSOR_UNITS_MAX} characters`)
  try {
    json.map(fromJson)
  } catch (cause) {
    throw unfit('is nested too deeply', cause)
  }
  return text
}

function unfit(why: string, cause?: unknown): RhizomeError {
  const message = `what the rows are ordered by ${why}: order by other columns, or keep the id`
  return new RhizomeError('RZ_QUERY_LIMIT', message, { cause })
}

export function readCursor(text: string, ordering: Ordering, query: Json): Place {
  const [digest, ...place] = listIn(text)
  if (digest !== digestOf(query) || place.length !== ordering.length) throw stray()
  try {
    return place.map(fromJson)
  } catch (cause) {
    throw stray(cause)
  }
}

function listIn(text: string): readonly Json[] {
  if (text.length > CURSOR_UNITS_MAX) throw stray()
  let json: unknown
  try {
    json = JSON.parse(Buffer.from(text, 'base64url').toString())
  } catch (cause) {
    throw stray(cause)
  }
  if (!Array.isArray(json)) throw stray()
  return json as readonly Json[]
}

function digestOf(query: Json): string {
  return createHash('sha256').update(JSON.stringify(query)).digest('base64url').slice(0, 11)
}

function stray(cause?: unknown): RhizomeError {
  const message =
    'the cursor is of no page of this query: take "after" from an answer to the same query, or leave it out'
  return new RhizomeError('RZ_QUERY_CURSOR', message, { cause })
}
