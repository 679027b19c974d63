import { expect, test } from 'vitest'
import type { LogKey } from '../../src/log/block.ts'
import { Comparing } from '../../src/sync/comparing.ts'
import { Summaries } from '../../src/sync/summary.ts'

test('a frontier of two hundred thousand logs is told whole to a peer that holds nothing', () => {
  const count = 200_000
  const entries = Array.from({ length: count }, (_, index) => ({ log: `log-${index}` as LogKey, cut: 0 }))
  const comparing = new Comparing(new Summaries().of(entries), 'ours', () => undefined)
  comparing.open(0)
  let told = 0
  for (let frame = comparing.next(); frame?.kind === 'claims'; frame = comparing.next()) told += frame.entries.length
  expect(told).toBe(count)
})
