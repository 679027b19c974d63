/**
 * Contexts: a named way to look at the same log. Which deltas are seen, whose negations count, and which resolvers take
 * the place of the log's. Definitions are the JSON value in the property `definition` of an entity of type `context`.
 * design.md 2 and 5.
 */

import type { Delta, Value } from '../../delta/delta.ts'
import { parseEntityId } from '../../delta/record.ts'
import { isList } from '../../delta/value.ts'
import { RhizomeError } from '../../errors.ts'
import { fieldsOf, invalid, parseSemantics, refuseOthers, RESERVED_COLLECTIONS } from '../definition.ts'
import type { Fault } from '../fault.ts'
import { losslessView, type LosslessOptions, type LosslessView } from '../lossless.ts'
import { type GasMeter, lossyView, type ResolvedView } from '../lossy.ts'
import { compileResolver, type Resolver } from '../resolvers/resolver.ts'
import { NO_RESOLVERS, overlaid, type ResolverSet, resolverSet } from '../resolvers/resolver-set.ts'
import { SEMANTICS_VERSION } from '../rules/semantics.ts'
import { compileFilter, type DeltaFilter } from './filter.ts'

/** Whose negations count: everyone's, the negated delta's author's own, or those of the creators listed. */
export type Negations = 'everyone' | 'author' | { readonly creators: readonly string[] }

/** A type, not an interface, so that it is a value that a record can hold. */
export type ContextDefinition = {
  /** A rule over a delta; what it says no to is not seen. Default: everything is. */
  readonly filter?: Value
  /** Default: everyone. */
  readonly negations?: Negations
  /** `{ collection, property, rule }` each. */
  readonly resolvers?: readonly { readonly collection: string; readonly property: string; readonly rule: Value }[]
  readonly semantics: number
}

export interface Context {
  readonly filter?: DeltaFilter
  readonly counts?: NonNullable<LosslessOptions['counts']>
  /** Those of its own, which take the place of the log's. */
  readonly resolvers: ResolverSet
}

/** Everything is seen, everyone's negations count, the log's resolvers hold. */
export const OPEN_CONTEXT: Context = { resolvers: NO_RESOLVERS }

/** Throws RZ_DEFINITION_INVALID, RZ_RULE_SEMANTICS, or as `compileRule` does. */
export function compileContext(value: Value): Context {
  const fields = fieldsOf(value)
  const version = parseSemantics(fields['semantics'])
  if (version > SEMANTICS_VERSION) {
    throw new RhizomeError(
      'RZ_RULE_SEMANTICS',
      `the context is written in version ${version} of the rule language, and this release knows ${SEMANTICS_VERSION}: upgrade`,
    )
  }
  refuseOthers(fields, ['filter', 'negations', 'resolvers', 'semantics'])
  const { filter, negations, resolvers } = fields
  const counts = countsBy(negations)
  return {
    ...(filter !== undefined && { filter: compileFilter(filter) }),
    ...(counts && { counts }),
    resolvers: resolverSet([], resolversOf(resolvers, version)),
  }
}

function countsBy(negations: Value | undefined): Context['counts'] {
  if (negations === undefined || negations === 'everyone') return undefined
  if (negations === 'author') return (negation, target) => negation.creator === target.creator
  if (typeof negations === 'object') {
    const listing = fieldsOf(negations)
    refuseOthers(listing, ['creators'])
    const { creators } = listing
    if (isList(creators) && creators.every((creator) => typeof creator === 'string')) {
      const listed = new Set<string>(creators)
      return (negation) => listed.has(negation.creator)
    }
  }
  throw invalid('"negations" is "everyone", "author" or { "creators": [peer id, …] }')
}

function resolversOf(resolvers: Value | undefined, semantics: number): readonly Resolver[] {
  if (resolvers === undefined) return []
  if (!isList(resolvers)) throw invalid('"resolvers" is a list of { collection, property, rule }')
  return resolvers.map((resolver) => compileResolver({ ...fieldsOf(resolver), semantics }))
}

/** The definition of a context that sees what these creators assert, and heeds their negations only. */
export function trustOnly(creators: readonly string[]): ContextDefinition {
  return {
    filter: { in: [{ var: 'creator' }, creators] },
    negations: { creators },
    semantics: SEMANTICS_VERSION,
  }
}

export interface ContextView {
  readonly lossless: LosslessView
  readonly lossy: ResolvedView
  /** What its rules and the filter took, so that whoever makes many views can end in time. */
  readonly gasUsed: number
  /** Deltas that are not seen because the filter failed on them. */
  readonly faults: readonly (Fault & { readonly delta: Delta })[]
}

/** The resolvers in force in a context: its own, and those of the log where it has none. */
export function resolversIn(context: Context, log: ResolverSet): ResolverSet {
  return context.resolvers.collections.size === 0 ? log : overlaid(log, context.resolvers)
}

/** What of a context's view needs no rule: the claims, and whether they stand. */
export type ContextEvidence = Pick<ContextView, 'lossless' | 'faults'>

/**
 * The views of `entity` in a context; `deltas` and `negations` as for `losslessView`, `resolvers` those in force in it.
 * Records that say how others are read are themselves read in the open context, whatever is asked.
 */
export function viewIn(
  asked: Context,
  resolvers: ResolverSet,
  entity: string,
  deltas: readonly Delta[],
  negations: readonly Delta[],
): ContextView {
  let gasUsed = 0
  const meter = (gas: number) => {
    gasUsed += gas
  }
  const evidence = evidenceIn(asked, entity, deltas, negations, meter)
  const lossy = lossyView(evidence.lossless, resolvers, meter)
  return { ...evidence, lossy, gasUsed }
}

/** As `viewIn`, without the values. */
export function evidenceIn(
  asked: Context,
  entity: string,
  deltas: readonly Delta[],
  negations: readonly Delta[],
  meter?: GasMeter,
): ContextEvidence {
  const context = RESERVED_COLLECTIONS.has(parseEntityId(entity)?.collection ?? '') ? OPEN_CONTEXT : asked
  const faults = new Map<string, Fault & { readonly delta: Delta }>()
  const seen = (delta: Delta) => {
    const sees = context.filter?.sees(delta, meter) ?? true
    if (typeof sees === 'boolean') return sees
    faults.set(delta.id, { ...sees, delta })
    return false
  }
  const options = context.counts === undefined ? {} : { counts: context.counts }
  const among = (all: readonly Delta[]) => (context.filter === undefined ? all : all.filter(seen))
  const lossless = losslessView(entity, among(deltas), among(negations), options)
  return { lossless, faults: [...faults.values()] }
}
