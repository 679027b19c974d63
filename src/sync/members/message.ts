/**
 * The messages of a namespace's presence topic: `[version, kind, body, signature]`. Each kind is signed under a domain of
 * its own, by the member whose key stands in the body, so that a message can be passed on by anybody and altered by nobody.
 * Decoding answers for every input and verifies; what a message is worth is membership.ts's. design.md 4.
 */

import { decode, encode } from '../../delta/cbor.ts'
import type { PeerId, Value } from '../../delta/delta.ts'
import { HASH_BYTES, KEY_BYTES, keyOfPeerId, peerIdOf } from '../../delta/identifiers.ts'
import { RhizomeError } from '../../errors.ts'
import { SIGNATURE_BYTES } from '../../log/block.ts'
import type { NamespaceId } from '../../log/namespace.ts'
import { sha256 } from '../../log/sha256.ts'
import { type Signer, verify } from '../../log/signature.ts'
import { PEER_NAME_BYTES_MAX } from '../limits.ts'
import {
  ADDRESS_BYTES_MAX,
  ADDRESSES_MAX,
  MEMBER_MESSAGE_BYTES_MAX,
  NAMESPACE_NAME_BYTES_MAX,
  NAMESPACES_MAX,
  PRESENCE_MS_MAX,
  PRESENCE_VERSION,
  TAG_BYTES_MAX,
  TAGS_MAX,
  VERSION_BYTES_MAX,
} from './limits.ts'

/** A member says that it is there. */
export interface Presence {
  readonly kind: 'presence'
  readonly namespace: NamespaceId
  readonly peer: PeerId
  /** Rises with each start of the node, and with each suspicion that it refutes. */
  readonly incarnation: number
  /** Rises with each presence of one incarnation. */
  readonly counter: number
  /** Within this many milliseconds there will be another. */
  readonly nextMs: number
  /** It takes its leave: there will be none. */
  readonly leaving: boolean
  readonly name: string
  /** Of its software. */
  readonly version: string
  readonly addresses: readonly string[]
  /** Names of the namespaces that it holds. */
  readonly namespaces: readonly string[]
  /** Collections that it holds records of, in the order of their names. */
  readonly tags: readonly string[]
  /** There are more of them. */
  readonly tagsCut: boolean
  /** Of its frontier: equal digests, equal frontiers. */
  readonly digest: Uint8Array
}

/** A member has not heard another for too long: unless that refutes it, by a higher incarnation, it is down. */
export interface Accusation {
  readonly kind: 'accusation'
  readonly namespace: NamespaceId
  readonly peer: PeerId
  readonly suspect: PeerId
  readonly incarnation: number
}

/** A member asks all others to answer. */
export interface Probe {
  readonly kind: 'probe'
  readonly namespace: NamespaceId
  readonly peer: PeerId
  readonly number: number
}

/** The answer to a probe, `heldMs` after it came. */
export interface Answer {
  readonly kind: 'answer'
  readonly namespace: NamespaceId
  readonly peer: PeerId
  readonly asker: PeerId
  readonly number: number
  readonly heldMs: number
}

export type MemberMessage = Presence | Accusation | Probe | Answer

const KINDS = ['presence', 'accusation', 'probe', 'answer'] as const
const DOMAINS = KINDS.map((kind) => Buffer.from(`rhizome/${kind}/${PRESENCE_VERSION}\0`))
const NAMESPACE_BYTES = 32
const ENVELOPE_LIMITS = { depthMax: 1, itemsMax: 8 }
const BODY_LIMITS = { depthMax: 2, itemsMax: 32 + ADDRESSES_MAX + NAMESPACES_MAX + TAGS_MAX }

/** The topic on which the members of an open namespace tell of themselves. */
export function presenceTopicOf(name: string): string {
  return `/rhizome/presence/1/${name}`
}

export function encodeMemberMessage(message: MemberMessage, signer: Signer): Uint8Array {
  const kind = KINDS.indexOf(message.kind)
  const head = [Buffer.from(message.namespace, 'hex'), keyOfPeerId(message.peer)]
  const body = encode([...head, ...fieldsOf(message)])
  return encode([PRESENCE_VERSION, kind, body, signer.sign(digestOf(kind, body))])
}

function fieldsOf(message: MemberMessage): readonly Value[] {
  switch (message.kind) {
    case 'presence': {
      const { incarnation, counter, nextMs, leaving, name, version, addresses, namespaces, tags, tagsCut, digest } =
        message
      return [incarnation, counter, nextMs, leaving, name, version, addresses, namespaces, tags, tagsCut, digest]
    }
    case 'accusation':
      return [keyOfPeerId(message.suspect), message.incarnation]
    case 'probe':
      return [message.number]
    case 'answer':
      return [keyOfPeerId(message.asker), message.number, message.heldMs]
  }
}

/** What is signed: the domain keeps a signature of one kind from being shown as one of another. */
function digestOf(kind: number, body: Uint8Array): Uint8Array {
  return sha256(Buffer.concat([DOMAINS[kind] ?? Buffer.alloc(0), body]))
}

