/**
 * One process owns a store directory. The lock is SQLite's own on lock.db, held by a transaction that is never finished:
 * the system lets go of it when the process ends in any way, so a lock is never stale. Who holds it stands in the file,
 * readable while it is locked.
 */

import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { RhizomeError } from '../errors.ts'
import { isBusy, isDamage, isFull, storeError } from './sqlite-errors.ts'
import { removeDatabase } from './files.ts'

export interface StoreLock {
  readonly release: () => void
}

/** Throws RZ_STORE_LOCKED with the holder's process id, or RZ_STORE_UNWRITABLE. */
export function lockDirectory(directory: string): StoreLock {
  const path = join(directory, 'lock.db')
  try {
    return lock(path, directory)
  } catch (error) {
    if (!isDamage(error)) throw error
    // Nothing in it is worth keeping, and nobody holds a lock on what is no database.
    removeDatabase(path)
    return lock(path, directory)
  }
}

function lock(path: string, directory: string): StoreLock {
  let db: DatabaseSync | undefined
  try {
    db = new DatabaseSync(path)
    writeHolder(db)
    // Between this and the statement before, another process may come in: then it is the holder, and this one is not.
    db.exec('BEGIN IMMEDIATE')
    return { release: () => release(db) }
  } catch (error) {
    const failure = isBusy(error) ? locked(directory, db) : storeError(error, path)
    release(db)
    throw failure
  }
}

function writeHolder(db: DatabaseSync): void {
  try {
    db.exec('BEGIN IMMEDIATE')
    db.exec('CREATE TABLE IF NOT EXISTS holder (id INTEGER PRIMARY KEY CHECK (id = 1), pid INTEGER, since TEXT)')
    db.prepare('INSERT OR REPLACE INTO holder VALUES (1, ?, ?)').run(process.pid, new Date().toISOString())
    db.exec('COMMIT')
  } catch (error) {
    // On a full disk the lock holds without a name on it, so that the store can be read.
    if (!isFull(error)) throw error
    if (db.isTransaction) db.exec('ROLLBACK')
  }
}

function locked(directory: string, db: DatabaseSync | undefined): RhizomeError {
  return new RhizomeError(
    'RZ_STORE_LOCKED',
    `${directory} is open in ${holderOf(db)}: stop that, talk to it, or give another --data`,
  )
}

function holderOf(db: DatabaseSync | undefined): string {
  try {
    const row = db?.prepare('SELECT pid, since FROM holder').get()
    if (row === undefined) return 'another process'
    const own = row['pid'] === process.pid ? 'this very process, ' : 'process '
    return `${own}${String(row['pid'])} since ${String(row['since'])}`
  } catch (error) {
    if (error instanceof Error) return 'another process'
    throw error
  }
}

function release(db: DatabaseSync | undefined): void {
  if (db?.isOpen === true) db.close()
}
