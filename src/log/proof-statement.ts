/**
 * What the node that makes a proof states and signs: which question it answers, all deltas that it holds about it, as of
 * which frontier, and which values it makes of them. `[0, peer, time, namespace, name, entity, property, context, as of,
 * records, frontier, heads, deltas, values]` in CBOR; the signature covers SHA-256 of a domain prefix of its own and
 * these bytes.
 */

import { decode, encode } from '../delta/cbor.ts'
import { CONTEXT_BYTES_MAX, type DeltaId, ID_BYTES_MAX, type PeerId, type Value } from '../delta/delta.ts'
import {
  HASH_BYTES,
  hashBytes,
  hashText,
  KEY_BYTES,
  keyOfPeerId,
  parseDeltaId,
  peerIdOf,
} from '../delta/identifiers.ts'
import { isList } from '../delta/value.ts'
import { RhizomeError } from '../errors.ts'
import { type BlockHash, LOG_ID_BYTES, logKeyOf } from './block.ts'
import { entryValue, type Frontier, type FrontierEntry } from './frontier.ts'
import type { NamespaceId } from './namespace.ts'
import { PROOF_DELTAS_MAX, proofTooLarge, STATEMENT_BYTES_MAX, unproven } from './proof.ts'
import { sha256 } from './sha256.ts'
import { type Signer, verify } from './signature.ts'

export interface ProofStatement {
  /** Who states it. */
  readonly peer: PeerId
  /** By that node's own clock, milliseconds since 1970. */
  readonly timeMs: number
  readonly namespace: NamespaceId
  /** The namespace's name for people. */
  readonly name: string
  readonly entity: string
  /** Only claims about it, and about those that its rule reads. Absent: all claims about the entity. */
  readonly property?: string
  /** Id of the context in which the values are seen. */
  readonly context?: string
  /** Only what belongs to the moment: a frontier as text, or a time in milliseconds. Absent: all that was held. */
  readonly asOf?: string | number
  /** Entities of the records whose rules were applied, sorted. Their claims and negations are in the proof. */
  readonly records: readonly string[]
  /** Of everything that the node held of the namespace. */
  readonly frontier: { readonly digest: Uint8Array; readonly logsCount: number }
  /** The part of the frontier that is about logs with a delta in the proof, by log. */
  readonly heads: Frontier
  /** All deltas of the proof, in the total order. */
  readonly deltas: { readonly digest: Uint8Array; readonly count: number }
  /** What each property amounts to; with a `property` that one alone. */
  readonly values: { readonly [property: string]: StatedOutcome }
}

export type StatedOutcome = { readonly value: Value } | { readonly error: string }

const VERSION = 0
const FIELD_COUNT = 14
const NAMESPACE_BYTES = 32
const NAME_BYTES_MAX = 64
/** Results of rules nest deeper than values of deltas. */
const LIMITS = { depthMax: 64, itemsMax: 262_144, copyBytes: true }
const DOMAIN = Buffer.from('rhizome/proof/0\0')
/** The last moment that a `Date` can tell. */
const TIME_MS_MAX = 8_640_000_000_000_000
const ERROR_CODE = /^RZ_[A-Z_]{1,60}$/

/** Throws RZ_PROOF_TOO_LARGE. */
export function encodeStatement(statement: ProofStatement): Uint8Array {
  const { peer, timeMs, namespace, name, entity, property, context, asOf, records } = statement
  const { frontier, heads, deltas, values } = statement
  const bytes = asTooLarge(() =>
    encode([
      VERSION,
      keyOfPeerId(peer),
      timeMs,
      Buffer.from(namespace, 'hex'),
      name,
      entity,
      property ?? null,
      context ?? null,
      asOf ?? null,
      records,
      [frontier.digest, frontier.logsCount],
      heads.map(entryValue),
      [deltas.digest, deltas.count],
      Object.fromEntries(
        Object.entries(values).map(([key, outcome]) => [
          key,
          'error' in outcome ? [1, outcome.error] : [0, outcome.value],
        ]),
      ),
    ]),
  )
  if (bytes.length > STATEMENT_BYTES_MAX) throw proofTooLarge(`a statement of ${bytes.length} bytes`)
  // Each item takes a byte at least, so only a statement this large can hold more of them than a reader takes.
  if (bytes.length > LIMITS.itemsMax) asTooLarge(() => decode(bytes, LIMITS))
  return bytes
}

/** Values may be larger than what can be encoded, or read. */
function asTooLarge<Result>(work: () => Result): Result {
  try {
    return work()
  } catch (cause) {
    if (cause instanceof RhizomeError && cause.code.startsWith('RZ_BYTES_')) throw proofTooLarge('such large values')
    throw cause
  }
}

export function signStatement(bytes: Uint8Array, signer: Signer): Uint8Array {
  return signer.sign(messageOf(bytes))
}

export function isStatedBy(peer: PeerId, bytes: Uint8Array, signature: Uint8Array): boolean {
  return verify(peer, messageOf(bytes), signature)
}

function messageOf(bytes: Uint8Array): Uint8Array {
  return sha256(Buffer.concat([DOMAIN, bytes]))
}

/** Of deltas in the total order. */
export function digestOfIds(ids: readonly DeltaId[]): Uint8Array {
  const items = ids.map((id) => {
    const { blockHash, index } = parseDeltaId(id)
    return [hashBytes(blockHash), index]
  })
  return new Uint8Array(sha256(encode(items)))
}

