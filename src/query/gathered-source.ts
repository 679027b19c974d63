/**
 * Rows that were brought together from several places, as one source: for queries over collections that no one store has. It
 * knows records alone; raw deltas are of one namespace, and asked for there.
 */

import { compareUtf8 } from '../delta/order.ts'
import { assert } from '../errors.ts'
import type { IndexRow } from './index-rows.ts'
import type { Meter } from './limits.ts'
import type { ClaimRow, RecordRow, RowSource } from './source.ts'

export class GatheredSource implements RowSource {
  readonly #collections: ReadonlyMap<string, ReadonlyMap<string, RecordRow>>
  readonly #meter: Meter

  /** The records of each collection by their ids, in any order. */
  constructor(collections: ReadonlyMap<string, ReadonlyMap<string, RecordRow>>, meter: Meter) {
    this.#meter = meter
    this.#collections = new Map(
      [...collections].map(([name, rows]) => [name, new Map([...rows].toSorted(([a], [b]) => compareUtf8(a, b)))]),
    )
  }

  record(collection: string, id: string): RecordRow | undefined {
    this.#meter.step()
    return this.#collections.get(collection)?.get(id)
  }

  *records(
    collection: string,
    { prefix, from }: { readonly prefix: string; readonly from?: string },
  ): Iterable<RecordRow> {
    for (const row of this.#collections.get(collection)?.values() ?? []) {
      this.#meter.step()
      if (row.id.startsWith(prefix) && (from === undefined || compareUtf8(row.id, from) >= 0)) yield row
    }
  }

  indexed(): Iterable<IndexRow> {
    assert(false, 'a plan is told of no indexes here')
  }

  claims(): Iterable<ClaimRow> {
    assert(false, 'who brings records together has refused patterns of pointers')
  }
}
