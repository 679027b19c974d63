/** Anyone may write a rule that takes all the gas of a view: reads that make many views end, or go less far, and say so. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Namespace, openNode, type RhizomeNode, type Value } from '../../src/index.ts'

const hundred = Array.from({ length: 100 }, (_, index) => index)
const COSTLY: Value = {
  reduce: [hundred, { map: [hundred, { map: [hundred, { '+': [{ var: '' }, 1] }] }] }, 0],
}
/** Views of so many records take more than a query may. */
const COUNT = 400

describe('where rules are costly', () => {
  let node: RhizomeNode
  let users: Namespace

  afterAll(() => node.close())

  beforeAll(async () => {
    node = await openNode({ topics: ['users'], memory: true, network: false })
    users = node.namespace('users')
    for (const property of ['p', 'q', 'r']) {
      await users.resolver(property, { collection: 'user', property, rule: COSTLY })
    }
    await users.transaction((transaction) => {
      for (let index = 0; index < COUNT; index++) transaction.put('user', `${index}`, { p: 1, q: 1, r: 1, n: index })
    })
  })

  it('a query ends at its limit, whether the views are kept or not', async () => {
    const query = { collection: 'user', columns: ['id'] }
    for (const options of [{}, {}, { asOf: users.frontier() }]) {
      expect(() => users.query(query, options)).toThrow(expect.objectContaining({ code: 'RZ_QUERY_LIMIT' }))
    }
    expect(users.query({ select: { collection: 'user' }, where: { '===': [{ var: 'id' }, '7'] } }).rows).toMatchObject([
      { id: '7', n: 7 },
    ])
  })

  it('a query for deltas ends where the filter of its context takes too much', async () => {
    const filter = { '>': [{ reduce: [hundred, { reduce: [hundred, { var: 'accumulator' }, 0] }, 0] }, 1] }
    await users.context('c', { filter })
    await users.transaction((transaction) => {
      for (let index = 0; index < 4_000; index++) transaction.put('many', `${index}`, { n: index })
    })
    const query = { pointers: { many: { in: 'many' }, n: {} } }
    expect(users.query(query).rows).toHaveLength(1_000)
    expect(() => users.query(query, { context: 'c' })).toThrow(expect.objectContaining({ code: 'RZ_QUERY_LIMIT' }))
  })

  it('a history goes less far back, and says how far', async () => {
    for (let value = 0; value < 60; value++)
      await users.put('user', 'often', { p: value, q: value, r: value, m: value })
    const { moments, skippedCount } = users.history('user', 'often', 'm', { deltasMax: 1_000 })
    expect(skippedCount).toBeGreaterThan(100)
    expect(moments.at(-1)?.after).toEqual({ value: 59 })
    expect(users.history('user', 'often', 'm', { deltasMax: 1 })).toMatchObject({ skippedCount: 239 })
  })

  it('references are expanded as far as that goes', async () => {
    await users.schema('list', { collection: 'list', schema: {}, references: { of: 'user' } })
    await users.put('list', 'all', { of: hundred.map((index) => `${index}`) })
    await users.put('list', 'one', { of: hundred.map(() => '3') })
    for (const options of [{}, { asOf: users.frontier() }]) {
      const shown = users.get('list', 'all', { ...options, expand: 1 })?.references?.['of']
      expect(shown).toContainEqual(expect.objectContaining({ id: '0', properties: { n: 0 } }))
      const last = [shown].flat().at(-1)
      expect(last).toMatchObject({
        error: { code: 'RZ_REFERENCE_LIMIT', message: expect.stringContaining('too much') },
      })
      const same = users.get('list', 'one', { ...options, expand: 1 })?.references?.['of']
      expect(same).toHaveLength(100)
      expect(JSON.stringify(same)).not.toContain('RZ_REFERENCE_LIMIT')
    }
  })
})
