/** A whole copy of a node's directory while it is in use: its log, its keys, and what it says of itself. */

import { cp, mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { RhizomeError } from '../errors.ts'
import { backupStore } from '../store/backup.ts'
import { STORE_FOLDER } from './home.ts'

/** Beside the store. What is not there is not copied: notes of the running process and its socket are of no use elsewhere. */
const KEPT = ['node.json', 'identities', 'http-token'] as const

/**
 * Copies the node of `directory` to `target`, a folder that is not there or empty. A node opened on the copy is the same one, by its
 * keys, with what was committed when the copy began; it goes on in new logs. Where it fails nothing is left.
 * Throws RZ_STORE_MISSING, RZ_STORE_FULL, RZ_BACKUP_TARGET.
 */
export async function backupDirectory(directory: string, target: string): Promise<void> {
  await claim(target)
  try {
    for (const name of KEPT) {
      await cp(join(directory, name), join(target, name), { recursive: true, preserveTimestamps: true }).catch(
        ignoreMissing,
      )
    }
    backupStore(join(directory, STORE_FOLDER), join(target, STORE_FOLDER))
  } catch (error) {
    await rm(target, { recursive: true, force: true })
    throw error
  }
}

async function claim(target: string): Promise<void> {
  try {
    await mkdir(target, { recursive: true, mode: 0o700 })
    if ((await readdir(target)).length === 0) return
  } catch (cause) {
    throw new RhizomeError('RZ_BACKUP_TARGET', `${target} cannot be made: ${String(cause)}`, { cause })
  }
  throw new RhizomeError('RZ_BACKUP_TARGET', `${target} is not empty: name a folder that is not there yet`)
}

function ignoreMissing(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
}
