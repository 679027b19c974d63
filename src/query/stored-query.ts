/**
 * Stored queries: records of type `query`, whose property `definition` holds `{ query, description?, semantics? }`. Each is a
 * named view: it is read like a collection, by whoever names it. Here a definition is read and checked, as far as it can be
 * without the views that it names.
 */

import type { Value } from '../delta/delta.ts'
import { type Json, toJson } from '../delta/json.ts'
import { RhizomeError } from '../errors.ts'
import { fieldsOf, invalid, parseSemantics, refuseOthers } from '../view/definition.ts'
import { NamedViews } from './named-views.ts'
import { parseQuery } from './parse.ts'
import { readJson } from './shape.ts'

/** Of stored queries: what this release writes, and the latest that it reads. */
export const QUERY_SEMANTICS = 1

export interface StoredQuery {
  readonly query: Json
  readonly description?: string
}

/** Stands for any view while a definition is checked. */
const ANY_VIEW: Json = { collection: 'any' }

/** Throws RZ_DEFINITION_INVALID, RZ_RULE_SEMANTICS, and what reading a query throws. */
export function compileStoredQuery(value: Value): StoredQuery {
  const fields = fieldsOf(value)
  const semantics = fields['semantics'] === undefined ? QUERY_SEMANTICS : parseSemantics(fields['semantics'])
  if (semantics > QUERY_SEMANTICS) {
    throw new RhizomeError(
      'RZ_RULE_SEMANTICS',
      `the query is written in version ${semantics}, and this release knows ${QUERY_SEMANTICS}: upgrade`,
    )
  }
  refuseOthers(fields, ['query', 'description', 'semantics'])
  const { query: written, description } = fields
  if (written === undefined) throw invalid('"query" is missing: a query in its JSON form')
  if (description !== undefined && typeof description !== 'string') throw invalid('"description" is a text')
  const query = readJson(toJson(written))
  const parsed = parseQuery(query, new NamedViews(() => ANY_VIEW))
  if (parsed.kind === 'limit' && parsed.after !== undefined)
    throw invalid('a stored query has no "after": give it with the question')
  return { query, ...(description !== undefined && { description }) }
}
