/** How rows are found: by look-up where few are wanted, by a scan that stops early, and the same rows either way. */

import { describe, expect, it } from 'vitest'
import { Meter, LOOKUPS_MAX } from '../../src/query/limits.ts'
import { runOver } from '../../src/query/run.ts'
import { type Collections, ListSource, stepsOf } from './list-source.ts'

const many: Collections = {
  user: Array.from({ length: 3_000 }, (_, index) => ({
    id: `u${String(index).padStart(4, '0')}`,
    city: `c${index % 7}`,
  })),
  order: Array.from({ length: 50 }, (_, index) => ({
    id: `o${index}`,
    by: `u${String(index * 3).padStart(4, '0')}`,
    of: `user/u0001`,
  })),
}
const users = { collection: 'user', as: 'user' }
const orders = { collection: 'order', as: 'order' }

function reads(query: unknown): { readonly rows: number; readonly scanned: number; readonly lookedUp: number } {
  const source = new ListSource(many)
  const { rows } = runOver(query, source, new Meter())
  return { rows: rows.length, scanned: source.scanned, lookedUp: source.lookedUp }
}

describe('a limit', () => {
  it('stops the scan below it', () => {
    const pipeline = {
      project: { select: { collection: 'user' }, where: { '===': [{ var: 'city' }, 'c0'] } },
      columns: ['id'],
    }
    expect(reads({ limit: pipeline, count: 10 })).toEqual({ rows: 10, scanned: 71, lookedUp: 0 })
  })

  it('begins a later page behind the cursor, without reading what lies before', () => {
    const source = new ListSource(many)
    const first = runOver({ limit: { collection: 'user' }, count: 2_000 }, source, new Meter())
    expect(reads({ limit: { collection: 'user' }, count: 5, after: first.next }).scanned).toBeLessThan(10)
  })
})

describe('a selection', () => {
  it.each([
    ['by one id', { '==': [{ var: 'id' }, 'u0005'] }, 1],
    ['by one id and more', { and: [{ '===': ['u0005', { var: 'id' }] }, { '===': [{ var: 'city' }, 'c5'] }] }, 1],
    ['by several ids', { in: [{ var: 'id' }, ['u0005', 'u0001', 'u0005', 'nobody']] }, 2],
  ])('%s looks records up', (_, where, rows) => {
    const query = { select: { collection: 'user' }, where }
    expect(reads(query)).toMatchObject({ rows, scanned: 0 })
    expect(stepsOf(query)[1]).toBe('look up user by id, keep rows that pass the rule')
  })

  it.each([
    ['a number', { '==': [{ var: 'id' }, 5] }],
    ['an id or something else', { or: [{ '==': [{ var: 'id' }, 'u0005'] }, { '==': [{ var: 'city' }, 'c1'] }] }],
    ['no id', { '!': { '==': [{ var: 'id' }, 'u0005'] } }],
  ])('by %s scans', (_, where) => {
    expect(reads({ limit: { select: { collection: 'user' }, where }, count: 10_000 }).scanned).toBe(3_000)
  })
})

describe('a join', () => {
  it('looks the right side up by id while few keys are asked for', () => {
    const query = { join: [orders, users], on: [['order.by', 'user.id']] }
    expect(reads(query)).toEqual({ rows: 50, scanned: 50, lookedUp: 50 })
    expect(stepsOf(query)[1]).toBe(
      'inner join by order.by = user.id: stream the left side, look up user by user.id of the right; past 1000 keys read and hash it',
    )
  })

  it('looks the left side up by id when the right tells few', () => {
    const right = { project: orders, columns: { buyer: { var: 'order.by' } } }
    const query = { join: [users, right], on: [['user.id', 'buyer']] }
    expect(reads(query)).toEqual({ rows: 50, scanned: 50, lookedUp: 50 })
    expect(stepsOf(query)[2]).toContain('look up user by user.id of the left')
  })

  it('follows references by the column of the entity, each once', () => {
    const query = {
      join: [orders, { collection: 'user', as: 'user', entity: 'self' }],
      on: [['order.of', 'user.self']],
    }
    expect(reads(query)).toEqual({ rows: 50, scanned: 50, lookedUp: 1 })
  })

  it('reads the right side whole when it is asked for more keys than that', () => {
    const query = { join: [users, { collection: 'user', as: 'same' }], on: [['user.id', 'same.id']] }
    expect(reads({ limit: query, count: 10_000 })).toEqual({ rows: 3_000, scanned: 6_000, lookedUp: LOOKUPS_MAX })
  })

  it('that finds nothing to look up hashes the right side', () => {
    const query = { join: [orders, users], on: [['order.by', 'user.city']] }
    expect(stepsOf(query)[1]).toContain('read and hash the right side, stream the left')
  })

  it('without a look-up of the left keeps rows that match nothing', () => {
    const right = { project: orders, columns: { buyer: { var: 'order.by' } } }
    const on = [['user.id', 'buyer']]
    expect(reads({ limit: { join: [users, right], on, kind: 'anti' }, count: 10_000 }).rows).toBe(2_950)
    expect(reads({ limit: { join: [users, right], on, kind: 'left' }, count: 10_000 }).rows).toBe(3_000)
  })
})

describe('a plan', () => {
  it('tells each step, the outermost first', () => {
    const query = {
      order: { group: { collection: 'user' }, by: ['city'], aggregates: { users: { count: true } } },
      by: [{ descending: 'users' }],
    }
    expect(stepsOf(query)).toEqual([
      'take a page of 1000 rows',
      'sort by users descending',
      'group by city: users is the count of rows',
      'scan user',
    ])
  })
})
