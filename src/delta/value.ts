/** What can be asked of any value: whether it is a list, and whether it equals another. */

import { encode } from './cbor.ts'
import type { Value } from './delta.ts'

/** As `Array.isArray`, which does not know that a value holds values only. */
export function isList(value: Value | undefined): value is readonly Value[] {
  return Array.isArray(value)
}

/** Two values are the same exactly when their canonical bytes are. */
export function sameValue(a: Value, b: Value): boolean {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a === b
  return Buffer.compare(encode(a), encode(b)) === 0
}
