/** The real data set: the world's countries as records, their land borders as lists and as deltas of two pointers. */

import { createRequire } from 'node:module'
import { beforeAll, describe, expect, it } from 'vitest'
import type { Pointer, Value } from '../../src/delta/delta.ts'
import { from, type Fluent, fromPointers } from '../../src/query/from.ts'
import { runQuery } from '../../src/query/run.ts'
import { openMemoryStore } from '../../src/store/memory.ts'
import type { Store } from '../../src/store/store.ts'
import { claim, NAMESPACE, NAMESPACE_NAME, TestLog } from '../support/blocks.ts'

interface Source {
  readonly cca3: string
  readonly name: { readonly common: string }
  readonly area: number
  readonly region: string
  readonly borders: readonly string[]
}

interface Country {
  readonly name: string
  readonly area: number
  readonly region: string
  readonly borders: readonly string[]
}

const source = createRequire(import.meta.url)('world-countries') as readonly Source[]
let store: Store

function border(a: string, b: string): readonly Pointer[] {
  return [
    { localContext: 'from', target: `country/${a}`, targetContext: 'borders to' },
    { localContext: 'to', target: `country/${b}`, targetContext: 'borders from' },
  ]
}

beforeAll(() => {
  store = openMemoryStore()
  store.openNamespace(NAMESPACE, NAMESPACE_NAME)
  const log = new TestLog()
  for (const { cca3, name, area, region, borders } of source) {
    const properties: Readonly<Record<string, Value>> = { name: name.common, area, region, borders }
    const claims = Object.entries(properties).map(([property, value]) => claim('country', cca3, property, value))
    store.commit(log.write([...claims, ...borders.map((other) => border(cca3, other))]))
  }
})

const rows = (query: Fluent<unknown>) => runQuery(query.json, store, NAMESPACE).rows.map((row) => ({ ...row }))
const codesOf = (query: Fluent<unknown>, column: string) => rows(query).map((row) => row[column])

/** What can be reached over land, by hand. */
function reachable(start: string): readonly string[] {
  const found = new Set<string>()
  const queue = [start]
  for (const code of queue) {
    for (const next of source.find(({ cca3 }) => cca3 === code)?.borders ?? []) {
      if (found.has(next)) continue
      found.add(next)
      queue.push(next)
    }
  }
  return [...found].sort()
}

describe('of the world’s countries', () => {
  const country = from<Country, 'c'>('country', { as: 'c' })
  const pairs = from<Country>('country', { columns: ['id', 'borders'] })
    .unnest('borders', 'border')
    .select('id', 'border')
  const french = ['Andorra', 'Belgium', 'Germany', 'Italy', 'Luxembourg', 'Monaco', 'Spain', 'Switzerland']

  it('those that border France are found by the lists of their borders', () => {
    const query = pairs
      .where({ '===': [{ var: 'id' }, 'FRA'] })
      .join(country, ['border', 'c.id'])
      .make({ name: { var: 'c.name' } })
      .order('name')
    expect(codesOf(query, 'name')).toEqual(french)
  })

  it('those that border France are found by deltas of two pointers', () => {
    const named = from<Country & { readonly self: string }, 'c'>('country', { as: 'c', entity: 'self' })
    const query = fromPointers({ from: { entity: 'country/FRA' }, to: { in: 'country' } })
      .join(named, ['to', 'c.self'])
      .make({ name: { var: 'c.name' } })
      .order('name')
    expect(codesOf(query, 'name')).toEqual(french)
  })

  it('all that can be reached from Portugal over land are found, with the borders on the way', () => {
    const query = pairs.closure('id', 'border', { start: ['PRT'], depth: 'borders' }).order('border')
    expect(codesOf(query, 'border')).toEqual(reachable('PRT'))
    const near = rows(query.where({ '<': [{ var: 'borders' }, 3] }))
    expect(near.map(({ border: code, borders }) => [code, borders])).toEqual([
      ['AND', 2],
      ['ESP', 1],
      ['FRA', 2],
      ['GIB', 2],
      ['MAR', 2],
      ['PRT', 2],
    ])
    expect(codesOf(query, 'border')).toContain('ZAF')
    expect(codesOf(query, 'border')).not.toContain('GBR')
  })

  it('the ten largest are found', () => {
    const byArea = [...source].sort((a, b) => b.area - a.area).slice(0, 10)
    const query = from<Country>('country').order({ descending: 'area' }).limit(10).select('name', 'area')
    expect(new Set(codesOf(query, 'name'))).toEqual(new Set(byArea.map(({ name }) => name.common)))
    const ordered = from<Country>('country').select('name', 'area').order({ descending: 'area' }).limit(10)
    expect(codesOf(ordered, 'name')).toEqual(byArea.map(({ name }) => name.common))
  })

  it('those of a region are counted, and the islands told from the rest', () => {
    const countries = from<Country>('country', { columns: ['id', 'region'] })
    const counts = countries.group(['region'], { countries: { count: true } })
    const europe = source.filter(({ region }) => region === 'Europe')
    expect(rows(counts)).toContainEqual({ region: 'Europe', countries: europe.length })
    const islands = countries.lacking(pairs, 'id').where({ '===': [{ var: 'region' }, 'Europe'] })
    expect(codesOf(islands, 'id')).toEqual(
      europe
        .filter(({ borders }) => borders.length === 0)
        .map(({ cca3 }) => cca3)
        .sort(),
    )
    const others = countries.minus(countries.having(pairs, 'id')).where({ '===': [{ var: 'region' }, 'Europe'] })
    expect(rows(others)).toEqual(rows(islands))
  })

  it('a column may be renamed, sides united, intersected, and joined though nothing matches', () => {
    const countries = from<Country>('country', { columns: ['id', 'region'] })
    const [asia, island] = ['Asia', 'Oceania'].map((region) =>
      countries.where({ '===': [{ var: 'region' }, region] }),
    ) as [typeof countries, typeof countries]
    const both = asia.union(island)
    expect(rows(both)).toHaveLength(source.filter(({ region }) => region === 'Asia' || region === 'Oceania').length)
    expect(rows(both.intersect(asia))).toEqual(rows(asia))
    const alone = island.select('id').leftJoin(pairs.rename('id', 'neighbour'), ['id', 'border'])
    expect(rows(alone)).toContainEqual({ id: 'FJI', neighbour: null, border: null })
    expect(rows(alone)).toContainEqual({ id: 'PNG', neighbour: 'IDN', border: 'PNG' })
  })
})

describe('a fluent query', () => {
  it('is the JSON form and nothing else', () => {
    const query = from<Country>('country').where({ var: 'area' }).select('name').limit(5, 'cursor')
    expect(query.json).toEqual({
      limit: { project: { select: { collection: 'country' }, where: { var: 'area' } }, columns: ['name'] },
      count: 5,
      after: 'cursor',
    })
  })
})
