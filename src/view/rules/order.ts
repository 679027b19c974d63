/**
 * One order of all values, and a text for each by which equal values are found: for `same`, `sort`, `distinct` and
 * `group`, which plain JSON-Logic does not have. By kind: null, false, true, numbers (no number first), texts by their
 * UTF-8 bytes, bytes, lists element by element, objects by their sorted keys and values. No coercion, no locale.
 */

import type { Value } from '../../delta/delta.ts'
import { compareUtf8 } from '../../delta/order.ts'
import { isList } from '../../delta/value.ts'
import { compareTexts } from './coerce.ts'
import { descend, Run } from './run.ts'
import { DEFAULT_LIMITS, PRICES, RULE_VALUE_DEPTH_MAX } from './semantics.ts'

export type Kind = 'null' | 'boolean' | 'number' | 'text' | 'bytes' | 'list' | 'object'

export function kindOf(value: Value): Kind {
  switch (typeof value) {
    case 'string':
      return 'text'
    case 'number':
      return 'number'
    case 'boolean':
      return 'boolean'
    default:
      if (value === null) return 'null'
      if (value instanceof Uint8Array) return 'bytes'
      return Array.isArray(value) ? 'list' : 'object'
  }
}

const RANK: Readonly<Record<Kind, number>> = { null: 0, boolean: 1, number: 2, text: 3, bytes: 4, list: 5, object: 6 }

/** Whether two values have the same content, however large they are. */
export function sameContent(a: Value, b: Value): boolean {
  return compareValues(a, b, new Run(DEFAULT_LIMITS, Infinity, () => undefined)) === 0
}

/** Negative, 0 or positive; 0 exactly when the two are the same value. */
export function compareValues(a: Value, b: Value, run: Run, levels = RULE_VALUE_DEPTH_MAX): number {
  run.spend(1)
  if (typeof a === 'number' && typeof b === 'number') return compareNumbers(a, b)
  if (typeof a === 'string' && typeof b === 'string') return compareTexts(a, b, run)
  const rank = RANK[kindOf(a)] - RANK[kindOf(b)]
  if (rank !== 0) return rank
  if (typeof a === 'boolean') return Number(a) - Number(b)
  if (a instanceof Uint8Array && b instanceof Uint8Array) {
    run.readText(Math.min(a.length, b.length))
    return Buffer.compare(a, b)
  }
  if (a === null || typeof a !== 'object' || b === null || typeof b !== 'object') return 0
  if (isList(a) && isList(b)) return compareLists(a, b, run, levels)
  return compareLists(entriesOf(a, run), entriesOf(b, run), run, levels + 1)
}

function compareNumbers(a: number, b: number): number {
  if (a === b) return 0
  if (Number.isNaN(a)) return Number.isNaN(b) ? 0 : -1
  return a < b ? -1 : 1
}

function compareLists(a: readonly Value[], b: readonly Value[], run: Run, levels: number): number {
  const inside = descend(levels)
  const count = Math.min(a.length, b.length)
  for (let index = 0; index < count; index++) {
    const order = compareValues(a[index] as Value, b[index] as Value, run, inside)
    if (order !== 0) return order
  }
  return a.length - b.length
}

/** An object's keys in order, each with its value, as a list of pairs. */
function entriesOf(object: Value, run: Run): readonly (readonly [string, Value])[] {
  const map = object as { readonly [key: string]: Value }
  const keys = Object.keys(map)
  run.spend(keys.length * PRICES.entry)
  // They are sorted each time, and may have long beginnings in common.
  run.readText(keys.reduce((units, key) => units + key.length, 0) * PRICES.entry)
  return keys.sort(compareUtf8).map((key) => [key, map[key] as Value])
}

/** A text that two values share exactly when they are the same value. */
export function keyOf(value: Value, run: Run): string {
  run.spend(1)
  if (typeof value === 'string') {
    run.readText(value.length)
    return `s${value}`
  }
  if (typeof value !== 'object' || value === null) return String(value)
  const parts: string[] = []
  writeKey(value, parts, run, RULE_VALUE_DEPTH_MAX)
  run.makeText(parts.reduce((units, part) => units + part.length, 0))
  return parts.join('')
}

/** Lengths before texts, so that no two values are written alike. */
function writeKey(value: Value, parts: string[], run: Run, levels: number): void {
  run.spend(1)
  if (typeof value === 'string') {
    parts.push(`s${value.length}:`, value)
  } else if (typeof value !== 'object' || value === null) {
    parts.push(String(value), ',')
  } else if (value instanceof Uint8Array) {
    run.makeText(value.length * 2)
    parts.push(`b${value.length}:`, Buffer.from(value.buffer, value.byteOffset, value.length).toString('hex'))
  } else {
    const inside = descend(levels)
    const list = isList(value)
    const items = list ? value : entriesOf(value, run).flat()
    parts.push(`${list ? 'l' : 'o'}${items.length}:`)
    for (const item of items) writeKey(item, parts, run, inside)
  }
}

/**
 * Sorted by `keys` (one for each item), equals in the order in which they came. A merge sort of our own: the engine's
 * would compare other pairs in other releases, and gas would differ with it.
 */
export function sortBy(items: readonly Value[], keys: readonly Value[], run: Run): readonly Value[] {
  let order = items.map((_, index) => index)
  let spare = order.slice()
  for (let width = 1; width < items.length; width *= 2) {
    for (let start = 0; start < items.length; start += width * 2) {
      merge(order, spare, start, Math.min(start + width, items.length), Math.min(start + width * 2, items.length))
    }
    const merged = spare
    spare = order
    order = merged
  }
  return order.map((index) => items[index] as Value)

  function merge(from: readonly number[], to: number[], start: number, middle: number, end: number): void {
    let left = start
    let right = middle
    for (let at = start; at < end; at++) {
      const takeLeft = right >= end || (left < middle && inOrder(from[left] as number, from[right] as number))
      to[at] = from[takeLeft ? left++ : right++] as number
    }
  }

  function inOrder(a: number, b: number): boolean {
    return compareValues(keys[a] as Value, keys[b] as Value, run) <= 0
  }
}
