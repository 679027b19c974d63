/** Resolvers: how one property of a collection is resolved, as its definition says. design.md 5. */

import type { Value } from '../../delta/delta.ts'
import { compareDeltas } from '../../delta/order.ts'
import {
  type DefinitionSource,
  fieldsOf,
  invalid,
  parseSemantics,
  refuseOthers,
  RESERVED_COLLECTIONS,
} from '../definition.ts'
import { compileRule, type Rule } from '../rules/rule.ts'
import { SEMANTICS_VERSION } from '../rules/semantics.ts'

export interface ResolverDefinition {
  readonly collection: string
  readonly property: string
  readonly rule: Value
  /** Which version of the rule language the rule is written in. */
  readonly semantics: number
}

/** How one property of a collection is resolved. */
export interface Resolver {
  readonly definition: ResolverDefinition
  /** Absent where the semantics are of a later release. */
  readonly rule?: Rule
  /** Where it comes from; absent where it was handed in, as by a node's own configuration or a context. */
  readonly source?: DefinitionSource
}

/** Throws RZ_DEFINITION_INVALID, or as `compileRule` does. */
export function compileResolver(value: Value, source?: DefinitionSource): Resolver {
  const definition = parseDefinition(value)
  // A later version may say what this release cannot check: it is in force, and its property says so.
  const rule = definition.semantics > SEMANTICS_VERSION ? undefined : compileRule(definition.rule)
  return { definition, ...(rule && { rule }), ...(source && { source }) }
}

function parseDefinition(value: Value): ResolverDefinition {
  const fields = fieldsOf(value)
  const semantics = parseSemantics(fields['semantics'])
  // A later version may have fields of its own.
  if (semantics <= SEMANTICS_VERSION) refuseOthers(fields, ['collection', 'property', 'rule', 'semantics'])
  const { collection, property, rule } = fields
  if (typeof collection !== 'string' || collection === '' || collection.includes('/')) {
    throw invalid('"collection" is the name of a collection')
  }
  if (RESERVED_COLLECTIONS.has(collection)) throw invalid(`records of type ${collection} are always read by latest`)
  if (typeof property !== 'string' || property === '') throw invalid('"property" is the name of a property')
  if (rule === undefined) throw invalid('"rule" is missing')
  return { collection, property, rule, semantics }
}

/** In the order in which their definitions were claimed. Those that were handed in come first. */
export function byClaim(a: Resolver, b: Resolver): number {
  if (a.source === undefined || b.source === undefined)
    return Number(a.source !== undefined) - Number(b.source !== undefined)
  return compareDeltas(a.source.delta, b.source.delta)
}
