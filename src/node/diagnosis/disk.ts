/** The disk below the data: room, rights, whether what is synced arrives; and the store on it. */

import { open, rm, stat, statfs } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { quickCheck, holderOfStore } from '../../store/quick-check.ts'
import { defaultHome, STORE_FOLDER } from '../home.ts'
import type { Finding } from './finding.ts'
import type { DiagnoseOptions } from './options.ts'

/** Below this a busy node fills the disk within hours. */
const FREE_BYTES_LOW = 1_024 ** 3
/** Below this SQLite's write-ahead log may find no room. */
const FREE_BYTES_MIN = 128 * 1_024 ** 2
const TRIAL_FILE = '.doctor'

/** Tries the node's directory, or the nearest folder above where one would be made. */
export async function judgeDisk({ data, home }: Pick<DiagnoseOptions, 'data' | 'home'>): Promise<Finding> {
  const check = 'disk'
  const directory = await nearestFolder(data ?? home ?? defaultHome())
  try {
    const { bavail, bsize } = await statfs(directory)
    const syncMs = await trySync(join(directory, `${TRIAL_FILE}-${process.pid}`))
    return judgeSpace({ directory, freeBytes: bavail * bsize, syncMs })
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    return { check, verdict: 'fail', kind: 'disk-unwritable', directory, why: code ?? message }
  }
}

export function judgeSpace(facts: {
  readonly directory: string
  readonly freeBytes: number
  readonly syncMs: number
}): Finding {
  const check = 'disk'
  const { directory, freeBytes } = facts
  if (freeBytes >= FREE_BYTES_LOW) return { check, verdict: 'pass', kind: 'disk-good', ...facts }
  return { check, verdict: freeBytes < FREE_BYTES_MIN ? 'fail' : 'warn', kind: 'disk-low', directory, freeBytes }
}

/** How long an fsync takes, in milliseconds. */
async function trySync(path: string): Promise<number> {
  const file = await open(path, 'wx', 0o600)
  try {
    await file.write('doctor')
    const startMs = performance.now()
    await file.sync()
    return performance.now() - startMs
  } finally {
    await file.close()
    await rm(path, { force: true })
  }
}

async function nearestFolder(path: string): Promise<string> {
  for (let each = resolve(path); ; each = dirname(each)) {
    const found = await stat(each).catch(() => undefined)
    if (found?.isDirectory() === true || dirname(each) === each) return each
  }
}

export function judgeStore({ data, running }: Pick<DiagnoseOptions, 'data' | 'running'>): Finding {
  const check = 'store'
  if (data === undefined) return { check, verdict: 'skip', kind: 'store-none' }
  const directory = join(data, STORE_FOLDER)
  const found = quickCheck(directory)
  if (found.kind === 'missing') return { check, verdict: 'skip', kind: 'store-none' }
  if (found.kind === 'damaged') return { check, verdict: 'fail', kind: 'store-damaged', directory, why: found.why }
  if (found.kind === 'newer') return { check, verdict: 'fail', kind: 'store-newer', directory, format: found.format }
  const holder = running === undefined ? holderOfStore(directory) : undefined
  if (holder !== undefined) return { check, verdict: 'fail', kind: 'store-held', directory, holder }
  if (found.kind === 'large') return { check, verdict: 'skip', kind: 'store-large', directory, bytes: found.bytes }
  return { check, verdict: 'pass', kind: 'store-whole', directory, bytes: found.bytes }
}
