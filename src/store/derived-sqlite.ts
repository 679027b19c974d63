/**
 * derived.db: rows that others derive from the log, on disk. A file of its own, so that its writer never waits for the
 * worker that builds index.db; made when the first row is to be kept, deletable while the store is closed. Each table is
 * stamped with the checksum of the log's row at its position: one that fits no longer is dropped on opening.
 */

import { existsSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { RhizomeError } from '../errors.ts'
import type { DerivedRange, DerivedRow, DerivedTables } from './derived.ts'
import { removeDatabase } from './files.ts'
import type { SqliteLog } from './log-sqlite.ts'
import { isDamage, storeError } from './sqlite-errors.ts'

const DERIVED_APPLICATION_ID = 0x525a_6476
/** Raised with every change of the tables below: a file of another format is made anew. */
const DERIVED_FORMAT = 1
const CACHE_KIB = 4_096

const SCHEMA = `
  CREATE TABLE meta (id INTEGER PRIMARY KEY CHECK (id = 1), log TEXT NOT NULL);
  -- Rows are in a table of their own, rows_<number>. end: position up to which the log is in it; end_sum: checksum of
  -- the log's row there.
  CREATE TABLE tables (number INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, "end" INTEGER NOT NULL, end_sum INTEGER NOT NULL);
`

interface Table {
  readonly number: number
  readonly statements: ReturnType<typeof prepareRows>
  end: number
}

interface Opened {
  readonly db: DatabaseSync
  readonly statements: ReturnType<typeof prepare>
  readonly tables: Map<string, Table>
}

export class SqliteDerived implements DerivedTables {
  readonly #path: string
  readonly #log: SqliteLog
  #opened: Opened | undefined
  #isClosed = false

  /** Reads nothing before it is asked. */
  constructor(path: string, log: SqliteLog) {
    this.#path = path
    this.#log = log
  }

  tables(): readonly string[] {
    return this.#attempt(() => [...(this.#open(false)?.tables.keys() ?? [])])
  }

  position(table: string): number | undefined {
    return this.#attempt(() => this.#open(false)?.tables.get(table)?.end)
  }

  apply(table: string, position: number, rows: readonly DerivedRow[]): void {
    this.#attempt(() => {
      const opened = this.#open(true)
      if (opened !== undefined)
        applyTo(opened, table, { end: position, sum: this.#log.reader.sumAt(position) ?? 0 }, rows)
    })
  }

  read(table: string, { from, before, after, countMax }: DerivedRange): readonly DerivedRow[] {
    return this.#attempt(() => {
      const statements = this.#open(false)?.tables.get(table)?.statements
      if (statements === undefined) return []
      const found =
        after === undefined
          ? statements.first.all(from, before, countMax)
          : statements.next.all(from, before, after.key, after.row, countMax)
      return found.map((pair) => {
        const [key, row] = pair as unknown as [string, string]
        return { key, row }
      })
    })
  }

  drop(table: string): void {
    this.#attempt(() => {
      const opened = this.#open(false)
      if (opened !== undefined) dropFrom(opened, table)
    })
  }

  close(): void {
    this.#isClosed = true
    this.#opened?.db.close()
    this.#opened = undefined
  }

  /** Undefined when there is none and none is to be made. */
  #open(isMade: boolean): Opened | undefined {
    if (this.#isClosed) throw new RhizomeError('RZ_STORE_CLOSED', 'the store is closed')
    if (this.#opened !== undefined || (!isMade && !existsSync(this.#path))) return this.#opened
    const db = openDatabase(this.#path, this.#log)
    this.#opened = { db, statements: prepare(db), tables: tablesIn(db) }
    for (const { name, end, sum } of stampsIn(db)) {
      if (end !== 0 && this.#log.reader.sumAt(end) !== sum) dropFrom(this.#opened, name)
    }
    return this.#opened
  }

  /** A damaged file goes at once: the next call begins another. */
  #attempt<Answer>(access: () => Answer): Answer {
    try {
      return access()
    } catch (error) {
      if (isDamage(error)) {
        this.#opened?.db.close()
        this.#opened = undefined
        removeDatabase(this.#path)
      }
      throw storeError(error, this.#path)
    }
  }
}

/** One that is none, damaged, of another format or of another log is made anew. */
function openDatabase(path: string, log: SqliteLog): DatabaseSync {
  let db: DatabaseSync | undefined
  try {
    db = new DatabaseSync(path, { timeout: 5_000 })
    if (fits(db, log)) return configured(db)
  } catch (error) {
    if (!isDamage(error)) {
      db?.close()
      throw error
    }
  }
  db?.close()
  removeDatabase(path)
  return create(path, log)
}

function fits(db: DatabaseSync, log: SqliteLog): boolean {
  const { application_id: id } = db.prepare('PRAGMA application_id').get() as { application_id: number }
  const { user_version: format } = db.prepare('PRAGMA user_version').get() as { user_version: number }
  if (id !== DERIVED_APPLICATION_ID || format !== DERIVED_FORMAT) return false
  return db.prepare('SELECT log FROM meta').get()?.['log'] === log.identity
}

function create(path: string, log: SqliteLog): DatabaseSync {
  const db = configured(new DatabaseSync(path, { timeout: 5_000 }))
  db.exec('BEGIN IMMEDIATE')
  db.exec(SCHEMA)
  db.prepare('INSERT INTO meta VALUES (1, ?)').run(log.identity)
  db.exec(`PRAGMA application_id = ${DERIVED_APPLICATION_ID}`)
  db.exec(`PRAGMA user_version = ${DERIVED_FORMAT}`)
  db.exec('COMMIT')
  return db
}

function configured(db: DatabaseSync): DatabaseSync {
  db.exec('PRAGMA journal_mode = WAL')
  db.exec('PRAGMA synchronous = NORMAL')
  db.exec(`PRAGMA cache_size = -${CACHE_KIB}`)
  return db
}

function stampsIn(db: DatabaseSync) {
  return db
    .prepare('SELECT name, "end", end_sum FROM tables')
    .all()
    .map((stamp) => ({
      name: String(stamp['name']),
      end: Number(stamp['end']),
      sum: Number(stamp['end_sum']),
    }))
}

function tablesIn(db: DatabaseSync): Opened['tables'] {
  const rows = db.prepare('SELECT number, name, "end" FROM tables').all()
  return new Map(
    rows.map((row) => {
      const number = Number(row['number'])
      return [String(row['name']), { number, end: Number(row['end']), statements: prepareRows(db, number) }]
    }),
  )
}

function applyTo(
  opened: Opened,
  name: string,
  { end, sum }: { readonly end: number; readonly sum: number },
  rows: readonly DerivedRow[],
): void {
  const { statements, tables } = opened
  const table = inTransaction(opened, () => {
    const found = tables.get(name) ?? createTable(opened, name)
    for (const { key, row } of rows) found.statements.add.run(key, row)
    statements.setEnd.run(end, sum, found.number)
    return found
  })
  table.end = end
  tables.set(name, table)
}

function createTable({ db, statements }: Opened, name: string): Table {
  const number = Number(statements.addTable.run(name).lastInsertRowid)
  db.exec(`CREATE TABLE rows_${number} (key TEXT, row TEXT, PRIMARY KEY (key, row)) WITHOUT ROWID`)
  return { number, end: 0, statements: prepareRows(db, number) }
}

function dropFrom(opened: Opened, name: string): void {
  const { db, statements, tables } = opened
  const number = tables.get(name)?.number
  if (number === undefined) return
  tables.delete(name)
  inTransaction(opened, () => {
    db.exec(`DROP TABLE rows_${number}`)
    statements.dropTable.run(number)
  })
}

function inTransaction<Answer>({ db, statements }: Opened, write: () => Answer): Answer {
  statements.begin.run()
  try {
    const answer = write()
    statements.commit.run()
    return answer
  } catch (error) {
    if (db.isTransaction) statements.rollback.run()
    throw error
  }
}

function prepare(db: DatabaseSync) {
  return {
    begin: db.prepare('BEGIN IMMEDIATE'),
    commit: db.prepare('COMMIT'),
    rollback: db.prepare('ROLLBACK'),
    addTable: db.prepare('INSERT INTO tables (name, "end", end_sum) VALUES (?, 0, 0)'),
    setEnd: db.prepare('UPDATE tables SET "end" = ?, end_sum = ? WHERE number = ?'),
    dropTable: db.prepare('DELETE FROM tables WHERE number = ?'),
  }
}

function prepareRows(db: DatabaseSync, number: number) {
  const rows = `SELECT key, row FROM rows_${number} WHERE key >= ? AND key < ?`
  const ordered = 'ORDER BY key, row LIMIT ?'
  return {
    add: db.prepare(`INSERT OR IGNORE INTO rows_${number} VALUES (?, ?)`),
    first: db.prepare(`${rows} ${ordered}`, { returnArrays: true }),
    next: db.prepare(`${rows} AND (key, row) > (?, ?) ${ordered}`, { returnArrays: true }),
  }
}
