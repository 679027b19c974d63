/**
 * Transitive closure: the edges both ways, and from each beginning what was told. When edges come or go, only beginnings
 * that lead to one of them, before or after, are walked anew: all others reach what they reached. A change costs as much as
 * the walks from those.
 */

import type { Value } from '../../delta/delta.ts'
import type { ClosureQuery } from '../algebra.ts'
import { reach } from '../closure.ts'
import { keyOf, type Row, rowOf, sizeOf, valueAt } from '../row.ts'
import type { Ledger } from './ledger.ts'
import { type LiveOperator, type LiveRun, NO_CHANGE, type RowChange } from './operator.ts'

interface Told {
  readonly row: Row
  readonly steps: number
}

export class Closure implements LiveOperator {
  readonly #input: LiveOperator
  readonly #query: ClosureQuery
  readonly #ledger: Ledger
  readonly #starts: ReadonlySet<string> | undefined
  readonly #edges = new Map<string, { readonly from: Value; readonly to: Map<string, Value> }>()
  /** Whence an edge leads to a value, by keys. */
  readonly #sources = new Map<string, Set<string>>()
  /** How many rows say an edge, by the keys of both ends. */
  readonly #counts = new Map<string, number>()
  readonly #told = new Map<string, ReadonlyMap<string, Told>>()

  constructor(input: LiveOperator, query: ClosureQuery, ledger: Ledger) {
    this.#input = input
    this.#query = query
    this.#ledger = ledger
    this.#starts = query.start && new Set(query.start.map(keyOf))
  }

  changed(run: LiveRun): RowChange {
    const { added, removed } = this.#input.changed(run)
    if (added.length === 0 && removed.length === 0) return NO_CHANGE
    const gone = this.#edgesIn(removed, -1, run)
    const come = this.#edgesIn(added, 1, run)
    // Edges that come are there before it is asked who leads to one, and those that go still are.
    for (const edge of come) this.#connect(edge)
    const touched = this.#leadingTo(new Set([...gone, ...come].map(({ fromKey }) => fromKey)), run)
    for (const edge of gone) if (!this.#counts.has(edge.key)) this.#disconnect(edge)
    const change = { added: [] as Row[], removed: [] as Row[] }
    for (const key of touched) this.#walk(key, change, run)
    return change
  }

  /** The edges that the rows begin to say, or no longer say. */
  #edgesIn(rows: readonly Row[], by: 1 | -1, run: LiveRun): readonly Edge[] {
    const edges: Edge[] = []
    for (const row of rows) {
      run.meter.step()
      const [from, to] = [valueAt(row, this.#query.from), valueAt(row, this.#query.to)]
      if (from === null || to === null) continue
      const edge = edgeOf(from, to)
      const before = this.#counts.get(edge.key) ?? 0
      if (before + by > 0) this.#counts.set(edge.key, before + by)
      else this.#counts.delete(edge.key)
      if (before === 0 || before + by === 0) edges.push(edge)
    }
    return edges
  }

  #connect({ from, to, fromKey, toKey }: Edge): void {
    const edge = this.#edges.get(fromKey) ?? { from, to: new Map<string, Value>() }
    if (!edge.to.has(toKey)) this.#ledger.holdBytes(sizeOf(from) + sizeOf(to))
    edge.to.set(toKey, to)
    this.#edges.set(fromKey, edge)
    const sources = this.#sources.get(toKey) ?? new Set()
    this.#sources.set(toKey, sources.add(fromKey))
  }

  #disconnect({ from, to, fromKey, toKey }: Edge): void {
    const ends = this.#edges.get(fromKey)?.to
    if (ends?.delete(toKey) === true) this.#ledger.releaseBytes(sizeOf(from) + sizeOf(to))
    if (ends?.size === 0) this.#edges.delete(fromKey)
    const sources = this.#sources.get(toKey)
    sources?.delete(fromKey)
    if (sources?.size === 0) this.#sources.delete(toKey)
  }

  /** The values from which so many steps may lead over an edge that begins at one of `keys`. */
  #leadingTo(keys: ReadonlySet<string>, run: LiveRun): ReadonlySet<string> {
    const found = new Set(keys)
    let frontier: Iterable<string> = keys
    for (let steps = 1; steps < this.#query.depthMax; steps++) {
      const next: string[] = []
      for (const key of frontier) {
        for (const source of this.#sources.get(key) ?? []) {
          run.meter.step()
          if (found.has(source)) continue
          found.add(source)
          next.push(source)
        }
      }
      if (next.length === 0) break
      frontier = next
    }
    return found
  }

  #walk(key: string, { added, removed }: { readonly added: Row[]; readonly removed: Row[] }, run: LiveRun): void {
    if (this.#starts?.has(key) === false) return
    const edge = this.#edges.get(key)
    const before = this.#told.get(key)
    const now = new Map<string, Told>()
    for (const [end, steps] of edge === undefined ? [] : reach(edge.from, this.#edges, this.#query.depthMax, run)) {
      const endKey = keyOf(end)
      const told = before?.get(endKey)
      const isSame = told !== undefined && (told.steps === steps || this.#query.depth === undefined)
      const row = isSame ? told.row : this.#rowOf(edge?.from ?? null, end, steps)
      now.set(endKey, { row, steps })
      if (isSame) continue
      this.#ledger.hold(row)
      added.push(row)
    }
    for (const [endKey, { row }] of before ?? []) {
      if (now.get(endKey)?.row === row) continue
      this.#ledger.release(row)
      removed.push(row)
    }
    if (now.size === 0) this.#told.delete(key)
    else this.#told.set(key, now)
  }

  #rowOf(begin: Value, end: Value, steps: number): Row {
    const { from, to, depth } = this.#query
    const row: (readonly [string, Value])[] = [
      [from, begin],
      [to, end],
    ]
    if (depth !== undefined) row.push([depth, steps])
    return rowOf(row)
  }
}

interface Edge {
  readonly key: string
  readonly fromKey: string
  readonly toKey: string
  readonly from: Value
  readonly to: Value
}

function edgeOf(from: Value, to: Value): Edge {
  const [fromKey, toKey] = [keyOf(from), keyOf(to)]
  // A key is the text of a value, so that no two pairs of them are one text.
  return { key: `${fromKey},${toKey}`, fromKey, toKey, from, to }
}
