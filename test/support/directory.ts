/** Directories of their own for tests that need a disk. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'

/** A fresh directory, removed when the test file is over. */
export function makeDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'rhizome-test-'))
  afterAll(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}
