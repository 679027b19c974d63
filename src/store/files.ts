/** The files of SQLite databases, which come in threes. */

import { rmSync } from 'node:fs'

/** What SQLite keeps beside a database. */
const SIDECARS = ['-wal', '-shm', '-journal'] as const

/** Every file of the database at `path`, whether there or not. */
export function databaseFiles(path: string): readonly string[] {
  return [path, ...SIDECARS.map((suffix) => `${path}${suffix}`)]
}

/** Removes a database that can be made again. It must not be open. */
export function removeDatabase(path: string): void {
  for (const file of databaseFiles(path)) rmSync(file, { force: true })
}
