/**
 * Schemas: what the records of a collection are to be like, as a definition says: a JSON Schema (2020-12), which properties
 * name records of other collections, and which are to be found by an index. design.md 5.
 */

import type { Value } from '../../delta/delta.ts'
import { isList } from '../../delta/value.ts'
import { RhizomeError } from '../../errors.ts'
import {
  type DefinitionSource,
  fieldsOf,
  invalid,
  parseSemantics,
  refuseOthers,
  RESERVED_COLLECTIONS,
} from '../definition.ts'
import { compileJsonSchema, type JsonSchema } from './json-schema.ts'

/** Of schema definitions: what this release writes, and the latest that it reads. */
export const SCHEMA_SEMANTICS = 1

const VERSION_MAX = 1_000_000
const REFERENCES_MAX = 256
const INDEXES_MAX = 64
/** By which a JSON Schema is known that was handed in bare. */
const JSON_SCHEMA_KEYS = ['type', 'properties', 'required', '$schema', 'additionalProperties'] as const
const FIELDS = ['collection', 'version', 'schema', 'references', 'indexes', 'semantics']

/** A type, not an interface, so that it is a value that a record can hold. */
export type SchemaDefinition = {
  readonly collection: string
  /** From 1. Of each version the definition claimed last is in force; a record satisfies the collection if it satisfies one. */
  readonly version: number
  /** JSON Schema 2020-12 of a whole record as it is shown: an object by property. */
  readonly schema: Value
  /** Per property whose value is a record's id, or a list of ids, their collection. */
  readonly references: { readonly [property: string]: string }
  /** Properties by whose values records are to be found fast. */
  readonly indexes: readonly string[]
  readonly semantics: number
}

/** What a collection's records are to be like, by one version of its schema. */
export interface Schema {
  readonly definition: SchemaDefinition
  readonly json: JsonSchema
  /** Where it comes from; absent where it was handed in. */
  readonly source?: DefinitionSource
}

/** Throws RZ_DEFINITION_INVALID, RZ_RULE_SEMANTICS, or as `compileJsonSchema`. */
export function compileSchema(value: Value, source?: DefinitionSource): Schema {
  const definition = parseDefinition(value)
  return { definition, json: compileJsonSchema(definition.schema), ...(source && { source }) }
}

function parseDefinition(value: Value): SchemaDefinition {
  const fields = fieldsOf(value)
  const semantics = parseSemantics(fields['semantics'])
  if (semantics > SCHEMA_SEMANTICS) {
    throw new RhizomeError(
      'RZ_RULE_SEMANTICS',
      `the schema is written in version ${semantics}, and this release knows ${SCHEMA_SEMANTICS}: upgrade`,
    )
  }
  if (fields['collection'] === undefined && JSON_SCHEMA_KEYS.some((key) => fields[key] !== undefined)) {
    throw invalid('a JSON Schema alone does not say of which records: write { "collection": "user", "schema": { … } }')
  }
  refuseOthers(fields, FIELDS)
  const { collection, version = 1, schema, references, indexes } = fields
  if (!isCollection(collection)) throw invalid('"collection" is the name of a collection')
  if (RESERVED_COLLECTIONS.has(collection)) throw invalid(`records of type ${collection} have a form of their own`)
  if (typeof version !== 'number' || !Number.isInteger(version) || version < 1 || version > VERSION_MAX) {
    throw invalid(`"version" is a whole number from 1 to ${VERSION_MAX}`)
  }
  if (schema === undefined) throw invalid('"schema" is missing: a JSON Schema of the record')
  return {
    collection,
    version,
    schema,
    references: referencesOf(references),
    indexes: indexesOf(indexes),
    semantics,
  }
}

function referencesOf(references: Value | undefined): SchemaDefinition['references'] {
  if (references === undefined) return {}
  const entries = Object.entries(fieldsOf(references))
  if (entries.length > REFERENCES_MAX) throw invalid(`"references" has at most ${REFERENCES_MAX} properties`)
  return Object.fromEntries(
    entries.map(([property, collection]) => {
      if (property !== '' && isCollection(collection)) return [property, collection]
      throw invalid('"references" has for each property the name of a collection')
    }),
  )
}

function indexesOf(indexes: Value | undefined): readonly string[] {
  if (indexes === undefined) return []
  if (isList(indexes) && indexes.length <= INDEXES_MAX) {
    const named = indexes.filter((property) => typeof property === 'string' && property !== '') as readonly string[]
    if (named.length === indexes.length) return [...new Set(named)]
  }
  throw invalid(`"indexes" is a list of at most ${INDEXES_MAX} names of properties`)
}

function isCollection(name: Value | undefined): name is string {
  return typeof name === 'string' && name !== '' && name !== '.' && !name.includes('/')
}
