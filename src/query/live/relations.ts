/** The relations that leaves read: records of a collection by their ids, and deltas whose pointers fit by theirs. */

import type { Delta } from '../../delta/delta.ts'
import { compareUtf8 } from '../../delta/order.ts'
import { entityIdOf } from '../../delta/record.ts'
import type { CollectionQuery, PointersQuery } from '../algebra.ts'
import { claimRow, collectionRow } from '../scan.ts'
import { claimValues } from '../store-source.ts'
import type { Relation, RelationPage } from './leaf.ts'

/** Records of a collection; with `ids`, those alone. */
export function collectionRelation(query: CollectionQuery, ids?: readonly string[]): Relation {
  const { collection, prefix } = query
  const sorted = ids?.toSorted(compareUtf8)
  const wanted = ids && new Set(ids)
  const isWanted = (id: string): boolean => id !== '' && id.startsWith(prefix) && (wanted?.has(id) ?? true)
  const row: Relation['row'] = (id, { source }) => {
    const record = isWanted(id) ? source.record(collection, id) : undefined
    return record && collectionRow(record, query)
  }
  return {
    row,
    page(after, countMax, run): RelationPage {
      const page = sorted ?? run.source.ids(collection, prefix, after, countMax)
      const rows = page.flatMap((id) => {
        const one = row(id, run)
        return one === undefined ? [] : [[id, one] as const]
      })
      const next = sorted === undefined ? page.at(-1) : undefined
      return { rows, ...(next !== undefined && { next }) }
    },
  }
}

/** The id of the record that the entity is, if it is one of this collection that the query asks for. */
export function recordIdIn({ collection, prefix }: CollectionQuery, entity: string): string | undefined {
  const start = entityIdOf(collection, 'x').slice(0, -1)
  const id = entity.slice(start.length)
  return entity.startsWith(start) && id !== '' && id.startsWith(prefix) ? id : undefined
}

/** Deltas whose pointers fit: a page is all of them, as a run of the query reads them. */
export function claimsRelation(query: PointersQuery): Relation {
  const { patterns } = query
  return {
    row(id, { source }) {
      const claim = source.claim(patterns, id)
      return claim && claimRow(claim, query)
    },
    page(_after, _countMax, { source }) {
      return { rows: Array.from(source.claims(patterns), (claim) => [claim.id, claimRow(claim, query)] as const) }
    },
  }
}

/** Whether the delta is a row wherever it stands. */
export function fitsClaims({ patterns }: PointersQuery, delta: Delta): boolean {
  return claimValues(delta, patterns) !== undefined
}
