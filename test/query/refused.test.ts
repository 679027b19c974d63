/** Queries that are refused before anything is read, each with its code and a message that says where. */

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RhizomeError } from '../../src/errors.ts'
import { QUERY_DEPTH_MAX } from '../../src/query/limits.ts'
import { explainPlan } from '../../src/query/run.ts'
import { codeOf } from '../support/expect.ts'

const user = { collection: 'user', columns: ['id', 'name'] }
const open = { collection: 'user' }

function nested(levels: number): unknown {
  let query: unknown = user
  for (let level = 1; level < levels; level++) query = { limit: query, count: 1 }
  return query
}

const circle: { select?: unknown; where: boolean } = { where: true }
circle.select = circle

const cases: { readonly [code: string]: readonly (readonly [title: string, query: unknown])[] } = {
  RZ_QUERY_OPERATOR: [
    ['nothing', {}],
    ['an unknown operator', { cross: [user, user] }],
    ['the name of an inherited property', { constructor: user }],
    ['an unknown operator inside', { limit: { filter: user }, count: 1 }],
  ],
  RZ_QUERY_INVALID: [
    ['no object', 'user'],
    ['null', null],
    ['a list', [user]],
    ['a function', () => user],
    ['an infinite number', { limit: user, count: Infinity }],
    ['an unknown field', { ...user, where: true }],
    ['two operators at once', { select: user, project: user, where: true }],
    ['a missing field', { select: user }],
    ['a collection without a name', { collection: '' }],
    ['a column twice', { project: user, columns: ['id', 'id'] }],
    ['a column of no name', { project: user, columns: [''] }],
    ['a made column with a dot', { project: user, columns: { 'a.b': 1 } }],
    ['an alias with a dot', { collection: 'user', as: 'a.b' }],
    ['one column for id and entity', { collection: 'user', entity: 'id' }],
    ['a join of three', { join: [user, user, user], on: ['id'] }],
    ['a join by nothing', { join: [user, user], on: [] }],
    ['a join of an unknown kind', { join: [user, user], on: ['id'], kind: 'outer' }],
    ['a pair of three', { join: [user, user], on: [['id', 'id', 'id']] }],
    ['two columns renamed to one', { rename: user, columns: { id: 'x', name: 'x' } }],
    ['an unknown aggregate', { group: user, by: [], aggregates: { n: { median: 'name' } } }],
    ['two aggregates in one', { group: user, by: [], aggregates: { n: { min: 'id', max: 'id' } } }],
    ['two columns of one name in a group', { group: user, by: ['id'], aggregates: { id: { count: true } } }],
    ['an order by nothing', { order: user, by: [] }],
    ['an order that rises', { order: user, by: [{ ascending: 'id' }] }],
    ['a page of no rows', { limit: user, count: 0 }],
    ['a page of too many rows', { limit: user, count: 10_001 }],
    ['a page of half a row', { limit: user, count: 0.5 }],
    ['a cursor inside', { limit: { limit: user, count: 1, after: 'x' }, count: 1 }],
    ['a closure of one column', { closure: user, from: 'id', to: 'id' }],
    ['a closure without end', { closure: user, from: 'id', to: 'name', depthMax: 1_001 }],
    ['no pointers', { pointers: {} }],
    ['optional pointers alone', { pointers: { a: { optional: true } } }],
    ['a pointer that is both a value and a reference', { pointers: { a: { value: 1, in: 'user' } } }],
    ['a pointer to an entity and into a collection', { pointers: { a: { entity: 'user/a', in: 'user' } } }],
    ['a pointer in the column of the id', { pointers: { id: {} } }],
    ['an unnested path without a name', { unnest: { collection: 'user', as: 'u' }, column: 'u.tags' }],
    ['a resolver’s operator', { select: user, where: { property: 'name' } }],
  ],
  RZ_QUERY_COLUMN: [
    ['an unknown column in a projection', { project: user, columns: ['age'] }],
    ['a part of a column in a projection', { project: user, columns: ['name.first'] }],
    ['an unknown column in a rule', { select: user, where: { '>': [{ var: 'age' }, 3] } }],
    ['an unknown column deep in a rule', { select: user, where: { or: [false, { '!': { var: ['age', 0] } }] } }],
    ['an unknown column to rename', { rename: user, columns: { age: 'years' } }],
    ['a name that is taken', { rename: user, columns: { id: 'name' } }],
    ['an unknown column to unnest', { unnest: user, column: 'tags' }],
    ['an unnested column that is there', { unnest: user, column: 'name', as: 'id' }],
    ['an unknown column in an order', { order: user, by: ['age'] }],
    ['an unknown column in a group', { group: user, by: ['age'], aggregates: {} }],
    ['an unknown column in an aggregate', { group: user, by: [], aggregates: { n: { sum: 'age' } } }],
    ['an unknown column in a join', { join: [user, user], on: [['id', 'age']] }],
    ['a column on both sides of a join', { join: [user, user], on: ['id'] }],
    ['a join of unknown columns', { join: [open, user], on: ['id'] }],
    ['an unknown column in a closure', { closure: user, from: 'id', to: 'friend' }],
    ['a union of different columns', { union: [user, { project: user, columns: ['id'] }] }],
    ['a difference of different columns', { minus: [{ project: user, columns: ['id'] }, user] }],
  ],
  RZ_QUERY_TOO_LARGE: [
    ['too many operators in one another', nested(QUERY_DEPTH_MAX + 1)],
    ['a query that contains itself', circle],
    ['too many values', { closure: user, from: 'id', to: 'name', start: Array.from({ length: 20_000 }, () => 1) }],
    ['too much text', { collection: 'x'.repeat(300_000) }],
  ],
  RZ_QUERY_CURSOR: [
    ['a cursor of no query', { limit: user, count: 1, after: 'abc' }],
    ['a cursor that is no list', { limit: user, count: 1, after: Buffer.from('{}').toString('base64url') }],
    [
      'a cursor of another query',
      { limit: user, count: 1, after: Buffer.from('["AAAAAAAAAAA","x"]').toString('base64url') },
    ],
    ['a cursor too long', { limit: user, count: 1, after: 'a'.repeat(70_000) }],
  ],
  RZ_RECORD_INVALID: [['a collection with a slash', { collection: 'a/b' }]],
  RZ_DELTA_INVALID: [['bytes that are none', { pointers: { a: { value: { $bytes: 3 } } } }]],
  RZ_RULE_OPERATOR: [['an unknown operator in a rule', { select: user, where: { eval: 'x' } }]],
}

