/**
 * A proof as text: JSON that anybody can read, one text for one proof. What was signed stands in base64, and beside it the
 * same in plain words (`says`, `log`, `time`, `pointers`), which the reader makes anew from the bytes and compares: so a
 * text that says other than what was signed is refused, as is any other spelling of the same. log/README.md, Proofs.
 *
 * Whoever wrote the text may mean harm: its size, its depth and the values in it are bounded before they take memory.
 */

import { decodePointers } from '../delta/bytes.ts'
import { isReference, type Pointer, type Value } from '../delta/delta.ts'
import { type Json, toJson } from '../delta/json.ts'
import { RhizomeError } from '../errors.ts'
import { RUN_BLOCKS_MAX } from './block.ts'
import { deltaOf } from './block-bytes.ts'
import type { FrontierEntry } from './frontier.ts'
import { decodeHeader, hashHeader } from './header.ts'
import {
  type Proof,
  PROOF_BYTES_MAX,
  PROOF_DELTAS_MAX,
  PROOF_ITEMS_MAX,
  type ProofBlock,
  type ProofChain,
  proofTooLarge,
  type ProvenDelta,
} from './proof.ts'
import { decodeStatement, type StatedOutcome } from './proof-statement.ts'

const FORMAT = 'rhizome-proof/0'
const FORMAT_PREFIX = 'rhizome-proof/'
/** Values of deltas and of rules nest less deeply than this, what is around them included. */
const DEPTH_MAX = 80
/** Lists, objects and their entries: each takes up to 60 bytes once it is read. */
const ENTRIES_MAX = 1_048_576
/** More than fit: a header has some 200 bytes. */
const BLOCKS_MAX = 65_536
/** Of a block with more deltas than any has. */
const PATH_MAX = 32

/** Throws RZ_PROOF_TOO_LARGE, or what reading its parts throws. */
export function proofText(proof: Proof): string {
  const text = `${JSON.stringify(new Writer().proof(proof), null, 2)}\n`
  // Most of it is ASCII: only a text that might be too large is measured.
  if (text.length * 3 > PROOF_BYTES_MAX && Buffer.byteLength(text) > PROOF_BYTES_MAX)
    throw proofTooLarge(`more than ${PROOF_BYTES_MAX} bytes`)
  return text
}

/** The proof that a text is, not checked yet (proof-check.ts). Throws RZ_PROOF_FORMAT, _VERSION, _TOO_LARGE. */
export function parseProofText(input: string | Uint8Array): Proof {
  const text = typeof input === 'string' ? input : textOf(input)
  if (text.length > PROOF_BYTES_MAX) throw tooLargeToRead()
  checkShape(text)
  const proof = readProof(parseJson(text))
  if (inTheFormat(() => proofText(proof)) === text) return proof
  throw noProof('what it says in plain words, or its spelling, is not what the signed bytes in it say')
}

function textOf(bytes: Uint8Array): string {
  if (bytes.length > PROOF_BYTES_MAX) throw tooLargeToRead()
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (cause) {
    throw noProof('it is not UTF-8', cause)
  }
}

// ---------------------------------------------------------------------------------------------------- writing

type Fields = { readonly [key: string]: Json }

class Writer {
  #deltasCount = 0
  #itemsCount = 0

