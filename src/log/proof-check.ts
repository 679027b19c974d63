/**
 * Checks a proof by itself: that every delta in it was signed by its creator, that the node whose statement it bears stated
 * just these, and that nothing in it contradicts the rest. Needs no store. What the values are is for who can read views.
 */

import { compareTime } from '../delta/clock.ts'
import type { Delta } from '../delta/delta.ts'
import { compareDeltas } from '../delta/order.ts'
import { RhizomeError } from '../errors.ts'
import { decodeForkProof, type Fork, verifyForkProof } from './fork.ts'
import type { Frontier, FrontierEntry } from './frontier.ts'
import { openNamespaceId } from './namespace.ts'
import { type Proof, PROOF_DELTAS_MAX, unproven } from './proof.ts'
import { checkChain, type ProvenChain } from './proof-chain.ts'
import { decodeStatement, digestOfIds, isStatedBy, type ProofStatement } from './proof-statement.ts'

/** What a proof shows. */
export interface CheckedProof {
  /** Its signature is good. What it says beyond the deltas is the word of its peer. */
  readonly statement: ProofStatement
  /** In the total order. */
  readonly deltas: readonly Delta[]
  /** Logs among theirs that are known to have forked, all past these deltas. */
  readonly forks: readonly Fork[]
}

/** Throws RZ_PROOF_INVALID, RZ_PROOF_VERSION. One signature check per chain; linear in the bytes. */
export function checkProof(proof: Proof): CheckedProof {
  try {
    return check(proof)
  } catch (cause) {
    if (!(cause instanceof RhizomeError) || cause.code.startsWith('RZ_PROOF_')) throw cause
    throw unproven(cause.message, cause)
  }
}

function check({ statement: bytes, signature, chains, forks }: Proof): CheckedProof {
  const statement = decodeStatement(bytes)
  if (!isStatedBy(statement.peer, bytes, signature)) throw unproven(`the statement is not signed by ${statement.peer}`)
  if (openNamespaceId(statement.name) !== statement.namespace)
    throw unproven(`the namespace is not the one called "${statement.name}"`)
  const proven = chains.map((chain) => checkChain(chain, statement.namespace))
  for (const [index, chain] of proven.entries()) checkOrder(proven[index - 1], chain)
  checkHeads(statement.heads, proven)
  const deltas = proven.flatMap((chain) => chain.deltas).sort(compareDeltas)
  if (deltas.length > PROOF_DELTAS_MAX) throw unproven(`${deltas.length} deltas; the limit is ${PROOF_DELTAS_MAX}`)
  const { count, digest } = statement.deltas
  if (count !== deltas.length || Buffer.compare(digest, digestOfIds(deltas.map(({ id }) => id))) !== 0)
    throw unproven('the statement is about other deltas')
  return { statement, deltas, forks: checkForks(statement, forks) }
}

/** Chains of one log lie behind each other, and none contradicts the one before. */
function checkOrder(before: ProvenChain | undefined, chain: ProvenChain): void {
  if (before === undefined) return
  if (before.log > chain.log) throw unproven('chains are out of order')
  if (before.log !== chain.log) return
  const { last } = before
  const { first } = chain
  if (first.seq <= last.seq) throw unproven('chains are out of order, or tell the same twice')
  if (first.seq === last.seq + 1 && first.previous !== last.hash) throw unproven(`the log ${chain.log} has forked`)
  if (compareTime(first.time, last.time) <= 0) throw unproven('the time runs backwards in a log')
}

/** For each log with a chain, and no other, one head; nothing shown lies past it, or past the cut. */
function checkHeads(heads: Frontier, chains: readonly ProvenChain[]): void {
  const byLog = new Map<string, FrontierEntry>(heads.map((head) => [head.log, head]))
  for (const { log, deltas, hashAt } of chains) {
    const { seq = -1, hash, cut = Infinity } = byLog.get(log) ?? {}
    if (seq >= cut || deltas.some((delta) => delta.seq > seq))
      throw unproven(`a delta lies past the frontier that the statement names, or is void`)
    if ((hashAt(seq) ?? hash) !== hash) throw unproven(`the head of ${log} is another than the statement says`)
  }
  if (new Set(chains.map(({ log }) => log)).size !== heads.length)
    throw unproven('the statement names heads of other logs')
}

function checkForks({ namespace, heads }: ProofStatement, forks: readonly Uint8Array[]): readonly Fork[] {
  const cut = heads.filter((head) => head.cut !== undefined)
  if (cut.length !== forks.length) throw unproven('a fork is stated without evidence, or evidence brought for none')
  return cut.map((head, index) => {
    const fork = verifyForkProof(decodeForkProof(forks[index] as Uint8Array))
    if (fork.namespace !== namespace || fork.log !== head.log || fork.cut !== head.cut)
      throw unproven(`the evidence is of another fork than that of ${head.log}`)
    return fork
  })
}
