/**
 * What a proof shows, for whoever is handed one: needs no store, no node and no network. Which claims were signed is checked
 * in `log`, what they amount to is computed in `query` by the same views that a node answers with; here the two meet.
 */

import { COUNTER_MAX } from '../delta/clock.ts'
import { type Delta, type DeltaId, isReference, type PeerId, type Value } from '../delta/delta.ts'
import { compareUtf8 } from '../delta/order.ts'
import { sameValue } from '../delta/value.ts'
import { RhizomeError } from '../errors.ts'
import type { LogKey } from '../log/block.ts'
import { parseFrontierText } from '../log/frontier-text.ts'
import { checkProof } from '../log/proof-check.ts'
import type { ProofStatement, StatedOutcome } from '../log/proof-statement.ts'
import { PROOF_BYTES_MAX, unproven } from '../log/proof.ts'
import { parseProofText } from '../log/proof-text.ts'
import { bearingUpon, type ProvenView, provenView, ruleOf, type Rules, rulesOf } from '../query/proven.ts'
import { belongsTo } from '../view/as-of.ts'
import type { Outcome } from '../view/diff.ts'
import { attempt } from '../view/fault.ts'

/** What a proof shows, and what it leaves to trust. */
export interface ProofReport {
  /** Name of the namespace; its id is in every block. */
  readonly namespace: string
  readonly entity: string
  /** Given where the proof is about one property, and those that its rule reads. */
  readonly property?: string
  readonly context?: string
  /** A frontier or milliseconds, where the proof is about a moment. */
  readonly asOf?: string | number
  /** Proven: these were signed by their creators. In the total order. */
  readonly deltas: readonly Delta[]
  /** Who signed how many of them, by peer id. Whose keys they are is for the reader to know. */
  readonly creators: readonly ProvenCreator[]
  /** Recomputed from the deltas, by the rules among them. */
  readonly values: readonly ProvenValue[]
  /** Logs among those of the deltas that are proven to have forked, and from which block on they are void. */
  readonly forks: readonly { readonly log: LogKey; readonly cut: number }[]
  /** Not proven: that these are all, the word of the node that made the proof. */
  readonly completeness: Completeness
}

export interface ProvenCreator {
  readonly id: PeerId
  /** Deltas that claim something about the entity. */
  readonly claims: number
  /** Deltas that negate. */
  readonly negations: number
  /** Deltas that say by which rules the entity is read. */
  readonly definitions: number
}

export interface ProvenValue {
  readonly property: string
  /** What the node stated; absent where it stated nothing. */
  readonly stated?: StatedOutcome
  /** What the proven deltas amount to; absent where that is nothing. */
  readonly computed?: StatedOutcome
  /** `unknown`: its rule is of a release that the node, or this one, does not know. */
  readonly verdict: 'equal' | 'different' | 'unknown'
  readonly rule: ProvenRule
}

/** Why the property has that value: its last claim, a rule in a record, or one of the context. */
export type ProvenRule =
  | { readonly kind: 'latest' }
  | { readonly kind: 'context' }
  | { readonly kind: 'record'; readonly record: string; readonly delta: DeltaId; readonly creator: PeerId }

export interface Completeness {
  readonly peer: PeerId
  /** By that node's clock, milliseconds since 1970. */
  readonly timeMs: number
  /** Of all logs that it held of the namespace: the SHA-256 of their heads in hex, and their number. */
  readonly frontier: { readonly digest: string; readonly logsCount: number }
}

/**
 * Checks a proof that `Namespace.proof` or `rhizome-node export --proof` made, as text or as the bytes of the file. What it
 * answers was checked, but for `completeness`; a value that is not the stated one is told as `different`. Throws
 * RZ_PROOF_FORMAT for what is no such text, RZ_PROOF_INVALID where something in it is not proven, RZ_PROOF_TOO_LARGE,
 * RZ_PROOF_VERSION. Whoever wrote it: it ends within seconds and takes at most some 400 MB.
 */
