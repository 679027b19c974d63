/**
 * A copy of a store, made while it is in use: what was committed when the copy began, whole. Only the log is copied, for the rest is
 * derived from it. The copy knows that it is one, so that a node opened on it begins new logs (origin.ts).
 */

import { closeSync, existsSync, fsyncSync, mkdirSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { RhizomeError } from '../errors.ts'
import { storeError } from './sqlite-errors.ts'

/** Stands in the place of the machine that used the store last, and is none. */
const MACHINE = 'a backup'

/**
 * Copies the store in `directory` to `target`, which must not be there. Reads a snapshot and takes no lock: writers go on, and need
 * room for what they write meanwhile. Linear in the log. Throws RZ_STORE_MISSING, RZ_STORE_DAMAGED, RZ_STORE_FULL.
 */
export function backupStore(directory: string, target: string): void {
  const source = join(directory, 'log.db')
  if (!existsSync(source)) throw new RhizomeError('RZ_STORE_MISSING', `${directory} holds no store`)
  mkdirSync(target, { mode: 0o700 })
  const path = join(target, 'log.db')
  try {
    // Made before SQLite does, which would let others read it.
    closeSync(openSync(path, 'wx', 0o600))
    using db = new DatabaseSync(source, { readOnly: true, timeout: 5_000 })
    db.prepare('VACUUM INTO ?').run(path)
    using copy = new DatabaseSync(path)
    copy.prepare("INSERT OR REPLACE INTO meta (key, value) VALUES ('machine', ?)").run(MACHINE)
  } catch (error) {
    throw storeError(error, path)
  }
  sync(path)
  sync(target)
}

function sync(path: string): void {
  const descriptor = openSync(path, 'r')
  fsyncSync(descriptor)
  closeSync(descriptor)
}
