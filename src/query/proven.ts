/**
 * What follows from a set of deltas that somebody has proven, and from nothing else: which of them bear upon a question, and
 * which values they amount to by the rules among them. Who makes a proof and who checks it read by this same file.
 */

import { type Delta, isReference, negatedIds } from '../delta/delta.ts'
import { compareDeltas } from '../delta/order.ts'
import { parseEntityId } from '../delta/record.ts'
import { RhizomeError } from '../errors.ts'
import {
  compileContext,
  type Context,
  type ContextView,
  OPEN_CONTEXT,
  resolversIn,
  viewIn,
} from '../view/contexts/context.ts'
import { DEFINITION, type DefinitionRecord, readDefinition } from '../view/definition.ts'
import { outcomeOf, type Outcome } from '../view/diff.ts'
import { losslessView } from '../view/lossless.ts'
import { compileResolver, type Resolver } from '../view/resolvers/resolver.ts'
import { type ResolverSet, resolverSet } from '../view/resolvers/resolver-set.ts'

export interface Question {
  readonly entity: string
  /** One property, and those that its rule reads. Absent: all. */
  readonly property?: string
}

/** Rules that may be run for one proof, each within its gas: so that checking one ends within seconds. */
const RULES_MAX = 32
/** A delta that speaks about many properties has its other pointers as the value of each: the square of them. */
const VALUE_PARTS_MAX = 1_048_576

const RESOLVER_PREFIX = 'resolver/'
const CONTEXT_PREFIX = 'context/'

/** The rules that records say. */
export interface Rules {
  readonly context: Context
  /** Those in force in the context. */
  readonly resolvers: ResolverSet
}

/**
 * The rules in `records`, which are entities of resolvers, and of the context `context` when one is asked for. Throws
 * RZ_PROOF_INVALID when a record is of another type or holds no rule.
 */
export function rulesOf(records: readonly string[], context: string | undefined, deltas: readonly Delta[]): Rules {
  if (records.length > RULES_MAX + 1) throw tooManyRules(records.length)
  const contextRecord = context === undefined ? undefined : CONTEXT_PREFIX + context
  const resolvers: DefinitionRecord<Resolver>[] = []
  let inContext = contextRecord === undefined ? OPEN_CONTEXT : undefined
  for (const record of records) {
    const view = losslessView(record, deltas, deltas)
    if (record === contextRecord) inContext = readDefinition(view, compileContext).definition
    else if (record.startsWith(RESOLVER_PREFIX)) resolvers.push(readDefinition(view, compileResolver))
    else throw unproven(`it names ${record}, which is no record of a rule that it needs`)
  }
  if (inContext === undefined) throw unproven(`the context ${context ?? ''} is not in it`)
  if (resolvers.some(({ definition }) => definition === undefined)) throw unproven('a record in it says no rule')
  return { context: inContext, resolvers: resolversIn(inContext, resolverSet(resolvers)) }
}

/** The properties that an answer is about: the one asked for and those that its rule reads, and so on; undefined for all. */
function propertiesOf({ entity, property }: Question, resolvers: ResolverSet): ReadonlySet<string> | undefined {
  if (property === undefined) return undefined
  const byProperty = resolversOf(entity, resolvers)
  const properties = new Set([property])
  // A set may grow while it is walked.
  for (const name of properties) for (const read of byProperty.get(name)?.rule?.reads ?? []) properties.add(read)
  return properties
}

/** Of `pool`, in the total order: what claims something that the question, or a record, is about, and what negates it. */
export function bearingUpon(
  question: Question,
  records: readonly string[],
  resolvers: ResolverSet,
  pool: readonly Delta[],
): readonly Delta[] {
  const properties = propertiesOf(question, resolvers)
  const recordSet = new Set(records)
  const isClaim = (delta: Delta) =>
    delta.pointers.some(
      (pointer) =>
        isReference(pointer) &&
        ((pointer.target === question.entity && (properties?.has(pointer.targetContext) ?? true)) ||
          (pointer.targetContext === DEFINITION && recordSet.has(pointer.target))),
    )
  const negators = new Map<string, Delta[]>()
  for (const delta of pool) {
    for (const target of new Set(negatedIds(delta.pointers))) {
      const against = negators.get(target)
      if (against === undefined) negators.set(target, [delta])
      else against.push(delta)
    }
  }
  const bearing = new Set(pool.filter(isClaim))
  for (const delta of bearing) for (const negation of negators.get(delta.id) ?? []) bearing.add(negation)
  return [...bearing].sort(compareDeltas)
}

