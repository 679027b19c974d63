/** Rows for tests of the algebra alone: collections held in lists, and a note of what was read. */

import { compareUtf8 } from '../../src/delta/order.ts'
import type { Value } from '../../src/delta/delta.ts'
import { indexKeyOf, type KeyRange } from '../../src/query/index-key.ts'
import type { IndexedProperty, IndexRow } from '../../src/query/index-rows.ts'
import { Meter, type RunLimits, DEFAULT_LIMITS } from '../../src/query/limits.ts'
import { type Catalogue, NO_CATALOGUE } from '../../src/query/plan.ts'
import type { Row } from '../../src/query/row.ts'
import { explainPlan, type Explanation, type QueryPage, runOver } from '../../src/query/run.ts'
import type { ClaimRow, RecordRow, RowSource } from '../../src/query/source.ts'

export interface ListRecord {
  readonly id: string
  readonly [property: string]: Value
}

export type Collections = { readonly [collection: string]: readonly ListRecord[] }

export class ListSource implements RowSource {
  /** Records read by a scan, and by id. */
  scanned = 0
  lookedUp = 0
  readonly #collections: Collections

  constructor(collections: Collections) {
    this.#collections = collections
  }

  record(collection: string, id: string): RecordRow | undefined {
    this.lookedUp++
    const record = this.#collections[collection]?.find((one) => one.id === id)
    return record === undefined ? undefined : rowOf(collection, record)
  }

  *records(
    collection: string,
    { prefix, from = '' }: { readonly prefix: string; readonly from?: string },
  ): Iterable<RecordRow> {
    const records = [...(this.#collections[collection] ?? [])].sort((a, b) => compareUtf8(a.id, b.id))
    for (const record of records) {
      if (!record.id.startsWith(prefix) || compareUtf8(record.id, from) < 0) continue
      this.scanned++
      yield rowOf(collection, record)
    }
  }

  /** As an index that knows every claim ever made: of these lists, and of values that nobody shows any more. */
  *indexed({ collection, property }: IndexedProperty, { from, before }: KeyRange): Iterable<IndexRow> {
    for (const record of this.#collections[collection] ?? []) {
      for (const value of [record[property] ?? null, 'gone', 1]) {
        const key = indexKeyOf(value)
        if (key === undefined || compareUtf8(key, from) < 0 || compareUtf8(key, before) >= 0) continue
        yield { key, row: record.id }
      }
    }
  }

  claims(): Iterable<ClaimRow> {
    return []
  }
}

function rowOf(collection: string, { id, ...properties }: ListRecord): RecordRow {
  return { id, entity: `${collection}/${id}`, properties }
}

/** One page over lists. */
export function page(query: unknown, collections: Collections, limits: Partial<RunLimits> = {}): QueryPage {
  return runOver(query, new ListSource(collections), new Meter({ ...DEFAULT_LIMITS, ...limits }))
}

/** All rows over lists, page by page. */
export function allRows(
  query: unknown,
  collections: Collections,
  count = 10_000,
  catalogue: Catalogue = NO_CATALOGUE,
): readonly Row[] {
  const rows: Row[] = []
  for (let after: string | undefined; ;) {
    const json = { limit: query, count, ...(after === undefined ? {} : { after }) }
    const found = runOver(json, new ListSource(collections), new Meter(), catalogue)
    rows.push(...found.rows)
    after = found.next
    if (after === undefined) return rows
  }
}

/** Every step of a query's plan, from the outermost inwards. */
export function stepsOf(query: unknown, catalogue?: Catalogue): readonly string[] {
  const walk = ({ does, of }: Explanation): readonly string[] => [does, ...of.flatMap(walk)]
  return walk(explainPlan(query, catalogue))
}
