/**
 * The bytes of a message that is not data: `[version, body, signature]`, the body `[namespace, key, date, to, value]`, signed
 * under a domain of its own by the node whose key stands in it. Anybody can pass it on and nobody alter it. Decoding answers
 * for every input. A date that its sender never uses twice is also its name.
 */

import { decode, encode } from '../../delta/cbor.ts'
import { type PeerId, type Value, VALUE_DEPTH_MAX } from '../../delta/delta.ts'
import { KEY_BYTES, keyOfPeerId, peerIdOf } from '../../delta/identifiers.ts'
import { RhizomeError } from '../../errors.ts'
import { SIGNATURE_BYTES } from '../../log/block.ts'
import type { NamespaceId } from '../../log/namespace.ts'
import { sha256 } from '../../log/sha256.ts'
import { type Signer, verify } from '../../log/signature.ts'
import { MESSAGE_BYTES_MAX, MESSAGE_VERSION } from './limits.ts'

export interface Message {
  readonly from: PeerId
  /** Whom it is addressed to, else everybody. Whoever takes part in the namespace can read it all the same. */
  readonly to?: PeerId
  /** When it was sent, by the sender's clock, milliseconds since 1970. */
  readonly atMs: number
  /** As JSON, or bytes. */
  readonly value: Value
}

export interface SignedMessage {
  readonly namespace: NamespaceId
  readonly message: Message
  readonly isSigned: () => boolean
}

const DOMAIN = Buffer.from(`rhizome/message/${MESSAGE_VERSION}\0`)
const NAMESPACE_BYTES = 32
const ENVELOPE_LIMITS = { depthMax: 1, itemsMax: 8 }
/** The body is a list around the value; no value of so many bytes has more parts. */
const BODY_LIMITS = { depthMax: 1 + VALUE_DEPTH_MAX, itemsMax: MESSAGE_BYTES_MAX, copyBytes: true }

/** The topic on which messages of an open namespace travel. */
export function messageTopicOf(name: string): string {
  return `/rhizome/message/1/${name}`
}

/** Throws RZ_MESSAGE_INVALID for what is no value, RZ_MESSAGE_TOO_LARGE. */
export function encodeMessage(namespace: NamespaceId, message: Message, signer: Signer): Uint8Array {
  const { from, to, atMs, value } = message
  const head = [Buffer.from(namespace, 'hex'), keyOfPeerId(from), atMs, to === undefined ? null : keyOfPeerId(to)]
  const body = encoded([...head, value])
  const bytes = encode([MESSAGE_VERSION, body, signer.sign(digestOf(body))])
  if (bytes.length > MESSAGE_BYTES_MAX) throw tooLarge(`it would take ${bytes.length}`)
  return bytes
}

/** Throws RZ_SYNC_MESSAGE_INVALID, and RZ_SYNC_VERSION for a message of another version. */
export function decodeMessage(bytes: Uint8Array): SignedMessage {
  if (bytes.length > MESSAGE_BYTES_MAX) throw invalid(`${bytes.length} bytes`)
  const [version, body, signature, ...more] = listOf(decoded(bytes, ENVELOPE_LIMITS))
  if (typeof version !== 'number') throw invalid('no version')
  if (version !== MESSAGE_VERSION) throw new RhizomeError('RZ_SYNC_VERSION', `a message of version ${version}`)
  if (!(body instanceof Uint8Array)) throw invalid('no body')
  if (!(signature instanceof Uint8Array) || signature.length !== SIGNATURE_BYTES) throw invalid('no signature')
  if (more.length > 0) throw invalid('a field too many')
  const [namespace, key, atMs, to, value, ...rest] = listOf(decoded(body, BODY_LIMITS))
  if (value === undefined || rest.length > 0) throw invalid('a body of another length')
  if (typeof atMs !== 'number' || !Number.isSafeInteger(atMs) || atMs < 0) throw invalid('no date')
  const from = peerIdOf(bytesOf(key, KEY_BYTES))
  return {
    namespace: Buffer.from(bytesOf(namespace, NAMESPACE_BYTES)).toString('hex') as NamespaceId,
    message: { from, ...(to === null ? {} : { to: peerIdOf(bytesOf(to, KEY_BYTES)) }), atMs, value },
    isSigned: () => verify(from, digestOf(body), signature),
  }
}

function digestOf(body: Uint8Array): Uint8Array {
  return sha256(Buffer.concat([DOMAIN, body]))
}

function encoded(body: Value): Uint8Array {
  try {
    return encode(body, BODY_LIMITS.depthMax)
  } catch (cause) {
    if (!(cause instanceof RhizomeError)) throw cause
    if (cause.code === 'RZ_BYTES_TOO_LARGE') throw tooLarge(cause.message)
    throw new RhizomeError('RZ_MESSAGE_INVALID', `a message is JSON or bytes: ${cause.message}`, { cause })
  }
}

function decoded(bytes: Uint8Array, limits: Parameters<typeof decode>[1]): Value {
  try {
    return decode(bytes, limits)
  } catch (cause) {
    throw invalid(cause instanceof Error ? cause.message : String(cause), cause)
  }
}

function listOf(value: Value): readonly Value[] {
  if (!Array.isArray(value)) throw invalid('no list')
  return value as readonly Value[]
}

function bytesOf(value: Value | undefined, length: number): Uint8Array {
  if (!(value instanceof Uint8Array) || value.length !== length) throw invalid(`no ${length} bytes`)
  return value
}

function tooLarge(why: string): RhizomeError {
  return new RhizomeError('RZ_MESSAGE_TOO_LARGE', `a message has at most ${MESSAGE_BYTES_MAX} bytes: ${why}`)
}

function invalid(why: string, cause?: unknown): RhizomeError {
  return new RhizomeError('RZ_SYNC_MESSAGE_INVALID', `not a message: ${why}`, { cause })
}
