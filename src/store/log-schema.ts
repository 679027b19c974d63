/** log.db as a file: its tables, its format, and how a connection to it is set up. */

import { randomBytes } from 'node:crypto'
import { DatabaseSync } from 'node:sqlite'
import { RhizomeError } from '../errors.ts'

export type Durability = 'normal' | 'full'

export interface SqliteLogOptions {
  readonly durability: Durability
  /** Largest size of the file; what would make it larger is refused as on a full disk. Default: the disk. */
  readonly bytesMax?: number
}

/** "RZlg": tells our file from any other database. */
export const LOG_APPLICATION_ID = 0x525a_6c67
export const LOG_FORMAT = 1

/** Past this, the next commit empties the write-ahead log itself; the index worker does it sooner, off this thread. */
const WAL_PAGES_MAX = 16_384
const CACHE_KIB = 24_576
const PAGE_BYTES = 4_096

const SCHEMA = `
  CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE namespaces (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL, sum INTEGER NOT NULL);
  CREATE TABLE notes (key TEXT PRIMARY KEY, value TEXT NOT NULL, sum INTEGER NOT NULL) WITHOUT ROWID;
  -- kind: 0 a block, 1 more of the block before, 2 a fork proof. hash: of the block. sum: over all of the row.
  CREATE TABLE log (place INTEGER PRIMARY KEY, kind INTEGER NOT NULL, sum INTEGER NOT NULL, hash BLOB NOT NULL, bytes BLOB NOT NULL);
  -- What repair took out of the log: whole blocks that follow a damaged one, and damaged rows as they were found.
  CREATE TABLE aside (number INTEGER PRIMARY KEY, whole INTEGER NOT NULL, bytes BLOB NOT NULL, why TEXT NOT NULL);
`

/** Opens log.db, and makes its tables where there are none. Throws what SQLite throws, RZ_STORE_NEWER, RZ_STORE_DAMAGED. */
export function openLogDatabase(path: string, options: SqliteLogOptions): DatabaseSync {
  const db = new DatabaseSync(path, { timeout: 5_000 })
  try {
    configure(db, options)
    createSchema(db, path)
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

function configure(db: DatabaseSync, { durability, bytesMax = Infinity }: SqliteLogOptions): void {
  db.exec('PRAGMA journal_mode = WAL')
  db.exec(synchronous(durability))
  // Where an fsync reaches no further than the drive's cache (macOS), ask for more.
  if (durability === 'full') db.exec('PRAGMA fullfsync = ON')
  db.exec(`PRAGMA wal_autocheckpoint = ${WAL_PAGES_MAX}`)
  db.exec(`PRAGMA cache_size = -${CACHE_KIB}`)
  if (bytesMax !== Infinity) db.exec(`PRAGMA max_page_count = ${Math.ceil(bytesMax / PAGE_BYTES)}`)
}

/** The pragma by which a commit is as durable as told. */
export function synchronous(durability: Durability): string {
  return `PRAGMA synchronous = ${durability === 'full' ? 'FULL' : 'NORMAL'}`
}

function createSchema(db: DatabaseSync, path: string): void {
  const { application_id: id } = db.prepare('PRAGMA application_id').get() as { application_id: number }
  const { user_version: format } = db.prepare('PRAGMA user_version').get() as { user_version: number }
  if (id === LOG_APPLICATION_ID && format === LOG_FORMAT) return
  if (id === LOG_APPLICATION_ID && format > LOG_FORMAT) throw newerLog(path, format)
  if (id !== 0 || format !== 0) throw new RhizomeError('RZ_STORE_DAMAGED', `${path} is not a store of rhizome-node`)
  db.exec('BEGIN IMMEDIATE')
  db.exec(SCHEMA)
  db.prepare("INSERT INTO meta VALUES ('instance', ?), ('identity', ?)").run(randomId(), randomId())
  db.exec(`PRAGMA application_id = ${LOG_APPLICATION_ID}`)
  db.exec(`PRAGMA user_version = ${LOG_FORMAT}`)
  db.exec('COMMIT')
}

export function newerLog(path: string, format: number): RhizomeError {
  const message = `${path} was written by a later release (store format ${format}): upgrade rhizome-node to open it`
  return new RhizomeError('RZ_STORE_NEWER', message)
}

/** 32 hex digits. */
export function randomId(): string {
  return randomBytes(16).toString('hex')
}
