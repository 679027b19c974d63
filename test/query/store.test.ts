/** Rows from a store: records, raw pointers, what is negated, what came later, and pages that go on while data changes. */

import { beforeEach, describe, expect, it } from 'vitest'
import type { Pointer } from '../../src/delta/delta.ts'
import { deltaIdOf } from '../../src/delta/identifiers.ts'
import { readingIn } from '../../src/query/reading.ts'
import { type QueryPage, type RunOptions, runQuery } from '../../src/query/run.ts'
import { openMemoryStore } from '../../src/store/memory.ts'
import type { Store } from '../../src/store/store.ts'
import { belongsTo } from '../../src/view/as-of.ts'
import { compileContext, trustOnly } from '../../src/view/contexts/context.ts'
import { claim, NAMESPACE, NAMESPACE_NAME, negation, signer, TestLog } from '../support/blocks.ts'
import { codeOf } from '../support/expect.ts'

let store: Store
let log: TestLog

beforeEach(() => {
  store = openMemoryStore()
  store.openNamespace(NAMESPACE, NAMESPACE_NAME)
  log = new TestLog()
})

const write = (...deltas: readonly (readonly Pointer[])[]) => void store.commit(log.write(deltas))
const page = (query: unknown, options?: RunOptions): QueryPage => runQuery(query, store, NAMESPACE, options)
const rows = (query: unknown, options?: RunOptions) => page(query, options).rows.map((row) => ({ ...row }))
const lastDelta = (index = 0) => deltaIdOf(log.blocks.at(-1)?.hash ?? '', index)

describe('a record', () => {
  it('is a row of its id and the latest value of each property', () => {
    write(
      claim('user', 'bob', 'name', 'Bob'),
      claim('user', 'bob', 'tags', ['a', 'b']),
      claim('users', 'x', 'name', 'no'),
    )
    write(claim('user', 'bob', 'name', 'Robert'), claim('user', 'alice', 'name', 'Alice'))
    expect(rows({ collection: 'user' })).toEqual([
      { id: 'alice', name: 'Alice' },
      { id: 'bob', name: 'Robert', tags: ['a', 'b'] },
    ])
  })

  it('of which nothing stands is no row', () => {
    write(claim('user', 'bob', 'name', 'Bob'))
    write(negation(lastDelta()))
    expect(rows({ collection: 'user' })).toEqual([])
    expect(rows({ select: { collection: 'user' }, where: { '==': [{ var: 'id' }, 'bob'] } })).toEqual([])
  })

  it('has its ids in the columns that the query names, so that no property is hidden', () => {
    write(claim('user', 'bob', 'id', 7))
    expect(rows({ collection: 'user' })).toEqual([{ id: 'bob' }])
    expect(rows({ collection: 'user', id: 'key', entity: 'self' })).toEqual([{ key: 'bob', self: 'user/bob', id: 7 }])
  })

  it('is found by the beginning of its id', () => {
    for (const id of ['2025-1', '2026-1', '2026-2', '2027-1']) write(claim('day', id, 'n', 1))
    expect(rows({ collection: 'day', prefix: '2026-' }).map(({ id }) => id)).toEqual(['2026-1', '2026-2'])
  })
})

