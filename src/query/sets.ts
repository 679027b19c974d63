/**
 * Union, intersection and difference of sets of rows. Rows are the same when all their columns are; unlike a join, null
 * is the same as null here. Sides whose columns are known must have the same ones.
 */

import { distinct, type Plan, type Running, unknownColumn } from './plan.ts'
import { keyOf, type Row } from './row.ts'

export function planUnion(left: Plan, right: Plan, where: string): Plan {
  checkSame(left, right, where)
  const both = function* (run: Running): Iterable<Row> {
    for (const side of [left, right]) {
      for (const row of side.rows(run)) {
        run.meter.step()
        yield row
      }
    }
  }
  return {
    does: 'rows of the left side, then those of the right, each once',
    inputs: [left, right],
    columns: left.columns === undefined || right.columns === undefined ? undefined : left.columns,
    key: undefined,
    lookups: [],
    rows: (run) => distinct(both(run), run),
  }
}

/** Rows of the left side that are on the right too (`intersect`), or that are not (`minus`). */
export function planFilterBySide(kind: 'intersect' | 'minus', left: Plan, right: Plan, where: string): Plan {
  checkSame(left, right, where)
  return {
    does: `read the right side, keep rows of the left that are ${kind === 'minus' ? 'not ' : ''}among them`,
    inputs: [left, right],
    columns: left.columns,
    key: left.key,
    lookups: [],
    *rows(run, from) {
      const others = new Set<string>()
      for (const row of right.rows(run)) {
        const key = keyOf(row)
        run.meter.holdBytes(key.length)
        others.add(key)
      }
      for (const row of left.rows(run, from)) {
        run.meter.step()
        if (others.has(keyOf(row)) === (kind === 'intersect')) yield row
      }
    },
  }
}

function checkSame({ columns: left }: Plan, { columns: right }: Plan, where: string): void {
  if (left === undefined || right === undefined) return
  const lonely = left.find((name) => !right.includes(name)) ?? right.find((name) => !left.includes(name))
  if (lonely === undefined) return
  throw unknownColumn(`${where}: only one side has a column "${lonely}": project both sides to the same columns`)
}
