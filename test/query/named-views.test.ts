/** Named views: a query that names one is that with the stored query in its place; cycles and growth are refused. */

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Json } from '../../src/delta/json.ts'
import { codeOf } from '../support/expect.ts'
import { Meter } from '../../src/query/limits.ts'
import { type Catalogue, NO_CATALOGUE } from '../../src/query/plan.ts'
import { explainPlan, runOver } from '../../src/query/run.ts'
import { compileStoredQuery } from '../../src/query/stored-query.ts'
import { allRows, ListSource } from './list-source.ts'
import { collections, queries } from './queries.ts'

const storing = (stored: { readonly [id: string]: Json }): Catalogue => ({
  ...NO_CATALOGUE,
  viewOf: (id) => (Object.hasOwn(stored, id) ? stored[id] : undefined),
})

describe('a query that names a view', () => {
  it('has the rows of the same query with the view in its place, page by page', () => {
    fc.assert(
      fc.property(queries(2), collections, fc.integer({ min: 1, max: 3 }), ({ json }, data, count) => {
        const catalogue = storing({ v: json, w: { view: 'v' } })
        for (const outer of [
          (inner: object) => inner,
          (inner: object) => ({ select: inner, where: { '!==': [{ var: 'x' }, 1] } }),
          (inner: object) => ({ union: [inner, inner] }),
        ])
          expect(outcome(() => allRows(outer({ view: 'w' }), data, count, catalogue))).toEqual(
            outcome(() => allRows(outer(json), data, count)),
          )
      }),
      { numRuns: 300, endOnFailure: true },
    )
  })

  it('that is a limit itself has its rows, and is paged', () => {
    const data = { one: ['a', 'b', 'c', 'd'].map((id) => ({ id })), two: [] }
    const catalogue = storing({ three: { limit: { collection: 'one' }, count: 3 } })
    const page = (json: unknown) => runOver(json, new ListSource(data), new Meter(), catalogue)
    expect(page({ view: 'three' }).rows.map(({ id }) => id)).toEqual(['a', 'b', 'c'])
    expect(page({ view: 'three' }).next).toBeUndefined()
    const first = page({ limit: { view: 'three' }, count: 2 })
    const rest = page({ limit: { view: 'three' }, count: 2, after: first.next })
    expect([...first.rows, ...rest.rows].map(({ id }) => id)).toEqual(['a', 'b', 'c'])
  })

  it('refuses a cursor of a page by another definition', () => {
    const data = { one: ['a', 'b'].map((id) => ({ id, n: 1 })), two: [] }
    const page = (after: string | undefined, view: Json) => {
      const query = { limit: { view: 'v' }, count: 1, ...(after && { after }) }
      return runOver(query, new ListSource(data), new Meter(), storing({ v: view }))
    }
    const { next } = page(undefined, { collection: 'one' })
    expect(page(next, { collection: 'one' }).rows.map(({ id }) => id)).toEqual(['b'])
    expect(codeOf(() => page(next, { collection: 'one', prefix: 'b' }))).toBe('RZ_QUERY_CURSOR')
  })

  it.each([
    ['itself', { a: { view: 'a' } }, 'a → a'],
    [
      'itself by others',
      { a: { view: 'b' }, b: { union: [{ collection: 'x' }, { view: 'c' }] }, c: { view: 'b' } },
      'b → c → b',
    ],
  ])('that is made of %s is refused, with the names', (_, stored, cycle) => {
    const explain = () => explainPlan({ view: 'a' }, storing(stored))
    expect(codeOf(explain)).toBe('RZ_QUERY_CYCLE')
    expect(explain).toThrow(cycle)
  })

  it('that nobody stored is refused', () => {
    expect(codeOf(() => explainPlan({ view: 'toString' }, storing({})))).toBe('RZ_QUERY_UNKNOWN')
    expect(codeOf(() => explainPlan({ view: 'x' }))).toBe('RZ_QUERY_UNKNOWN')
  })

  it('is refused when views name one another too deeply, or grow too large', () => {
    const chain = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`${index}`, { view: `${index + 1}` }]))
    expect(codeOf(() => explainPlan({ view: '0' }, storing({ ...chain, 20: { collection: 'x' } })))).toBe(
      'RZ_QUERY_TOO_LARGE',
    )
    const wide = (id: string): Json =>
      Array.from({ length: 20 }, (): Json => ({ view: id })).reduce((left, right) => ({ union: [left, right] }))
    const tower = { a: wide('b'), b: wide('c'), c: wide('d'), d: { collection: 'x' } }
    expect(codeOf(() => explainPlan({ view: 'a' }, storing(tower)))).toBe('RZ_QUERY_TOO_LARGE')
  })
})

describe('a definition', () => {
  it('is a query, with what it is for', () => {
    const query = { select: { view: 'other' }, where: true }
    expect(compileStoredQuery({ query })).toEqual({ query })
    expect(compileStoredQuery({ query, description: 'all', semantics: 1 })).toEqual({ query, description: 'all' })
  })

  it.each([
    ['no object', 'user', 'RZ_DEFINITION_INVALID'],
    ['no query', { description: 'x' }, 'RZ_DEFINITION_INVALID'],
    ['what is no query', { query: { collection: '' } }, 'RZ_QUERY_INVALID'],
    ['an unknown operator', { query: { cross: 1 } }, 'RZ_QUERY_OPERATOR'],
    ['an unknown field', { query: { collection: 'x' }, rule: 1 }, 'RZ_DEFINITION_INVALID'],
    ['a description that is no text', { query: { collection: 'x' }, description: 1 }, 'RZ_DEFINITION_INVALID'],
    ['a page', { query: { limit: { collection: 'x' }, count: 1, after: 'x' } }, 'RZ_DEFINITION_INVALID'],
    ['a view with more than its name', { query: { view: 'x', as: 'y' } }, 'RZ_QUERY_INVALID'],
    ['a view without a name', { query: { view: '' } }, 'RZ_QUERY_INVALID'],
    ['semantics that are none', { query: { collection: 'x' }, semantics: 0 }, 'RZ_DEFINITION_INVALID'],
    ['semantics of a later release', { query: { collection: 'x' }, semantics: 2 }, 'RZ_RULE_SEMANTICS'],
  ])('with %s is refused', (_, value, code) => {
    expect(codeOf(() => compileStoredQuery(value as never))).toBe(code)
  })
})

function outcome(run: () => unknown): unknown {
  try {
    return run()
  } catch (error) {
    return (error as { code: string }).code
  }
}