describe('the film example: one delta with five pointers', () => {
  const cast = (actor: string, role: string, film: string, salary: number): readonly Pointer[] => [
    { localContext: 'actor', target: `person/${actor}`, targetContext: 'roles' },
    { localContext: 'role', target: `role/${role}`, targetContext: 'actors' },
    { localContext: 'film', target: `film/${film}`, targetContext: 'cast' },
    { localContext: 'salary', target: salary },
    { localContext: 'currency', target: 'USD' },
  ]
  const casting = { pointers: { actor: { in: 'person' }, role: { in: 'role' }, film: { in: 'film' }, salary: {} } }
  const withoutId = { project: casting, columns: ['actor', 'role', 'film', 'salary'] }
  const neo = { actor: 'person/keanu', role: 'role/neo', film: 'film/matrix', salary: 10_000_000 }
  const trinity = { actor: 'person/carrie-anne', role: 'role/trinity', film: 'film/matrix', salary: 5_000_000 }

  beforeEach(() => {
    write(cast('keanu', 'neo', 'matrix', 10_000_000), cast('carrie-anne', 'trinity', 'matrix', 5_000_000))
    write(claim('person', 'keanu', 'name', 'Keanu Reeves'), claim('film', 'matrix', 'name', 'The Matrix'))
  })

  it('reads as a row', () => {
    expect(rows(withoutId)).toEqual([trinity, neo])
  })

  it.each([
    ['the actor', { actor: { entity: 'person/keanu' } }],
    ['the role', { role: { entity: 'role/neo' } }],
    ['the actor and the film', { actor: { entity: 'person/keanu' }, film: { property: 'cast' } }],
    ['a value', { salary: { value: 10_000_000 } }],
  ])('is found from the side of %s', (_, pattern) => {
    const pointers = { ...casting.pointers, ...pattern }
    expect(rows({ project: { pointers }, columns: ['actor', 'role', 'film', 'salary'] })).toEqual([neo])
  })

  it('has null, or is no row, where it lacks a pointer', () => {
    const { pointers } = casting
    expect(rows({ pointers: { ...pointers, agent: {} } })).toEqual([])
    const optional = { pointers: { ...pointers, agent: { optional: true } } }
    expect(rows({ project: optional, columns: ['agent'] })).toEqual([{ agent: null }])
  })

  it('joins with records by what it points at', () => {
    const people = { collection: 'person', as: 'who', entity: 'self' }
    const films = { collection: 'film', as: 'what', entity: 'self' }
    const joined = {
      join: [{ join: [casting, people], on: [['actor', 'who.self']] }, films],
      on: [['film', 'what.self']],
    }
    const columns = { name: { var: 'who.name' }, film: { var: 'what.name' }, salary: { var: 'salary' } }
    // Whoever is pointed at is there, with what stands about them: nobody has said the other's name.
    expect(rows({ project: joined, columns })).toEqual([
      { name: null, film: 'The Matrix', salary: 5_000_000 },
      { name: 'Keanu Reeves', film: 'The Matrix', salary: 10_000_000 },
    ])
    const fromFilms = { join: [films, casting], on: [['what.self', 'film']] }
    expect(rows({ project: fromFilms, columns: ['actor'] })).toEqual([
      { actor: 'person/carrie-anne' },
      { actor: 'person/keanu' },
    ])
  })

  it('is no row once it is negated, and one again when that is', () => {
    write(negation(deltaIdOf(log.blocks[0]?.hash ?? '', 0)))
    expect(rows(withoutId)).toEqual([trinity])
    expect(rows({ project: { pointers: { currency: {} } }, columns: ['currency'] })).toEqual([{ currency: 'USD' }])
    write(negation(lastDelta()))
    expect(rows(withoutId)).toEqual([trinity, neo])
  })

  it('has a list where a local context repeats, which joins with nothing that is not that list', () => {
    write([...cast('keanu', 'ted', 'bill', 1), { localContext: 'film', target: 'film/ted', targetContext: 'cast' }])
    const query = { select: withoutId, where: { '===': [{ var: 'role' }, 'role/ted'] } }
    expect(rows(query)).toMatchObject([{ film: ['film/bill', 'film/ted'] }])
    const copy = { project: query, columns: { films: { var: 'film' } } }
    expect(rows({ join: [copy, casting], on: [['films', 'film']] })).toHaveLength(1)
    expect(rows({ unnest: query, column: 'film' }).map(({ film }) => film)).toEqual(['film/bill', 'film/ted'])
  })
})

