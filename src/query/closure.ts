/**
 * Transitive closure of the pairs (from, to): every pair that a chain of 1 to `depthMax` of them connects, with the least
 * length of such a chain on request. Breadth first from one beginning after the other, as rows are pulled, so that
 * `start` and a limit spare work. Null begins and ends nothing.
 */

import type { Value } from '../delta/delta.ts'
import type { ClosureQuery } from './algebra.ts'
import { ascending, compareValues } from './order.ts'
import { checkPath, type Plan, type Running } from './plan.ts'
import { keyOf, type Row, rowOf, valueAt } from './row.ts'

/** Each value that begins a pair, by its key, with the values that it leads to. */
export type Edges = ReadonlyMap<string, { readonly from: Value; readonly to: Map<string, Value> }>

export function planClosure(input: Plan, query: ClosureQuery, where: string): Plan {
  const { from, to, start, depthMax, depth } = query
  checkPath(input, from, where)
  checkPath(input, to, where)
  return {
    does: `follow ${from} to ${to}, at most ${depthMax} steps, from ${start === undefined ? 'everywhere' : `${start.length} beginnings`}`,
    inputs: [input],
    columns: [from, to, ...(depth === undefined ? [] : [depth])],
    key: [ascending(from), ascending(to)],
    lookups: [],
    *rows(run) {
      const edges = edgesOf(input, from, to, run)
      const beginnings = new Map(
        (start ?? [...edges.values()].map((edge) => edge.from)).map((value) => [keyOf(value), value]),
      )
      for (const beginning of [...beginnings.values()].sort(compareValues)) {
        for (const [end, steps] of reach(beginning, edges, depthMax, run)) {
          run.meter.step()
          const row: (readonly [string, Value])[] = [
            [from, beginning],
            [to, end],
          ]
          if (depth !== undefined) row.push([depth, steps])
          yield rowOf(row)
        }
      }
    },
  }
}

function edgesOf(input: Plan, from: string, to: string, run: Running): Edges {
  const edges = new Map<string, { readonly from: Value; readonly to: Map<string, Value> }>()
  for (const row of input.rows(run)) {
    run.meter.step()
    const [begin, end] = [valueAt(row, from), valueAt(row, to)]
    if (begin === null || end === null) continue
    run.meter.hold(pair(begin, end))
    const key = keyOf(begin)
    const edge = edges.get(key) ?? { from: begin, to: new Map<string, Value>() }
    edge.to.set(keyOf(end), end)
    edges.set(key, edge)
  }
  return edges
}

/** What can be reached from `beginning`, each with the least number of steps, in the values' order. */
export function reach(
  beginning: Value,
  edges: Edges,
  depthMax: number,
  run: Running,
): readonly (readonly [Value, number])[] {
  const found = new Map<string, readonly [Value, number]>()
  let frontier: readonly string[] = [keyOf(beginning)]
  for (let steps = 1; steps <= depthMax && frontier.length > 0; steps++) {
    const next: string[] = []
    for (const key of frontier) {
      for (const [endKey, end] of edges.get(key)?.to ?? []) {
        run.meter.step()
        if (found.has(endKey)) continue
        found.set(endKey, [end, steps])
        next.push(endKey)
      }
    }
    frontier = next
  }
  return [...found.values()].sort(([a], [b]) => compareValues(a, b))
}

function pair(from: Value, to: Value): Row {
  return { from, to }
}
