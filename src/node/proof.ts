/**
 * Makes proofs: which deltas bear upon a question is asked of `query`, what proves them of `log`, and this node signs that
 * they are all that it holds. Each proof is checked as its reader will before it is handed out.
 */

import { type Delta, isReference } from '../delta/delta.ts'
import { RhizomeError } from '../errors.ts'
import { type LogKey, logKeyOf } from '../log/block.ts'
import { encodeForkProof } from '../log/fork.ts'
import { digestOf, type Frontier } from '../log/frontier.ts'
import { isFrontierText } from '../log/frontier-text.ts'
import type { NamespaceId } from '../log/namespace.ts'
import { PROOF_DELTAS_MAX, type ProofChain, proofTooLarge } from '../log/proof.ts'
import { proveIn } from '../log/proof-chain.ts'
import { digestOfIds, encodeStatement, signStatement, type StatedOutcome } from '../log/proof-statement.ts'
import { proofText } from '../log/proof-text.ts'
import type { Signer } from '../log/signature.ts'
import { bearingUpon, recordsOf } from '../query/proven.ts'
import type { Store } from '../store/store.ts'
import { viewIn } from '../view/contexts/context.ts'
import { outcomeOf } from '../view/diff.ts'
import { CONTEXT } from './definitions.ts'
import type { AsOfInput, Moment } from './moment.ts'
import { statedAs, verifyProof } from './verify-proof.ts'
import type { Frame } from './views.ts'

export interface ProofOptions {
  /** Only claims about it, and about the properties that its rule reads. Default: all claims about the entity. */
  readonly property?: string
  /** Id of the record of a context; one that is pinned on this node alone is none. Default: none, not the node's own. */
  readonly context?: string
  /** Deltas and definitions as they were then. Default: now. */
  readonly asOf?: AsOfInput
}

export interface Prover {
  readonly store: Store
  readonly namespace: NamespaceId
  readonly name: string
  /** The node's own identity, which states that the proof is complete. */
  readonly signer: Signer
  readonly nowMs: () => number
  /** Of a shard: the name of the namespace whose rules hold in it. */
  readonly parent?: string | undefined
}

/** Payload that is read to make one proof: a delta's path needs its whole block. */
const READ_BYTES_MAX = 268_435_456

/** Undefined when nothing is claimed. Throws RZ_PROOF_TOO_LARGE, RZ_SHARD_ACROSS. In one turn, so that all of it is of one state. */
export function makeProof(prover: Prover, entity: string, options: ProofOptions, frame: Frame): string | undefined {
  const { store, namespace, name, signer, nowMs } = prover
  const { property, context } = options
  const question = { entity, ...(property !== undefined && { property }) }
  const { lossy } = viewIn(frame.context, frame.resolvers, entity, ...heldAbout(prover, entity, frame.moment))
  const answered = [...Object.keys(lossy.properties), ...Object.keys(lossy.errors)]
  const records = recordsOf(question, frame.resolvers, answered)
  if (context !== undefined) records.push(`${CONTEXT}/${context}`)
  if (prover.parent !== undefined && records.length > 0) throw rulesApart(prover.parent, entity, records)
  const pool = new Map<string, Delta>()
  for (const target of [entity, ...records]) {
    for (const delta of heldAbout(prover, target, frame.moment).flat()) pool.set(delta.id, delta)
  }
  const deltas = bearingUpon(question, records, frame.resolvers, [...pool.values()])
  if (!deltas.some(({ pointers }) => pointers.some((pointer) => isReference(pointer) && pointer.target === entity)))
    return undefined
  if (deltas.length > PROOF_DELTAS_MAX) throw proofTooLarge(`${deltas.length} deltas; the limit is ${PROOF_DELTAS_MAX}`)

  const values = (property === undefined ? answered : [property]).flatMap((of): [string, StatedOutcome][] => {
    const outcome = statedAs(outcomeOf(lossy, of))
    return outcome === undefined ? [] : [[of, outcome]]
  })
  const heads = headsOf(prover, deltas)
  const frontier = store.frontier(namespace)
  const asOf = frame.moment === undefined ? undefined : momentOf(frame.moment)
  const statement = encodeStatement({
    peer: signer.id,
    timeMs: nowMs(),
    namespace,
    name,
    entity,
    ...(property !== undefined && { property }),
    ...(context !== undefined && { context }),
    ...(asOf !== undefined && { asOf }),
    records: records.sort(),
    frontier: { digest: digestOf(frontier), logsCount: frontier.length },
    heads,
    deltas: { digest: digestOfIds(deltas.map(({ id }) => id)), count: deltas.length },
    values: Object.fromEntries(values),
  })
  const text = proofText({
    statement,
    signature: signStatement(statement, signer),
    chains: chainsOf(prover, deltas),
    forks: heads.flatMap(({ log, cut }) => (cut === undefined ? [] : [forkOf(prover, log)])),
  })
  for (const value of verifyProof(text).values)
    if (value.verdict === 'different') throw new Error(`bug: a proof of another ${value.property} than the view has`)
  return text
}

