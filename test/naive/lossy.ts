/**
 * Lossy views once more, as plainly as it can be said, from nothing but the deltas: the resolvers in force are looked
 * up among them each time. Imports nothing of src; counts gas roughly, and knows of errors only the codes.
 */

import { type NaiveDelta, naiveLossless } from './lossless.ts'
import { naiveRule } from './rules.ts'

export interface NaiveContext {
  readonly filter?: unknown
  readonly negations?: 'everyone' | 'author' | { readonly creators: readonly string[] }
  readonly resolvers?: readonly NaiveResolver[]
}

interface NaiveResolver {
  readonly collection: string
  readonly property: string
  readonly rule: unknown
}

interface NaiveClaim {
  readonly delta: NaiveDelta
  readonly value: unknown
  readonly standing: boolean
}

class Refusal extends Error {}

type Outcome = { readonly value: unknown } | { readonly error: string } | undefined

export function naiveLossy(entity: string, deltas: readonly NaiveDelta[], context: NaiveContext = {}): unknown {
  const reserved = /^(resolver|context|schema|placement|grant|erasure)\/./.test(entity)
  const seen = reserved || context.filter === undefined ? deltas : deltas.filter((delta) => sees(context.filter, delta))
  const properties = claimsOf(entity, seen, reserved ? {} : context)
  const logged = resolversIn(deltas)
  const resolvers = [...logged, ...(context.resolvers ?? [])]
  const collection = /^([^/]+)\/./.exec(entity)?.[1]
  const resolverOf = (property: string) =>
    resolvers.findLast((resolver) => resolver.collection === collection && resolver.property === property)

  const candidatesOf = (property: string) =>
    (Object.hasOwn(properties, property) ? (properties[property] ?? []) : [])
      .filter((claim) => claim.standing)
      .map(({ value, delta: { time, creator, host, id } }) => ({ value, time, creator, host, id }))

  let shared = 300_000

  /** The property's value; undefined for none. Throws a refusal with the code of its error. */
  const resolve = (property: string): unknown => {
    const resolver = resolverOf(property)
    const candidates = candidatesOf(property)
    if (resolver === undefined) return candidates.at(-1)?.value
    const around = reachedFrom(property).filter((name) => reachedFrom(name).includes(property))
    if (around.length > 0) {
      if ([property, ...around].every((name) => candidatesOf(name).length === 0)) return undefined
      throw new Refusal('RZ_RULE_CYCLE')
    }
    const isRead = readsOf(resolver.rule).some((name) => outcomes.get(name) !== undefined)
    if (candidates.length === 0 && !isRead) return undefined
    const own = 32 * candidates.length + (candidates.length > 0 || !logged.includes(resolver) ? 1_000 : 0)
    const wanted = 100_000 + 32 * candidates.length
    const given = Math.min(wanted, own + shared)
    let used = 0
    const spend = (gas: number): void => {
      used += gas
      if (used > given) throw new Refusal(given < wanted ? 'RZ_VIEW_GAS' : 'RZ_RULE_GAS')
    }
    const read = (name: string): unknown => {
      const outcome = outcomes.get(name)
      if (outcome !== undefined && 'error' in outcome) throw new Refusal('RZ_RULE_PROPERTY')
      return outcome?.value
    }
    try {
      return naiveRule(resolver.rule, { id: entity, property, candidates }, { property: read, spend })
    } finally {
      shared -= Math.max(0, Math.min(used, given) - own)
    }
  }

  const outcomeOf = (property: string): Outcome => {
    try {
      const value = resolve(property)
      return value === undefined ? undefined : { value }
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      return { error: error.message }
    }
  }

  /** All properties that the rule of this one reads, directly or through others. */
  const reachedFrom = (property: string): readonly string[] => {
    const reached = new Set<string>()
    const visit = (name: string): void => {
      for (const read of readsOf(resolverOf(name)?.rule)) {
        if (reached.has(read)) continue
        reached.add(read)
        visit(read)
      }
    }
    visit(property)
    return [...reached]
  }

  /** In the order in which they use up gas: those that read no other, then the others, each after what it reads. */
  const order = new Set<string>()
  const isReading = (property: string) => readsOf(resolverOf(property)?.rule).length > 0
  const visited = new Set<string>()
  const visit = (property: string): void => {
    if (visited.has(property)) return
    visited.add(property)
    for (const name of readsOf(resolverOf(property)?.rule).toSorted(byUtf8)) if (isReading(name)) visit(name)
    order.add(property)
  }
  const reading = resolvers
    .filter((resolver) => resolver.collection === collection)
    .map((resolver) => resolver.property)
    .filter(isReading)
  for (const name of Object.keys(properties).toSorted(byUtf8)) if (!isReading(name)) order.add(name)
  for (const name of reading.toSorted(byUtf8)) visit(name)
  const outcomes = new Map<string, Outcome>()
  for (const name of order) outcomes.set(name, outcomeOf(name))
  return {
    id: entity,
    properties: Object.fromEntries(
      [...outcomes].flatMap(([name, outcome]) =>
        outcome !== undefined && 'value' in outcome ? [[name, outcome.value]] : [],
      ),
    ),
    errors: Object.fromEntries(
      [...outcomes].flatMap(([name, outcome]) =>
        outcome !== undefined && 'error' in outcome ? [[name, outcome.error]] : [],
      ),
    ),
  }
}