  proof({ statement, signature, chains, forks }: Proof): Fields {
    return {
      format: FORMAT,
      says: saysOf(statement),
      statement: base64Of(statement),
      signature: base64Of(signature),
      chains: chains.map((chain) => this.#chain(chain)),
      forks: forks.map(base64Of),
    }
  }

  #chain({ blocks, signature }: ProofChain): Fields {
    return { blocks: blocks.map((block) => this.#block(block)), signature: base64Of(signature) }
  }

  #block({ header: bytes, deltas }: ProofBlock): Fields {
    if (deltas.length === 0) return { header: base64Of(bytes) }
    const header = decodeHeader(bytes)
    const hash = hashHeader(bytes)
    const { creator, logId, seq, time } = header
    return {
      creator,
      log: logId,
      seq,
      time: { ms: time.ms, counter: time.counter },
      header: base64Of(bytes),
      deltas: deltas.map(({ index, salt, bytes: own, path }): Fields => {
        this.#count(own)
        const { id, pointers } = deltaOf({ ...header, hash }, index, own)
        return {
          id,
          pointers: pointers.map(pointerJson),
          index,
          salt: base64Of(salt),
          bytes: base64Of(own),
          path: path.map(base64Of),
        }
      }),
    }
  }

  #count(bytes: Uint8Array): void {
    if (++this.#deltasCount > PROOF_DELTAS_MAX) throw proofTooLarge(`more than ${PROOF_DELTAS_MAX} deltas`)
    this.#itemsCount += itemsIn(decodePointers(bytes))
    if (this.#itemsCount > PROOF_ITEMS_MAX) throw proofTooLarge(`more than ${PROOF_ITEMS_MAX} values`)
  }
}

function saysOf(bytes: Uint8Array): Fields {
  const { peer, timeMs, name, entity, property, context, asOf, records, ...held } = decodeStatement(bytes)
  const { frontier, heads, deltas, values } = held
  return {
    peer,
    timeMs,
    namespace: name,
    entity,
    ...(property !== undefined && { property }),
    ...(context !== undefined && { context }),
    ...(asOf !== undefined && { asOf }),
    records,
    frontier: { digest: hexOf(frontier.digest), logs: frontier.logsCount },
    heads: heads.map(headJson),
    deltas: { digest: hexOf(deltas.digest), count: deltas.count },
    values: Object.fromEntries(Object.entries(values).map(([key, outcome]) => [key, outcomeJson(outcome)])),
  }
}

function headJson({ log, seq, hash, cut }: FrontierEntry): Fields {
  return { log, seq: seq ?? null, hash: hash ?? null, ...(cut !== undefined && { cut }) }
}

function outcomeJson(outcome: StatedOutcome): Fields {
  return 'error' in outcome ? { error: outcome.error } : { value: toJson(outcome.value) }
}

function pointerJson(pointer: Pointer): Fields {
  const { localContext } = pointer
  if (!isReference(pointer)) return { localContext, target: toJson(pointer.target) }
  return { localContext, target: pointer.target, targetContext: pointer.targetContext }
}

/** Values in a value, itself and keys included. */
function itemsIn(value: Value | readonly Pointer[]): number {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return 1
  const inner: readonly Value[] = Object.values(value)
  return inner.reduce<number>((sum, item) => sum + 1 + itemsIn(item), 1)
}

function base64Of(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64')
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex')
}

// ---------------------------------------------------------------------------------------------------- reading

const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPENING: ReadonlySet<number> = new Set([0x5b, 0x7b])
const CLOSING: ReadonlySet<number> = new Set([0x5d, 0x7d])
const COMMA = 0x2c

/** Bounds what the JSON will take in memory, before it is parsed. One pass over the text. */
function checkShape(text: string): void {
  let depth = 0
  let entries = 0
  let isInText = false
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    if (isInText) {
      if (unit === BACKSLASH) at++
      else if (unit === QUOTE) isInText = false
    } else if (unit === QUOTE) isInText = true
    else if (unit === COMMA) entries++
    else if (CLOSING.has(unit)) depth--
    else if (OPENING.has(unit)) {
      entries++
      if (++depth > DEPTH_MAX) throw noProof('it is nested too deeply')
    }
    if (entries > ENTRIES_MAX) throw tooLargeToRead()
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw noProof('it is no JSON', cause)
  }
}

function readProof(json: unknown): Proof {
  const { format, statement, signature, chains, forks } = fieldsOf(json)
  if (format !== FORMAT) throw unknownFormat(format)
  return {
    statement: bytesOf(statement),
    signature: bytesOf(signature),
    chains: readChains(chains),
    forks: listOf(forks, PROOF_DELTAS_MAX).map(bytesOf),
  }
}

function readChains(json: unknown): readonly ProofChain[] {
  let blocksCount = 0
  return listOf(json, PROOF_DELTAS_MAX).map((item) => {
    const chain = readChain(item)
    blocksCount += chain.blocks.length
    if (blocksCount > BLOCKS_MAX) throw tooLargeToRead()
    return chain
  })
}

function readChain(json: unknown): ProofChain {
  const { blocks, signature } = fieldsOf(json)
  const [first, ...rest] = listOf(blocks, RUN_BLOCKS_MAX).map(readBlock)
  if (first === undefined) throw noProof('a chain without blocks')
  return { blocks: [first, ...rest], signature: bytesOf(signature) }
}

function readBlock(json: unknown): ProofBlock {
  const { header, deltas } = fieldsOf(json)
  return {
    header: bytesOf(header),
    deltas: deltas === undefined ? [] : listOf(deltas, PROOF_DELTAS_MAX).map(readDelta),
  }
}

function readDelta(json: unknown): ProvenDelta {
  const { index, salt, bytes, path } = fieldsOf(json)
  if (typeof index !== 'number') throw noProof('a delta without its index')
  return { index, salt: bytesOf(salt), bytes: bytesOf(bytes), path: listOf(path, PATH_MAX).map(bytesOf) }
}

/** Buffer reads base64 leniently: that it was the one right spelling shows when the text is written anew. */
function bytesOf(json: unknown): Uint8Array {
  if (typeof json !== 'string') throw noProof('base64 is missing somewhere')
  return new Uint8Array(Buffer.from(json, 'base64'))
}

function fieldsOf(json: unknown): { readonly [key: string]: unknown } {
  if (typeof json === 'object' && json !== null && !Array.isArray(json))
    return json as { readonly [key: string]: unknown }
  throw noProof('an object is missing somewhere')
}

/** Each item takes far more memory than it has characters, so lists are bounded before they are read. */
function listOf(json: unknown, countMax: number): readonly unknown[] {
  if (!Array.isArray(json)) throw noProof('a list is missing somewhere')
  if (json.length > countMax) throw noProof(`a list of ${json.length}, where at most ${countMax} can be`)
  return json
}

/** What reading the signed bytes throws, said of the text. */
function inTheFormat<Result>(work: () => Result): Result {
  try {
    return work()
  } catch (cause) {
    if (!(cause instanceof RhizomeError) || cause.code.startsWith('RZ_PROOF_')) throw cause
    throw noProof(cause.message, cause)
  }
}

function unknownFormat(format: unknown): RhizomeError {
  const version =
    typeof format === 'string' && format.startsWith(FORMAT_PREFIX) ? format.slice(FORMAT_PREFIX.length) : ''
  if (!/^[1-9][0-9]{0,5}$/.test(version)) return noProof(`its format is not ${FORMAT}`)
  const message = `a proof of format ${version}; this release reads format 0: upgrade rhizome-node`
  return new RhizomeError('RZ_PROOF_VERSION', message)
}

function tooLargeToRead(): RhizomeError {
  return new RhizomeError('RZ_PROOF_TOO_LARGE', `it is larger than any proof: ${PROOF_BYTES_MAX} bytes at most`)
}

function noProof(why: string, cause?: unknown): RhizomeError {
  return new RhizomeError('RZ_PROOF_FORMAT', `it is no proof as rhizome-node writes it: ${why}`, { cause })
}
