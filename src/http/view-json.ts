/** Answers about views as JSON: why a property has its value, how it came to that, and what differs between two moments. */

import { type Json, toJson } from '../delta/json.ts'
import type { Namespace } from '../node/namespace.ts'
import { writeDelta } from './json.ts'
import { EvidenceWriter } from './lossless-json.ts'

type Explanation = NonNullable<ReturnType<Namespace['explain']>>
type History = ReturnType<Namespace['history']>
type Change = ReturnType<Namespace['diff']>[number]

export function writeExplanation(explanation: Explanation): { readonly [key: string]: Json } {
  const { id, property, candidates, losers, negated, negations, resolver, signers } = explanation
  const evidence = new EvidenceWriter()
  return {
    id,
    property,
    ...writeOutcome(explanation),
    candidates: candidates.map(writeCandidate),
    losers: losers.map(writeCandidate),
    negated: evidence.claims(negated),
    negations: evidence.negations(negations),
    deltas: evidence.deltas(),
    resolver: writeResolver(resolver),
    signers,
  }
}

export function writeHistory({ moments, skippedCount }: History): { readonly [key: string]: Json } {
  return {
    moments: moments.map(({ delta, after }) => ({ delta: writeDelta(delta), after: writeOutcome(after) })),
    skippedCount,
  }
}

export function writeChange({ property, before, after }: Change): { readonly [key: string]: Json } {
  return { property, before: writeOutcome(before), after: writeOutcome(after) }
}

function writeOutcome({ value, error }: Change['before']): { readonly [key: string]: Json } {
  return { ...(value !== undefined && { value: toJson(value) }), ...(error && { error: { ...error } }) }
}

function writeCandidate(candidate: Explanation['candidates'][number]): Json {
  return { ...candidate, value: toJson(candidate.value) }
}

function writeResolver(resolver: Explanation['resolver']): Json {
  if (resolver.kind === 'latest') return { kind: resolver.kind }
  const { kind, rule, semantics, reads, source } = resolver
  return {
    kind,
    rule: toJson(rule),
    semantics,
    reads,
    ...(source && { source: { record: source.record, delta: writeDelta(source.delta) } }),
  }
}
