/**
 * Proofs for a third party: deltas, each under the root of its block, the block's header, and the headers chained upon it
 * up to one that is signed; beside them a node's signed statement of what it holds. Types and limits only.
 *
 * A proof shows that claims were made. That there are no others is the word of the node that answers. design.md 3 and 5.
 * Text: proof-text.ts. The statement: proof-statement.ts. Making and checking a chain: proof-chain.ts. Checking it all:
 * proof-check.ts.
 */

import { RhizomeError } from '../errors.ts'

/** One delta of a block, and the way from it to the root in the block's header. */
export interface ProvenDelta {
  /** In its block, from 0. */
  readonly index: number
  readonly salt: Uint8Array
  /** Canonical, as they were signed. */
  readonly bytes: Uint8Array
  /** Siblings from the leaf up (merkle.ts). */
  readonly path: readonly Uint8Array[]
}

export interface ProofBlock {
  readonly header: Uint8Array
  /** By index. Empty for a block that only leads to a signature. */
  readonly deltas: readonly ProvenDelta[]
}

/** Consecutive blocks of one log: the first has a delta in the proof, the last is signed. */
export interface ProofChain {
  readonly blocks: readonly [ProofBlock, ...ProofBlock[]]
  readonly signature: Uint8Array
}

export interface Proof {
  /** As `encodeStatement` made it. */
  readonly statement: Uint8Array
  /** Of the node that states it. */
  readonly signature: Uint8Array
  /** By log and seq; no two hold the same block. */
  readonly chains: readonly ProofChain[]
  /** For each log in it that is known to have forked the evidence, by log (fork.ts). */
  readonly forks: readonly Uint8Array[]
}

/** A proof as text. What is larger is neither made nor read. */
export const PROOF_BYTES_MAX = 16_777_216
/** One signature check each at the most: 0.4 s. */
export const PROOF_DELTAS_MAX = 4_096
/** Values in all deltas together: a small delta may hold many, and each takes up to 60 bytes once it is read. */
export const PROOF_ITEMS_MAX = 262_144
export const STATEMENT_BYTES_MAX = 1_048_576

/** That a proof does not hold: something in it does not follow from what was signed. */
export function unproven(why: string, cause?: unknown): RhizomeError {
  return new RhizomeError('RZ_PROOF_INVALID', `it proves nothing: ${why}`, { cause })
}

export function proofTooLarge(what: string): RhizomeError {
  return new RhizomeError('RZ_PROOF_TOO_LARGE', `a proof of ${what}: ask for one property of the entity`)
}
