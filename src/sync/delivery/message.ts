/**
 * The messages of a namespace's receipt topic: `[version, kind, body, signature]`. A receipt says what its holder holds, a
 * want asks named holders for receipts. Each kind is signed under a domain of its own by the node whose key stands in the
 * body, so that anybody can pass it on and nobody alter it. Decoding answers for every input. design.md 4.
 */

import { decode, encode } from '../../delta/cbor.ts'
import type { PeerId, Value } from '../../delta/delta.ts'
import { HASH_BYTES, hashBytes, hashText, KEY_BYTES, keyOfPeerId, peerIdOf } from '../../delta/identifiers.ts'
import { RhizomeError } from '../../errors.ts'
import { type BlockHash, LOG_ID_BYTES, type LogKey, logKeyOf, SIGNATURE_BYTES, splitLogKey } from '../../log/block.ts'
import type { NamespaceId } from '../../log/namespace.ts'
import { sha256 } from '../../log/sha256.ts'
import { type Signer, verify } from '../../log/signature.ts'
import { RECEIPT_BYTES_MAX, RECEIPT_LOGS_MAX, RECEIPT_VERSION, WANT_FOR_MS_MAX, WANT_HOLDERS_MAX } from './limits.ts'

/**
 * What becomes of what a holder holds: `memory` goes with its process, `process` survives a killed process, `disk` a power
 * cut too.
 */
export type HeldDurability = 'memory' | 'process' | 'disk'

/** Of `log` the holder holds every block up to and with this one. */
export interface HeldLog {
  readonly log: LogKey
  readonly seq: number
  readonly hash: BlockHash
}

/** A holder's word on what it holds. Cumulative: it covers all earlier blocks of the logs that it names. */
export interface Receipt {
  readonly kind: 'receipt'
  readonly namespace: NamespaceId
  readonly peer: PeerId
  /** Rises with each message of the sender: what is far behind its newest is a replay. */
  readonly number: number
  readonly durability: HeldDurability
  readonly held: readonly HeldLog[]
}

export interface WantedLog {
  readonly log: LogKey
  readonly seq: number
}

/** A node asks holders to tell when they hold these blocks, and for some time whenever they hold more of these logs. */
export interface Want {
  readonly kind: 'want'
  readonly namespace: NamespaceId
  readonly peer: PeerId
  readonly number: number
  readonly forMs: number
  /** Who is to answer. */
  readonly holders: readonly PeerId[]
  /** Of every log. */
  readonly all: boolean
  readonly logs: readonly WantedLog[]
}

export type ReceiptMessage = Receipt | Want

export interface Signed<Message> {
  readonly message: Message
  readonly isSigned: () => boolean
}

const KINDS = ['receipt', 'want'] as const
const DOMAINS = KINDS.map((kind) => Buffer.from(`rhizome/${kind}/${RECEIPT_VERSION}\0`))
const DURABILITIES = ['memory', 'process', 'disk'] as const
const NAMESPACE_BYTES = 32
const ENVELOPE_LIMITS = { depthMax: 1, itemsMax: 8 }
const BODY_LIMITS = { depthMax: 3, itemsMax: 16 + WANT_HOLDERS_MAX + 5 * RECEIPT_LOGS_MAX }

/** The topic on which receipts of an open namespace are asked for and told. */
export function receiptTopicOf(name: string): string {
  return `/rhizome/receipt/1/${name}`
}

export function encodeReceiptMessage(message: ReceiptMessage, signer: Signer): Uint8Array {
  const kind = KINDS.indexOf(message.kind)
  const head = [Buffer.from(message.namespace, 'hex'), keyOfPeerId(message.peer), message.number]
  const body = encode([...head, ...fieldsOf(message)])
  return encode([RECEIPT_VERSION, kind, body, signer.sign(digestOf(kind, body))])
}

/** Throws RZ_SYNC_RECEIPT_INVALID, and RZ_SYNC_VERSION for a message of another version. */
export function decodeReceiptMessage(bytes: Uint8Array): Signed<ReceiptMessage> {
  if (bytes.length > RECEIPT_BYTES_MAX) throw invalid(`${bytes.length} bytes`)
  const [version, kind, body, signature, ...more] = listOf(decoded(bytes, ENVELOPE_LIMITS))
  if (typeof version !== 'number') throw invalid('no version')
  if (version !== RECEIPT_VERSION) throw new RhizomeError('RZ_SYNC_VERSION', `a receipt of version ${version}`)
  if ((kind !== 0 && kind !== 1) || more.length > 0) throw invalid('an unknown kind')
  if (!(signature instanceof Uint8Array) || signature.length !== SIGNATURE_BYTES) throw invalid('no signature')
  if (!(body instanceof Uint8Array)) throw invalid('no body')
  const message = parseBody(KINDS[kind], listOf(decoded(body, BODY_LIMITS)))
  return { message, isSigned: () => verify(message.peer, digestOf(kind, body), signature) }
}

