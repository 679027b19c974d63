import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  from,
  fromPointers,
  type Namespace,
  openNode,
  type RhizomeNode,
  SHIPPED_RESOLVERS,
  type Value,
} from '../../src/index.ts'
import { openTestNode } from '../support/nodes.ts'

interface Country {
  readonly name: { readonly common: string }
  readonly borders: readonly string[]
  readonly area: number
}

/** 250 countries with borders, by their three letters: `world-countries`. */
async function importCountries(geo: Namespace): Promise<void> {
  const path = createRequire(import.meta.url).resolve('world-countries/countries.json')
  const countries = JSON.parse(readFileSync(path, 'utf8')) as ({ readonly cca3: string } & Record<string, Value>)[]
  await Promise.all(countries.map(({ cca3, ...properties }) => geo.put('country', cca3, properties)))
}

describe('countries', () => {
  let node: RhizomeNode
  let geo: Namespace
  beforeAll(async () => {
    node = await openNode({ topics: ['geo'], memory: true, network: false })
    geo = node.namespace('geo')
    await importCountries(geo)
    return () => node.close()
  })

  it('that border France are found by a rule over the collection', () => {
    const { rows } = geo.query(
      from<Country>('country')
        .where({ in: ['FRA', { var: 'borders' }] })
        .select('id')
        .order('id'),
    )
    expect(rows.map(({ id }) => id)).toEqual(['AND', 'BEL', 'CHE', 'DEU', 'ESP', 'ITA', 'LUX', 'MCO'])
  })

  it('that can be reached from Portugal by land are a closure over borders', () => {
    const borders = from<Country>('country', { columns: ['id', 'borders'] }).unnest('borders', 'border')
    const { rows } = geo.query(borders.closure('id', 'border', { start: ['PRT'] }))
    const reached = new Set(rows.map(({ border }) => border))
    expect(reached.has('CHN')).toBe(true)
    expect(reached.has('ZAF')).toBe(true)
    expect(reached.has('GBR')).toBe(false)
  })

  it('are paged by a cursor, and how a query runs can be asked', () => {
    const query = from<Country>('country').select('id').order('id')
    const first = geo.query(query.limit(200))
    const rest = geo.query(query.limit(200, first.next))
    expect([first.rows.length, rest.rows.length, rest.next]).toEqual([200, 50, undefined])
    expect(JSON.stringify(geo.explainQuery(query))).toContain('country')
  })
})

describe('a delta with many pointers', () => {
  it('is a row with a column for each', async () => {
    const films = (await openTestNode({ topics: ['films'] })).namespace('films')
    await films.append([
      { localContext: 'actor', target: 'keanu', targetContext: 'roles' },
      { localContext: 'role', target: 'neo', targetContext: 'actor' },
      { localContext: 'film', target: 'the_matrix', targetContext: 'cast' },
      { localContext: 'base_salary', target: 1_000_000 },
      { localContext: 'salary_currency', target: 'usd' },
    ])
    const { rows } = films.query(fromPointers({ actor: {}, role: {}, film: {}, base_salary: {} }))
    expect(rows).toMatchObject([{ actor: 'keanu', role: 'neo', film: 'the_matrix', base_salary: 1_000_000 }])
  })
})

describe('a query', () => {
  it('reads in a context, at a moment, by the resolvers of the namespace', async () => {
    const shop = (await openTestNode({ topics: ['shop'] })).namespace('shop')
    await shop.put('item', 'tea', { sold: 1 })
    await shop.put('item', 'tea', { sold: 2 })
    const before = shop.frontier()
    await shop.resolver('sold', { collection: 'item', property: 'sold', rule: SHIPPED_RESOLVERS.sum })
    const query = from('item')
    expect(shop.query(query).rows).toMatchObject([{ id: 'tea', sold: 3 }])
    expect(shop.query(query, { asOf: before }).rows).toMatchObject([{ id: 'tea', sold: 2 }])
    expect(() => shop.query(query, { context: 'nowhere' })).toThrow(
      expect.objectContaining({ code: 'RZ_CONTEXT_UNKNOWN' }),
    )
  })

  it('that cannot be read says why with a code', async () => {
    const shop = (await openTestNode({ topics: ['shop'] })).namespace('shop')
    expect(() => shop.query({ sellect: {} } as never)).toThrow(expect.objectContaining({ code: 'RZ_QUERY_OPERATOR' }))
  })
})
