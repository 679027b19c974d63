/**
 * Forks as evidence: proof that a creator signed two continuations of one log, and the cut that follows from it.
 * The least cut known holds and only falls; blocks at or past it are void on every node that has seen the proof.
 * design.md 3, "A fork is evidence".
 */

import { decode, encode } from '../delta/cbor.ts'
import type { Value } from '../delta/delta.ts'
import { hashBytes } from '../delta/identifiers.ts'
import { isList } from '../delta/value.ts'
import { RhizomeError } from '../errors.ts'
import {
  type Block,
  type BlockHash,
  type Header,
  type LogKey,
  logKeyOfHeader,
  RUN_BLOCKS_MAX,
  RUN_BYTES_MAX,
  SIGNATURE_BYTES,
} from './block.ts'
import { decodeHeader, hashHeader } from './header.ts'
import type { NamespaceId } from './namespace.ts'
import { verify } from './signature.ts'

/**
 * A header whose authenticity anyone can check: it, and the headers chained upon it up to one that is signed.
 * Blocks that were gossiped are signed themselves; those that came in a run are certified by its last.
 */
export interface AttestedHeader {
  /** From the header in question to the signed one. */
  readonly headers: readonly [Uint8Array, ...Uint8Array[]]
  /** Over the hash of the last. */
  readonly signature: Uint8Array
}

/** Two attested headers of one log that cannot both belong to one chain. */
export interface ForkProof {
  readonly first: AttestedHeader
  /** Of the same seq as `first` with another hash, or of the next seq with a previous hash that is not `first`'s. */
  readonly second: AttestedHeader
}

/** What a valid proof shows. */
export interface Fork {
  readonly namespace: NamespaceId
  readonly log: LogKey
  /** Blocks with this seq and above are void. */
  readonly cut: number
}

/** A signature is never more than a run away: each side has at most a run's headers. The rest: signatures and heads. */
export const FORK_PROOF_BYTES_MAX = 2 * RUN_BYTES_MAX + 512
const LIMITS = { depthMax: 4, itemsMax: 2 * RUN_BLOCKS_MAX + 16 }

/** The attested header of the first of consecutive blocks, the last of which carries a verified signature. */
export function attest(blocks: readonly Pick<Block, 'headerBytes' | 'signature'>[]): AttestedHeader | undefined {
  const [first, ...rest] = blocks
  const signature = blocks.at(-1)?.signature
  if (first === undefined || signature === undefined) return undefined
  return { headers: [first.headerBytes, ...rest.map((block) => block.headerBytes)], signature }
}

/** Checks both signatures and the contradiction. Throws RZ_FORK_PROOF_INVALID when the proof proves nothing. */
export function verifyForkProof(proof: ForkProof): Fork {
  const first = authenticate(proof.first)
  const second = authenticate(proof.second)
  const log = logKeyOfHeader(first.header)
  if (log !== logKeyOfHeader(second.header) || first.header.namespace !== second.header.namespace) {
    throw invalid('its headers are of different logs')
  }
  return { namespace: first.header.namespace, log, cut: cutOf(first, second) }
}

export function encodeForkProof(proof: ForkProof): Uint8Array {
  return encode([attestedValue(proof.first), attestedValue(proof.second)])
}

/** The inverse of `encodeForkProof`; the proof is not verified. Throws RZ_FORK_PROOF_INVALID or RZ_BYTES_INVALID. */
export function decodeForkProof(bytes: Uint8Array): ForkProof {
  if (bytes.length > FORK_PROOF_BYTES_MAX) throw invalid(`it has ${bytes.length} bytes`)
  const parts = decode(bytes, LIMITS)
  if (!isList(parts) || parts.length !== 2) throw invalid('it is not a pair')
  return { first: parseAttested(parts[0]), second: parseAttested(parts[1]) }
}

/** A header of which an attestation has shown that its creator signed it. */
export interface Authentic {
  readonly header: Header
  readonly hash: BlockHash
}

function cutOf(first: Authentic, second: Authentic): number {
  const { seq } = first.header
  if (second.header.seq === seq && first.hash !== second.hash) {
    // Two blocks of one number: if they also follow different blocks, the fork lies one lower at the least.
    return first.header.previous === second.header.previous ? seq : seq - 1
  }
  if (second.header.seq === seq + 1 && second.header.previous !== first.hash) return seq
  throw invalid('its headers do not contradict each other')
}

/** The header that is attested. Throws RZ_FORK_PROOF_INVALID for headers that are no chain, or a wrong signature. */
export function authenticate({ headers, signature }: AttestedHeader): Authentic {
  if (headers.length > RUN_BLOCKS_MAX) throw invalid(`a run of ${headers.length} headers`)
  const [start, ...rest] = headers
  const first = readHeader(start)
  let last = first
  for (const bytes of rest) {
    const next = readHeader(bytes)
    if (!follows(last, next.header)) throw invalid('its headers are no chain')
    last = next
  }
  if (!verify(first.header.creator, hashBytes(last.hash), signature)) throw invalid('a signature in it is wrong')
  return first
}

function follows(before: Authentic, header: Header): boolean {
  return (
    header.previous === before.hash &&
    header.seq === before.header.seq + 1 &&
    header.namespace === before.header.namespace &&
    logKeyOfHeader(header) === logKeyOfHeader(before.header)
  )
}

function readHeader(bytes: Uint8Array): Authentic {
  try {
    return { header: decodeHeader(bytes), hash: hashHeader(bytes) }
  } catch (cause) {
    throw invalid('a header in it cannot be read', cause)
  }
}

function attestedValue(attested: AttestedHeader): Value {
  return [attested.headers, attested.signature]
}

function parseAttested(value: Value | undefined): AttestedHeader {
  if (!isList(value) || value.length !== 2) throw invalid('a part of it is no attested header')
  const [headers, signature] = value
  if (!isList(headers) || headers.length === 0 || !headers.every((header) => header instanceof Uint8Array)) {
    throw invalid('a part of it has no headers')
  }
  if (!(signature instanceof Uint8Array) || signature.length !== SIGNATURE_BYTES)
    throw invalid('a signature is missing')
  return { headers: headers as readonly Uint8Array[] as AttestedHeader['headers'], signature }
}

function invalid(why: string, cause?: unknown): RhizomeError {
  return new RhizomeError('RZ_FORK_PROOF_INVALID', `not proof of a fork: ${why}`, { cause })
}
