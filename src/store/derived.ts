/**
 * Rows that others derive from the log and keep here: tables that can be dropped at any time and made again. What a row
 * means is known to whoever derives it; a table is stamped with the position up to which the log is in it. Implemented
 * by `derived-memory.ts` and `derived-sqlite.ts`. design.md 5, secondary indexes. Positions are the store's.
 */

export interface DerivedRow {
  readonly key: string
  readonly row: string
}

export interface DerivedRange {
  /** Keys from this one on, in the order of their UTF-8 bytes. */
  readonly from: string
  /** Keys before this one. */
  readonly before: string
  /** Only rows behind this one. */
  readonly after?: DerivedRow
  /** At least 1. */
  readonly countMax: number
}

export interface DerivedTables {
  /** Names of the tables there are, in no order. */
  tables(): readonly string[]
  /** Up to where the log is in the table; undefined when there is no such table. */
  position(table: string): number | undefined
  /**
   * Adds rows to the table, which is made if it is not there, and moves its position, all or nothing. A row that is there
   * stays. Throws RZ_STORE_FULL, RZ_STORE_FAILED, RZ_STORE_CLOSED.
   */
  apply(table: string, position: number, rows: readonly DerivedRow[]): void
  /** Rows by key and then by row, each in the order of its UTF-8 bytes. */
  read(table: string, range: DerivedRange): readonly DerivedRow[]
  drop(table: string): void
  close(): void
}
