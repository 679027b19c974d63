/**
 * Which records lie together: a range of collections by the first byte of their names (`*:a-g`), or of one collection's
 * records by the first byte of their ids (`orders:a-g`). Bytes are those of UTF-8, and both ends belong to the range: `a-g` holds
 * neither `A` nor `ä`. Pure arithmetic and its one text form. design.md 4, shards.
 */

import { RhizomeError } from '../errors.ts'

export interface ShardRange {
  /** Whose records; undefined for whole collections by their names. */
  readonly collection: string | undefined
  /** First bytes, 0 to 255, both inclusive. */
  readonly from: number
  readonly to: number
}

/** Of a collection's name as it is written in a range: percent-encoded where it has other bytes than letters, digits, `.`, `_`, `-`. */
const RANGE_COLLECTION_BYTES_MAX = 96

const EVERY = '*'
const FULL = { from: 0, to: 255 }
const PLAIN_COLLECTION = /^[A-Za-z0-9._-]$/
const PLAIN_END = /^[A-Za-z0-9]$/
/** What may be typed for an end: a character of ASCII that means nothing else here, or two hex digits. */
const END = /^(?:[!-$&-)+,.-9;-~]|%[0-9a-fA-F]{2})$/
const ENDS = /^(%[0-9a-fA-F]{2}|[^%])(?:-(%[0-9a-fA-F]{2}|[^%]))?$/

/** The range that a text such as `*:a-g`, `orders:m` or `orders:*` names. Throws RZ_PLACEMENT_INVALID. */
export function parseShardRange(text: string): ShardRange {
  const colon = text.lastIndexOf(':')
  if (colon < 1) throw invalid(text)
  const ends = parseEnds(text.slice(colon + 1))
  if (ends === undefined || ends.from > ends.to) throw invalid(text)
  const written = text.slice(0, colon)
  const range = { collection: written === EVERY ? undefined : collectionIn(written, text), ...ends }
  if (encodeCollection(range.collection ?? '').length > RANGE_COLLECTION_BYTES_MAX) {
    throw new RhizomeError(
      'RZ_PLACEMENT_INVALID',
      `the collection's name takes more than ${RANGE_COLLECTION_BYTES_MAX} characters in a range: place it by "*" instead`,
    )
  }
  return range
}

/** The one text of a range: equal ranges have equal texts. */
export function shardRangeText({ collection, from, to }: ShardRange): string {
  const name = collection === undefined ? EVERY : encodeCollection(collection)
  return `${name}:${endsText(from, to)}`
}

/** Whether a record lies in the range. */
export function rangeHolds({ collection, from, to }: ShardRange, of: string, id: string): boolean {
  if (collection !== undefined && collection !== of) return false
  const byte = firstByteOf(collection === undefined ? of : id)
  return from <= byte && byte <= to
}

/** Whether some record may lie in both. */
export function rangesOverlap(a: ShardRange, b: ShardRange): boolean {
  if (a.collection === b.collection) return a.from <= b.to && b.from <= a.to
  if (a.collection !== undefined && b.collection !== undefined) return false
  const [whole, keys] = a.collection === undefined ? [a, b] : [b, a]
  const byte = firstByteOf(keys.collection ?? '')
  return whole.from <= byte && byte <= whole.to
}

/** Of the text's UTF-8 form; 0 for the empty text. */
export function firstByteOf(text: string): number {
  const code = text.codePointAt(0) ?? 0
  if (code < 0x80) return code
  if (code < 0x8_00) return 0xc0 | (code >> 6)
  // A lone surrogate is written as U+FFFD.
  if (code >= 0xd8_00 && code <= 0xdf_ff) return 0xef
  return code < 0x1_00_00 ? 0xe0 | (code >> 12) : 0xf0 | (code >> 18)
}

function parseEnds(text: string): { readonly from: number; readonly to: number } | undefined {
  if (text === EVERY) return FULL
  const [, first, last = first] = ENDS.exec(text) ?? []
  if (first === undefined || last === undefined || !END.test(first) || !END.test(last)) return undefined
  return { from: byteOf(first), to: byteOf(last) }
}

function byteOf(end: string): number {
  return end.length === 1 ? end.charCodeAt(0) : Number.parseInt(end.slice(1), 16)
}

function endsText(from: number, to: number): string {
  if (from === FULL.from && to === FULL.to) return EVERY
  return from === to ? endText(from) : `${endText(from)}-${endText(to)}`
}

function endText(byte: number): string {
  const character = String.fromCharCode(byte)
  return PLAIN_END.test(character) ? character : `%${byte.toString(16).padStart(2, '0')}`
}

function encodeCollection(name: string): string {
  return [...Buffer.from(name)]
    .map((byte) => {
      const character = String.fromCharCode(byte)
      return PLAIN_COLLECTION.test(character) ? character : `%${byte.toString(16).padStart(2, '0')}`
    })
    .join('')
}

function collectionIn(written: string, text: string): string {
  try {
    const name = decodeURIComponent(written)
    if (name !== '' && name !== '.' && !name.includes('/') && name.isWellFormed()) return name
  } catch (cause) {
    throw invalid(text, cause)
  }
  throw invalid(text)
}

function invalid(text: string, cause?: unknown): RhizomeError {
  return new RhizomeError(
    'RZ_PLACEMENT_INVALID',
    `"${text.slice(0, 80).toWellFormed()}" is no range: "*:a-g" is collections by the first byte of their names, "orders:a-g" the ` +
      'records of one by that of their ids, "orders:*" all of them; an end is a character of ASCII, or %hh',
    { cause },
  )
}
