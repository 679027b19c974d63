/** Reads the rows of log.db: the main thread beside its writing, the index worker and repair on connections of their own. */

import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { HASH_BYTES } from '../delta/identifiers.ts'
import type { ReadLimits } from './log-file.ts'
import { damagedRow, recordsIn, ROW_KINDS, type StoredRecord, type StoredRow } from './log-rows.ts'

/** A part of a row's bytes. */
export interface Slice {
  readonly place: number
  readonly offset: number
  readonly length: number
}

/** Of a statement: three parameters each, and an answer of some ten kilobytes as a rule. */
const SLICES_MAX = 32

export class LogReader {
  readonly #db: DatabaseSync
  readonly #statements: ReturnType<typeof prepare>
  /** By the number of slices. */
  readonly #slicing = new Map<number, StatementSync>()

  constructor(db: DatabaseSync) {
    this.#db = db
    this.#statements = prepare(db)
  }

  /** The position of the newest record; `start` when there is none. */
  end(): number {
    return Number(this.#statements.end.get()?.['end'] ?? this.start())
  }

  /** The position before the first record: 0, and in a repaired log past all those of the log that was damaged. */
  start(): number {
    return Number(this.#statements.base.get()?.['value'] ?? 0)
  }

  /**
   * Records that end after `position`, oldest first: one at least if there is one, else within the limits. A position
   * within a record, as cursors that stand inside a block are taken for, begins with that record.
   */
  after(position: number, { countMax, bytesMax }: ReadLimits): readonly StoredRecord[] {
    const found: StoredRecord[] = []
    let bytes = 0
    for (const record of recordsIn(this.rowsAfter(this.#startOf(position)))) {
      bytes += record.bytes
      if (found.length > 0 && bytes > bytesMax) break
      found.push(record)
      if (found.length >= countMax) break
    }
    return found
  }

  /**
   * The records whose first rows are at `places`: one at least if there is one, else up to `bytesMax`. Those that follow
   * each other in the log are read by one statement.
   */
  recordsAt(places: readonly number[], bytesMax: number): readonly StoredRecord[] {
    const found: StoredRecord[] = []
    let bytes = 0
    while (found.length < places.length) {
      const { length: before } = found
      const start = places[before] as number
      for (const record of recordsIn(this.rowsAfter(start - 1))) {
        if (record.place !== places[found.length]) break
        bytes += record.bytes
        if (found.length > 0 && bytes > bytesMax) return found
        found.push(record)
        if (places[found.length] !== record.end + 1) break
      }
      if (found.length === before) throw damagedRow(start, 'it is missing')
    }
    return found
  }

  /** The record whose first row is `place`. */
  at(place: number): StoredRecord {
    const [record] = this.after(place - 1, { countMax: 1, bytesMax: 0 })
    if (record?.place !== place) throw damagedRow(place, 'it is missing')
    return record
  }

  /**
   * Parts of rows, each after the hash of its block. One statement for all of them and one blob as its answer: each that
   * SQLite hands to JavaScript costs more than finding it. Throws RZ_STORE_DAMAGED where a row is missing.
   */
  slices(wanted: readonly Slice[]): readonly Uint8Array[] {
    const found: Uint8Array[] = []
    for (let from = 0; from < wanted.length; from += SLICES_MAX) {
      for (const slice of this.#slices(wanted.slice(from, from + SLICES_MAX))) found.push(slice)
    }
    return found
  }

  #slices(wanted: readonly Slice[]): readonly Uint8Array[] {
    const statement = this.#slicing.get(wanted.length) ?? this.#prepareSlicing(wanted.length)
    const row: unknown = statement.get(...wanted.flatMap(({ place, offset, length }) => [place, offset + 1, length]))
    const [bytes] = row as readonly [Uint8Array | null]
    const total = wanted.reduce((sum, { length }) => sum + HASH_BYTES + length, 0)
    if (bytes?.length !== total) return wanted.flatMap((slice) => this.#slicesOrDamage(slice, wanted.length))
    let end = 0
    return wanted.map(({ length }) => bytes.subarray(end, (end += HASH_BYTES + length)))
  }

  /** Finds the row that is not as it should be by reading each alone. */
  #slicesOrDamage(slice: Slice, among: number): readonly Uint8Array[] {
    if (among === 1) throw damagedRow(slice.place, 'it is missing or too short')
    return this.#slices([slice])
  }

  #prepareSlicing(count: number): StatementSync {
    const values = Array.from({ length: count }, () => '(?, ?, ?)').join(', ')
    // Joining takes blobs for text without looking at them, and the cast gives their bytes back.
    const sql = `WITH wanted (place, start, length) AS (VALUES ${values})
      SELECT CAST(group_concat(log.hash || substr(log.bytes, start, length), '') AS BLOB)
      FROM wanted CROSS JOIN log ON log.place = wanted.place`
    const statement = this.#db.prepare(sql, { returnArrays: true })
    this.#slicing.set(count, statement)
    return statement
  }

  /** The checksum kept with the row at `place`. */
  sumAt(place: number): number | undefined {
    const sum = this.#statements.sum.get(place)?.['sum']
    return sum === undefined ? undefined : Number(sum)
  }

  *rowsAfter(position: number): Generator<StoredRow> {
    let before = Math.max(position, this.start())
    for (const row of this.#statements.rows.iterate(before)) {
      const [place, kind, sum, blob] = row as unknown as [number, number, number, Uint8Array | null]
      if (place !== before + 1) throw damagedRow(before + 1, 'it is missing')
      if (blob === null) throw damagedRow(place, 'it holds no bytes')
      before = place
      const hashBytes = kind === ROW_KINDS.fork ? 0 : HASH_BYTES
      yield { place, kind, sum, hash: blob.subarray(0, hashBytes), bytes: blob.subarray(hashBytes) }
    }
  }

  /** The position before the record that the row after `position` is part of. */
  #startOf(position: number): number {
    if (this.#statements.kind.get(position + 1)?.['kind'] !== ROW_KINDS.more) return position
    return Number(this.#statements.start.get(position)?.['start'] ?? position + 1) - 1
  }

  /** Moves what it can from the write-ahead log into the database, beside readers and the writer. */
  checkpoint(): void {
    this.#db.exec('PRAGMA wal_checkpoint(PASSIVE)')
  }
}

function prepare(db: DatabaseSync) {
  return {
    end: db.prepare('SELECT max(place) AS "end" FROM log'),
    // One blob for both: each costs as much as finding the row.
    rows: db.prepare('SELECT place, kind, sum, CAST(hash || bytes AS BLOB) FROM log WHERE place > ? ORDER BY place', {
      returnArrays: true,
    }),
    kind: db.prepare('SELECT kind FROM log WHERE place = ?'),
    start: db.prepare(
      `SELECT place AS start FROM log WHERE place <= ? AND kind <> ${ROW_KINDS.more} ORDER BY place DESC LIMIT 1`,
    ),
    base: db.prepare("SELECT value FROM meta WHERE key = 'start'"),
    sum: db.prepare('SELECT sum FROM log WHERE place = ?'),
  }
}
