/** Order, and the limit that relies on it. */

import { type Ordering, WHOLE_ROW } from './order.ts'
import { checkPath, type Plan, sorted } from './plan.ts'

/** Ordered by `by`; rows that agree in it stay in the order in which they come, or go by all their columns. */
export function planOrder(
  input: Plan,
  by: readonly { readonly path: string; readonly descending: boolean }[],
  where: string,
): Plan {
  for (const { path } of by) checkPath(input, path, where)
  const terms = by.map((term) => ({ kind: 'path', ...term }) as const)
  const said = by.map(({ path, descending }) => (descending ? `${path} descending` : path)).join(', ')
  return ordered(input, [...terms, ...(input.key ?? WHOLE_ROW)], `by ${said}`)
}

/** The same rows in an order that a cursor can name. */
export function keyed(input: Plan): Plan & { readonly key: Ordering } {
  const { key } = input
  return key === undefined ? ordered(input, WHOLE_ROW, 'by all columns') : { ...input, key }
}

function ordered(input: Plan, key: Ordering, said: string): Plan & { readonly key: Ordering } {
  return {
    does: `sort ${said}`,
    inputs: [input],
    columns: input.columns,
    key,
    lookups: [],
    rows: (run) => sorted(input.rows(run), key, run),
  }
}

/** The first `count` rows; no more are asked for. */
export function planLimit(input: Plan, count: number): Plan {
  const from = keyed(input)
  return {
    does: `stop after ${count} rows`,
    inputs: [from],
    columns: from.columns,
    key: from.key,
    lookups: [],
    *rows(run) {
      let left = count
      for (const row of from.rows(run)) {
        yield row
        left--
        if (left === 0) return
      }
    },
  }
}
