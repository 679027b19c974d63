/**
 * Folders that a node is told to use: makes what is missing of a path, and says why one cannot be used, and whose it is.
 * Raises RZ_STORE_UNWRITABLE alone.
 */

import { access, constants, mkdir, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { RhizomeError } from '../errors.ts'

const OWNER_ONLY = 0o700
const ADVICE = 'give another folder with --data, or RHIZOME_HOME'

/**
 * Makes the folder, its parents included, and sees that this user can read and write it. One step after the other from
 * the nearest folder that is there: the recursive mkdir of Node never returns where no folder can be made, as in /proc.
 */
export async function makeFolder(path: string): Promise<void> {
  const folder = resolve(path)
  try {
    const missing = await missingIn(folder)
    for (const each of missing) await mkdir(each, { mode: OWNER_ONLY }).catch(ignoreExisting)
    await access(folder, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (cause) {
    throw await unusable(folder, cause)
  }
}

/** What cannot be done with the folder, as a failure that says why. */
export async function unusable(folder: string, cause: unknown): Promise<RhizomeError> {
  const why = await reason(folder, cause)
  return new RhizomeError('RZ_STORE_UNWRITABLE', `${folder} ${why}: ${ADVICE}`, { cause })
}

/** The folders of the path that are not there, the outermost first. */
async function missingIn(folder: string): Promise<readonly string[]> {
  const missing: string[] = []
  for (let each = folder; ; each = dirname(each)) {
    if (await isFolder(each)) return missing
    missing.unshift(each)
    if (dirname(each) === each) return missing
  }
}

async function isFolder(path: string): Promise<boolean> {
  try {
    const { mode } = await stat(path)
    if ((mode & constants.S_IFMT) === constants.S_IFDIR) return true
    throw Object.assign(new Error(`${path} is a file`), { code: 'ENOTDIR' })
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false
    throw error
  }
}

async function reason(folder: string, cause: unknown): Promise<string> {
  switch (codeOf(cause)) {
    case 'EACCES':
    case 'EPERM':
      return `cannot be read and written by this user${await ownership(folder)}`
    case 'ENOTDIR':
    case 'EEXIST':
      return 'cannot be made: there is a file in its way'
    case 'EROFS':
      return 'cannot be written: the file system is read-only'
    case 'ENOSPC':
      return 'cannot be made: the disk is full'
    default:
      return 'cannot be made'
  }
}

/** Of the folder, or of the nearest one above it that may be looked at. */
async function ownership(folder: string): Promise<string> {
  for (let each = folder; ; each = dirname(each)) {
    const status = await stat(each).catch(() => undefined)
    if (status !== undefined) {
      const owner = status.uid === 0 ? 'root' : `the user with id ${status.uid}`
      return `; ${each === folder ? 'it' : each} belongs to ${owner}`
    }
    if (dirname(each) === each) return ''
  }
}

function ignoreExisting(error: unknown): void {
  if (codeOf(error) !== 'EEXIST') throw error
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
