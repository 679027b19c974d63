/** Equality of values: two are the same exactly when their canonical bytes are. */

import { encode } from './cbor.ts'
import type { Value } from './delta.ts'

export function sameValue(a: Value, b: Value): boolean {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a === b
  return Buffer.compare(encode(a), encode(b)) === 0
}
