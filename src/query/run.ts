/**
 * The door of this room: a query as JSON, answered by pages from a store, or explained. The outermost `limit` says how
 * long a page is and behind which cursor it begins; without one a page has `PAGE_ROWS_DEFAULT` rows.
 */

import type { Delta } from '../delta/delta.ts'
import type { Json } from '../delta/json.ts'
import type { NamespaceId } from '../log/namespace.ts'
import type { Store } from '../store/store.ts'
import type { Query } from './algebra.ts'
import { planQuery } from './compile.ts'
import { type Place, readCursor, writeCursor } from './cursor.ts'
import { DEFAULT_LIMITS, Meter, PAGE_BYTES_MAX, PAGE_ROWS_DEFAULT, type RunLimits } from './limits.ts'
import { comparePlaces, type Ordering, placeOf } from './order.ts'
import { NamedViews } from './named-views.ts'
import { parseQuery } from './parse.ts'
import { type Catalogue, NO_CATALOGUE, type Plan, type Running } from './plan.ts'
import { LATEST, type Reading } from './reading.ts'
import { type Row, sizeOf } from './row.ts'
import { isJsonObject, readJson } from './shape.ts'
import { keyed } from './sort.ts'
import type { RowSource } from './source.ts'
import { StoreSource } from './store-source.ts'

export interface QueryPage {
  readonly rows: readonly Row[]
  /** Give it as `after` of the outermost `limit` for the rows that follow; absent when there are none. */
  readonly next?: string
}

/** A step of a plan, with the steps that it asks for rows. */
export interface Explanation {
  readonly does: string
  readonly of: readonly Explanation[]
}

export interface RunOptions {
  /** How deltas are read: `readingIn` a context. Default: the latest claims, with everyone's negations. */
  readonly reading?: Reading
  /** Deltas that count at all: `belongsTo` a moment. Default: all. */
  readonly admits?: (delta: Delta) => boolean
  readonly limits?: Partial<RunLimits>
  /** What the plan may rely on. Default: nothing but the records themselves. */
  readonly catalogue?: Catalogue
}

export interface Prepared {
  readonly plan: Plan & { readonly key: Ordering }
  /** The query without its page. */
  readonly query: Query
  /** The same as it was written, with the views that it names: what a cursor is bound to. */
  readonly json: Json
  /** The views that it names, directly or by others. */
  readonly views: ReadonlyMap<string, Json>
  /** Rows on a page, where the query says so. */
  readonly count: number | undefined
  readonly after: Place | undefined
}

/**
 * One page of the rows of `json`, from one state of the store. Throws RZ_QUERY_INVALID, RZ_QUERY_OPERATOR,
 * RZ_QUERY_COLUMN, RZ_QUERY_TOO_LARGE, RZ_QUERY_CURSOR, RZ_QUERY_CYCLE, RZ_QUERY_UNKNOWN, RZ_RULE_… and RZ_RECORD_INVALID
 * before it reads; RZ_QUERY_LIMIT and RZ_RULE_GAS when reading takes too much.
 */
export function runQuery(json: unknown, store: Store, namespace: NamespaceId, options: RunOptions = {}): QueryPage {
  const { reading = LATEST, admits, limits, catalogue } = options
  const meter = new Meter({ ...DEFAULT_LIMITS, ...limits })
  const source = new StoreSource({ store, namespace, reading, meter, ...(admits === undefined ? {} : { admits }) })
  return runOver(json, source, meter, catalogue)
}

/** As `runQuery`, over rows of any source. */
export function runOver(json: unknown, source: RowSource, meter: Meter, catalogue = NO_CATALOGUE): QueryPage {
  const prepared = prepare(json, catalogue)
  return takePage(prepared, { source, meter })
}

/** What a run would do, step by step, without reading anything. Throws what `runQuery` throws before it reads. */
export function explainPlan(json: unknown, catalogue = NO_CATALOGUE): Explanation {
  const { plan, count = PAGE_ROWS_DEFAULT } = prepare(json, catalogue)
  return { does: `take a page of ${count} rows`, of: [explain(plan)] }
}

/** Reads and plans a query, and nothing of the source. Throws as `runQuery` does before it reads. */
export function prepare(foreign: unknown, catalogue = NO_CATALOGUE): Prepared {
  const json = readJson(foreign)
  const views = new NamedViews(catalogue.viewOf)
  const parsed = parseQuery(json, views)
  // A view may be a limit itself: it is no page.
  const written = parsed.kind === 'limit' && isJsonObject(json) ? json['limit'] : undefined
  const isPage = parsed.kind === 'limit' && written !== undefined
  const query: Query = isPage ? parsed.of : parsed
  const inner = cursorBase(written ?? json, views.found)
  const plan = keyed(planQuery(query, catalogue))
  const after = isPage && parsed.after !== undefined ? readCursor(parsed.after, plan.key, inner) : undefined
  return { plan, query, json: inner, views: views.found, count: isPage ? parsed.count : undefined, after }
}

/** A cursor is bound to what the query means: to the views that it names too. */
function cursorBase(json: Json, views: ReadonlyMap<string, Json>): Json {
  return views.size === 0 ? json : [json, ...[...views].flat()]
}

function takePage({ plan, count = PAGE_ROWS_DEFAULT, after, json }: Prepared, run: Running): QueryPage {
  const { key } = plan
  const [first] = key
  const isSeekable = after !== undefined && first?.kind === 'path'
  const rows: Row[] = []
  let bytes = 0
  for (const row of plan.rows(run, isSeekable ? after[0] : undefined)) {
    if (after !== undefined && comparePlaces(placeOf(row, key), after, key) <= 0) continue
    const last = rows.at(-1)
    if (last !== undefined && (rows.length === count || bytes > PAGE_BYTES_MAX))
      return { rows, next: writeCursor(placeOf(last, key), json) }
    run.meter.hold(row)
    bytes += sizeOf(row)
    rows.push(row)
  }
  return { rows }
}

function explain({ does, inputs }: Plan): Explanation {
  return { does, of: inputs.map(explain) }
}