/**
 * The message that foreign bytes hold, its signature not looked at yet: `isSigned` does that, which costs 60 µs.
 * Throws RZ_SYNC_MEMBER_INVALID, RZ_SYNC_VERSION.
 */
export function decodeMemberMessage(bytes: Uint8Array): Signed<MemberMessage> {
  if (bytes.length > MEMBER_MESSAGE_BYTES_MAX) throw invalid(`${bytes.length} bytes`)
  const [version, kind, body, signature, ...more] = listOf(decoded(bytes, ENVELOPE_LIMITS))
  if (typeof version !== 'number') throw invalid('no version')
  if (version !== PRESENCE_VERSION) throw new RhizomeError('RZ_SYNC_VERSION', `a presence of version ${version}`)
  if (typeof kind !== 'number' || KINDS[kind] === undefined || more.length > 0) throw invalid('an unknown kind')
  if (!(signature instanceof Uint8Array) || signature.length !== SIGNATURE_BYTES) throw invalid('no signature')
  if (!(body instanceof Uint8Array)) throw invalid('no body')
  const message = parseBody(KINDS[kind], listOf(decoded(body, BODY_LIMITS)))
  return { message, isSigned: () => verify(message.peer, digestOf(kind, body), signature) }
}

export interface Signed<Message> {
  readonly message: Message
  readonly isSigned: () => boolean
}

function parseBody(kind: MemberMessage['kind'], [namespace, key, ...fields]: readonly Value[]): MemberMessage {
  const head = {
    namespace: Buffer.from(bytesOf(namespace, NAMESPACE_BYTES)).toString('hex') as NamespaceId,
    peer: peerIdOf(bytesOf(key, KEY_BYTES)),
  }
  const [first, second, third] = fields
  switch (kind) {
    case 'presence':
      return { kind, ...head, ...parsePresence(fields) }
    case 'accusation':
      countOf(fields, 2)
      return { kind, ...head, suspect: peerIdOf(bytesOf(first, KEY_BYTES)), incarnation: integerOf(second) }
    case 'probe':
      countOf(fields, 1)
      return { kind, ...head, number: integerOf(first) }
    case 'answer':
      countOf(fields, 3)
      return {
        kind,
        ...head,
        asker: peerIdOf(bytesOf(first, KEY_BYTES)),
        number: integerOf(second),
        heldMs: integerOf(third, PRESENCE_MS_MAX),
      }
  }
}

function parsePresence(fields: readonly Value[]): Omit<Presence, 'kind' | 'namespace' | 'peer'> {
  countOf(fields, 11)
  const [incarnation, counter, nextMs, leaving, name, version, addresses, namespaces, tags, tagsCut, digest] = fields
  return {
    incarnation: integerOf(incarnation),
    counter: integerOf(counter),
    nextMs: integerOf(nextMs, PRESENCE_MS_MAX),
    leaving: booleanOf(leaving),
    name: textOf(name, PEER_NAME_BYTES_MAX),
    version: textOf(version, VERSION_BYTES_MAX),
    addresses: textsOf(addresses, ADDRESSES_MAX, ADDRESS_BYTES_MAX),
    namespaces: textsOf(namespaces, NAMESPACES_MAX, NAMESPACE_NAME_BYTES_MAX),
    tags: textsOf(tags, TAGS_MAX, TAG_BYTES_MAX),
    tagsCut: booleanOf(tagsCut),
    digest: bytesOf(digest, HASH_BYTES).slice(),
  }
}

function decoded(bytes: Uint8Array, limits: { readonly depthMax: number; readonly itemsMax: number }): Value {
  try {
    return decode(bytes, limits)
  } catch (cause) {
    throw invalid(cause instanceof Error ? cause.message : String(cause), cause)
  }
}

function listOf(value: Value | undefined): readonly Value[] {
  if (!Array.isArray(value)) throw invalid('no list')
  return value as readonly Value[]
}

function countOf(fields: readonly Value[], count: number): void {
  if (fields.length !== count) throw invalid(`${fields.length} fields where ${count} belong`)
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

function booleanOf(value: Value | undefined): boolean {
  if (typeof value !== 'boolean') throw invalid('neither true nor false')
  return value
}

function textOf(value: Value | undefined, bytesMax: number): string {
  if (typeof value !== 'string' || Buffer.byteLength(value) > bytesMax) throw invalid(`no text of ${bytesMax} bytes`)
  return value
}

function textsOf(value: Value | undefined, countMax: number, bytesMax: number): readonly string[] {
  const list = listOf(value)
  if (list.length > countMax) throw invalid(`more than ${countMax} texts`)
  return list.map((item) => textOf(item, bytesMax))
}

function invalid(why: string, cause?: unknown): RhizomeError {
  return new RhizomeError('RZ_SYNC_MEMBER_INVALID', `not a message of membership: ${why}`, { cause })
}
