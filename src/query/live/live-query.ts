/**
 * A query whose result is kept up to date: told what a change of the store concerns, it says which rows come and which go.
 * It reads nothing by itself: `read` is given the source as it stands, a little at a time if wanted, and once nothing is
 * left to read, `changed` tells the difference to what it told last. So many changes may be told as one, and none in part.
 *
 * Whoever drives it (`node/live.ts`) calls `concern` for every change, `read` until it is done, and `changed`, all three
 * last ones of one state of the store. After an error it is of no use any more.
 */

import type { Delta } from '../../delta/delta.ts'
import type { Json } from '../../delta/json.ts'
import type { Place } from '../cursor.ts'
import { DEFAULT_LIMITS, type RunLimits } from '../limits.ts'
import type { ViewOf } from '../named-views.ts'
import { comparePlaces, type Ordering, placeOf } from '../order.ts'
import { NO_CATALOGUE } from '../plan.ts'
import type { Row } from '../row.ts'
import { prepare } from '../run.ts'
import { compileLive, type LiveLeaf } from './compile.ts'
import { FirstRows } from './first-rows.ts'
import { Ledger } from './ledger.ts'
import { Mapped } from './mapped.ts'
import type { LiveOperator, LiveRun, RowChange } from './operator.ts'
import { fitsClaims, recordIdIn } from './relations.ts'

export interface LiveQueryOptions {
  /** Whether `rows` will be asked for, of a query without a limit too: then all rows are kept in order. */
  readonly rows?: boolean
  /** Rows and bytes held between changes. Steps are of a run, by its own meter. */
  readonly limits?: Partial<RunLimits>
  /** Whose named views it may name. Default: none. */
  readonly viewOf?: ViewOf
}

export class LiveQuery {
  readonly #leaves: LiveLeaf[] = []
  readonly #ordering: Ordering
  readonly #top: LiveOperator
  readonly #shown: FirstRows | undefined
  readonly #ledger: Ledger
  /** The stored queries that it names, as it was told of them: when one changes it is of no use any more. */
  readonly views: ReadonlyMap<string, Json>

  /** Throws what `runQuery` throws before it reads. The outermost limit is how many rows are watched; without one, all. */
  constructor(json: unknown, { rows = false, limits, viewOf }: LiveQueryOptions = {}) {
    const { query, plan, count, after, views } = prepare(
      json,
      viewOf === undefined ? NO_CATALOGUE : { ...NO_CATALOGUE, viewOf },
    )
    this.#ledger = new Ledger({ ...DEFAULT_LIMITS, ...limits })
    this.views = views
    this.#ordering = plan.key
    const operator = compileLive(query, this.#leaves, this.#ledger)
    const behind = (place: Place) => (row: Row) =>
      comparePlaces(placeOf(row, plan.key), place, plan.key) > 0 ? [row] : []
    const all = after === undefined ? operator : new Mapped(operator, behind(after))
    this.#shown =
      rows || count !== undefined
        ? new FirstRows(all, plan.key, count ?? Number.POSITIVE_INFINITY, this.#ledger)
        : undefined
    this.#top = this.#shown ?? all
  }

  /** The collections whose records it reads, by what their resolvers say. */
  get collections(): ReadonlySet<string> {
    return new Set(this.#leaves.flatMap(({ query }) => (query.kind === 'collection' ? [query.collection] : [])))
  }

  /** Whether it reads deltas as rows: then `concern` has to be told of each. */
  get readsClaims(): boolean {
    return this.#leaves.some(({ query }) => query.kind === 'pointers')
  }

  /** What records of these entities say, or whether these deltas stand, may have changed. */
  concern(entities: Iterable<string>, deltas: Iterable<Delta>): void {
    for (const { query, leaf } of this.#leaves) {
      if (query.kind === 'pointers') {
        for (const delta of deltas) if (fitsClaims(query, delta)) leaf.mark(delta.id)
      } else {
        for (const entity of entities) {
          const id = recordIdIn(query, entity)
          if (id !== undefined) leaf.mark(id)
        }
      }
    }
  }

  /** How things are read has changed: of all, or of the records of one collection. */
  concernAll(collection?: string): void {
    for (const { query, leaf } of this.#leaves) {
      if (collection === undefined || (query.kind === 'collection' && query.collection === collection)) leaf.markAll()
    }
  }

  /** Reads about `countMax` rows of what is concerned, at once. False when there is more. */
  read(run: LiveRun, countMax: number): boolean {
    const next =
      this.#leaves.find(({ leaf }) => leaf.isWalking) ?? this.#leaves.find(({ leaf }) => leaf.markedCount > 0)
    next?.leaf.read(countMax, run)
    return this.#leaves.every(({ leaf }) => !leaf.isWalking && leaf.markedCount === 0)
  }

  /** Rows that are concerned one by one and not read yet; infinitely many while a relation is walked over. */
  get concernedCount(): number {
    if (this.#leaves.some(({ leaf }) => leaf.isWalking)) return Number.POSITIVE_INFINITY
    return this.#leaves.reduce((count, { leaf }) => count + leaf.markedCount, 0)
  }

  /** What came and what went since the last call, each in the order of the query; at first since nothing was there. */
  changed(run: LiveRun): RowChange {
    const { added, removed } = this.#top.changed(run)
    return { added: this.#inOrder(added), removed: this.#inOrder(removed) }
  }

  /** All rows in the order of the query. Undefined unless it has an outermost limit, or was told to keep them. */
  rows(): readonly Row[] | undefined {
    return this.#shown?.rows()
  }

  /** What is remembered, for tests. */
  get held(): Ledger['held'] {
    return this.#ledger.held
  }

  #inOrder(rows: readonly Row[]): readonly Row[] {
    if (rows.length < 2) return rows
    const placed = rows.map((row) => ({ row, place: placeOf(row, this.#ordering) }))
    return placed.sort((a, b) => comparePlaces(a.place, b.place, this.#ordering)).map(({ row }) => row)
  }
}
