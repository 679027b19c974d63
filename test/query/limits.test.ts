/** Queries that mean harm, or more than a node should do: each ends within its limits, with a code. */

import { describe, expect, it } from 'vitest'
import { CURSOR_UNITS_MAX, PAGE_BYTES_MAX } from '../../src/query/limits.ts'
import type { Value } from '../../src/delta/delta.ts'
import type { Json } from '../../src/delta/json.ts'
import { codeOf } from '../support/expect.ts'
import { allRows, type Collections, page } from './list-source.ts'

const data: Collections = {
  n: Array.from({ length: 300 }, (_, index) => ({
    id: `${index}`,
    same: 1,
    next: `${index + 1}`,
    list: Array.from({ length: 100 }, (_item, item) => item),
  })),
  big: Array.from({ length: 20 }, (_, index) => ({ id: `${index}`, text: 'x'.repeat(400_000) })),
}
const columns = ['id', 'same']
const LIMITS = { stepsMax: 100_000, rowsHeldMax: 10_000, bytesHeldMax: 4_000_000 }

/** n joined with itself by a column in which all rows agree, so many times. */
function power(times: number): Json {
  let query: Json = { collection: 'n', columns }
  for (let time = 0; time < times; time++) {
    const right = {
      project: { collection: 'n' },
      columns: { [`id${time}`]: { var: 'id' }, [`s${time}`]: { var: 'same' } },
    }
    query = { join: [query, right], on: [['same', `s${time}`]] }
  }
  return query
}

const everything = { group: power(5), by: [], aggregates: { n: { count: true } } }
const accumulator = { var: 'accumulator' }
const doubling: Json = { reduce: [{ var: 'list' }, { merge: [accumulator, accumulator] }, { var: 'list' }] }

const hostile: readonly (readonly [title: string, query: unknown, code: string])[] = [
  ['counts a product of six', everything, 'RZ_QUERY_LIMIT'],
  ['sorts a product of two', { order: power(1), by: ['id'] }, 'RZ_QUERY_LIMIT'],
  [
    'collects a product of two',
    { group: power(1), by: ['same'], aggregates: { all: { collect: 'id' } } },
    'RZ_QUERY_LIMIT',
  ],
  [
    'unnests a product',
    {
      union: [
        { unnest: { collection: 'n' }, column: 'list' },
        { unnest: { collection: 'n' }, column: 'list' },
      ],
    },
    'RZ_QUERY_LIMIT',
  ],
  [
    'follows a long chain from everywhere',
    {
      union: [
        { closure: { collection: 'n' }, from: 'id', to: 'next', depthMax: 1_000 },
        { closure: { collection: 'n' }, from: 'id', to: 'next' },
      ],
    },
    'RZ_QUERY_LIMIT',
  ],
  ['holds large rows', { order: { collection: 'big' }, by: ['text'] }, 'RZ_QUERY_LIMIT'],
  ['holds large rows for a difference', { minus: [{ collection: 'n' }, { collection: 'big' }] }, 'RZ_QUERY_LIMIT'],
  ['looks for a row that is not there', { select: power(2), where: false }, 'RZ_QUERY_LIMIT'],
  ['runs a rule that doubles', { select: { collection: 'n' }, where: doubling }, 'RZ_RULE_GAS'],
  ['runs rules on the rows of a product', { select: power(1), where: { '!': [{ var: 'id' }] } }, 'RZ_QUERY_LIMIT'],
]

describe('a query that', () => {
  it.each(hostile)('%s ends within the limits', (_, query, code) => {
    expect(codeOf(() => page(query, data, LIMITS))).toBe(code)
  })

  it('asks for one page of a huge product gets it', () => {
    expect(page({ limit: power(5), count: 7 }, data, LIMITS).rows).toHaveLength(7)
  })

  it('reads prototypes finds nothing', () => {
    const columnsOfPrototype = Object.fromEntries(
      ['constructor', 'toString', 'hasOwnProperty'].map((name) => [name, { var: name }] as const),
    )
    const [row] = page({ project: { collection: 'n' }, columns: columnsOfPrototype }, data).rows
    expect({ ...row }).toEqual({ constructor: null, toString: null, hasOwnProperty: null })
  })

  it('names a column like a prototype’s property gets a column', () => {
    const columnsOfPrototype = JSON.parse('{ "__proto__": { "var": "same" } }') as Json
    const [row] = page({ project: { collection: 'n' }, columns: columnsOfPrototype }, data).rows
    expect(Object.entries(row ?? {})).toEqual([['__proto__', 1]])
  })
})

describe('a page', () => {
  it('of large rows is cut short, and the next goes on', () => {
    const { rows, next } = page({ collection: 'big' }, data)
    expect(rows.length).toBeLessThan(20)
    expect(JSON.stringify(rows).length).toBeLessThan(PAGE_BYTES_MAX)
    expect(page({ limit: { collection: 'big' }, count: 1, after: next }, data).rows).toHaveLength(1)
    expect(allRows({ collection: 'big' }, data)).toHaveLength(20)
  })

  it('ordered by what is nested too deeply for a cursor is refused when another follows', () => {
    const deep = (top: number): Value => Array.from({ length: 31 }).reduce<Value>((value) => [value], top)
    const records = { deep: [1, 2].map((top) => ({ id: `${top}`, value: deep(top) })) }
    const query = (names: readonly string[]) => ({
      limit: { project: { collection: 'deep' }, columns: names },
      count: 1,
    })
    expect(codeOf(() => page(query(['value']), records))).toBe('nothing')
    const nested = {
      limit: { project: { collection: 'deep', as: 'd' }, columns: { d: { var: 'd.value' }, e: [{ var: 'd.value' }] } },
      count: 1,
    }
    expect(codeOf(() => page(nested, records))).toBe('RZ_QUERY_LIMIT')
    expect(codeOf(() => page(query(['id', 'value']), records))).toBe('nothing')
  })

  it('ordered by more than a cursor holds is refused when another follows', () => {
    const query = { order: { project: { collection: 'big' }, columns: ['id', 'text'] }, by: ['text'] }
    expect(codeOf(() => page({ limit: query, count: 1 }, data))).toBe('RZ_QUERY_LIMIT')
    expect(CURSOR_UNITS_MAX).toBeLessThan(400_000)
  })
})
