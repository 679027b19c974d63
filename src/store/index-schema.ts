/** index.db: derived from log.db, deletable at any time and made again from it. Its tables, and whether it fits its log. */

import { DatabaseSync } from 'node:sqlite'
import { removeDatabase } from './files.ts'
import type { SqliteLog } from './log-sqlite.ts'
import { isDamage } from './sqlite-errors.ts'

const INDEX_APPLICATION_ID = 0x525a_6978
/** Raised with every change of a table below or of what is shown: an index of another format is built anew. */
const INDEX_FORMAT = 1
const CACHE_KIB = 8_192

const SCHEMA = `
  -- log: its identity; end: position up to which it is indexed; end_sum: checksum of the row there.
  CREATE TABLE meta (id INTEGER PRIMARY KEY CHECK (id = 1), log TEXT NOT NULL, "end" INTEGER NOT NULL, end_sum INTEGER NOT NULL);
  -- Namespaces, creators and hosts.
  CREATE TABLE names (number INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);
  -- The newest block held of each log, void or not, and the deltas up to its end.
  CREATE TABLE logs (number INTEGER PRIMARY KEY, namespace INTEGER NOT NULL, creator INTEGER NOT NULL, log_id TEXT NOT NULL,
    seq INTEGER NOT NULL, hash BLOB NOT NULL, ms INTEGER NOT NULL, counter INTEGER NOT NULL, deltas INTEGER NOT NULL,
    UNIQUE (namespace, creator, log_id));
  CREATE TABLE blocks (log INTEGER, seq INTEGER, place INTEGER NOT NULL, deltas INTEGER NOT NULL, PRIMARY KEY (log, seq)) WITHOUT ROWID;
  CREATE TABLE hashes (prefix INTEGER, place INTEGER, PRIMARY KEY (prefix, place)) WITHOUT ROWID;
  CREATE TABLE forks (place INTEGER PRIMARY KEY);
  -- Per entity, chunks of entries (index-entries.ts); first: the place of the first; sum: over the key and the bytes.
  CREATE TABLE entries (namespace INTEGER, entity TEXT, first INTEGER, sum INTEGER NOT NULL, bytes BLOB NOT NULL,
    PRIMARY KEY (namespace, entity, first)) WITHOUT ROWID;
  -- Prefix of the hash of each block with a negated delta, in order of the negations.
  CREATE TABLE negated (place INTEGER, prefix INTEGER, PRIMARY KEY (place, prefix)) WITHOUT ROWID;
`

export interface OpenedIndex {
  readonly db: DatabaseSync
  /** The index knew rows that the log no longer has: its newest writes were lost, or it comes from an older backup. */
  readonly logLostRows: boolean
}

/** Opens the index of `log`; makes it anew when it is none, damaged, of another format or of another life. */
export function openIndexDatabase(path: string, log: SqliteLog): OpenedIndex {
  let logLostRows = false
  let db: DatabaseSync | undefined
  try {
    db = new DatabaseSync(path, { timeout: 5_000 })
    const end = endFor(db, log)
    if (end !== undefined && agrees(end, log)) return { db: configured(db), logLostRows }
    logLostRows = end !== undefined
  } catch (error) {
    if (!isDamage(error)) {
      db?.close()
      throw error
    }
  }
  db?.close()
  return { db: createIndexDatabase(path, log.identity), logLostRows }
}

/** Opens an index that is known to fit, in another thread. */
export function joinIndexDatabase(path: string): DatabaseSync {
  return configured(new DatabaseSync(path, { timeout: 5_000 }))
}

function createIndexDatabase(path: string, identity: string): DatabaseSync {
  removeDatabase(path)
  const db = configured(new DatabaseSync(path, { timeout: 5_000 }))
  db.exec('BEGIN IMMEDIATE')
  db.exec(SCHEMA)
  db.prepare('INSERT INTO meta VALUES (1, ?, 0, 0)').run(identity)
  db.exec(`PRAGMA application_id = ${INDEX_APPLICATION_ID}`)
  db.exec(`PRAGMA user_version = ${INDEX_FORMAT}`)
  db.exec('COMMIT')
  return db
}

function configured(db: DatabaseSync): DatabaseSync {
  db.exec('PRAGMA journal_mode = WAL')
  db.exec('PRAGMA synchronous = NORMAL')
  db.exec(`PRAGMA cache_size = -${CACHE_KIB}`)
  return db
}

interface IndexEnd {
  readonly place: number
  readonly sum: number
}

function agrees({ place, sum }: IndexEnd, log: SqliteLog): boolean {
  return place === 0 || log.reader.sumAt(place) === sum
}

/** Up to where an index of this format covers this log, and the checksum of the row there. Undefined when it is none. */
function endFor(db: DatabaseSync, log: SqliteLog): IndexEnd | undefined {
  const { application_id: id } = db.prepare('PRAGMA application_id').get() as { application_id: number }
  const { user_version: format } = db.prepare('PRAGMA user_version').get() as { user_version: number }
  if (id !== INDEX_APPLICATION_ID || format !== INDEX_FORMAT) return undefined
  const meta = db.prepare('SELECT log, "end", end_sum FROM meta').get()
  if (meta === undefined || meta['log'] !== log.identity) return undefined
  return { place: Number(meta['end']), sum: Number(meta['end_sum']) }
}