/** Throws RZ_PROOF_INVALID, RZ_PROOF_VERSION, RZ_BYTES_INVALID. */
export function decodeStatement(bytes: Uint8Array): ProofStatement {
  if (bytes.length > STATEMENT_BYTES_MAX) throw unproven(`a statement of ${bytes.length} bytes`)
  const fields = decode(bytes, LIMITS)
  if (!isList(fields)) throw unproven('the statement is no list')
  if (fields[0] !== VERSION) throw laterVersion(fields[0])
  if (fields.length !== FIELD_COUNT) throw unproven(`${fields.length} fields of a statement instead of ${FIELD_COUNT}`)
  const [, peer, timeMs, namespace, name, entity, property, context, asOf, records, frontier, heads, deltas, values] =
    fields
  const [frontierDigest, logsCount] = pair('the frontier', frontier)
  const [deltasDigest, count] = pair('the deltas', deltas)
  return {
    peer: peerIdOf(bytesField('peer', peer, KEY_BYTES)),
    timeMs: integerField('time', timeMs, TIME_MS_MAX),
    namespace: Buffer.from(bytesField('namespace', namespace, NAMESPACE_BYTES)).toString('hex') as NamespaceId,
    name: textField('name', name, NAME_BYTES_MAX),
    entity: textField('entity', entity, ID_BYTES_MAX),
    ...(property === null ? {} : { property: textField('property', property, CONTEXT_BYTES_MAX) }),
    ...(context === null ? {} : { context: textField('context', context, ID_BYTES_MAX) }),
    ...(asOf === null ? {} : { asOf: momentField(asOf) }),
    records: recordsField(records),
    frontier: {
      digest: bytesField('frontier digest', frontierDigest, HASH_BYTES),
      logsCount: integerField('count of logs', logsCount, Number.MAX_SAFE_INTEGER),
    },
    heads: headsField(heads),
    deltas: {
      digest: bytesField('digest of deltas', deltasDigest, HASH_BYTES),
      count: integerField('count of deltas', count, Number.MAX_SAFE_INTEGER),
    },
    values: valuesField(values),
  }
}

function momentField(value: Value | undefined): string | number {
  return typeof value === 'number'
    ? integerField('moment', value, Number.MAX_SAFE_INTEGER)
    : textField('moment', value, STATEMENT_BYTES_MAX)
}

function recordsField(value: Value | undefined): readonly string[] {
  if (!isList(value) || value.length > PROOF_DELTAS_MAX) throw unproven('the records are no list, or too many')
  const records = value.map((record) => textField('record', record, ID_BYTES_MAX))
  if (records.some((record, index) => index > 0 && record <= (records[index - 1] as string)))
    throw unproven('records are out of order')
  return records
}

function headsField(value: Value | undefined): Frontier {
  if (!isList(value)) throw unproven('the heads are no list')
  const heads = value.map(headField)
  if (heads.some(({ log }, index) => index > 0 && log <= (heads[index - 1] as FrontierEntry).log))
    throw unproven('heads are out of order')
  return heads
}

function headField(item: Value): FrontierEntry {
  if (!isList(item) || item.length !== 5) throw unproven('a head has five parts')
  const [key, logId, seq, hash, cut] = item
  return {
    log: logKeyOf(
      peerIdOf(bytesField('creator of a head', key, KEY_BYTES)),
      Buffer.from(bytesField('log of a head', logId, LOG_ID_BYTES)).toString('hex'),
    ),
    seq: integerField('seq of a head', seq, Number.MAX_SAFE_INTEGER),
    hash: hashText(bytesField('hash of a head', hash, HASH_BYTES)) as BlockHash,
    ...(cut === null ? {} : { cut: integerField('cut of a head', cut, Number.MAX_SAFE_INTEGER) }),
  }
}

function valuesField(value: Value | undefined): ProofStatement['values'] {
  if (typeof value !== 'object' || value === null || isList(value) || value instanceof Uint8Array)
    throw unproven('the values are no map')
  return Object.fromEntries(Object.entries(value).map(([property, outcome]) => [property, outcomeOf(outcome)]))
}

function outcomeOf(value: Value): StatedOutcome {
  const [kind, content] = pair('a value', value)
  if (kind === 0 && content !== undefined) return { value: content }
  if (kind === 1 && typeof content === 'string' && ERROR_CODE.test(content)) return { error: content }
  throw unproven('a stated value is neither value nor error')
}

function pair(what: string, value: Value | undefined): readonly Value[] {
  if (!isList(value) || value.length !== 2) throw unproven(`${what} is no pair`)
  return value
}

function bytesField(what: string, value: Value | undefined, length: number): Uint8Array {
  if (!(value instanceof Uint8Array) || value.length !== length) throw unproven(`${what} is not ${length} bytes`)
  return value
}

function textField(what: string, value: Value | undefined, bytesMax: number): string {
  if (typeof value !== 'string' || value === '' || Buffer.byteLength(value) > bytesMax)
    throw unproven(`${what} is not a text of 1 to ${bytesMax} bytes`)
  return value
}

function integerField(what: string, value: Value | undefined, most: number): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0 || (value as number) > most)
    throw unproven(`${what} is not an integer from 0 to ${most}`)
  return value as number
}

function laterVersion(version: Value | undefined): RhizomeError {
  if (!Number.isInteger(version) || (version as number) < VERSION) return unproven('no version of a statement')
  return new RhizomeError(
    'RZ_PROOF_VERSION',
    `a proof of version ${version as number}; this release reads version ${VERSION}: upgrade rhizome-node`,
  )
}
