/** What JSON-Logic does with lists: `map`, `filter`, `reduce`, `all`, `none`, `some`, `merge`, `in`. */

import type { Value } from '../../../delta/delta.ts'
import { isList } from '../../../delta/value.ts'
import { strictlyEqual, toText, truthy } from '../coerce.ts'
import { type Application, eager, eagerAll, NOTHING, type Operators, overList, present } from '../operator.ts'
import type { Computed, Expression, Run } from '../run.ts'
import { PRICES } from '../semantics.ts'

export const LIST: Operators = {
  map: overList((run, list = [], body = NOTHING) => {
    run.makeList(list.length)
    return list.map((item) => present(body(item, run)))
  }),
  filter: overList((run, list = [], body = NOTHING) => {
    run.makeList(list.length)
    return list.filter((item) => truthy(body(item, run)))
  }),
  reduce,
  all: overList((run, list = [], body = NOTHING) => list.length > 0 && !hasOne(list, body, false, run)),
  none: overList((run, list = [], body = NOTHING) => !hasOne(list, body, true, run)),
  some: overList((run, list = [], body = NOTHING) => hasOne(list, body, true, run)),
  merge: eagerAll(merge),
  in: eager((run, needle, place) => isIn(needle, place, run)),
}

/** The body reads `current` and `accumulator`, which begins as the third argument, or null. */
function reduce({ arguments: [from = NOTHING, body = NOTHING, initial = NOTHING] }: Application): Expression {
  return (scope, run) => {
    run.spend(PRICES.step)
    const list = from(scope, run)
    let accumulator = present(initial(scope, run))
    if (!isList(list)) return accumulator
    for (const current of list) {
      run.spend(PRICES.element)
      accumulator = present(body({ current, accumulator }, run))
    }
    return accumulator
  }
}

/** Whether there is an element of which the body counts as `truth`; looks no further than the first. */
function hasOne(list: readonly Value[], body: Expression, truth: boolean, run: Run): boolean {
  for (const item of list) {
    run.spend(PRICES.element)
    if (truthy(body(item, run)) === truth) return true
  }
  return false
}

/** One list of all elements of the lists given; what is no list is one element. */
function merge(run: Run, values: readonly Computed[]): Value {
  run.makeList(values.reduce<number>((count, value) => count + (isList(value) ? value.length : 1), 0))
  return values.map(present).flatMap((value) => (isList(value) ? value : [value]))
}

/** An element of a list, by `===`, or a part of a text. */
function isIn(needle: Computed, place: Computed, run: Run): boolean {
  if (typeof place === 'string') {
    if (place === '') return false
    const part = toText(needle, run)
    run.readText(place.length)
    run.spend(Math.floor((place.length * part.length) / PRICES.searchProduct))
    return place.includes(part)
  }
  if (!isList(place)) return false
  for (const item of place) {
    run.spend(PRICES.element)
    if (strictlyEqual(needle, item, run)) return true
  }
  return false
}
