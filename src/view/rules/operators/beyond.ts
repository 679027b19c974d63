/**
 * The operators beside JSON-Logic: what resolvers need and cannot say with it, or not within their gas.
 * `length`, `at`, `type`, `join`, `sort`, `distinct`, `group`, `property` (and `same`, in comparison.ts).
 */

import type { Value } from '../../../delta/delta.ts'
import { isList } from '../../../delta/value.ts'
import { joinTexts, toNumber, toText } from '../coerce.ts'
import { type Application, eager, misused, NOTHING, type Operators, overList, present } from '../operator.ts'
import { keyOf, kindOf, sortBy } from '../order.ts'
import type { Computed, Expression, Run } from '../run.ts'
import { PRICES } from '../semantics.ts'
import { ownValue } from './access.ts'

export const BEYOND: Operators = {
  length: eager((run, value) => lengthOf(value, run)),
  at: eager((run, value, key, fallback) => present(elementAt(value, key, run) ?? fallback)),
  type: eager((_, value) => kindOf(present(value))),
  join: eager((run, list, separator) =>
    isList(list) ? joinTexts(list, separator === undefined ? '' : toText(separator, run), run) : '',
  ),
  sort: overList((run, list = [], body) => sortBy(list, keysOf(list, body, run), run)),
  distinct: overList((run, list = [], body) => distinct(list, keysOf(list, body, run), run)),
  group: overList((run, list = [], body) => group(list, keysOf(list, body, run), run)),
  property: readProperty,
}

/** Elements of a list, entries of an object, UTF-16 units of a text, bytes; of what has no parts 0. */
function lengthOf(value: Computed, run: Run): number {
  if (typeof value === 'string' || isList(value) || value instanceof Uint8Array) return value.length
  if (typeof value !== 'object' || value === null) return 0
  const { length } = Object.keys(value)
  run.spend(length * PRICES.entry)
  return length
}

/** The element of a list at an index, counted from the end if negative, or the entry of an object. */
function elementAt(value: Computed, key: Computed, run: Run): Computed {
  if (isList(value)) {
    const index = toNumber(key, run)
    return Number.isInteger(index) ? value.at(index) : undefined
  }
  if (typeof value !== 'object' || key === undefined) return undefined
  const name = toText(key, run)
  run.readText(name.length)
  return ownValue(value, name)
}

/** For each element what the body says of it; without a body, the element itself. */
function keysOf(list: readonly Value[], body: Expression | undefined, run: Run): readonly Value[] {
  run.makeList(list.length)
  return body === undefined ? list : list.map((item) => present(body(item, run)))
}

/** The elements of which none before has the same key. */
function distinct(list: readonly Value[], keys: readonly Value[], run: Run): readonly Value[] {
  const seen = new Set<string>()
  return list.filter((_, index) => {
    const key = keyOf(keys[index] as Value, run)
    const isNew = !seen.has(key)
    seen.add(key)
    return isNew
  })
}

/** `{ key, items }` for each key, in the order of the groups' last elements. */
function group(list: readonly Value[], keys: readonly Value[], run: Run): readonly Value[] {
  const groups = new Map<string, { readonly key: Value; readonly items: Value[] }>()
  for (const [index, item] of list.entries()) {
    const key = keys[index] as Value
    const name = keyOf(key, run)
    const found = groups.get(name) ?? { key, items: [] }
    found.items.push(item)
    groups.delete(name)
    groups.set(name, found)
  }
  return [...groups.values()]
}

/** `["name", default]`: another property of the same entity, resolved. The name is written out, so cycles are found. */
function readProperty({ name, arguments: [, fallback = NOTHING], written, reads }: Application): Expression {
  const [property] = written
  if (typeof property !== 'string') throw misused(name, 'needs the name of a property, written as text')
  reads(property)
  return (scope, run) => {
    run.spend(PRICES.step)
    const otherwise = fallback(scope, run)
    return present(run.property(property) ?? otherwise)
  }
}
