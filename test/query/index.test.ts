/** Secondary indexes as plans use them: keys in the order of values, and the same rows with and without. */

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Value } from '../../src/delta/delta.ts'
import { compareUtf8 } from '../../src/delta/order.ts'
import { indexKeyOf } from '../../src/query/index-key.ts'
import { Meter } from '../../src/query/limits.ts'
import { compareValues } from '../../src/query/order.ts'
import { type Catalogue, NO_CATALOGUE } from '../../src/query/plan.ts'
import { runOver } from '../../src/query/run.ts'
import { allRows, type Collections, ListSource, stepsOf } from './list-source.ts'
import { collections, queries } from './queries.ts'

const INDEXED: Catalogue = { ...NO_CATALOGUE, indexesOf: () => ['x', 'y', 'z'] }

const long = 'a'.repeat(64)
const texts = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 3 }),
  fc.constantFrom(
    '',
    '1',
    '2.5',
    'true',
    'null',
    ' 1 ',
    long,
    `${long}b`,
    `${long}bc`,
    `${long}\u{1f600}`,
    `${long}\uffee`,
  ),
)
const scalars: fc.Arbitrary<string | number | boolean> = fc.oneof(
  texts,
  fc.integer({ min: -3, max: 3 }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.boolean(),
)
const values: fc.Arbitrary<Value> = fc.oneof(
  { weight: 8, arbitrary: scalars },
  fc.constant(null),
  fc.array(scalars, { maxLength: 2 }),
  fc.record({ a: scalars }),
)

describe('a key', () => {
  it('is in the order of the values, and bounded', () => {
    fc.assert(
      fc.property(scalars, scalars, (a, b) => {
        const [one, other] = [indexKeyOf(a) ?? '', indexKeyOf(b) ?? '']
        expect(one.length).toBeLessThan(128)
        const areLong = [a, b].every((value) => typeof value === 'string' && value.length > 64)
        const order = Math.sign(compareUtf8(one, other))
        // Long texts that begin alike are told apart, in no order.
        if (areLong) expect(order === 0).toBe(a === b)
        else expect(order).toBe(Math.sign(compareValues(a, b)))
      }),
      { numRuns: 5_000 },
    )
  })

  it('comes after those of other types as the value does, and null has none', () => {
    const sorted: readonly Value[] = [false, true, -1, 'a', new Uint8Array(1), [1], { a: 1 }]
    const keys = sorted.map((value) => indexKeyOf(value) ?? '')
    expect(keys.toSorted(compareUtf8)).toEqual(keys)
    expect(indexKeyOf(null)).toBeUndefined()
  })

  it('of zero is that of negative zero', () => {
    expect(indexKeyOf(-0)).toBe(indexKeyOf(0))
  })
})

const records = fc.uniqueArray(
  fc.record({ id: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'), x: values, y: values }, { requiredKeys: ['id'] }),
  { selector: ({ id }) => id, maxLength: 6 },
)
const column = (path: string) => ({ var: path })

function rules(path: string): fc.Arbitrary<unknown> {
  const { rule } = fc.letrec<{ rule: unknown }>((tie) => ({
    rule: fc.oneof(
      { depthSize: 'small' },
      fc
        .tuple(
          fc.constantFrom('==', '===', '<', '<=', '>', '>=', '!=', '!=='),
          fc.oneof(scalars, fc.constant(null)),
          fc.boolean(),
        )
        .map(([operator, value, isFirst]) => ({ [operator]: isFirst ? [value, column(path)] : [column(path), value] })),
      fc
        .tuple(fc.constantFrom('<', '<='), scalars, scalars)
        .map(([operator, a, b]) => ({ [operator]: [a, column(path), b] })),
      fc.array(fc.oneof(scalars, fc.constant(null)), { maxLength: 3 }).map((list) => ({ in: [column(path), list] })),
      fc
        .tuple(fc.constantFrom('and', 'or'), tie('rule'), tie('rule'))
        .map(([operator, a, b]) => ({ [operator]: [a, b] })),
      fc.constantFrom(column(path), { '!!': [column(path)] }, { '!': column(path) }, true),
    ),
  }))
  return rule
}

describe('an index changes no row and no order', () => {
  it('of a query of any kind', () => {
    fc.assert(
      fc.property(queries(4), collections, fc.integer({ min: 1, max: 4 }), ({ json }, data, count) => {
        expect(allRows(json, data, count, INDEXED)).toEqual(allRows(json, data, count))
      }),
      { numRuns: 2_000, endOnFailure: true },
    )
  })

  it.each([
    ['whole rows', { collection: 'one' }, 'x'],
    ['some columns', { collection: 'one', columns: ['x', 'y'] }, 'x'],
    ['aliased rows', { collection: 'one', as: 'r' }, 'r.x'],
    ['rows of an entity', { collection: 'one', columns: ['x', 'self'], entity: 'self', prefix: 'a' }, 'x'],
    ['a column hidden by the id', { collection: 'one', id: 'x' }, 'x'],
    ['renamed rows', { rename: { collection: 'one' }, columns: { x: 'w' } }, 'w'],
    ['projected rows', { project: { collection: 'one' }, columns: { id: column('id'), w: column('x') } }, 'w'],
  ])('of a selection among %s', (_, input, path) => {
    fc.assert(
      fc.property(rules(path), records, (where, one) => {
        const query = { select: input, where }
        const data = { one } as Collections
        expect(allRows(query, data, 10_000, INDEXED)).toEqual(allRows(query, data))
      }),
      { numRuns: 1_000, endOnFailure: true },
    )
  })

  it('of a join by values of any kind', () => {
    const sides = [
      { collection: 'one', as: 'a' },
      { collection: 'two', as: 'b' },
    ]
    const kinds = fc.constantFrom('inner', 'left', 'semi', 'anti')
    fc.assert(
      fc.property(kinds, records, records, fc.constantFrom('b.x', 'b.id'), (kind, one, two, right) => {
        const query = { join: sides, on: [['a.x', right]], kind }
        const data = { one, two } as Collections
        expect(allRows(query, data, 10_000, INDEXED)).toEqual(allRows(query, data))
      }),
      { numRuns: 1_000, endOnFailure: true },
    )
  })
})

describe('a plan', () => {
  const data: Collections = {
    city: Array.from({ length: 1_000 }, (_, index) => ({
      id: `c${index}`,
      x: index % 100,
      y: `country/${index % 50}`,
    })),
    land: Array.from({ length: 50 }, (_, index) => ({ id: `${index}`, x: index })),
  }
  const read = (query: unknown) => {
    const source = new ListSource(data)
    const { rows } = runOver(query, source, new Meter(), INDEXED)
    return { rows: rows.length, scanned: source.scanned }
  }
  const city = { collection: 'city' }

  it.each([
    ['equal', { '==': [column('x'), 7] }, 10],
    ['the same', { '===': [column('y'), 'country/3'] }, 20],
    ['one of several', { in: [column('x'), [1, 2, 1]] }, 20],
    ['less, and more', { and: [{ '<': [column('x'), 5] }, { '>=': [column('x'), 2] }] }, 30],
    ['between', { '<=': [2, column('x'), 4] }, 30],
    ['one or the other', { or: [{ '===': [column('x'), 1] }, { '===': [column('x'), 2] }] }, 20],
  ])('finds what is %s by the index', (_, where, rows) => {
    expect(read({ select: city, where })).toEqual({ rows, scanned: 0 })
    expect(stepsOf({ select: city, where }, INDEXED)[1]).toMatch(/^look up city by the index of [xy], keep/)
  })

  it.each([
    ['less, since null is', { '<': [column('x'), 5] }],
    ['not equal', { '!=': [column('x'), 5] }],
    ['one thing or another', { or: [{ '===': [column('x'), 1] }, { '===': [column('id'), 'c1'] }] }],
    ['null', { '==': [column('x'), null] }],
  ])('scans for what is %s', (_, where) => {
    expect(read({ limit: { select: city, where }, count: 10_000 }).scanned).toBe(1_000)
  })

  it('prefers one record by its id', () => {
    const where = { and: [{ '===': [column('x'), 7] }, { '===': [column('id'), 'c7'] }] }
    expect(stepsOf({ select: city, where }, INDEXED)[1]).toBe('look up city by id, keep rows that pass the rule')
  })

  it('joins by the index of the right side, or of the left', () => {
    const lands = { collection: 'land', as: 'land', entity: 'self' }
    const few = { select: lands, where: { '<': [column('land.id'), '2'] } }
    const cities = { collection: 'city', as: 'city' }
    expect(read({ join: [few, cities], on: [['land.x', 'city.x']] })).toMatchObject({ scanned: 50 })
    expect(stepsOf({ join: [few, cities], on: [['land.x', 'city.x']] }, INDEXED)[1]).toContain(
      'look up city by the index of city.x of the right',
    )
    const made = { project: few, columns: { n: column('land.x') } }
    expect(stepsOf({ join: [cities, made], on: [['city.x', 'n']] }, INDEXED)[2]).toContain(
      'by the index of city.x of the left',
    )
  })
})
