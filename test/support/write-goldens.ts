/**
 * Writes fixtures/format-0/manifest.json and fixtures/proof-0/: `node test/support/write-goldens.ts`. Run it when a format
 * was changed on purpose or a case was added, look at the diff, and commit it with the change. A diff nobody meant is a
 * broken format.
 */

import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { GOLDENS_PATH, goldensText } from './goldens.ts'
import { goldenProofs, PROOFS_PATH } from './proofs.ts'

const root = join(import.meta.dirname, '..', '..')
write(GOLDENS_PATH, goldensText())
for (const [name, text] of await goldenProofs()) write(join(PROOFS_PATH, name), text)

function write(name: string, text: string): void {
  const path = join(root, name)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
}
