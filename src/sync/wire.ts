/**
 * The frames of `/rhizome/sync/1`: deterministic CBOR, a list whose first item is the kind. One encoder, one decoder,
 * which answers a frame or throws RZ_SYNC_FRAME_INVALID for any bytes. A hello tells the version right after its kind,
 * so that releases to come can say what they do not understand. What frames mean: session.ts. design.md 4.
 */

import { decode, encode } from '../delta/cbor.ts'
import type { Value } from '../delta/delta.ts'
import { HASH_BYTES, hashText, KEY_BYTES, keyOfPeerId, peerIdOf } from '../delta/identifiers.ts'
import { RhizomeError } from '../errors.ts'
import {
  BLOCK_BYTES_MAX,
  type BlockHash,
  LOG_ID_BYTES,
  type LogKey,
  logKeyOf,
  RUN_BLOCKS_MAX,
  SIGNATURE_BYTES,
  splitLogKey,
} from '../log/block.ts'
import { type AttestedHeader, FORK_PROOF_BYTES_MAX } from '../log/fork.ts'
import { entryValue, type FrontierEntry } from '../log/frontier.ts'
import type { NamespaceId } from '../log/namespace.ts'
import { COMPARE_ITEMS_MAX, PEER_NAME_BYTES_MAX, RANGE_DEPTH_MAX, SYNC_VERSION, WANTS_PER_FRAME_MAX } from './limits.ts'

export const FINGERPRINT_BYTES = 16
export const CHILDREN = 16

/** A place in a store's sequence of changes, for whoever comes back to that store. */
export interface Token {
  readonly instance: string
  readonly position: number
}

export interface Hello {
  readonly kind: 'hello'
  readonly namespace: NamespaceId
  readonly name: string
  /** Of the frontier at `token`: equal digests, equal frontiers. */
  readonly digest: Uint8Array
  readonly logs: number
  readonly token: Token
  /** Up to where the sender holds all that the receiver holds. */
  readonly since?: Token
  readonly clockMs: number
  /** What changed since the place up to which the receiver holds everything; absent when that cannot be told. */
  readonly changes?: readonly FrontierEntry[]
}

/** A range of logs by the first hex digits of their hashed keys, with the sender's account of it. */
export type CompareItem =
  | { readonly kind: 'tree'; readonly prefix: string; readonly fingerprints: Uint8Array }
  | { readonly kind: 'list'; readonly prefix: string; readonly entries: readonly FrontierEntry[] }

export interface Want {
  readonly log: LogKey
  readonly fromSeq: number
  /** The cut that the sender knows: the proof of a lower one is wanted too. */
  readonly cut?: number
}

export const REFUSALS = ['busy', 'namespace', 'version', 'closing'] as const
export type Refusal = (typeof REFUSALS)[number]

export type Frame =
  | Hello
  | { readonly kind: 'refuse'; readonly reason: Refusal }
  | { readonly kind: 'compare'; readonly items: readonly CompareItem[] }
  /** Heads of the sender's, told without proof. */
  | { readonly kind: 'claims'; readonly entries: readonly FrontierEntry[] }
  /** Ends the sender's turn in comparing; final when there is nothing to answer. */
  | { readonly kind: 'turn'; readonly final: boolean }
  | { readonly kind: 'want'; readonly wants: readonly Want[] }
  | { readonly kind: 'heads'; readonly heads: readonly AttestedHeader[] }
  /** Blocks of wanted logs, each run encoded block by block. */
  | { readonly kind: 'runs'; readonly runs: readonly (readonly Uint8Array[])[] }
  | { readonly kind: 'proof'; readonly proof: Uint8Array }
  /** Everything of the last `want` that can be served was. */
  | { readonly kind: 'served' }
  | Done

/** The sender has all that it asked for in this round. */
export interface Done {
  readonly kind: 'done'
  readonly digest: Uint8Array
  /** Its store was changed by others meanwhile, so that digests may differ for no fault. */
  readonly moved: boolean
  /** It learnt of a fork in this round, so that comparing again is worth while. */
  readonly forked: boolean
}

const KINDS = [
  'hello',
  'refuse',
  'compare',
  'claims',
  'turn',
  'want',
  'heads',
  'runs',
  'proof',
  'served',
  'done',
] as const
const LIMITS = { depthMax: 6, itemsMax: 262_144 }
const PREFIX = /^[0-9a-f]*$/
const NAMESPACE_BYTES = 32
const INSTANCE_BYTES = 16

export function encodeFrame(frame: Frame): Uint8Array {
  return encode([KINDS.indexOf(frame.kind), ...fieldsOf(frame)])
}