function claimsOf(
  entity: string,
  deltas: readonly NaiveDelta[],
  { negations = 'everyone' }: NaiveContext,
): { readonly [property: string]: readonly NaiveClaim[] } {
  const counts = (negation: NaiveDelta, target: NaiveDelta) => {
    if (typeof negations === 'object') return negations.creators.includes(negation.creator)
    return negations === 'everyone' || negation.creator === target.creator
  }
  const view = naiveLossless(entity, [{ deltas }], counts) as { properties: Record<string, NaiveClaim[]> }
  return view.properties
}

function sees(filter: unknown, delta: NaiveDelta): boolean {
  const says = naiveRule(filter, delta)
  return Array.isArray(says) ? says.length > 0 : Boolean(says)
}

/** Those in force, the ones claimed later after the others. */
function resolversIn(deltas: readonly NaiveDelta[]): readonly NaiveResolver[] {
  const records = deltas
    .flatMap((delta) => delta.pointers)
    .filter((pointer) => pointer.targetContext !== undefined && String(pointer.target).startsWith('resolver/'))
    .map((pointer) => String(pointer.target))
  return [...new Set(records)]
    .flatMap(
      (record) =>
        claimsOf(record, deltas, {})['definition']?.findLast((claim) => claim.standing && isDefinition(claim.value)) ??
        [],
    )
    .sort((a, b) => inTotalOrder(a.delta, b.delta))
    .map((claim) => claim.value as NaiveResolver)
}

function isDefinition(value: unknown): boolean {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && 'rule' in value && 'collection' in value
  )
}

/** The names in `property` operators; literal objects hold none. */
function readsOf(rule: unknown): readonly string[] {
  if (Array.isArray(rule)) return rule.flatMap(readsOf)
  if (typeof rule !== 'object' || rule === null || Object.keys(rule).length !== 1) return []
  const [name, inner] = Object.entries(rule)[0] as [string, unknown]
  const own = name === 'property' ? [String(Array.isArray(inner) ? inner[0] : inner)] : []
  return [...own, ...(Array.isArray(inner) ? inner : [inner]).flatMap(readsOf)]
}

function byUtf8(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}

function inTotalOrder(a: NaiveDelta, b: NaiveDelta): number {
  return (
    a.time.ms - b.time.ms ||
    a.time.counter - b.time.counter ||
    (a.creator < b.creator ? -1 : Number(a.creator > b.creator)) ||
    (a.log < b.log ? -1 : Number(a.log > b.log)) ||
    a.seq - b.seq ||
    a.index - b.index
  )
}
