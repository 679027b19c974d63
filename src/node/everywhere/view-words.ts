/**
 * How views come to be, as nodes say it to each other: lossless views, explanations, histories, differences. Each is a list of
 * items, so that it is bounded as it comes. What a claim says is read from its delta, here as there. words.ts.
 */

import type { Delta, PeerId, Value } from '../../delta/delta.ts'
import { isReference } from '../../delta/delta.ts'
import { parseDeltaId, parsePeerId } from '../../delta/identifiers.ts'
import { compareDeltas, compareUtf8 } from '../../delta/order.ts'
import type { Candidate } from '../../view/candidates.ts'
import type { Change, Outcome } from '../../view/diff.ts'
import type { ExplainedResolver, Explanation } from '../../view/explain.ts'
import type { Moment } from '../../view/history.ts'
import { type LosslessView, losslessOf, type NegatedBy, type Negation } from '../../view/lossless.ts'
import {
  deltaValue,
  faultValue,
  integerIn,
  invalid,
  inWords,
  listIn,
  orderedValue,
  parseDelta,
  parseFault,
  parseOrdered,
  parseTime,
  textIn,
  textsIn,
} from './words.ts'

// -------------------------------------------------------------------------------------------------- lossless views

/** Each delta once, claims and negations alike. */
export function* losslessItems(view: LosslessView | undefined): Generator<Value> {
  const said = new Set<string>()
  for (const negation of [...Object.values(view?.properties ?? {}).flat(), ...(view?.negations ?? [])]) {
    if (said.has(negation.delta.id)) continue
    said.add(negation.delta.id)
    yield negationValue(negation)
  }
}

export function parseLossless(entity: string, items: readonly Value[]): LosslessView | undefined {
  if (items.length === 0) return undefined
  const told = items.map(parseNegation)
  const negating = new Set<string>(told.flatMap(({ negatedBy }) => negatedBy.map(({ id }) => id)))
  const negations = told.filter(({ delta }) => negating.has(delta.id))
  const about = told.filter(({ delta: { pointers } }) =>
    pointers.some((pointer) => isReference(pointer) && pointer.target === entity),
  )
  if (about.length === 0) throw invalid('a view without a claim')
  return viewOf(entity, about, negations)
}

function viewOf(entity: string, about: readonly Negation[], negations: readonly Negation[]): LosslessView {
  const known = new Map([...about, ...negations].map((each) => [each.delta.id, each]))
  const negating = new Set(inOrder(negations).map(({ id }) => id))
  for (const { negatedBy } of known.values()) {
    if (!negatedBy.every(({ id }) => negating.has(id))) throw invalid('a negation that is not there')
  }
  const against = ({ id }: Delta) => known.get(id) ?? { standing: false, negatedBy: [] }
  return losslessOf(entity, inOrder(about), inOrder(negations), against)
}

/** Their deltas, in the total order. */
function inOrder(told: readonly Negation[]): readonly Delta[] {
  const deltas = told.map(({ delta }) => delta).sort(compareDeltas)
  if (new Set(deltas.map(({ id }) => id)).size < deltas.length) throw invalid('a delta twice')
  return deltas
}

function negationValue({ delta, standing, negatedBy }: Negation): Value {
  return [deltaValue(delta), standing, negatedBy.map(({ id, counted }) => [id, counted])]
}

function parseNegation(value: Value | undefined): Negation {
  const [delta, standing, negatedBy] = listIn(value)
  return {
    delta: parseDelta(delta),
    standing: booleanIn(standing),
    negatedBy: listIn(negatedBy).map(parseNegatedBy),
  }
}

function parseNegatedBy(value: Value): NegatedBy {
  const [id, counted] = listIn(value)
  return { id: inWords(() => parseDeltaId(textIn(id)).id), counted: booleanIn(counted) }
}

// --------------------------------------------------------------------------------------------------- explanations

const CANDIDATE = 0
const NEGATED = 1
const NEGATION = 2

/** What it came to, the rule, then candidates and what is negated or negates. */
export function* explanationItems(explanation: Explanation | undefined): Generator<Value> {
  if (explanation === undefined) return
  const { candidates, losers, negated, negations, resolver } = explanation
  yield outcomeValue(explanation)
  yield resolverValue(resolver)
  const losing = new Set(losers.map(({ id }) => id))
  for (const candidate of candidates) yield [CANDIDATE, losing.has(candidate.id), candidateValue(candidate)]
  for (const claim of negated) yield [NEGATED, negationValue(claim)]
  for (const negation of negations) yield [NEGATION, negationValue(negation)]
}

