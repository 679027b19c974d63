/** Why a property has its value: the claims that could have been it, those that could not, the rule, and who signed. */

import { compareUtf8 } from '../delta/order.ts'
import { parseEntityId } from '../delta/record.ts'
import type { Value } from '../delta/delta.ts'
import { type Candidate, candidatesOf } from './candidates.ts'
import { outcomeOf, type Outcome } from './diff.ts'
import type { Claim, LosslessView, Negation } from './lossless.ts'
import type { ResolvedView } from './lossy.ts'
import type { DefinitionSource } from './definition.ts'
import type { Resolver } from './resolvers/resolver.ts'
import { selects } from './resolvers/selecting.ts'
import type { ResolverSet } from './resolvers/resolver-set.ts'
import { sameContent } from './rules/order.ts'

export interface Explanation extends Outcome {
  readonly id: string
  readonly property: string
  /** The claims that stand, in the total order. */
  readonly candidates: readonly Candidate[]
  /**
   * Those of them whose value is not the property's. None where the rule makes a value of them all, as an average is; all, where it
   * fails.
   */
  readonly losers: readonly Candidate[]
  /** The claims that do not stand. */
  readonly negated: readonly Claim[]
  /** The negations against any of its claims, and against those, that the view holds. */
  readonly negations: readonly Negation[]
  readonly resolver: ExplainedResolver
  /** The creators of all deltas named here, the definition's included, in the order of their ids. */
  readonly signers: readonly string[]
}

export type ExplainedResolver =
  | { readonly kind: 'latest' }
  | {
      readonly kind: 'rule'
      readonly rule: Value
      readonly semantics: number
      /** The properties that it reads. */
      readonly reads: readonly string[]
      /** Absent for one of the node's own configuration, or of a context. */
      readonly source?: DefinitionSource
    }

/** `lossy` is what `resolvers` made of `lossless`. */
export function explain(
  lossless: LosslessView,
  lossy: ResolvedView,
  resolvers: ResolverSet,
  property: string,
): Explanation {
  const claims = lossless.properties[property] ?? []
  const candidates = candidatesOf(claims)
  const negations = negationsOf(claims, lossless.negations)
  const outcome = outcomeOf(lossy, property)
  const resolver = resolverOf(lossless.id, property, resolvers)
  const deltas = [...claims, ...negations].map(({ delta }) => delta)
  if (resolver.kind === 'rule' && resolver.source !== undefined) deltas.push(resolver.source.delta)
  return {
    id: lossless.id,
    property,
    ...outcome,
    candidates,
    losers: isMade(outcome, resolvers, lossless.id, property)
      ? []
      : candidates.filter(({ value }) => outcome.value === undefined || !sameContent(value, outcome.value)),
    negated: claims.filter(({ standing }) => !standing),
    negations,
    resolver,
    signers: [...new Set<string>(deltas.map(({ creator }) => creator))].sort(compareUtf8),
  }
}

/** Whether the value was computed of the claims rather than selected among them. */
function isMade({ value }: Outcome, resolvers: ResolverSet, id: string, property: string): boolean {
  return value !== undefined && !selects(resolverIn(resolvers, id, property))
}

function resolverIn(resolvers: ResolverSet, id: string, property: string): Resolver | undefined {
  return resolvers.collections.get(parseEntityId(id)?.collection ?? '')?.byProperty.get(property)
}

function negationsOf(claims: readonly Claim[], all: readonly Negation[]): readonly Negation[] {
  const byId = new Map(all.map((negation) => [negation.delta.id, negation]))
  const bearing = new Set(claims.flatMap(({ negatedBy }) => negatedBy.map(({ id }) => id)))
  // A set may grow while it is walked.
  for (const id of bearing) for (const further of byId.get(id)?.negatedBy ?? []) bearing.add(further.id)
  return all.filter(({ delta }) => bearing.has(delta.id))
}

function resolverOf(id: string, property: string, resolvers: ResolverSet): ExplainedResolver {
  const resolver = resolverIn(resolvers, id, property)
  if (resolver === undefined) return { kind: 'latest' }
  const { definition, rule, source } = resolver
  return {
    kind: 'rule',
    rule: definition.rule,
    semantics: definition.semantics,
    reads: rule?.reads ?? [],
    ...(source && { source }),
  }
}
