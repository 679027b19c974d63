/** What SQLite's failures mean to a user of the store. */

import { RhizomeError } from '../errors.ts'

/** Primary result codes of SQLite, https://www.sqlite.org/rescode.html. */
const SQLITE = { busy: 5, readOnly: 8, ioError: 10, corrupt: 11, full: 13, cannotOpen: 14, notADatabase: 26 } as const

/** The shared memory beside a database could not grow: the disk is full. */
const IOERR_SHMSIZE = 4_874

/** The primary result code, or undefined when `error` does not come from SQLite. */
function sqliteCode(error: unknown): number | undefined {
  const extended = extendedCode(error)
  if (extended === IOERR_SHMSIZE) return SQLITE.full
  return extended === undefined ? undefined : extended & 0xff
}

function extendedCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error)) return undefined
  return typeof error.errcode === 'number' ? error.errcode : undefined
}

export function isBusy(error: unknown): boolean {
  return sqliteCode(error) === SQLITE.busy
}

export function isFull(error: unknown): boolean {
  return sqliteCode(error) === SQLITE.full
}

/** True when a write that failed so was surely undone. */
export function leavesNothing(error: unknown): boolean {
  const code = sqliteCode(error)
  return code === SQLITE.full || code === SQLITE.readOnly || code === SQLITE.busy
}

/** True when the file is not what SQLite or we wrote. */
export function isDamage(error: unknown): boolean {
  if (error instanceof RhizomeError) return error.code === 'RZ_STORE_DAMAGED'
  const code = sqliteCode(error)
  return code === SQLITE.corrupt || code === SQLITE.notADatabase
}

/** `error` as one of the store's codes; what is not SQLite's stays as it is. */
export function storeError(error: unknown, path: string): Error {
  const code = sqliteCode(error)
  if (code === undefined) return error instanceof Error ? error : new Error(String(error))
  const options = { cause: error }
  switch (code) {
    case SQLITE.full:
      return new RhizomeError(
        'RZ_STORE_FULL',
        `no room on the disk of ${path}: free some and write again; reads go on`,
        options,
      )
    case SQLITE.readOnly:
    case SQLITE.cannotOpen:
      return new RhizomeError(
        'RZ_STORE_UNWRITABLE',
        `${path} cannot be written: give it to the user that runs this`,
        options,
      )
    case SQLITE.corrupt:
    case SQLITE.notADatabase:
      return new RhizomeError(
        'RZ_STORE_DAMAGED',
        `${path} is damaged: keep a copy of the directory and run rhizome-node repair`,
        options,
      )
    default:
      return new RhizomeError(
        'RZ_STORE_FAILED',
        `the disk of ${path} failed (${(error as Error).message}): look after it, then start the node again`,
        options,
      )
  }
}
