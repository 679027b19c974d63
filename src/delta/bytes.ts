/**
 * The canonical bytes of a delta: `[[localContext, target] | [localContext, target, targetContext], …]` in CBOR.
 * Encoding and decoding accept the same deltas: whatever was written here can be read everywhere.
 */

import { RhizomeError } from '../errors.ts'
import { decode, encode } from './cbor.ts'
import {
  CONTEXT_BYTES_MAX,
  DELTA_BYTES_MAX,
  DELTA_ITEMS_MAX,
  ID_BYTES_MAX,
  isReference,
  type Pointer,
  POINTERS_MAX,
  type Value,
  VALUE_DEPTH_MAX,
} from './delta.ts'
import { isList } from './value.ts'

/** Two levels for the pointers, the rest for the value in one. */
const LIMITS = { depthMax: VALUE_DEPTH_MAX + 2, itemsMax: DELTA_ITEMS_MAX, copyBytes: true }

/** Throws RZ_DELTA_INVALID for pointers that no reader would take, RZ_DELTA_TOO_LARGE over `DELTA_BYTES_MAX`. */
export function encodePointers(pointers: readonly Pointer[]): Uint8Array {
  if (pointers.length === 0) throw invalid('a delta needs a pointer at least')
  if (pointers.length > POINTERS_MAX) throw invalid(`a delta has at most ${POINTERS_MAX} pointers`)
  const bytes = inDeltaWords(() => encode(pointers.map(pointerValue), LIMITS.depthMax))
  if (bytes.length > DELTA_BYTES_MAX) throw tooLarge(`${bytes.length} bytes`)
  // Each item takes a byte at least, so only a delta this large can hold more of them than a reader takes.
  if (bytes.length > DELTA_ITEMS_MAX) inDeltaWords(() => decode(bytes, LIMITS))
  return bytes
}

/** The pointers that canonical bytes hold. Throws RZ_BYTES_INVALID, RZ_DELTA_INVALID or RZ_DELTA_TOO_LARGE. */
export function decodePointers(bytes: Uint8Array): readonly Pointer[] {
  if (bytes.length > DELTA_BYTES_MAX) throw tooLarge(`${bytes.length} bytes`)
  const items = decode(bytes, LIMITS)
  if (!isList(items) || items.length === 0 || items.length > POINTERS_MAX) throw invalid('not a list of pointers')
  return items.map(parsePointer)
}

function pointerValue(pointer: Pointer): Value {
  checkText('localContext', pointer.localContext, CONTEXT_BYTES_MAX)
  if (!isReference(pointer)) return [pointer.localContext, pointer.target]
  checkText('target', pointer.target, ID_BYTES_MAX)
  checkText('targetContext', pointer.targetContext, CONTEXT_BYTES_MAX)
  return [pointer.localContext, pointer.target, pointer.targetContext]
}

function parsePointer(item: Value): Pointer {
  if (!isList(item) || item.length < 2 || item.length > 3) throw invalid('a pointer has two or three parts')
  const parts = item as readonly [Value, Value, Value?]
  const localContext = parts[0]
  const target = parts[1]
  checkText('localContext', localContext, CONTEXT_BYTES_MAX)
  if (parts.length === 2) return { localContext, target }
  const targetContext = parts[2]
  checkText('target', target, ID_BYTES_MAX)
  checkText('targetContext', targetContext, CONTEXT_BYTES_MAX)
  return { localContext, target, targetContext }
}

function checkText(what: string, text: unknown, bytesMax: number): asserts text is string {
  if (typeof text !== 'string') throw invalid(`${what} is not a string`)
  if (text.length === 0) throw invalid(`${what} is empty`)
  if (text.length * 3 > bytesMax && Buffer.byteLength(text) > bytesMax) {
    throw invalid(`${what} is longer than ${bytesMax} bytes`)
  }
}

/** What the codec refuses, said of a delta. */
function inDeltaWords<Result>(work: () => Result): Result {
  try {
    return work()
  } catch (cause) {
    if (!(cause instanceof RhizomeError)) throw cause
    if (cause.code === 'RZ_BYTES_TOO_LARGE') throw tooLarge('several MiB', cause)
    throw invalid(cause.message.replace('not canonical CBOR: ', ''), cause)
  }
}

function tooLarge(what: string, cause?: unknown): RhizomeError {
  const advice = `the limit is ${DELTA_BYTES_MAX}: split the value, or store a reference to it`
  return new RhizomeError('RZ_DELTA_TOO_LARGE', `a delta of ${what}; ${advice}`, { cause })
}

function invalid(why: string, cause?: unknown): RhizomeError {
  return new RhizomeError('RZ_DELTA_INVALID', `not a delta: ${why}`, { cause })
}
