/**
 * The frames of `/rhizome/query/1`, in deterministic CBOR. One question a stream: `[version, 0, namespace, word, content]` →, ←
 * `[version, 1, [item bytes, …]]` any number of times, then `[version, 2, content]`, or `[version, 3, code, text]` where it
 * cannot be answered. Items are encoded apart, so that a frame is bounded before they are read. Decoding answers for every
 * input. What words and contents mean is the asker's and the answerer's (`node`). design.md 4 and 6.
 */

import { decode, encode } from '../../delta/cbor.ts'
import type { Value } from '../../delta/delta.ts'
import { RhizomeError } from '../../errors.ts'
import type { NamespaceId } from '../../log/namespace.ts'
import { FRAME_BYTES_MAX } from '../../net/net.ts'
import {
  FAULT_TEXT_BYTES_MAX,
  ITEM_BYTES_MAX,
  ITEM_LIMITS,
  PART_ITEMS_MAX,
  QUESTION_BYTES_MAX,
  QUESTION_VERSION,
  WORD_BYTES_MAX,
} from './limits.ts'

export interface Question {
  readonly namespace: NamespaceId
  /** What is asked for. */
  readonly word: string
  readonly content: Value
}

export type AnswerFrame =
  | { readonly kind: 'part'; readonly items: readonly Uint8Array[] }
  | { readonly kind: 'end'; readonly content: Value }
  | { readonly kind: 'fault'; readonly code: string; readonly text: string }

const ASK = 0
const PART = 1
const END = 2
const FAULT = 3
const NAMESPACE_BYTES = 32
const CODE = /^RZ_[A-Z_]{1,60}$/
/** Two levels for the frame, the rest for the content in it. */
const LIMITS = { ...ITEM_LIMITS, depthMax: ITEM_LIMITS.depthMax + 1 }
const PART_LIMITS = { depthMax: 2, itemsMax: PART_ITEMS_MAX + 8 }

/** Throws RZ_BYTES_TOO_LARGE for a question that nobody would take. */
export function encodeQuestion({ namespace, word, content }: Question): Uint8Array {
  const bytes = encode([QUESTION_VERSION, ASK, Buffer.from(namespace, 'hex'), word, content])
  if (bytes.length > QUESTION_BYTES_MAX) {
    throw new RhizomeError('RZ_BYTES_TOO_LARGE', `a question of ${bytes.length} bytes; at most ${QUESTION_BYTES_MAX}`)
  }
  return bytes
}

/** Throws RZ_SYNC_QUESTION_INVALID, RZ_SYNC_VERSION. */
export function decodeQuestion(bytes: Uint8Array): Question {
  if (bytes.length > QUESTION_BYTES_MAX) throw invalid(`${bytes.length} bytes`)
  const { kind, fields } = openFrame(bytes)
  const [namespace, word, content] = fields
  if (kind !== ASK || fields.length !== 3 || content === undefined) throw invalid('it asks nothing')
  if (!(namespace instanceof Uint8Array) || namespace.length !== NAMESPACE_BYTES) throw invalid('of no namespace')
  if (typeof word !== 'string' || word === '' || Buffer.byteLength(word) > WORD_BYTES_MAX)
    throw invalid('without a word')
  return { namespace: Buffer.from(namespace).toString('hex') as NamespaceId, word, content }
}

/** Throws RZ_BYTES_TOO_LARGE for one that is too large for a frame. */
export function encodeItem(item: Value): Uint8Array {
  const bytes = encode(item)
  if (bytes.length <= ITEM_BYTES_MAX) return bytes
  throw new RhizomeError(
    'RZ_BYTES_TOO_LARGE',
    `one item of an answer takes ${bytes.length} bytes, at most ${ITEM_BYTES_MAX}`,
  )
}

/** Throws RZ_SYNC_QUESTION_INVALID. */
export function decodeItem(bytes: Uint8Array): Value {
  try {
    return decode(bytes, ITEM_LIMITS)
  } catch (cause) {
    throw invalid(cause instanceof Error ? cause.message : String(cause), cause)
  }
}

export function encodeAnswer(frame: AnswerFrame): Uint8Array {
  switch (frame.kind) {
    case 'part':
      return encode([QUESTION_VERSION, PART, frame.items])
    case 'end':
      return encode([QUESTION_VERSION, END, frame.content])
    case 'fault':
      return encode([QUESTION_VERSION, FAULT, frame.code, shorten(frame.text)])
  }
}

/** Throws RZ_SYNC_QUESTION_INVALID, RZ_SYNC_VERSION. */
export function decodeAnswer(bytes: Uint8Array): AnswerFrame {
  if (bytes.length > FRAME_BYTES_MAX) throw invalid(`${bytes.length} bytes`)
  const { kind, fields } = openFrame(bytes)
  const [first, second] = fields
  if (kind === PART && fields.length === 1) return { kind: 'part', items: itemsOf(first) }
  if (kind === END && fields.length === 1 && first !== undefined) return { kind: 'end', content: first }
  if (kind !== FAULT || fields.length !== 2) throw invalid('an unknown kind')
  if (typeof first !== 'string' || !CODE.test(first)) throw invalid('a fault without a code')
  if (typeof second !== 'string' || Buffer.byteLength(second) > FAULT_TEXT_BYTES_MAX)
    throw invalid('a fault without a text')
  return { kind: 'fault', code: first, text: second }
}

function openFrame(bytes: Uint8Array): { readonly kind: Value | undefined; readonly fields: readonly Value[] } {
  const value = decoded(bytes)
  if (!Array.isArray(value)) throw invalid('no list')
  const [version, kind, ...fields] = value as readonly Value[]
  if (typeof version !== 'number') throw invalid('no version')
  if (version !== QUESTION_VERSION) throw new RhizomeError('RZ_SYNC_VERSION', `a question of version ${version}`)
  return { kind, fields }
}

function decoded(bytes: Uint8Array): Value {
  try {
    // A frame of items has few values; one of any other kind is no larger than an item.
    return decode(bytes, bytes.length > ITEM_BYTES_MAX ? PART_LIMITS : LIMITS)
  } catch (cause) {
    throw invalid(cause instanceof Error ? cause.message : String(cause), cause)
  }
}

function itemsOf(value: Value | undefined): readonly Uint8Array[] {
  if (!Array.isArray(value) || value.length > PART_ITEMS_MAX) throw invalid('no items')
  if (!value.every((item) => item instanceof Uint8Array && item.length <= ITEM_BYTES_MAX)) throw invalid('no items')
  return value as readonly Uint8Array[]
}

function shorten(text: string): string {
  const short = text.toWellFormed().slice(0, FAULT_TEXT_BYTES_MAX / 4)
  return short.toWellFormed()
}

function invalid(why: string, cause?: unknown): RhizomeError {
  return new RhizomeError('RZ_SYNC_QUESTION_INVALID', `not a question or an answer: ${why}`, { cause })
}
