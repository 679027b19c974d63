/** Small files that are replaced in one step: whoever reads one finds the old text or the new one, never a part. */

import { open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'

const OWNER_ONLY = 0o600

export interface ReplaceOptions {
  /** Survives a power cut, for an fsync of the file and one of its folder. Default false. */
  readonly durable?: boolean
}

/** Writes `text` beside its place and moves it there; its owner alone can read it. A failure leaves what was there. */
export async function replaceFile(path: string, text: string, options: ReplaceOptions = {}): Promise<void> {
  const { durable = false } = options
  const draft = `${path}.${process.pid}.new`
  try {
    await writeDraft(draft, text, durable)
    await rename(draft, path)
  } catch (cause) {
    await rm(draft, { force: true })
    throw cause
  }
  if (durable) await syncFolder(dirname(path))
}

async function writeDraft(draft: string, text: string, durable: boolean): Promise<void> {
  const file = await open(draft, 'w', OWNER_ONLY)
  try {
    await file.writeFile(text)
    if (durable) await file.sync()
  } finally {
    await file.close()
  }
}

/** So that the new name survives a power cut, where folders can be opened (Windows sees to it itself). */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
