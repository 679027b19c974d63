/**
 * Finds what is damaged in a store, and makes the store usable again. Repair writes a new log with every block that can
 * stand, keeps the damaged file beside it under another name, and sets aside in the new one what was taken out: nothing
 * is dropped. Sync then fetches what is lacking from peers, as it does for any log that ends early.
 */

import { closeSync, existsSync, fsyncSync, linkSync, openSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { encodeBlock } from '../log/block-bytes.ts'
import { RhizomeError } from '../errors.ts'
import type { NamespaceId } from '../log/namespace.ts'
import { databaseFiles, removeDatabase } from './files.ts'
import { lockDirectory } from './lock.ts'
import type { StoredRow } from './log-rows.ts'
import { LOG_APPLICATION_ID, LOG_FORMAT, newerLog } from './log-schema.ts'
import { SqliteLog, textSum } from './log-sqlite.ts'
import { recallFrom } from './recall.ts'
import { salvagedRows } from './salvage.ts'
import { isDamage, storeError } from './sqlite-errors.ts'
import { foundIn, type Recall, type StoreDamage, type Survey, survey } from './survey.ts'

export interface StoreReport {
  /** Empty when every row is what was written. */
  readonly damage: readonly StoreDamage[]
  /** Whole blocks found. */
  readonly blocks: number
  /** After a repair that was needed: whole blocks that had to be set aside, and where the damaged file is kept. */
  readonly repaired?: { readonly setAside: number; readonly keptAs: string }
}

/** Reads the whole log and changes nothing. Throws RZ_STORE_LOCKED, RZ_STORE_MISSING, RZ_STORE_NEWER. Linear in the log. */
export function checkStore(directory: string): StoreReport {
  return withLog(directory, (source) => {
    const { damage, blocks } = surveyOf(source, directory)
    return { damage: [...damage, ...source.damage], blocks }
  })
}

/** Mends the store if anything in it is damaged. Needs as much free space as the log takes. Linear in the log. */
export function repairStore(directory: string): StoreReport {
  return withLog(directory, (source) => {
    const found = surveyOf(source, directory)
    const damage = [...found.damage, ...source.damage]
    // An index tells nothing that the log does not: after any doubt it is built anew.
    removeDatabase(join(directory, 'index.db'))
    if (damage.length === 0) return { damage, blocks: found.blocks }
    const path = join(directory, 'log.db')
    const fresh = join(directory, 'repaired.db')
    const setAside = writeRepaired(fresh, source, found)
    source.close()
    const keptAs = swap(path, fresh)
    return { damage, blocks: found.blocks, repaired: { setAside, keptAs } }
  })
}

/** A log that may be damaged, as far as it can be read. */
interface Source {
  rows(): Iterable<StoredRow>
  readonly namespaces: readonly { readonly id: NamespaceId; readonly name: string }[]
  readonly notes: readonly { readonly key: string; readonly value: string }[]
  /** What stands beside the rows and is damaged, or keeps them from being read in order. */
  readonly damage: readonly StoreDamage[]
  close(): void
}

function withLog(directory: string, act: (source: Source) => StoreReport): StoreReport {
  const path = join(directory, 'log.db')
  if (!existsSync(path)) throw new RhizomeError('RZ_STORE_MISSING', `${directory} holds no store`)
  const lock = lockDirectory(directory)
  try {
    const source = openSource(path, join(directory, 'salvage.db'))
    try {
      return act(source)
    } finally {
      source.close()
    }
  } finally {
    removeDatabase(join(directory, 'salvage.db'))
    lock.release()
  }
}

function openSource(path: string, scratchPath: string): Source {
  let db: DatabaseSync | undefined
  try {
    db = new DatabaseSync(path, { timeout: 5_000 })
    return orderlySource(db, path)
  } catch (error) {
    if (!isDamage(error)) throw storeError(error, path)
    const side = db === undefined ? NOTHING : besideRows(db)
    db?.close()
    return salvagedSource(path, scratchPath, side, String(error))
  }
}

/** The log as SQLite reads it: throws when SQLite cannot read it to its end. */
function orderlySource(db: DatabaseSync, path: string): Source {
  const { application_id: id } = db.prepare('PRAGMA application_id').get() as { application_id: number }
  const { user_version: format } = db.prepare('PRAGMA user_version').get() as { user_version: number }
  if (id === LOG_APPLICATION_ID && format > LOG_FORMAT) throw newerLog(path, format)
  const rows = db.prepare('SELECT place, kind, sum, hash, bytes FROM log ORDER BY place', { returnArrays: true })
  // To the end once, so that what cannot be read shows here.
  for (const _ of rows.iterate()) continue
  return { rows: () => storedRows(rows.iterate()), ...besideRows(db), close: () => closeIfOpen(db) }
}

/** Rows found page by page, put in order in a database of their own. */
function salvagedSource(path: string, scratchPath: string, side: BesideRows, why: string): Source {
  removeDatabase(scratchPath)
  const scratch = new DatabaseSync(scratchPath)
  scratch.exec('PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN')
  scratch.exec('CREATE TABLE log (place INTEGER PRIMARY KEY, kind INTEGER, sum INTEGER, hash BLOB, bytes BLOB)')
  const insert = scratch.prepare('INSERT OR IGNORE INTO log VALUES (?, ?, ?, ?, ?)')
  for (const { place, kind, sum, hash, bytes } of salvagedRows(path)) insert.run(place, kind, sum, hash, bytes)
  scratch.exec('COMMIT')
  const rows = scratch.prepare('SELECT place, kind, sum, hash, bytes FROM log ORDER BY place', { returnArrays: true })
  const damage = [
    { why: `the structure of log.db is damaged (${why}): rows were searched for page by page` },
    ...side.damage,
  ]
  return { rows: () => storedRows(rows.iterate()), ...side, damage, close: () => closeIfOpen(scratch) }
}

type BesideRows = Pick<Source, 'namespaces' | 'notes' | 'damage'>

const NOTHING: BesideRows = { namespaces: [], notes: [], damage: [] }

/** Namespaces and notes that are what was written; the rest is damage. */
function besideRows(db: DatabaseSync): BesideRows {
  const damage: StoreDamage[] = []
  const read = (what: string, sql: string): readonly (readonly [string, string])[] => {
    try {
      return db
        .prepare(sql, { returnArrays: true })
        .all()
        .flatMap((row) => {
          const [key, value, sum] = row as unknown as [string, string, number]
          if (sum === textSum(key, value)) return [[key, value] as const]
          damage.push({ why: `${what} "${key}" is not what was written` })
          return []
        })
    } catch (error) {
      damage.push({ why: `${what}s cannot be read: ${String(error)}` })
      return []
    }
  }
  const namespaces = read('the name of a namespace', 'SELECT id, name, sum FROM namespaces ORDER BY number')
  const notes = read('the note', 'SELECT key, value, sum FROM notes')
  return {
    namespaces: namespaces.map(([id, name]) => ({ id: id as NamespaceId, name })),
    notes: notes.map(([key, value]) => ({ key, value })),
    damage,
  }
}

function surveyOf(source: Source, directory: string): Survey {
  const recall: { readonly recall: Recall; close(): void } = recallFrom(join(directory, 'index.db'))
  try {
    return survey(source.rows(), recall.recall)
  } finally {
    recall.close()
  }
}

/** Answers with the number of whole blocks that could not stand. */
function writeRepaired(path: string, source: Source, { keeps }: Survey): number {
  removeDatabase(path)
  const log = SqliteLog.open(path, { durability: 'full' })
  try {
    log.setMeta({ repaired: 'yes' })
    log.startAfter(endOf(source) + LOST_ROWS_MAX)
    for (const { id, name } of source.namespaces) log.addNamespace(id, name)
    for (const { key, value } of source.notes) log.setNote(key, value)
    return copyRecords(log, source, keeps)
  } finally {
    log.close()
  }
}

/** Rows at the end of the damaged log of which nothing may be left. */
const LOST_ROWS_MAX = 1_000_000

/**
 * The last place that is known of the damaged log. The new log's begin past it: whoever comes back with a position of the
 * old one is given all of the new one, and misses nothing.
 */
function endOf(source: Source): number {
  let last = 0
  for (const { place } of source.rows()) last = Math.max(last, place)
  return last
}

/** Records per transaction. */
const BATCH = 1_024

function copyRecords(log: SqliteLog, source: Source, keeps: Survey['keeps']): number {
  let batch: Parameters<SqliteLog['append']>[0][number][] = []
  let setAside = 0
  for (const found of foundIn(source.rows())) {
    if (found.kind === 'damaged') {
      for (const { bytes } of found.rows) log.addAside(bytes, false, found.why)
    } else if (found.record.kind === 'block' && !keeps(found.record.block)) {
      setAside++
      log.addAside(encodeBlock(found.record.block), true, 'a block before it, or its signature, is lacking')
    } else {
      batch.push(found.record)
    }
    if (batch.length < BATCH) continue
    log.append(batch)
    batch = []
  }
  if (batch.length > 0) log.append(batch)
  return setAside
}

/** Puts the new log in the place of the damaged one, which stays under another name. Answers with that name. */
function swap(path: string, fresh: string): string {
  const keptAs = path.replace(/\.db$/, `.damaged-${new Date().toISOString().replaceAll(/[:.]/g, '-')}.db`)
  linkSync(path, keptAs)
  // A write-ahead log that SQLite could not merge belongs to the damaged file, and would spoil the new one.
  for (const [index, file] of databaseFiles(path).entries()) {
    if (index > 0 && existsSync(file)) renameSync(file, databaseFiles(keptAs)[index] as string)
  }
  renameSync(fresh, path)
  syncDirectory(join(path, '..'))
  return keptAs
}

function syncDirectory(directory: string): void {
  // Windows neither needs this nor can do it.
  if (process.platform === 'win32') return
  const handle = openSync(directory, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}

function* storedRows(rows: Iterable<unknown>): Generator<StoredRow> {
  for (const row of rows) {
    const [place, kind, sum, hash, bytes] = row as [number, number, number, Uint8Array, Uint8Array]
    yield { place, kind, sum, hash, bytes }
  }
}

function closeIfOpen(db: DatabaseSync): void {
  if (db.isOpen) db.close()
}