function heldAbout(
  { store, namespace }: Prover,
  entity: string,
  moment: Moment | undefined,
): [deltas: readonly Delta[], negations: readonly Delta[]] {
  const { deltas, negations } = store.entity(namespace, entity, moment?.admits)
  return [deltas, negations]
}

function momentOf({ key }: Moment): string | number {
  return isFrontierText(key) ? key : Number(key)
}

function logOf({ creator, log }: Delta): LogKey {
  return logKeyOf(creator, log)
}

function headsOf({ store, namespace }: Prover, deltas: readonly Delta[]): Frontier {
  const logs = [...new Set(deltas.map(logOf))].sort()
  return logs.flatMap((key) => {
    const { log, seq, hash, cut } = store.logState(namespace, key) ?? {}
    if (log === undefined || seq === undefined || hash === undefined) return []
    return [{ log, seq, hash, ...(cut !== undefined && { cut }) }]
  })
}

function forkOf({ store, namespace }: Prover, log: LogKey): Uint8Array {
  const proof = store.forkProof(namespace, log)
  if (proof === undefined) throw new Error(`bug: ${log} is cut without evidence`)
  return encodeForkProof(proof)
}

/** By log and seq: from each block that is not in a chain yet to the next signature. */
function chainsOf({ store, namespace }: Prover, deltas: readonly Delta[]): readonly ProofChain[] {
  const wanted = new Map<string, number[]>()
  const byLog = new Map<LogKey, Set<number>>()
  for (const delta of deltas) {
    const [hash = ''] = delta.id.split('/')
    const indexes = wanted.get(hash)
    if (indexes === undefined) wanted.set(hash, [delta.index])
    else indexes.push(delta.index)
    const seqs = byLog.get(logOf(delta))
    if (seqs === undefined) byLog.set(logOf(delta), new Set([delta.seq]))
    else seqs.add(delta.seq)
  }
  const chains: ProofChain[] = []
  let bytes = 0
  for (const [log, seqs] of [...byLog].sort(([a], [b]) => (a < b ? -1 : 1))) {
    let covered = -1
    for (const seq of [...seqs].sort((a, b) => a - b)) {
      if (seq <= covered) continue
      const blocks = store.readRun(namespace, log, seq, 0)?.blocks
      const last = blocks?.at(-1)
      if (blocks === undefined || last === undefined)
        throw new RhizomeError('RZ_STORE_DAMAGED', `block ${seq} of ${log} is missing: run rhizome-node repair`)
      covered = last.header.seq
      bytes += blocks.reduce((sum, { header }) => sum + header.payloadBytes, 0)
      if (bytes > READ_BYTES_MAX) throw proofTooLarge(`${bytes} bytes to be read`)
      chains.push(proveIn(blocks, wanted))
    }
  }
  return chains
}

/** A proof is of one namespace's logs, and a shard's rules lie in another. */
function rulesApart(parent: string, entity: string, records: readonly string[]): RhizomeError {
  return new RhizomeError(
    'RZ_SHARD_ACROSS',
    `${entity} is read by ${records.join(', ')} in "${parent}", and a proof is of one namespace: ask for a property that no rule reads`,
  )
}
