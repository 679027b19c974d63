/** Definitions as callers write them, checked before they become records: what could not be read is never written here. */

import type { Value } from '../delta/delta.ts'
import { RhizomeError } from '../errors.ts'
import { compileContext, type ContextDefinition } from '../view/contexts/context.ts'
import { compileResolver, type ResolverDefinition } from '../view/resolvers/resolver.ts'
import { SEMANTICS_VERSION } from '../view/rules/semantics.ts'

interface SemanticsInput {
  /** Default: the version of the rule language that this release writes. */
  readonly semantics?: number
}

/** How one property of a collection is read. view/README.md, Resolvers. */
export type ResolverInput = Omit<ResolverDefinition, 'semantics'> & SemanticsInput

/** A way to look at the log. view/README.md, Contexts. */
export type ContextInput = Omit<ContextDefinition, 'semantics'> & SemanticsInput

/** Throws RZ_DEFINITION_INVALID, or RZ_RULE_… for a rule that cannot be read. */
export function resolverValue(input: ResolverInput): Value {
  const value: Value = { semantics: SEMANTICS_VERSION, ...input }
  if (compileResolver(value).rule !== undefined) return value
  throw new RhizomeError('RZ_RULE_SEMANTICS', `this release writes version ${SEMANTICS_VERSION} of the rule language`)
}

/** Throws as `resolverValue`. */
export function contextValue(input: ContextInput): Value {
  const value: Value = { semantics: SEMANTICS_VERSION, ...input }
  compileContext(value)
  return value
}
