/**
 * The note that a running node leaves in its directory: what an invitation must say and the HTTP API does not tell, the
 * secret above all. Readable by its owner alone, as the private key beside it is, and gone when the node stops.
 */

import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { replaceFile } from '../node/whole-file.ts'

export interface RunningNote {
  readonly topics: readonly string[]
  readonly peer: string
  readonly addresses: readonly string[]
  readonly http: readonly string[]
  readonly secret?: string
  /** How it was told to find others, for `doctor`; absent in notes of earlier versions. */
  readonly mdns?: boolean
  readonly peers?: readonly string[]
  readonly seeds?: readonly string[]
}

const FILE = 'running.json'

export async function leaveNote(directory: string, note: RunningNote): Promise<AsyncDisposable> {
  const path = join(directory, FILE)
  await replaceFile(path, `${JSON.stringify({ ...note, pid: process.pid })}\n`)
  return { [Symbol.asyncDispose]: () => rm(path, { force: true }) }
}

/** Undefined when the node of this directory left none. Whether it still runs is for the control socket to say. */
export async function readNote(directory: string): Promise<RunningNote | undefined> {
  try {
    return JSON.parse(await readFile(join(directory, FILE), 'utf8')) as RunningNote
  } catch {
    return undefined
  }
}
