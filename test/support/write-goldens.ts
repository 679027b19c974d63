/**
 * Writes fixtures/format-0/manifest.json: `node test/support/write-goldens.ts`. Run it when the format was changed on
 * purpose or a case was added, look at the diff, and commit it with the change. A diff nobody meant is a broken format.
 */

import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { GOLDENS_PATH, goldensText } from './goldens.ts'

const path = join(import.meta.dirname, '..', '..', GOLDENS_PATH)
mkdirSync(dirname(path), { recursive: true })
writeFileSync(path, goldensText())
