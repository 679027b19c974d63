/**
 * How a value counts as a truth, a text or a number, and when two are equal or one comes first. These are the rules of
 * ECMAScript that json-logic-js inherits, written out so that they are the same everywhere, but for what is said here:
 * text compares by its UTF-8 bytes, −0 is 0, and two lists, objects or byte strings are never equal to `==` and `===`
 * (in JavaScript they are equal to themselves alone, which depends on who shares what; `same` compares their contents).
 * Sources: ECMA-262 7.1 and 7.2; jsonlogic.com/truthy.html.
 */

import type { Value } from '../../delta/delta.ts'
import { compareUtf8 } from '../../delta/order.ts'
import { isList } from '../../delta/value.ts'
import { type Computed, descend, type Run } from './run.ts'
import { RULE_VALUE_DEPTH_MAX } from './semantics.ts'

type Composite = Exclude<Value, string | number | boolean | null>
type Primitive = string | number | boolean | null | undefined

/** What every object, and every byte string, reads as. */
const OBJECT_TEXT = '[object Object]'

function isComposite(value: Computed): value is Composite {
  return typeof value === 'object' && value !== null
}

/** False are nothing, null, false, 0, NaN, the empty text and the empty list; all else is true, '0' and {} too. */
export function truthy(value: Computed): boolean {
  if (Array.isArray(value)) return value.length > 0
  return Boolean(value)
}

/** As `String(value)`: a list is its elements' texts with commas between, where null is empty. */
export function toText(value: Computed, run: Run): string {
  return typeof value === 'string' ? value : textOf(value, run, RULE_VALUE_DEPTH_MAX)
}

function textOf(value: Computed, run: Run, levels: number): string {
  if (!isList(value)) return isComposite(value) ? OBJECT_TEXT : String(value)
  return joinTexts(value, ',', run, levels)
}

/** The texts of `items` with `separator` between them; null and nothing are empty. */
export function joinTexts(
  items: readonly Computed[],
  separator: string,
  run: Run,
  levels = RULE_VALUE_DEPTH_MAX,
): string {
  const inside = descend(levels)
  run.spend(items.length)
  let units = 0
  const texts: string[] = []
  for (const item of items) {
    const text = item === null || item === undefined ? '' : textOf(item, run, inside)
    units += text.length + (texts.length === 0 ? 0 : separator.length)
    texts.push(text)
  }
  run.makeText(units)
  return texts.join(separator)
}

/** As `Number(value)`. */
export function toNumber(value: Computed, run: Run): number {
  if (typeof value === 'number') return value + 0
  const primitive = toPrimitive(value, run)
  if (typeof primitive === 'string') run.readText(primitive.length)
  return Number(primitive) + 0
}

/** As `parseFloat(value)`, which reads the number that a text begins with, and no number from true, false and null. */
export function toFloat(value: Computed, run: Run): number {
  if (typeof value === 'number') return value + 0
  const text = toText(value, run)
  run.readText(text.length)
  return Number.parseFloat(text) + 0
}

/** As `Math.trunc(Number(value))`, where no number is 0. */
export function toInteger(value: Computed, run: Run): number {
  const number = Math.trunc(toNumber(value, run))
  return Number.isNaN(number) ? 0 : number + 0
}

function toPrimitive(value: Computed, run: Run): Primitive {
  return isComposite(value) ? toText(value, run) : value
}

export function strictlyEqual(a: Computed, b: Computed, run: Run): boolean {
  if (typeof a === 'string' && typeof b === 'string') return sameText(a, b, run)
  return !isComposite(a) && a === b
}

export function looselyEqual(a: Computed, b: Computed, run: Run): boolean {
  if (a === null || a === undefined || b === null || b === undefined) return (a ?? null) === (b ?? null)
  if (isComposite(a) && isComposite(b)) return false
  const left = toPrimitive(a, run)
  const right = toPrimitive(b, run)
  if (typeof left === typeof right) return strictlyEqual(left, right, run)
  return toNumber(left, run) === toNumber(right, run)
}

function sameText(a: string, b: string, run: Run): boolean {
  if (a.length !== b.length) return false
  run.readText(a.length)
  return a === b
}

/** Negative, 0 or positive; NaN where the two have no order, so that every comparison with 0 is false. */
export function compare(a: Computed, b: Computed, run: Run): number {
  const left = toPrimitive(a, run)
  const right = toPrimitive(b, run)
  if (typeof left === 'string' && typeof right === 'string') return compareTexts(left, right, run)
  const number = toNumber(left, run)
  const other = toNumber(right, run)
  // Not a difference: that of two infinities is no number.
  return number < other ? -1 : number > other ? 1 : number === other ? 0 : Number.NaN
}

/** By UTF-8 bytes. */
export function compareTexts(a: string, b: string, run: Run): number {
  run.readText(Math.min(a.length, b.length))
  return compareUtf8(a, b)
}
