/**
 * A quick look at a store that somebody else may have open: whether SQLite finds its log whole. Reads alone, takes no lock, and
 * leaves the checksums of the rows to `repair`, which reads everything.
 */

import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { lockDirectory } from './lock.ts'
import { LOG_APPLICATION_ID, LOG_FORMAT } from './log-schema.ts'
import { RhizomeError } from '../errors.ts'

export type StoreCheck =
  | { readonly kind: 'missing' }
  | { readonly kind: 'whole'; readonly bytes: number }
  | { readonly kind: 'damaged'; readonly why: string }
  /** Written by a later version of this software. */
  | { readonly kind: 'newer'; readonly format: number }
  /** Too large for a quick look. */
  | { readonly kind: 'large'; readonly bytes: number }

/** A second or two to read. */
const BYTES_MAX = 512 * 1_048_576

export function quickCheck(directory: string, bytesMax: number = BYTES_MAX): StoreCheck {
  const path = join(directory, 'log.db')
  if (!existsSync(path)) return { kind: 'missing' }
  const bytes = statSync(path).size
  try {
    using db = new DatabaseSync(path, { readOnly: true, timeout: 5_000 })
    const pragma = (name: string) => Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0]
    const format = Number(pragma('user_version'))
    if (pragma('application_id') !== LOG_APPLICATION_ID)
      return { kind: 'damaged', why: 'it is no store of rhizome-node' }
    if (format > LOG_FORMAT) return { kind: 'newer', format }
    if (bytes > bytesMax) return { kind: 'large', bytes }
    const found = String(pragma('quick_check(1)'))
    return found === 'ok' ? { kind: 'whole', bytes } : { kind: 'damaged', why: found }
  } catch (error) {
    return { kind: 'damaged', why: error instanceof Error ? error.message : String(error) }
  }
}

/** Who holds the store of a directory whose node does not answer: as the message of RZ_STORE_LOCKED, or undefined. */
export function holderOfStore(directory: string): string | undefined {
  try {
    lockDirectory(directory).release()
    return undefined
  } catch (error) {
    if (error instanceof RhizomeError && error.code === 'RZ_STORE_LOCKED') return error.message
    throw error
  }
}
