/** The canonical bytes of a delta: `[[localContext, target] | [localContext, target, targetContext], …]` in CBOR. */

import { RhizomeError } from '../errors.ts'
import { decode, encode } from './cbor.ts'
import {
  CONTEXT_BYTES_MAX,
  DELTA_BYTES_MAX,
  ID_BYTES_MAX,
  isReference,
  type Pointer,
  POINTERS_MAX,
  type Value,
  VALUE_DEPTH_MAX,
} from './delta.ts'

/** Two levels for the pointers, the rest for the value in one. */
const LIMITS = { depthMax: VALUE_DEPTH_MAX + 2, itemsMax: 262_144 }

/** Throws RZ_DELTA_INVALID for pointers that no reader would take, RZ_DELTA_TOO_LARGE over `DELTA_BYTES_MAX`. */
export function encodePointers(pointers: readonly Pointer[]): Uint8Array {
  if (pointers.length === 0) throw invalid('a delta needs a pointer at least')
  if (pointers.length > POINTERS_MAX) throw invalid(`a delta has at most ${POINTERS_MAX} pointers`)
  const bytes = encodeValid(pointers.map(pointerValue))
  if (bytes.length > DELTA_BYTES_MAX) {
    throw new RhizomeError(
      'RZ_DELTA_TOO_LARGE',
      `a delta of ${bytes.length} bytes; the limit is ${DELTA_BYTES_MAX}: split the value, or store a reference to it`,
    )
  }
  return bytes
}

/** The pointers that canonical bytes hold. Throws RZ_BYTES_INVALID, RZ_DELTA_INVALID or RZ_DELTA_TOO_LARGE. */
export function decodePointers(bytes: Uint8Array): readonly Pointer[] {
  if (bytes.length > DELTA_BYTES_MAX) throw new RhizomeError('RZ_DELTA_TOO_LARGE', `a delta of ${bytes.length} bytes`)
  const items = decode(bytes, LIMITS)
  if (!Array.isArray(items) || items.length === 0 || items.length > POINTERS_MAX) throw invalid('not a list of pointers')
  return items.map(parsePointer)
}

function pointerValue(pointer: Pointer): Value {
  checkText('localContext', pointer.localContext, CONTEXT_BYTES_MAX)
  if (!isReference(pointer)) {
    checkDepth(pointer.target, VALUE_DEPTH_MAX)
    return [pointer.localContext, pointer.target]
  }
  checkText('target', pointer.target, ID_BYTES_MAX)
  checkText('targetContext', pointer.targetContext, CONTEXT_BYTES_MAX)
  return [pointer.localContext, pointer.target, pointer.targetContext]
}

function parsePointer(item: Value): Pointer {
  if (!Array.isArray(item) || item.length < 2 || item.length > 3) throw invalid('a pointer has two or three parts')
  const [localContext, target, targetContext] = item as [Value, Value, Value | undefined]
  checkText('localContext', localContext, CONTEXT_BYTES_MAX)
  if (targetContext === undefined) return { localContext, target }
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

function checkDepth(value: Value, left: number): void {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return
  if (left === 0) throw invalid(`a value nested deeper than ${VALUE_DEPTH_MAX}`)
  for (const inner of Object.values(value)) checkDepth(inner as Value, left - 1)
}

function encodeValid(value: Value): Uint8Array {
  try {
    return encode(value)
  } catch (cause) {
    if (!(cause instanceof RhizomeError)) throw cause
    throw invalid(cause.message.replace('not canonical CBOR: ', ''), cause)
  }
}

function invalid(why: string, cause?: unknown): RhizomeError {
  return new RhizomeError('RZ_DELTA_INVALID', `not a delta: ${why}`, { cause })
}
