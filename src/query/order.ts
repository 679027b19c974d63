/**
 * The total order of values and rows: by type (null, false, true, number, text, bytes, list, object), then by value. Text
 * goes by its UTF-8 bytes, lists by their items, objects by their entries in order of the names. design.md 5.
 */

import type { Value } from '../delta/delta.ts'
import { compareUtf8 } from '../delta/order.ts'
import { isList } from '../delta/value.ts'
import { isObject, type Row, valueAt } from './row.ts'

/** What rows are ordered by: the value at a path, or the row whole. */
export type Term =
  | { readonly kind: 'path'; readonly path: string; readonly descending: boolean }
  | { readonly kind: 'row' }

/** Earlier terms weigh more. */
export type Ordering = readonly Term[]

export const WHOLE_ROW: Ordering = [{ kind: 'row' }]

export function ascending(path: string): Term {
  return { kind: 'path', path, descending: false }
}

/** What `row` is ordered by, in the order of the terms. */
export function placeOf(row: Row, ordering: Ordering): readonly Value[] {
  return ordering.map((term) => (term.kind === 'row' ? row : valueAt(row, term.path)))
}

export function comparePlaces(a: readonly Value[], b: readonly Value[], ordering: Ordering): number {
  for (const [index, term] of ordering.entries()) {
    const order = compareValues(a[index] ?? null, b[index] ?? null)
    if (order !== 0) return term.kind === 'path' && term.descending ? -order : order
  }
  return 0
}

export function compareValues(a: Value, b: Value): number {
  const byType = rankOf(a) - rankOf(b)
  if (byType !== 0 || a === b) return byType
  if (typeof a === 'number' && typeof b === 'number') return a < b ? -1 : 1
  if (typeof a === 'string' && typeof b === 'string') return compareUtf8(a, b)
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b)
  if (isList(a) && isList(b)) return compareLists(a, b)
  return isObject(a) && isObject(b) ? compareLists(entriesOf(a), entriesOf(b)) : 0
}

function compareLists(a: readonly Value[], b: readonly Value[]): number {
  for (let index = 0; index < Math.min(a.length, b.length); index++) {
    const order = compareValues(a[index] ?? null, b[index] ?? null)
    if (order !== 0) return order
  }
  return a.length - b.length
}

/** Names and values in turn, in order of the names. */
function entriesOf(object: { readonly [key: string]: Value }): readonly Value[] {
  const names = Object.keys(object).sort(compareUtf8)
  return names.flatMap((name) => [name, object[name] ?? null])
}

function rankOf(value: Value): number {
  if (value === null) return 0
  if (typeof value === 'boolean') return value ? 2 : 1
  if (typeof value === 'number') return 3
  if (typeof value === 'string') return 4
  if (value instanceof Uint8Array) return 5
  return isList(value) ? 6 : 7
}
