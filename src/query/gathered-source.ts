/**
 * Rows that were brought together from several places, as one source: for queries over collections that no one store has. It
 * knows records alone; raw deltas are of one namespace, and asked for there.
 */

import { compareUtf8 } from '../delta/order.ts'
import { assert } from '../errors.ts'
import type { IndexRow } from './index-rows.ts'
import type { Query } from './algebra.ts'
import type { Meter } from './limits.ts'
import type { ClaimRow, RecordRow, RowSource } from './source.ts'

export class GatheredSource implements RowSource {
  readonly #collections: ReadonlyMap<string, ReadonlyMap<string, RecordRow>>
  readonly #meter: Meter

  /** The records of each collection, in any order. */
  constructor(collections: ReadonlyMap<string, readonly RecordRow[]>, meter: Meter) {
    this.#meter = meter
    this.#collections = new Map(
      [...collections].map(([name, rows]) => [
        name,
        new Map(rows.toSorted((a, b) => compareUtf8(a.id, b.id)).map((row) => [row.id, row])),
      ]),
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

/** What a query reads: records of collections, those alone whose ids begin with a text, and whether raw deltas. */
export interface Relations {
  readonly collections: readonly { readonly collection: string; readonly prefix: string }[]
  readonly readsPointers: boolean
}

export function relationsOf(query: Query): Relations {
  const collections: { readonly collection: string; readonly prefix: string }[] = []
  let readsPointers = false
  const walk = (part: Query): void => {
    if (part.kind === 'collection') collections.push({ collection: part.collection, prefix: part.prefix })
    else if (part.kind === 'pointers') readsPointers = true
    else if ('of' in part) walk(part.of)
    else {
      walk(part.left)
      walk(part.right)
    }
  }
  walk(query)
  return { collections, readsPointers }
}