/** A view by proven rules, and the outcomes that the question asks for. */
export interface ProvenView extends ContextView {
  readonly outcomes: ReadonlyMap<string, Outcome>
}

/** Throws RZ_PROOF_TOO_LARGE where more rules would have to be run than a proof may ask for. */
export function provenView(question: Question, { context, resolvers }: Rules, deltas: readonly Delta[]): ProvenView {
  const { entity, property } = question
  checkWork(question, resolvers, deltas)
  const view = viewIn(context, resolvers, entity, deltas, deltas)
  const { properties, errors } = view.lossy
  const names = property === undefined ? [...Object.keys(properties), ...Object.keys(errors)] : [property]
  const outcomes = new Map(names.map((name) => [name, outcomeOf(view.lossy, name)]))
  for (const [name, { value, error }] of outcomes) if (value === undefined && error === undefined) outcomes.delete(name)
  return { ...view, outcomes }
}

/** Bounds the work of a view, whoever wrote the deltas. */
function checkWork({ entity }: Question, resolvers: ResolverSet, deltas: readonly Delta[]): void {
  const claimed = new Set<string>()
  let partsCount = 0
  for (const { pointers } of deltas) {
    for (const pointer of pointers) {
      if (!isReference(pointer) || pointer.target !== entity) continue
      claimed.add(pointer.targetContext)
      partsCount += pointers.length
    }
  }
  if (partsCount > VALUE_PARTS_MAX) throw tooLarge(`${partsCount} parts of values`)
  const rules = [...resolversOf(entity, resolvers)]
  const used = rules.filter(([name, { rule }]) => claimed.has(name) || (rule?.reads.length ?? 0) > 0)
  if (used.length > RULES_MAX) throw tooManyRules(used.length)
}

/** The records of the rules by which the question is answered, sorted: `answered` are the properties that have an outcome. */
export function recordsOf(
  { entity, property }: Question,
  resolvers: ResolverSet,
  answered: Iterable<string>,
): string[] {
  const byProperty = resolversOf(entity, resolvers)
  const names = new Set(property === undefined ? answered : [property])
  // A context's own rules are always in the proof. What they read is, too, or one of them might have a value there alone.
  if (property === undefined) for (const [name, { source }] of byProperty) if (source === undefined) names.add(name)
  const records = new Set<string>()
  for (const name of names) {
    const resolver = byProperty.get(name)
    if (resolver === undefined) continue
    if (resolver.source !== undefined) records.add(resolver.source.record)
    for (const read of resolver.rule?.reads ?? []) names.add(read)
  }
  return [...records].sort()
}

/** What resolves the property; undefined where its last claim is its value. */
export function ruleOf(entity: string, property: string, resolvers: ResolverSet): Resolver | undefined {
  return resolversOf(entity, resolvers).get(property)
}

function resolversOf(entity: string, resolvers: ResolverSet): ReadonlyMap<string, Resolver> {
  return resolvers.collections.get(parseEntityId(entity)?.collection ?? '')?.byProperty ?? new Map()
}

function unproven(why: string): RhizomeError {
  return new RhizomeError('RZ_PROOF_INVALID', `it proves nothing: ${why}`)
}

function tooManyRules(count: number): RhizomeError {
  return tooLarge(`${count} rules`)
}

function tooLarge(what: string): RhizomeError {
  return new RhizomeError('RZ_PROOF_TOO_LARGE', `a proof of ${what}: ask for one property of the entity`)
}