export function verifyProof(input: string | Uint8Array): ProofReport {
  const { statement, deltas, forks } = checkProof(parseProofText(input))
  const { name, entity, property, context, asOf, records, peer, timeMs, frontier } = statement
  if (deltas.length === 0) throw unproven('there is no claim in it')
  checkMoment(asOf, deltas)
  const question = { entity, ...(property !== undefined && { property }) }
  const rules = rulesOf(records, context, deltas)
  const bearing = bearingUpon(question, records, rules.resolvers, deltas)
  if (bearing.length !== deltas.length)
    throw unproven('there is a delta in it that has nothing to do with the question')
  const view = provenView(question, rules, deltas)
  return {
    namespace: name,
    entity,
    ...(property !== undefined && { property }),
    ...(context !== undefined && { context }),
    ...(asOf !== undefined && { asOf }),
    deltas,
    creators: creatorsOf(statement, deltas),
    values: valuesOf(statement, view, rules),
    forks: forks.map(({ log, cut }) => ({ log, cut })),
    completeness: {
      peer,
      timeMs,
      frontier: { digest: Buffer.from(frontier.digest).toString('hex'), logsCount: frontier.logsCount },
    },
  }
}

/** As `verifyProof`, of a file as it is read: no more of it is kept than a proof may have. */
export async function verifyProofFrom(chunks: AsyncIterable<Uint8Array | string>): Promise<ProofReport> {
  const parts: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of chunks) {
    const part = typeof chunk === 'string' ? Buffer.from(chunk) : chunk
    parts.push(part)
    bytes += part.length
    // One byte too many is enough for it to be refused.
    if (bytes > PROOF_BYTES_MAX) break
  }
  return verifyProof(Buffer.concat(parts))
}

function checkMoment(asOf: string | number | undefined, deltas: readonly Delta[]): void {
  if (asOf === undefined) return
  const admits =
    typeof asOf === 'number'
      ? belongsTo({ kind: 'time', time: { ms: asOf, counter: COUNTER_MAX } })
      : belongsTo({ kind: 'frontier', heads: headsOf(asOf) })
  if (!deltas.every(admits)) throw unproven('a delta in it is later than the moment that it is about')
}

function headsOf(text: string): ReadonlyMap<LogKey, number> {
  try {
    return parseFrontierText(text)
  } catch (cause) {
    if (!(cause instanceof RhizomeError)) throw cause
    throw unproven('the moment that it is about is none', cause)
  }
}

function creatorsOf({ entity, records }: ProofStatement, deltas: readonly Delta[]): readonly ProvenCreator[] {
  const byCreator = new Map<PeerId, { claims: number; negations: number; definitions: number }>()
  for (const delta of deltas) {
    const counts = byCreator.get(delta.creator) ?? { claims: 0, negations: 0, definitions: 0 }
    byCreator.set(delta.creator, counts)
    const targets = delta.pointers.filter(isReference).map(({ target }) => target)
    if (targets.includes(entity)) counts.claims++
    else if (targets.some((target) => records.includes(target))) counts.definitions++
    else counts.negations++
  }
  return [...byCreator].sort(([a], [b]) => compareUtf8(a, b)).map(([id, counts]) => ({ id, ...counts }))
}

function valuesOf({ entity, values }: ProofStatement, view: ProvenView, { resolvers }: Rules): readonly ProvenValue[] {
  const names = [...new Set([...Object.keys(values), ...view.outcomes.keys()])].sort(compareUtf8)
  return names.map((property) => {
    const stated = Object.hasOwn(values, property) ? values[property] : undefined
    const computed = statedAs(view.outcomes.get(property))
    const resolver = ruleOf(entity, property, resolvers)
    const source = resolver?.source
    return {
      property,
      ...(stated && { stated }),
      ...(computed && { computed }),
      verdict: verdictOf(stated, computed),
      rule:
        source !== undefined
          ? { kind: 'record', record: source.record, delta: source.delta.id, creator: source.delta.creator }
          : { kind: resolver === undefined ? 'latest' : 'context' },
    }
  })
}

/** An outcome as it is stated: of an error its code, since the words may change. */
export function statedAs(outcome: Outcome | undefined): StatedOutcome | undefined {
  if (outcome?.value !== undefined) return { value: outcome.value }
  return outcome?.error === undefined ? undefined : { error: outcome.error.code }
}

function verdictOf(stated: StatedOutcome | undefined, computed: StatedOutcome | undefined): ProvenValue['verdict'] {
  if (stated === undefined || computed === undefined) return 'different'
  if ('value' in stated && 'value' in computed) return isSame(stated.value, computed.value) ? 'equal' : 'different'
  const codes = [stated, computed].map((outcome) => ('error' in outcome ? outcome.error : undefined))
  if (codes[0] === codes[1]) return 'equal'
  return codes.includes('RZ_RULE_SEMANTICS') ? 'unknown' : 'different'
}

/** A computed value may be larger than anything that can be stated. */
function isSame(stated: Value, computed: Value): boolean {
  const attempted = attempt(() => sameValue(stated, computed))
  return 'value' in attempted && attempted.value
}
