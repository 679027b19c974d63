import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { INVARIANTS } from './invariants.ts'
import { MUTATIONS, NEVER_ENDS } from './mutation-table.ts'
import { VIOLATED_OTHERWISE } from './witness.ts'

const SRC = fileURLToPath(new URL('../../src', import.meta.url))

/** Whether each is noticed is looked at by `npm run mutations`, which takes minutes. */
it.each(MUTATIONS)('what "$name" changes stands once where it says', ({ changes }) => {
  for (const { file, before, after } of changes) {
    const count = readFileSync(`${SRC}/${file}`, 'utf8').split(before).length - 1
    expect({ file, count }).toEqual({ file, count: 1 })
    expect(after).not.toBe(before)
  }
})

it('each names invariants that there are', () => {
  const names = new Set([...INVARIANTS.map(({ name }) => name), ...VIOLATED_OTHERWISE, NEVER_ENDS])
  for (const { noticedBy } of MUTATIONS) for (const name of noticedBy) expect(names).toContain(name)
})
