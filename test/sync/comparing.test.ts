import { expect, test } from 'vitest'
import type { LogKey } from '../../src/log/block.ts'
import { Comparing } from '../../src/sync/comparing.ts'
import { Summary } from '../../src/sync/summary.ts'

test('a frontier of two hundred thousand logs is told whole to a peer that holds nothing', () => {
  const count = 200_000
  const entries = Array.from({ length: count }, (_, index) => ({ log: `log-${index}` as LogKey, cut: 0 }))
  const keys = entries.map((_, index) => index.toString(16).padStart(16, '0'))
  const comparing = new Comparing(new Summary(keys, entries, Buffer.alloc(32)), 'ours', () => undefined)
  comparing.open(0)
  let told = 0
  for (let frame = comparing.next(); frame?.kind === 'claims'; frame = comparing.next()) told += frame.entries.length
  expect(told).toBe(count)
})
