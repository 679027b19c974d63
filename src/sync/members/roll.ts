/**
 * `/rhizome/roll/1`: a node asks a neighbour for the presences that it lacks, on meeting and from time to time. So a newcomer
 * knows all members within a round trip, and what gossip has lost is repaired. Presences travel as they were signed; only
 * their age is the neighbour's word. `[version, namespace, [[key, incarnation, counter], …]]` →, ← `[[message, age], …]` …
 */

import { decode, encode } from '../../delta/cbor.ts'
import type { PeerId, Value } from '../../delta/delta.ts'
import { KEY_BYTES, keyOfPeerId, peerIdOf } from '../../delta/identifiers.ts'
import { RhizomeError } from '../../errors.ts'
import type { NamespaceId } from '../../log/namespace.ts'
import {
  MEMBER_MESSAGE_BYTES_MAX,
  MEMBERS_MAX,
  PRESENCE_VERSION,
  ROLL_AGE_MS_MAX,
  ROLL_ENTRIES_MAX,
  ROLL_FRAME_BYTES_MAX,
} from './limits.ts'

/** What a node has of one member. */
export interface RollEntry {
  readonly peer: PeerId
  readonly incarnation: number
  readonly counter: number
}

/** A presence as it was signed, told to the sender so long ago. */
export interface AgedMessage {
  readonly bytes: Uint8Array
  readonly ageMs: number
}

const NAMESPACE_BYTES = 32
const CALL_LIMITS = { depthMax: 3, itemsMax: 8 + 4 * MEMBERS_MAX }
const ANSWER_LIMITS = { depthMax: 2, itemsMax: 8 + 3 * ROLL_ENTRIES_MAX }

export function encodeRollCall(namespace: NamespaceId, known: readonly RollEntry[]): Uint8Array {
  const entries = known
    .slice(0, MEMBERS_MAX)
    .map((entry) => [keyOfPeerId(entry.peer), entry.incarnation, entry.counter])
  return encode([PRESENCE_VERSION, Buffer.from(namespace, 'hex'), entries])
}

/** Throws RZ_SYNC_MEMBER_INVALID, RZ_SYNC_VERSION. */
export function decodeRollCall(bytes: Uint8Array): {
  readonly namespace: NamespaceId
  readonly known: readonly RollEntry[]
} {
  const [version, namespace, entries] = listOf(decoded(bytes, CALL_LIMITS))
  if (typeof version === 'number' && version !== PRESENCE_VERSION) {
    throw new RhizomeError('RZ_SYNC_VERSION', `a roll of version ${version}`)
  }
  return {
    namespace: Buffer.from(bytesOf(namespace, NAMESPACE_BYTES, NAMESPACE_BYTES)).toString('hex') as NamespaceId,
    known: listOf(entries).map((entry) => {
      const [key, incarnation, counter] = listOf(entry)
      return {
        peer: peerIdOf(bytesOf(key, KEY_BYTES, KEY_BYTES)),
        incarnation: integerOf(incarnation),
        counter: integerOf(counter),
      }
    }),
  }
}

/** The answer in frames, each below `ROLL_FRAME_BYTES_MAX`. */
export function encodeRollAnswer(messages: readonly AgedMessage[]): readonly Uint8Array[] {
  const frames: AgedMessage[][] = [[]]
  let bytes = 0
  for (const message of messages) {
    const last = frames.at(-1) ?? []
    bytes += message.bytes.length + 16
    if (last.length > 0 && (bytes > ROLL_FRAME_BYTES_MAX || last.length === ROLL_ENTRIES_MAX)) {
      frames.push([message])
      bytes = message.bytes.length + 16
    } else {
      last.push(message)
    }
  }
  return frames.map((frame) => encode(frame.map((each) => [each.bytes, clamp(each.ageMs)])))
}

/** Throws RZ_SYNC_MEMBER_INVALID. */
export function decodeRollAnswer(bytes: Uint8Array): readonly AgedMessage[] {
  if (bytes.length > ROLL_FRAME_BYTES_MAX + MEMBER_MESSAGE_BYTES_MAX) throw invalid(`${bytes.length} bytes`)
  return listOf(decoded(bytes, ANSWER_LIMITS)).map((item) => {
    const [message, ageMs] = listOf(item)
    return { bytes: bytesOf(message, 1, MEMBER_MESSAGE_BYTES_MAX).slice(), ageMs: clamp(integerOf(ageMs)) }
  })
}

function clamp(ageMs: number): number {
  return Math.min(Math.max(0, Math.round(ageMs)), ROLL_AGE_MS_MAX)
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

function bytesOf(value: Value | undefined, min: number, max: number): Uint8Array {
  if (!(value instanceof Uint8Array) || value.length < min || value.length > max) throw invalid('no such bytes')
  return value
}

function integerOf(value: Value | undefined): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw invalid('no integer')
  return value
}

function invalid(why: string, cause?: unknown): RhizomeError {
  return new RhizomeError('RZ_SYNC_MEMBER_INVALID', `not a roll: ${why}`, { cause })
}