describe('a reading', () => {
  it('is that of a context: its resolvers, its filter, and whose negations count', () => {
    const stranger = new TestLog({ signer: signer(2) })
    write(claim('user', 'bob', 'score', 3), claim('user', 'bob', 'score', 4))
    store.commit(stranger.write([claim('user', 'bob', 'score', 50), negation(lastDelta(1))]))
    const query = { collection: 'user' }
    expect(rows(query)).toEqual([{ id: 'bob', score: 50 }])
    const trusted = compileContext(trustOnly([log.signer.id]))
    expect(rows(query, { reading: readingIn(trusted, trusted.resolvers) })).toEqual([{ id: 'bob', score: 4 }])
    const claims = { pointers: { user: { in: 'user' }, score: {} } }
    const scores = (options?: RunOptions) => new Set(rows(claims, options).map(({ score }) => score))
    expect(scores()).toEqual(new Set([3, 50]))
    expect(scores({ reading: readingIn(trusted, trusted.resolvers) })).toEqual(new Set([3, 4]))

    const count = { collection: 'user', property: 'score', rule: { length: { var: 'candidates' } } }
    const failing = { collection: 'user', property: 'name', rule: { '+': [{ reduce: [] }] } }
    const counting = compileContext({ resolvers: [count, failing], semantics: 1 })
    expect(rows(query, { reading: readingIn(counting, counting.resolvers) })).toEqual([{ id: 'bob', score: 2 }])
  })

  it('sees only the deltas that are admitted: time travel', () => {
    write(claim('user', 'bob', 'name', 'Bob'))
    write(claim('user', 'bob', 'name', 'Robert'), claim('user', 'alice', 'name', 'Alice'))
    const admits = belongsTo({ kind: 'frontier', heads: new Map([[log.key, 0]]) })
    expect(rows({ collection: 'user' }, { admits })).toEqual([{ id: 'bob', name: 'Bob' }])
    expect(rows({ pointers: { user: {}, name: {} } }, { admits })).toHaveLength(1)
  })

  it('that takes more than it may ends', () => {
    for (let index = 0; index < 20; index++) write(claim('user', `${index}`, 'n', index))
    expect(codeOf(() => page({ collection: 'user' }, { limits: { stepsMax: 100 } }))).toBe('RZ_QUERY_LIMIT')
    expect(codeOf(() => page({ pointers: { n: {} } }, { limits: { stepsMax: 10 } }))).toBe('RZ_QUERY_LIMIT')
    expect(codeOf(() => page({ pointers: { n: {} } }, { limits: { rowsHeldMax: 10 } }))).toBe('RZ_QUERY_LIMIT')
  })
})

describe('a cursor', () => {
  const ids = ({ rows: found }: QueryPage) => found.map(({ id }) => id)

  it.each([
    ['in order of the ids', { collection: 'user' }],
    ['in an order of its own', { order: { collection: 'user' }, by: [{ descending: 'n' }] }],
    ['without any', { project: { collection: 'user' }, columns: { id: { cat: [{ var: 'id' }] }, n: { var: 'n' } } }],
  ])('goes on behind its row %s, whatever came and went meanwhile', (_, query) => {
    for (const [index, id] of ['b', 'd', 'f', 'h'].entries()) write(claim('user', id, 'n', -index))
    const first = page({ limit: query, count: 2 })
    expect(ids(first)).toEqual(['b', 'd'])
    write(negation(deltaIdOf(log.blocks[1]?.hash ?? '', 0)))
    write(claim('user', 'a', 'n', 5), claim('user', 'e', 'n', -1.5))
    const second = page({ limit: query, count: 2, after: first.next })
    expect(ids(second)).toEqual(['e', 'f'])
    const third = page({ limit: query, count: 2, after: second.next })
    expect(ids(third)).toEqual(['h'])
    expect(third.next).toBeUndefined()
  })

  it('is of the query that gave it alone', () => {
    for (const id of ['a', 'b']) write(claim('user', id, 'n', 1))
    const { next } = page({ limit: { collection: 'user' }, count: 1 })
    const other = { limit: { collection: 'user', prefix: 'a' }, count: 1, after: next }
    expect(codeOf(() => page(other))).toBe('RZ_QUERY_CURSOR')
    expect(ids(page({ limit: { collection: 'user' }, count: 5, after: next }))).toEqual(['b'])
  })
})