describe.each(Object.entries(cases))('%s is the answer to', (code, queries) => {
  it.each(queries)('%s', (_, query) => {
    expect(codeOf(() => explainPlan(query))).toBe(code)
  })
})

describe('a refusal', () => {
  const messageOf = (query: unknown): string => {
    try {
      explainPlan(query)
    } catch (error) {
      if (error instanceof RhizomeError) return error.message
    }
    return ''
  }

  it('says where, and what there is instead', () => {
    const inner = { project: user, columns: ['age'] }
    expect(messageOf({ union: [user, { select: inner, where: true }] })).toBe(
      'query.union[1].select.project, column "age": there is no column "age"; there are id, name',
    )
    expect(messageOf({ limit: { lookup: 'x' }, count: 1 })).toContain(
      'query.limit: no operator among lookup; there are collection, pointers',
    )
  })
})

const fields = [
  'collection',
  'pointers',
  'select',
  'project',
  'rename',
  'unnest',
  'join',
  'union',
  'intersect',
  'minus',
  'group',
  'order',
  'limit',
  'closure',
  'where',
  'columns',
  'on',
  'by',
  'aggregates',
  'count',
  'from',
  'to',
  'as',
  'var',
  'id',
  '__proto__',
]

/** JSON that looks like a query here and there. */
const nearly = fc.letrec<{ json: unknown }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 6, depthSize: 'large' },
    fc.constantFrom<unknown[]>('user', 'id', 'name', 'a.b', '', 0, 1, 1.5, true, null, {}, [], user, open),
    fc.array(tie('json'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom(...fields), tie('json'), { maxKeys: 3 }),
    fc.record({ select: tie('json'), where: tie('json') }),
    fc.record({ project: tie('json'), columns: tie('json') }),
    fc.record({ join: fc.tuple(tie('json'), tie('json')), on: tie('json') }),
    fc.record({ group: tie('json'), by: tie('json'), aggregates: tie('json') }),
  ),
})).json

describe('whatever is asked', () => {
  it('is planned or refused with a code', () => {
    fc.assert(
      fc.property(nearly, (query) => {
        expect(codeOf(() => explainPlan(query))).toMatch(/^RZ_|^nothing$/)
      }),
      { numRuns: 2_000, endOnFailure: true },
    )
  })
})

describe('what is as deep as allowed', () => {
  it('is planned', () => {
    expect(codeOf(() => explainPlan(nested(QUERY_DEPTH_MAX)))).toBe('nothing')
  })
})
