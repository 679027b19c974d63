/** Reads the rows of log.db: the main thread beside its writing, the index worker and repair on connections of their own. */

import type { DatabaseSync } from 'node:sqlite'
import type { ReadLimits } from './log-file.ts'
import { damagedRow, recordsIn, type StoredRecord, type StoredRow } from './log-rows.ts'

export class LogReader {
  readonly #db: DatabaseSync
  readonly #statements: ReturnType<typeof prepare>

  constructor(db: DatabaseSync) {
    this.#db = db
    this.#statements = prepare(db)
  }

  /** The position of the newest record; 0 when there is none. */
  end(): number {
    return Number(this.#statements.end.get()?.['end'] ?? 0)
  }

  /** Records after `position`, oldest first: one at least if there is one, else within the limits. */
  after(position: number, { countMax, bytesMax }: ReadLimits): readonly StoredRecord[] {
    const found: StoredRecord[] = []
    let bytes = 0
    for (const record of recordsIn(this.rowsAfter(position))) {
      bytes += record.bytes
      if (found.length > 0 && bytes > bytesMax) break
      found.push(record)
      if (found.length >= countMax) break
    }
    return found
  }

  /** The record whose first row is `place`. */
  at(place: number): StoredRecord {
    const [record] = this.after(place - 1, { countMax: 1, bytesMax: 0 })
    if (record?.place !== place) throw damagedRow(place, 'it is missing')
    return record
  }

  /** The block's hash and a part of the row at `place`: one delta. Undefined when there is no such row. */
  slice(place: number, offset: number, length: number): readonly [hash: Uint8Array, bytes: Uint8Array] | undefined {
    const row: unknown = this.#statements.slice.get(offset + 1, length, place)
    return row as readonly [Uint8Array, Uint8Array] | undefined
  }

  /** The checksum kept with the row at `place`. */
  sumAt(place: number): number | undefined {
    const sum = this.#statements.sum.get(place)?.['sum']
    return sum === undefined ? undefined : Number(sum)
  }

  *rowsAfter(position: number): Generator<StoredRow> {
    let before = position
    for (const row of this.#statements.rows.iterate(position)) {
      const [place, kind, sum, hash, bytes] = row as unknown as [number, number, number, Uint8Array, Uint8Array]
      // Places have no gaps but those that repair made and remembers.
      if (place !== before + 1 && !this.#isAside(before + 1, place)) throw damagedRow(before + 1, 'it is missing')
      before = place
      yield { place, kind, sum, hash, bytes }
    }
  }

  /** Moves what it can from the write-ahead log into the database, beside readers and the writer. */
  checkpoint(): void {
    this.#db.exec('PRAGMA wal_checkpoint(PASSIVE)')
  }

  #isAside(first: number, end: number): boolean {
    return Number(this.#statements.asideCount.get(first, end)?.['count']) === end - first
  }
}

function prepare(db: DatabaseSync) {
  return {
    end: db.prepare('SELECT max(place) AS "end" FROM log'),
    rows: db.prepare('SELECT place, kind, sum, hash, bytes FROM log WHERE place > ? ORDER BY place', { returnArrays: true }),
    slice: db.prepare('SELECT hash, substr(bytes, ?, ?) FROM log WHERE place = ?', { returnArrays: true }),
    sum: db.prepare('SELECT sum FROM log WHERE place = ?'),
    asideCount: db.prepare('SELECT count(*) AS count FROM aside WHERE place >= ? AND place < ?'),
  }
}
