/**
 * Where rows come from: the only thing that the algebra asks of the world. `store-source.ts` answers from a store; a test
 * may answer from a list. All answers of one source are of one state.
 */

import type { Value } from '../delta/delta.ts'
import type { Pattern } from './algebra.ts'
import type { KeyRange } from './index-key.ts'
import type { IndexedProperty, IndexRow } from './index-rows.ts'

/** A record about which something stands. */
export interface RecordRow {
  readonly id: string
  /** The id of its entity: what references to it hold. */
  readonly entity: string
  readonly properties: { readonly [property: string]: Value }
}

/** A standing delta whose pointers fit the patterns: a value for each pattern, a list where a localContext repeats. */
export interface ClaimRow {
  readonly id: string
  readonly values: readonly Value[]
}

export interface RowSource {
  record(collection: string, id: string): RecordRow | undefined
  /** By the ids' UTF-8 bytes, those that begin with `prefix`, from `from` on; read as they are pulled. */
  records(collection: string, range: { readonly prefix: string; readonly from?: string }): Iterable<RecordRow>
  /** Rows of an index, by key and record; only of those that the plan was told of. */
  indexed(property: IndexedProperty, range: KeyRange): Iterable<IndexRow>
  /** By the deltas' ids; with `about`, only deltas that point at this entity. */
  claims(patterns: readonly Pattern[], about?: string): Iterable<ClaimRow>
}

/** What a live query asks as well: some names of a relation, and one row of it by its name. */
export interface LiveSource extends RowSource {
  /** Ids that begin with `prefix` and that records may have, by their UTF-8 bytes, behind `after`, at most `countMax`. */
  ids(collection: string, prefix: string, after: string | undefined, countMax: number): readonly string[]
  /** The row of that delta; undefined when it does not stand, or does not fit. */
  claim(patterns: readonly Pattern[], id: string): ClaimRow | undefined
}