function fieldsOf(frame: Frame): readonly Value[] {
  switch (frame.kind) {
    case 'hello':
      return [
        SYNC_VERSION,
        Buffer.from(frame.namespace, 'hex'),
        frame.name,
        frame.digest,
        frame.logs,
        tokenValue(frame.token),
        frame.since === undefined ? null : tokenValue(frame.since),
        Math.max(0, Math.trunc(frame.clockMs)),
        frame.changes?.map(entryValue) ?? null,
      ]
    case 'refuse':
      return [frame.reason]
    case 'compare':
      return [
        frame.items.map((item) => [
          item.prefix,
          item.kind === 'tree' ? item.fingerprints : item.entries.map(entryValue),
        ]),
      ]
    case 'claims':
      return [frame.entries.map(entryValue)]
    case 'turn':
      return [frame.final]
    case 'want':
      return [frame.wants.map(wantValue)]
    case 'heads':
      return [frame.heads.map(({ headers, signature }) => [headers, signature])]
    case 'runs':
      return [frame.runs]
    case 'proof':
      return [frame.proof]
    case 'served':
      return []
    case 'done':
      return [frame.digest, frame.moved, frame.forked]
  }
}

function tokenValue({ instance, position }: Token): Value {
  return [Buffer.from(instance, 'hex'), position]
}

function wantValue({ log, fromSeq, cut }: Want): Value {
  const { creator, logId } = splitLogKey(log)
  return [keyOfPeerId(creator), Buffer.from(logId, 'hex'), fromSeq, cut ?? null]
}

// ---------------------------------------------------------------------------------------------------- decoding

/** The frame that foreign bytes hold. Byte fields are views into `bytes`. Throws RZ_SYNC_FRAME_INVALID, RZ_SYNC_VERSION. */
export function decodeFrame(bytes: Uint8Array): Frame {
  let value: Value
  try {
    value = decode(bytes, LIMITS)
  } catch (cause) {
    throw invalid(cause instanceof Error ? cause.message : String(cause), cause)
  }
  const [kind, ...fields] = list('frame', value)
  switch (kindOf(kind)) {
    case 'hello':
      return parseHello(fields)
    case 'refuse':
      return { kind: 'refuse', reason: parseRefusal(only(fields)) }
    case 'compare':
      return { kind: 'compare', items: list('items', only(fields), COMPARE_ITEMS_MAX).map(parseItem) }
    case 'claims':
      return { kind: 'claims', entries: list('entries', only(fields)).map(parseEntry) }
    case 'turn':
      return { kind: 'turn', final: boolean('final', only(fields)) }
    case 'want':
      return { kind: 'want', wants: list('wants', only(fields), WANTS_PER_FRAME_MAX).map(parseWant) }
    case 'heads':
      return { kind: 'heads', heads: list('heads', only(fields), WANTS_PER_FRAME_MAX).map(parseAttested) }
    case 'runs':
      return { kind: 'runs', runs: list('runs', only(fields)).map(parseRun) }
    case 'proof':
      return { kind: 'proof', proof: byteString('proof', only(fields), { most: FORK_PROOF_BYTES_MAX }) }
    case 'served':
      if (fields.length > 0) throw invalid('a field too many')
      return { kind: 'served' }
    case 'done':
      return parseDone(fields)
  }
}

function kindOf(value: Value | undefined): Frame['kind'] {
  const kind = KINDS[integer('kind', value)]
  if (kind === undefined) throw invalid('an unknown kind')
  return kind
}

function parseHello(fields: readonly Value[]): Hello {
  const version = integer('version', fields[0])
  if (version !== SYNC_VERSION) {
    throw new RhizomeError(
      'RZ_SYNC_VERSION',
      `the peer speaks version ${version} of sync; this release speaks ${SYNC_VERSION}`,
    )
  }
  if (fields.length !== 9) throw invalid('a hello of another length')
  const [, namespace, name, digest, logs, token, since, clockMs, changes] = fields
  if (typeof name !== 'string' || Buffer.byteLength(name) > PEER_NAME_BYTES_MAX) throw invalid('no name')
  return {
    kind: 'hello',
    namespace: Buffer.from(byteString('namespace', namespace, { exactly: NAMESPACE_BYTES })).toString(
      'hex',
    ) as NamespaceId,
    name,
    digest: byteString('digest', digest, { exactly: HASH_BYTES }),
    logs: integer('logs', logs),
    token: parseToken(token),
    ...(since === null ? {} : { since: parseToken(since) }),
    clockMs: integer('clock', clockMs),
    ...(changes === null ? {} : { changes: list('changes', changes).map(parseEntry) }),
  }
}

function parseToken(value: Value | undefined): Token {
  const [instance, position] = tuple('token', value, 2)
  return {
    instance: Buffer.from(byteString('instance', instance, { exactly: INSTANCE_BYTES })).toString('hex'),
    position: integer('position', position),
  }
}

