/**
 * Rows: values by column. A row has own columns only and no prototype, so a column may have any name; a column that it
 * lacks reads as null. Two rows are the same when they have the same columns with the same values.
 */

import type { Value } from '../delta/delta.ts'
import { isList } from '../delta/value.ts'
import { ownValue } from '../view/rules/operators/access.ts'

export interface Row {
  readonly [column: string]: Value
}

export function rowOf(columns: Iterable<readonly [string, Value]>): Row {
  const row = Object.create(null) as { [column: string]: Value }
  for (const [column, value] of columns) row[column] = value
  return row
}

/** A copy to which columns may be added before it is passed on. */
export function copyOf(row: Row): { [column: string]: Value } {
  return Object.assign(Object.create(null) as { [column: string]: Value }, row)
}

/** The first part of a path, which names a column: `actor` of `actor.name`. */
export function headOf(path: string): string {
  const dot = path.indexOf('.')
  return dot < 0 ? path : path.slice(0, dot)
}

/** The value at `path`: the column of that very name, else the part of a column that `var` of a rule reads. */
export function valueAt(row: Row, path: string): Value {
  if (Object.hasOwn(row, path)) return row[path] ?? null
  if (!path.includes('.')) return null
  let value: Value | undefined = row
  for (const name of path.split('.')) value = ownValue(value, name)
  return value ?? null
}

export function isObject(value: Value): value is { readonly [key: string]: Value } {
  return typeof value === 'object' && value !== null && !isList(value) && !(value instanceof Uint8Array)
}

/** A text that is the same for the same value, and for no other. */
export function keyOf(value: Value): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if (isList(value)) return `[${value.map(keyOf).join()}]`
  if (!isObject(value)) return `b${Buffer.from(value).toString('base64')}`
  const names = Object.keys(value).sort()
  return `{${names.map((name) => `${JSON.stringify(name)}:${keyOf(value[name] ?? null)}`).join()}}`
}

/** What keeping a value in memory takes, in bytes, about. */
export function sizeOf(value: Value): number {
  if (typeof value === 'string') return 16 + value.length * 2
  if (typeof value !== 'object' || value === null) return 8
  if (value instanceof Uint8Array) return 64 + value.length
  let size = 32
  if (isList(value)) for (const item of value) size += sizeOf(item)
  else for (const [name, item] of Object.entries(value)) size += 16 + name.length * 2 + sizeOf(item)
  return size
}
