/** Rows for tests of the algebra alone: collections held in lists, and a note of what was read. */

import { compareUtf8 } from '../../src/delta/order.ts'
import type { Value } from '../../src/delta/delta.ts'
import { Meter, type RunLimits, DEFAULT_LIMITS } from '../../src/query/limits.ts'
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
export function allRows(query: unknown, collections: Collections, count = 10_000): readonly Row[] {
  const rows: Row[] = []
  for (let after: string | undefined; ;) {
    const found = page({ limit: query, count, ...(after === undefined ? {} : { after }) }, collections)
    rows.push(...found.rows)
    after = found.next
    if (after === undefined) return rows
  }
}

/** Every step of a query's plan, from the outermost inwards. */
export function stepsOf(query: unknown): readonly string[] {
  const walk = ({ does, of }: Explanation): readonly string[] => [does, ...of.flatMap(walk)]
  return walk(explainPlan(query))
}
