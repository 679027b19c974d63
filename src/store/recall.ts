/** What index.db remembers of blocks whose rows are damaged: which log and number they had. */

import { existsSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import type { PeerId } from '../delta/delta.ts'
import { logKeyOf } from '../log/block.ts'
import type { NamespaceId } from '../log/namespace.ts'
import type { Recall } from './survey.ts'

/** The index may be damaged too, or gone: then nothing is remembered. */
export function recallFrom(path: string): { readonly recall: Recall; close(): void } {
  if (!existsSync(path)) return { recall: () => undefined, close: () => {} }
  let db: DatabaseSync | undefined
  const recall: Recall = (place) => {
    try {
      db ??= new DatabaseSync(path)
      const row = db.prepare(WHICH_BLOCK).get(place)
      if (row === undefined) return undefined
      const log = logKeyOf(String(row['creator']) as PeerId, String(row['log_id']))
      return { namespace: String(row['namespace']) as NamespaceId, log, seq: Number(row['seq']) }
    } catch (error) {
      if (error instanceof Error) return undefined
      throw error
    }
  }
  return { recall, close: () => db?.close() }
}

const WHICH_BLOCK = `
  SELECT n.text AS namespace, c.text AS creator, l.log_id, b.seq FROM blocks b
  JOIN logs l ON l.number = b.log JOIN names n ON n.number = l.namespace JOIN names c ON c.number = l.creator
  WHERE b.place = ?`