function fieldsOf(message: ReceiptMessage): readonly Value[] {
  if (message.kind === 'receipt') {
    const held = message.held.map(({ log, seq, hash }) => [...logValue(log), seq, hashBytes(hash)])
    return [DURABILITIES.indexOf(message.durability), held]
  }
  const logs = message.logs.map(({ log, seq }) => [...logValue(log), seq])
  return [message.forMs, message.holders.map(keyOfPeerId), message.all, logs]
}

function parseBody(
  kind: ReceiptMessage['kind'],
  [namespace, key, number, ...fields]: readonly Value[],
): ReceiptMessage {
  const head = {
    namespace: Buffer.from(bytesOf(namespace, NAMESPACE_BYTES)).toString('hex') as NamespaceId,
    peer: peerIdOf(bytesOf(key, KEY_BYTES)),
    number: integerOf(number),
  }
  return kind === 'receipt' ? { kind, ...head, ...parseReceipt(fields) } : { kind, ...head, ...parseWant(fields) }
}

function parseReceipt(fields: readonly Value[]): Pick<Receipt, 'durability' | 'held'> {
  const [durability, held] = exactly(fields, 2)
  return {
    durability: DURABILITIES[integerOf(durability, DURABILITIES.length - 1)] ?? 'memory',
    held: listOf(held, RECEIPT_LOGS_MAX).map((item) => {
      const [creator, logId, seq, hash] = exactly(listOf(item), 4)
      const text = hashText(bytesOf(hash, HASH_BYTES)) as BlockHash
      return { log: logOf(creator, logId), seq: integerOf(seq), hash: text }
    }),
  }
}

function parseWant(fields: readonly Value[]): Pick<Want, 'forMs' | 'holders' | 'all' | 'logs'> {
  const [forMs, holders, all, logs] = exactly(fields, 4)
  if (typeof all !== 'boolean') throw invalid('neither true nor false')
  return {
    forMs: integerOf(forMs, WANT_FOR_MS_MAX),
    holders: listOf(holders, WANT_HOLDERS_MAX).map((holder) => peerIdOf(bytesOf(holder, KEY_BYTES))),
    all,
    logs: listOf(logs, RECEIPT_LOGS_MAX).map((item) => {
      const [creator, logId, seq] = exactly(listOf(item), 3)
      return { log: logOf(creator, logId), seq: integerOf(seq) }
    }),
  }
}

function digestOf(kind: number, body: Uint8Array): Uint8Array {
  return sha256(Buffer.concat([DOMAINS[kind] as Uint8Array, body]))
}

function logValue(log: LogKey): readonly Value[] {
  const { creator, logId } = splitLogKey(log)
  return [keyOfPeerId(creator), Buffer.from(logId, 'hex')]
}

function logOf(creator: Value | undefined, logId: Value | undefined): LogKey {
  return logKeyOf(peerIdOf(bytesOf(creator, KEY_BYTES)), Buffer.from(bytesOf(logId, LOG_ID_BYTES)).toString('hex'))
}

function decoded(bytes: Uint8Array, limits: { readonly depthMax: number; readonly itemsMax: number }): Value {
  try {
    return decode(bytes, limits)
  } catch (cause) {
    throw invalid(cause instanceof Error ? cause.message : String(cause), cause)
  }
}

function listOf(value: Value | undefined, countMax = Infinity): readonly Value[] {
  if (!Array.isArray(value)) throw invalid('no list')
  if (value.length > countMax) throw invalid(`more than ${countMax} items`)
  return value as readonly Value[]
}

function exactly(fields: readonly Value[], count: number): readonly Value[] {
  if (fields.length !== count) throw invalid(`${fields.length} fields where ${count} belong`)
  return fields
}

function bytesOf(value: Value | undefined, length: number): Uint8Array {
  if (!(value instanceof Uint8Array) || value.length !== length) throw invalid(`no ${length} bytes`)
  return value
}

function integerOf(value: Value | undefined, max = Number.MAX_SAFE_INTEGER): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0 || value > max) {
    throw invalid(`no integer up to ${max}`)
  }
  return value
}

function invalid(why: string, cause?: unknown): RhizomeError {
  return new RhizomeError('RZ_SYNC_RECEIPT_INVALID', `not a receipt: ${why}`, { cause })
}
