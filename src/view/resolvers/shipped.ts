/**
 * The resolvers that come with the package, each a rule like any other: `definition` records hold the rule itself, so
 * that a node which does not know a name here resolves as this one does. They read `candidates` in the total order.
 */

import type { Value } from '../../delta/delta.ts'

const candidates = { var: 'candidates' }
const values = { map: [candidates, { var: 'value' }] }
const last = (list: Value): Value => ({ at: [list, -1] })
const lastValue = (list: Value): Value => ({ at: [last(list), 'value'] })
const numbers = { filter: [values, { '===': [{ type: { var: '' } }, 'number'] }] }
const sum = { reduce: [numbers, { '+': [{ var: 'accumulator' }, { var: 'current' }] }, 0] }

/** One vote for each creator: what that creator claimed last, in the total order. */
const votes = { map: [{ group: [candidates, { var: 'creator' }] }, last({ var: 'items' })] }

export const SHIPPED_RESOLVERS = {
  /** The value claimed last: what a property without a resolver has. */
  latest: lastValue(candidates),
  /** The value claimed first. */
  first: { var: 'candidates.0.value' },
  /** All values, in the order in which they were claimed. */
  all: values,
  /** The largest number; null if there is none. */
  max: last({ sort: [numbers] }),
  /** The smallest number; null if there is none. */
  min: { at: [{ sort: [numbers] }, 0] },
  /** The sum of the numbers. */
  sum,
  /** Their mean; null if there is none. */
  average: { '/': [sum, { length: numbers }] },
  /** How many claims stand. */
  count: { length: candidates },
  /** The value that most creators claim, each with its last claim; among equals the one claimed last. */
  majority: { at: [last({ sort: [{ group: [votes, { var: 'value' }] }, { length: { var: 'items' } }] }), 'key'] },
  /** Each value once, sorted. */
  set: { sort: [{ distinct: [values] }] },
  /** The texts of all values, one after the other. */
  concatenate: { join: [values, ''] },
} as const satisfies Readonly<Record<string, Value>>

/** The texts of all values, with `separator` between them. */
export function concatenateWith(separator: string): Value {
  return { join: [values, separator] }
}

/**
 * The last claim of the first of these creators that has one, in the order in which they are trusted; without any,
 * the last claim of all.
 */
export function fromTrustedFirst(creators: readonly string[]): Value {
  const byCreator = (creator: string): Value => ({ filter: [candidates, { '===': [{ var: 'creator' }, creator] }] })
  const trusted = creators.flatMap((creator) => [byCreator(creator), lastValue(byCreator(creator))])
  return { if: [...trusted, lastValue(candidates)] }
}
