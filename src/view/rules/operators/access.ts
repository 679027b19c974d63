/** What reads the data: `var`, `missing`, `missing_some`. Own properties only, of lists, objects and texts. */

import type { Value } from '../../../delta/delta.ts'
import { isList } from '../../../delta/value.ts'
import { toNumber, toText } from '../coerce.ts'
import { type Application, eager, eagerAll, NOTHING, type Operators, present } from '../operator.ts'
import type { Computed, Expression, Run } from '../run.ts'
import { PRICES } from '../semantics.ts'

export const ACCESS: Operators = {
  var: readVariable,
  missing: eagerAll((run, values, scope) => missingOf(values, scope, run)),
  missing_some: eager((run, count, options, _, scope) => missingSome(count, options, scope, run)),
}

/** `["a.b", default]`: the parts between dots are keys, or indexes from 0; "", null and nothing are the whole data. */
function readVariable({ arguments: [path = NOTHING, fallback = NOTHING], written }: Application): Expression {
  const [literal] = written
  if (typeof literal === 'string' && literal !== '') {
    const parts = literal.split('.')
    const price = PRICES.step + parts.length * PRICES.element
    return (scope, run) => {
      run.spend(price)
      const found = descendInto(scope, parts)
      const otherwise = fallback(scope, run)
      return found === undefined ? present(otherwise) : found
    }
  }
  return (scope, run) => {
    run.spend(PRICES.step)
    const key = path(scope, run)
    const otherwise = fallback(scope, run)
    const found = lookUp(key, scope, run)
    return found === undefined ? present(otherwise) : found
  }
}

function descendInto(scope: Value, parts: readonly string[]): Computed {
  let value: Computed = scope
  for (const part of parts) {
    value = ownValue(value, part)
    if (value === undefined) return undefined
  }
  return value
}

function lookUp(key: Computed, scope: Value, run: Run): Computed {
  if (key === undefined || key === null || key === '') return scope
  const path = toText(key, run)
  let value: Computed = scope
  for (let start = 0, end = 0; end !== -1; start = end + 1) {
    end = path.indexOf('.', start)
    const part = end === -1 ? path.slice(start) : path.slice(start, end)
    run.spend(PRICES.element)
    run.readText(part.length)
    value = ownValue(value, part)
    if (value === undefined) return undefined
  }
  return value
}

/** What `value` itself has under `key`: an element, an entry, a character, or a `length`; never anything inherited. */
export function ownValue(value: Computed, key: string): Computed {
  if (typeof value === 'string') return Object.hasOwn(Object(value) as object, key) ? textPart(value, key) : undefined
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return undefined
  return Object.hasOwn(value, key) ? (value as { readonly [key: string]: Value })[key] : undefined
}

function textPart(text: string, key: string): Computed {
  return key === 'length' ? text.length : text[Number(key)]
}

/** The keys, or those in the list that is the first of them, under which the data has null, "" or nothing. */
function missingOf(values: readonly Computed[], scope: Value, run: Run): readonly Value[] {
  const [first] = values
  const keys = isList(first) ? first : values
  run.makeList(keys.length)
  return keys.map(present).filter((key) => {
    const [path, fallback] = isList(key) ? key : [key]
    const value = lookUp(path, scope, run) ?? fallback ?? null
    return value === null || value === ''
  })
}

function missingSome(count: Computed, options: Computed, scope: Value, run: Run): Value {
  const keys = isList(options) ? options : options === undefined ? [] : [options]
  const missing = missingOf(keys, scope, run)
  return keys.length - missing.length >= toNumber(count, run) ? [] : missing
}
