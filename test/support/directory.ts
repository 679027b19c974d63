/** Directories of their own for tests that need a disk. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'

const made: string[] = []

// Once per test file that imports this: a hook that is registered while a test runs would never be called.
afterAll(() => {
  for (const directory of made) rmSync(directory, { recursive: true, force: true })
})

/** A fresh directory, removed when the test file is over. */
export function makeDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'rhizome-test-'))
  made.push(directory)
  return directory
}
