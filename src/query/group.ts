/**
 * Groups of rows that agree in some columns, and what is said of each: count, sum, min, max, average, collect. All but the
 * count of rows pass over null; sum and average pass over all that is no number, and are of the exact sum. Without rows a
 * group does not exist, but for the one of no columns at all.
 */

import type { Value } from '../delta/delta.ts'
import type { Aggregate, AggregateName, Column } from './algebra.ts'
import { ExactSum } from './exact-sum.ts'
import { ascending, compareValues } from './order.ts'
import { checkPath, type Plan, sorted } from './plan.ts'
import { keyOf, type Row, rowOf, valueAt } from './row.ts'
import { columnMakers } from './row-operators.ts'

/** What one aggregate remembers of a group. */
interface Tally {
  add(value: Value): void
  result(): Value
}

export function planGroup(input: Plan, by: readonly Column[], aggregates: readonly Aggregate[], where: string): Plan {
  const makers = columnMakers(by, input, where)
  for (const { path, name } of aggregates) if (path !== undefined) checkPath(input, path, `${where}, column "${name}"`)
  const key = by.map(({ name }) => ascending(name))
  return {
    does: `group by ${by.map(({ name }) => name).join(', ') || 'nothing'}: ${aggregates.map(said).join(', ')}`,
    inputs: [input],
    columns: [...by, ...aggregates].map(({ name }) => name),
    key,
    lookups: [],
    rows(run) {
      const groups = new Map<string, { readonly row: Row; readonly tallies: readonly Tally[] }>()
      const groupOf = (row: Row) => {
        const name = keyOf(row)
        const known = groups.get(name)
        if (known !== undefined) return known
        run.meter.hold(row)
        const group = { row, tallies: aggregates.map(({ aggregate }) => TALLIES[aggregate]()) }
        groups.set(name, group)
        return group
      }
      if (by.length === 0) groupOf(rowOf([]))
      for (const row of input.rows(run)) {
        run.meter.step(1 + aggregates.length)
        const { tallies } = groupOf(rowOf(makers.map(([name, make]) => [name, make(row, run)])))
        for (const [index, { aggregate, path }] of aggregates.entries()) {
          const value = path === undefined ? true : valueAt(row, path)
          if (aggregate === 'collect') run.meter.hold({ value })
          tallies[index]?.add(value)
        }
      }
      const rows = [...groups.values()].map(({ row, tallies }) =>
        rowOf([
          ...Object.entries(row),
          ...aggregates.map(({ name }, index) => [name, tallies[index]?.result() ?? null] as const),
        ]),
      )
      return sorted(rows, key, run)
    },
  }
}

function said({ name, aggregate, path }: Aggregate): string {
  return `${name} is the ${aggregate} of ${path ?? 'rows'}`
}

const TALLIES: Readonly<Record<AggregateName, () => Tally>> = {
  count: () => {
    let count = 0
    return { add: (value) => void (count += value === null ? 0 : 1), result: () => count }
  },
  sum: () => {
    const sum = new ExactSum()
    return { add: (value) => void (typeof value === 'number' && sum.add(value)), result: () => sum.value() }
  },
  average: () => {
    const sum = new ExactSum()
    let count = 0
    const add = (value: Value): void => {
      if (typeof value !== 'number') return
      sum.add(value)
      count++
    }
    return { add, result: () => averageOf(sum.value(), count) }
  },
  min: () => extreme((order) => order < 0),
  max: () => extreme((order) => order > 0),
  collect: () => {
    const values: Value[] = []
    return { add: (value) => void (value !== null && values.push(value)), result: () => values.sort(compareValues) }
  },
}

function extreme(isBetter: (order: number) => boolean): Tally {
  let best: Value = null
  const add = (value: Value): void => {
    if (value !== null && (best === null || isBetter(compareValues(value, best)))) best = value
  }
  return { add, result: () => best }
}

/** Null of nothing, and where no number holds the sum. */
export function averageOf(sum: number | null, count: number): number | null {
  return sum === null || count === 0 ? null : sum / count
}
