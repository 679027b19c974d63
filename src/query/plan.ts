/**
 * What a query is once it is ready to run: a tree of steps that are pulled for rows. Every step makes a set (no row twice)
 * in an order that depends on the data alone; those whose order a cursor can name say so by their `key`.
 */

import type { Value } from '../delta/delta.ts'
import { RhizomeError } from '../errors.ts'
import type { KeyRange } from './index-key.ts'
import type { Meter } from './limits.ts'
import type { ViewOf } from './named-views.ts'
import { comparePlaces, type Ordering, placeOf, type Term } from './order.ts'
import { headOf, keyOf, type Row } from './row.ts'
import type { RowSource } from './source.ts'

export interface Running {
  readonly source: RowSource
  readonly meter: Meter
}

/** What a plan may rely on beside the query. */
export interface Catalogue {
  /** Properties of which the source has an index, and which show what was claimed (`selects` of view). */
  readonly indexesOf: (collection: string) => readonly string[]
  readonly viewOf: ViewOf
}

export const NO_CATALOGUE: Catalogue = { indexesOf: () => [], viewOf: () => undefined }

export interface Plan {
  /** For people, and for `explainPlan`. */
  readonly does: string
  readonly inputs: readonly Plan[]
  /** Undefined where rows have what columns they have. */
  readonly columns: readonly string[] | undefined
  /** The order in which rows come, of which no two share a place; undefined where it is no order of values. */
  readonly key: Ordering | undefined
  /** Access to some rows without reading all. */
  readonly lookups: readonly Lookup[]
  /** With `from`, rows that the key's first term puts before that value may be left out. */
  rows(run: Running, from?: Value): Iterable<Row>
}

export interface Lookup {
  readonly path: string
  readonly does: string
  /** Whether what rows have at the path is always a text. */
  readonly isText: boolean
  /** Whether rows with this value at the path are found. */
  finds(value: Value): boolean
  /** The rows that have one of `values`, all different and found, at the path, in the plan's order. */
  rows(run: Running, values: readonly Value[]): Iterable<Row>
  /** Where there is an order of values: the rows that have one in these ranges, and maybe others, in the plan's order. */
  within?(run: Running, ranges: readonly KeyRange[]): Iterable<Row>
}

/** A look-up of what `through` makes of its rows. */
export function through(
  lookup: Lookup,
  path: string,
  make: (rows: Iterable<Row>, run: Running) => Iterable<Row>,
): Lookup {
  return {
    ...lookup,
    path,
    rows: (run, values) => make(lookup.rows(run, values), run),
    ...(lookup.within && { within: (run, ranges) => make(lookup.within?.(run, ranges) ?? [], run) }),
  }
}

/** Throws RZ_QUERY_COLUMN when the columns are known and the path begins with none of them. */
export function checkPath(plan: Plan, path: string, where: string): void {
  const { columns } = plan
  if (columns === undefined || columns.includes(path) || columns.includes(headOf(path))) return
  throw unknownColumn(`${where}: there is no column "${path}"; there are ${columns.join(', ')}`)
}

/** The column in which the value at `path` lies; undefined where that depends on the row. */
export function columnOf({ columns }: Plan, path: string): string | undefined {
  if (!path.includes('.') || columns?.includes(path) === true) return path
  return columns === undefined ? undefined : headOf(path)
}

export function unknownColumn(message: string): RhizomeError {
  return new RhizomeError('RZ_QUERY_COLUMN', message)
}

/** The key by other paths, where the values are still found; undefined when `pathOf` finds none for one of its terms. */
export function mapKey(key: Ordering | undefined, pathOf: (path: string) => string | undefined): Ordering | undefined {
  const terms: Term[] = []
  for (const term of key ?? []) {
    const path = term.kind === 'path' ? pathOf(term.path) : undefined
    if (term.kind === 'row' || path === undefined) return undefined
    terms.push({ ...term, path })
  }
  return key === undefined ? undefined : terms
}

/** Each row once, at its first place. */
export function* distinct(rows: Iterable<Row>, run: Running): Iterable<Row> {
  const seen = new Set<string>()
  for (const row of rows) {
    const key = keyOf(row)
    if (seen.has(key)) continue
    run.meter.holdBytes(key.length)
    seen.add(key)
    yield row
  }
}

/** All rows, in that order: the one sort of this room. Compares by places taken once. */
export function sorted(rows: Iterable<Row>, ordering: Ordering, run: Running): readonly Row[] {
  const placed: { readonly row: Row; readonly place: readonly Value[] }[] = []
  for (const row of rows) {
    run.meter.hold(row)
    placed.push({ row, place: placeOf(row, ordering) })
  }
  run.meter.step(placed.length * Math.ceil(Math.log2(placed.length + 1)))
  placed.sort((a, b) => comparePlaces(a.place, b.place, ordering))
  return placed.map(({ row }) => row)
}
