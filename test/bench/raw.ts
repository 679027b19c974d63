/** Raw limits: what the means below us reach with the same bytes and nothing of ours around them. */

import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

/** Inserts per second of rows of `rowBytes` into a plain SQLite table, `perCommit` in each transaction. */
export function sqliteInsertsPerSecond(folder: string, rowBytes: number, count: number, perCommit = 1): number {
  const database = new DatabaseSync(join(folder, `raw-${process.hrtime.bigint()}.db`))
  try {
    database.exec(
      'PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; CREATE TABLE raw (id INTEGER PRIMARY KEY, bytes BLOB)',
    )
    const insert = database.prepare('INSERT INTO raw (bytes) VALUES (?)')
    const bytes = new Uint8Array(rowBytes).fill(7)
    const started = performance.now()
    for (let done = 0; done < count; done += perCommit) {
      if (perCommit > 1) database.exec('BEGIN IMMEDIATE')
      for (let index = done; index < Math.min(done + perCommit, count); index++) insert.run(bytes)
      if (perCommit > 1) database.exec('COMMIT')
    }
    return (count * 1_000) / (performance.now() - started)
  } finally {
    database.close()
  }
}