export function parseExplanation(id: string, property: string, items: readonly Value[]): Explanation | undefined {
  const [outcome, rule, ...rest] = items
  if (outcome === undefined) return undefined
  const ofKind = (kind: number) => rest.map(listIn).filter(([told]) => told === kind)
  const candidates = ofKind(CANDIDATE)
  const negations = ofKind(NEGATION).map(([, negation]) => parseNegation(negation))
  const claims = ofKind(NEGATED).map(([, claim]) => parseNegation(claim))
  const view = viewOf(id, claims, negations)
  const negated = Object.hasOwn(view.properties, property) ? (view.properties[property] ?? []) : []
  if (candidates.length + negated.length + negations.length < rest.length)
    throw invalid('neither a claim nor a negation')
  const standing = candidates.map(([, , candidate]) => parseCandidate(candidate))
  const resolver = parseResolver(rule)
  const deltas = [...negated, ...view.negations].map(({ delta }) => delta)
  if (resolver.kind === 'rule' && resolver.source !== undefined) deltas.push(resolver.source.delta)
  const signers = new Set<string>([...standing, ...deltas].map(({ creator }) => creator))
  return {
    id,
    property,
    ...parseOutcome(outcome),
    candidates: standing,
    losers: standing.filter((_, index) => booleanIn(candidates[index]?.[1])),
    negated,
    negations: view.negations,
    resolver,
    signers: [...signers].sort(compareUtf8),
  }
}

function candidateValue({ id, time, creator, host, value }: Candidate): Value {
  return [id, time.ms, time.counter, creator, host, orderedValue(value)]
}

function parseCandidate(value: Value | undefined): Candidate {
  const [id, ms, counter, creator, host, claimed] = listIn(value)
  const time = parseTime([ms ?? null, counter ?? null])
  return {
    value: parseOrdered(claimed),
    time,
    creator: peerIn(creator),
    host: peerIn(host),
    id: inWords(() => parseDeltaId(textIn(id)).id),
  }
}

function resolverValue(resolver: ExplainedResolver): Value {
  if (resolver.kind === 'latest') return null
  const { rule, semantics, reads, source } = resolver
  return [orderedValue(rule), semantics, reads, source === undefined ? null : [source.record, deltaValue(source.delta)]]
}

function parseResolver(value: Value | undefined): ExplainedResolver {
  if (value === null) return { kind: 'latest' }
  const [rule, semantics, reads, source] = listIn(value)
  const [record, delta] = source === null ? [] : listIn(source)
  return {
    kind: 'rule',
    rule: parseOrdered(rule),
    semantics: integerIn(semantics),
    reads: textsIn(reads),
    ...(source !== null && { source: { record: textIn(record), delta: parseDelta(delta) } }),
  }
}

// ------------------------------------------------------------------------------------------ histories, differences

export function momentItem({ delta, after }: Moment): Value {
  return [deltaValue(delta), outcomeValue(after)]
}

export function parseMomentItem(value: Value): Moment {
  const [delta, after] = listIn(value)
  return { delta: parseDelta(delta), after: parseOutcome(after) }
}

export function changeItem({ property, before, after }: Change): Value {
  return [property, outcomeValue(before), outcomeValue(after)]
}

export function parseChange(value: Value): Change {
  const [property, before, after] = listIn(value)
  return { property: textIn(property), before: parseOutcome(before), after: parseOutcome(after) }
}

function outcomeValue({ value, error }: Outcome): Value {
  if (error !== undefined) return [null, faultValue(error)]
  return value === undefined ? [] : [orderedValue(value)]
}

function parseOutcome(outcome: Value | undefined): Outcome {
  const [value, error] = listIn(outcome)
  if (error !== undefined) return { error: parseFault(error) }
  return value === undefined ? {} : { value: parseOrdered(value) }
}

// ---------------------------------------------------------------------------------------------------- small things

function peerIn(value: Value | undefined): PeerId {
  return inWords(() => parsePeerId(textIn(value)))
}

function booleanIn(value: Value | undefined): boolean {
  if (typeof value === 'boolean') return value
  throw invalid('neither true nor false')
}
