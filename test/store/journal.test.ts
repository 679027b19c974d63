import { expect, test } from 'vitest'
import type { LogKey } from '../../src/log/block.ts'
import { Journal, JOURNAL_CHANGES } from '../../src/store/journal.ts'

test('who follows the journal is told what changed, once each, and who comes late that everything may have', () => {
  const journal = new Journal()
  const start = journal.revision
  journal.note('a' as LogKey)
  const first = journal.revision
  for (const log of ['b', 'a', 'b']) journal.note(log as LogKey)
  expect(journal.after(start)).toBeUndefined()
  expect([...(journal.after(first) ?? [])]).toEqual(['b', 'a'])
  expect(journal.after(journal.revision + 1)).toBeUndefined()
  for (let count = 0; count < 2 * JOURNAL_CHANGES; count++) journal.note(`log ${count}` as LogKey)
  expect(journal.after(first)).toBeUndefined()
  expect(journal.after(journal.revision)?.size).toBe(0)
  expect(journal.after(journal.revision - JOURNAL_CHANGES)?.size).toBe(JOURNAL_CHANGES)
})
