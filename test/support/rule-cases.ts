/** The cases under fixtures/rules: lists of cases, with texts between them that say what the following ones show. */

import { readFileSync } from 'node:fs'

/** The cases of a file, each with the text that it stands under. */
export function ruleCases(file: string): readonly { readonly about: string; readonly parts: readonly unknown[] }[] {
  const path = new URL(`../../fixtures/rules/${file}.json`, import.meta.url)
  const lines = JSON.parse(readFileSync(path, 'utf8')) as readonly unknown[]
  let about = file
  return lines.flatMap((line) => {
    if (Array.isArray(line)) return [{ about, parts: line as readonly unknown[] }]
    about = String(line)
    return []
  })
}
