/** Definitions as callers write them, checked before they become records: what could not be read is never written here. */

import type { Value } from '../delta/delta.ts'
import { type ShardRange, shardRangeText } from '../delta/shard-range.ts'
import { RhizomeError } from '../errors.ts'
import { compileContext, type ContextDefinition } from '../view/contexts/context.ts'
import { compileFunction, type FunctionDefinition } from '../view/functions/function-definition.ts'
import { compilePlacement, PLACEMENT_SEMANTICS } from '../view/placements/placement.ts'
import { compileResolver, type ResolverDefinition } from '../view/resolvers/resolver.ts'
import { SEMANTICS_VERSION } from '../view/rules/semantics.ts'
import { compileSchema, SCHEMA_SEMANTICS, type SchemaDefinition } from '../view/schemas/schema.ts'

interface SemanticsInput {
  /** Default: the version of the rule language that this release writes. */
  readonly semantics?: number
}

/** How one property of a collection is read. view/README.md, Resolvers. */
export type ResolverInput = Omit<ResolverDefinition, 'semantics'> & SemanticsInput

/** A way to look at the log. view/README.md, Contexts. */
export type ContextInput = Omit<ContextDefinition, 'semantics'> & SemanticsInput

/** What nodes that opt in do when a delta comes. src/node/README.md, Functions. */
export type FunctionInput = Omit<FunctionDefinition, 'semantics'> & SemanticsInput

/** What the records of a collection are to be like. view/README.md, Schemas. */
export type SchemaInput = Pick<SchemaDefinition, 'collection'> &
  Partial<Pick<SchemaDefinition, 'version' | 'references' | 'indexes'>> &
  SemanticsInput & {
    /** JSON Schema 2020-12 of a record: an object by property. */
    readonly schema: unknown
  }

/** Throws RZ_DEFINITION_INVALID, or RZ_RULE_… for a rule that cannot be read. */
export function resolverValue(input: ResolverInput): Value {
  const value: Value = { semantics: SEMANTICS_VERSION, ...input }
  if (compileResolver(value).rule !== undefined) return value
  throw new RhizomeError(
    'RZ_RULE_SEMANTICS',
    `this release writes version ${SEMANTICS_VERSION} of the rule language: leave "semantics" out`,
  )
}

/** Throws as `resolverValue`. */
export function contextValue(input: ContextInput): Value {
  const value: Value = { semantics: SEMANTICS_VERSION, ...input }
  compileContext(value)
  return value
}

/** Throws as `resolverValue`. */
export function functionValue(input: FunctionInput): Value {
  const value = { semantics: SEMANTICS_VERSION, ...input } as unknown as Value
  compileFunction(value)
  return value
}

/** Throws RZ_DEFINITION_INVALID, RZ_RULE_SEMANTICS, or RZ_SCHEMA_… for a JSON Schema that cannot be used. */
export function schemaValue(input: SchemaInput): Value {
  const value = { semantics: SCHEMA_SEMANTICS, ...input } as Value
  compileSchema(value)
  return value
}

/** Which records lie in a shard: `*:a-g`, `orders:a-g`. Throws RZ_DEFINITION_INVALID, RZ_PLACEMENT_INVALID. */
export function placementValue(range: ShardRange): Value {
  const value: Value = { semantics: PLACEMENT_SEMANTICS, range: shardRangeText(range) }
  compilePlacement(value)
  return value
}
