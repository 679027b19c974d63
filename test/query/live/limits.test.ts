/** What a live query may take: of a change what a run may, between changes as many rows and bytes, and they are given back. */

import { describe, expect, it } from 'vitest'
import { codeOf } from '../../support/expect.ts'
import type { Collections } from '../list-source.ts'
import { LiveList } from './live-list.ts'

const numbered = (count: number, more: object = {}) =>
  Array.from({ length: count }, (_, index) => ({ id: `${index}`.padStart(5, '0'), n: index, ...more }))

const kept: readonly (readonly [string, unknown])[] = [
  ['records', { collection: 'one' }],
  ['deltas that are grouped', { group: { collection: 'one' }, by: ['n'], aggregates: { all: { collect: 'n' } } }],
  [
    'a join',
    {
      join: [
        { collection: 'one', as: 'a' },
        { collection: 'one', as: 'b' },
      ],
      on: [['a.n', 'b.n']],
    },
  ],
  ['rows that are ordered', { limit: { order: { collection: 'one' }, by: ['n'] }, count: 2 }],
  ['rows without a key', { project: { collection: 'one' }, columns: ['n'] }],
  ['a closure', { closure: { collection: 'one', columns: ['id', 'n'] }, from: 'id', to: 'n' }],
  ['two sides', { union: [{ collection: 'one' }, { collection: 'two' }] }],
]

describe('what a live query remembers', () => {
  it.each(kept)('of %s ends it past the rows that it may hold, at the beginning or by a change', (_, query) => {
    const limits = { rowsHeldMax: 450 }
    const fits = new LiveList(query, { limits })
    fits.become({ one: numbered(20) })
    expect(codeOf(() => fits.become({ one: numbered(500) }))).toBe('RZ_QUERY_LIMIT')
    expect(codeOf(() => new LiveList(query, { limits }).become({ one: numbered(500) }))).toBe('RZ_QUERY_LIMIT')
  })

  const whole = kept.filter(([name]) => ['records', 'a join', 'rows that are ordered', 'two sides'].includes(name))
  it.each(whole)('of %s ends it past the bytes, of however few rows', (_, query) => {
    const live = new LiveList(query, { limits: { bytesHeldMax: 60_000 } })
    live.become({ one: numbered(50) })
    expect(codeOf(() => live.become({ one: numbered(50, { text: 'x'.repeat(1_000) }) }))).toBe('RZ_QUERY_LIMIT')
  })

  it('of what comes and goes is given back, however long it goes on', () => {
    for (const [, query] of kept) {
      const live = new LiveList(query, { limits: { rowsHeldMax: 450 } })
      for (let round = 0; round < 40; round++) {
        const state: Collections = { one: numbered(40).map(({ id, n }) => ({ id: `${round}-${id}`, n: n + round })) }
        expect(live.become(state).added.length).toBeGreaterThan(0)
      }
    }
  })
})

describe('a change', () => {
  it('that makes more rows at once than a run may ends the query', () => {
    const same = (count: number) => numbered(count).map((record) => ({ ...record, n: 1 }))
    const pairs = {
      join: [
        { collection: 'one', as: 'a' },
        { collection: 'two', as: 'b' },
      ],
      on: [['a.n', 'b.n']],
    }
    const live = new LiveList(pairs)
    live.become({ one: same(800), two: same(10) })
    expect(codeOf(() => live.become({ one: same(800), two: same(800) }))).toBe('RZ_QUERY_LIMIT')
  })
})