function parseRefusal(value: Value | undefined): Refusal {
  const reason = REFUSALS.find((each) => each === value)
  if (reason === undefined) throw invalid('an unknown reason')
  return reason
}

function parseItem(value: Value): CompareItem {
  const [prefix, account] = tuple('item', value, 2)
  if (typeof prefix !== 'string' || prefix.length > RANGE_DEPTH_MAX || !PREFIX.test(prefix)) throw invalid('no range')
  if (!(account instanceof Uint8Array))
    return { kind: 'list', prefix, entries: list('entries', account).map(parseEntry) }
  if (prefix.length === RANGE_DEPTH_MAX) throw invalid('a range that cannot be divided')
  return {
    kind: 'tree',
    prefix,
    fingerprints: byteString('fingerprints', account, { exactly: CHILDREN * FINGERPRINT_BYTES }),
  }
}

function parseEntry(value: Value): FrontierEntry {
  const [creator, logId, seq, hash, cut] = tuple('entry', value, 5)
  if ((seq === null) !== (hash === null)) throw invalid('a head with half of its parts')
  return {
    log: parseLog(creator, logId),
    ...(seq === null ? {} : { seq: integer('seq', seq), hash: parseHash(hash) }),
    ...(cut === null ? {} : { cut: integer('cut', cut) }),
  }
}

function parseWant(value: Value): Want {
  const [creator, logId, fromSeq, cut] = tuple('want', value, 4)
  return {
    log: parseLog(creator, logId),
    fromSeq: integer('seq', fromSeq),
    ...(cut === null ? {} : { cut: integer('cut', cut) }),
  }
}

function parseAttested(value: Value): AttestedHeader {
  const [headers, signature] = tuple('head', value, 2)
  const [first, ...rest] = list('headers', headers, RUN_BLOCKS_MAX).map((header) => byteString('header', header))
  if (first === undefined) throw invalid('a head without a header')
  return { headers: [first, ...rest], signature: byteString('signature', signature, { exactly: SIGNATURE_BYTES }) }
}

function parseRun(value: Value): readonly Uint8Array[] {
  const blocks = list('run', value, RUN_BLOCKS_MAX)
  if (blocks.length === 0) throw invalid('an empty run')
  return blocks.map((block) => byteString('block', block, { most: BLOCK_BYTES_MAX }))
}

function parseDone(fields: readonly Value[]): Done {
  if (fields.length !== 3) throw invalid('an end of another length')
  return {
    kind: 'done',
    digest: byteString('digest', fields[0], { exactly: HASH_BYTES }),
    moved: boolean('moved', fields[1]),
    forked: boolean('forked', fields[2]),
  }
}

function parseLog(creator: Value | undefined, logId: Value | undefined): LogKey {
  const key = byteString('creator', creator, { exactly: KEY_BYTES })
  return logKeyOf(peerIdOf(key), Buffer.from(byteString('log id', logId, { exactly: LOG_ID_BYTES })).toString('hex'))
}

function parseHash(value: Value | undefined): BlockHash {
  return hashText(byteString('hash', value, { exactly: HASH_BYTES })) as BlockHash
}

function only(fields: readonly Value[]): Value | undefined {
  if (fields.length !== 1) throw invalid('a frame of another length')
  return fields[0]
}

function tuple(what: string, value: Value | undefined, length: number): readonly Value[] {
  const items = list(what, value)
  if (items.length !== length) throw invalid(`${what} does not have ${length} parts`)
  return items
}

function list(what: string, value: Value | undefined, most = Number.MAX_SAFE_INTEGER): readonly Value[] {
  if (!Array.isArray(value)) throw invalid(`${what} is not a list`)
  if (value.length > most) throw invalid(`${what}: more than ${most}`)
  return value as readonly Value[]
}

function byteString(
  what: string,
  value: Value | undefined,
  { exactly, most }: { readonly exactly?: number; readonly most?: number } = {},
): Uint8Array {
  if (!(value instanceof Uint8Array)) throw invalid(`${what} is not bytes`)
  if (exactly !== undefined && value.length !== exactly) throw invalid(`${what} is not ${exactly} bytes`)
  if (most !== undefined && value.length > most) throw invalid(`${what} is over ${most} bytes`)
  return value
}

function integer(what: string, value: Value | undefined, most = Number.MAX_SAFE_INTEGER): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0 || (value as number) > most) {
    throw invalid(`${what} is not an integer from 0 to ${most}`)
  }
  return value as number
}

function boolean(what: string, value: Value | undefined): boolean {
  if (typeof value !== 'boolean') throw invalid(`${what} is not a boolean`)
  return value
}

function invalid(why: string, cause?: unknown): RhizomeError {
  return new RhizomeError('RZ_SYNC_FRAME_INVALID', `not a frame of ${SYNC_VERSION}: ${why}`, { cause })
}
