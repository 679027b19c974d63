/**
 * Keys of secondary indexes: a text for each value, such that the texts' UTF-8 bytes are in the order of the values
 * (`order.ts`), of bounded length. A hit is checked against the view, so that several values may share a key: long texts
 * are cut and hashed, and all lists are alike, all objects, all byte strings. Null is in no index. design.md 5.
 */

import { hash } from 'node:crypto'
import type { Value } from '../delta/delta.ts'
import { compareUtf8 } from '../delta/order.ts'
import { isList } from '../delta/value.ts'

/** Of keys, in the order of their UTF-8 bytes. */
export interface KeyRange {
  readonly from: string
  /** Not in it any more. */
  readonly before: string
}

/** Raised when a value gets another key: what was indexed before is then dropped. */
export const INDEX_KEYS_VERSION = 1

/** UTF-16 units of a text that its key holds. */
const TEXT_UNITS_MAX = 64
const HASH_UNITS = 32

const BOOLEAN = 'b'
const NUMBER = 'n'
const TEXT = 't'
const BYTES = 'x'
const LIST = 'y'
/** What a delta with more than two pointers says of an entity is an object: it need not be made to be known. */
export const OBJECT_KEY = 'z'

export const ALL_KEYS: KeyRange = { from: 'a', before: '{' }

export function indexKeyOf(value: Value): string | undefined {
  switch (typeof value) {
    case 'boolean':
      return value ? `${BOOLEAN}1` : `${BOOLEAN}0`
    case 'number':
      return NUMBER + numberKey(value)
    case 'string':
      return TEXT + textKey(value)
    default:
      if (value === null) return undefined
      if (value instanceof Uint8Array) return BYTES
      return isList(value) ? LIST : OBJECT_KEY
  }
}

/** Where claims of this value are; undefined for null. */
export function rangeOf(value: Value): KeyRange | undefined {
  const from = indexKeyOf(value)
  return from === undefined ? undefined : { from, before: `${from}\0` }
}

export type Comparable = string | number | boolean

/** Where those values of the same type are that are no less than `value`, or no more, and few others. */
export function rangeBeside(value: Comparable, side: 'less' | 'more'): KeyRange {
  const { from, before } = typeRange(value)
  if (side === 'more')
    return { from: typeof value === 'string' ? TEXT + headOf(value) : (indexKeyOf(value) ?? from), before }
  return { from, before: endOf(value) }
}

/** Where the values of all other types are. */
export function rangesOfOthers(value: Comparable): readonly KeyRange[] {
  const { from, before } = typeRange(value)
  return [
    { from: ALL_KEYS.from, before: from },
    { from: before, before: ALL_KEYS.before },
  ]
}

/** Pairs of ranges that are looked at: a query may list thousands on both sides. */
const PAIRS_MAX = 65_536

/** What lies in one of each; of long lists one alone, which is more. */
export function intersection(some: readonly KeyRange[], others: readonly KeyRange[]): readonly KeyRange[] {
  if (some.length * others.length > PAIRS_MAX) return some.length < others.length ? some : others
  const both = some.flatMap((one) =>
    others.map((other) => ({
      from: compareUtf8(one.from, other.from) > 0 ? one.from : other.from,
      before: compareUtf8(one.before, other.before) < 0 ? one.before : other.before,
    })),
  )
  return both.filter(({ from, before }) => compareUtf8(from, before) < 0)
}

function typeRange(value: Comparable): KeyRange {
  const type = typeof value === 'boolean' ? BOOLEAN : typeof value === 'number' ? NUMBER : TEXT
  return { from: type, before: String.fromCharCode(type.charCodeAt(0) + 1) }
}

/** After every key that `value` has or shares, and before that of the next value but for texts that begin alike. */
function endOf(value: Comparable): string {
  const key = indexKeyOf(value) ?? ''
  // A hash is hexadecimal, and no other key begins with a head.
  return typeof value === 'string' && isLong(value) ? `${TEXT}${headOf(value)}g` : `${key}\0`
}

/** The bits of the number, changed so that they sort as it does; −0 is 0. */
function numberKey(value: number): string {
  const bits = Buffer.allocUnsafe(8)
  bits.writeDoubleBE(value + 0)
  const isNegative = (bits[0] ?? 0) >= 0x80
  for (let index = 0; index < 8; index++)
    bits[index] = (bits[index] ?? 0) ^ (isNegative ? 0xff : index === 0 ? 0x80 : 0)
  return bits.toString('hex')
}

function textKey(text: string): string {
  return isLong(text) ? headOf(text) + hash('sha256', text, 'hex').slice(0, HASH_UNITS) : text
}

function isLong(text: string): boolean {
  return text.length > TEXT_UNITS_MAX
}

/** The beginning of a long text, longer than any short one; a pair of surrogates is not cut apart. */
function headOf(text: string): string {
  if (!isLong(text)) return text
  return text.slice(0, TEXT_UNITS_MAX) + String.fromCodePoint(text.codePointAt(TEXT_UNITS_MAX) ?? 0)
}
