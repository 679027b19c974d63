/** Stored queries: written here or elsewhere, read as named views, in a context, at a moment, and watched. */

import { describe, expect, it, onTestFinished } from 'vitest'
import { from, fromView, type LiveRows, type Namespace, SHIPPED_RESOLVERS } from '../../src/index.ts'
import { codeOf } from '../support/expect.ts'
import { openLoopbackNode, openTestNode, until } from '../support/nodes.ts'

interface User {
  readonly name: string
  readonly age: number
}

const adults = { query: from<User>('user').where({ '>=': [{ var: 'age' }, 18] }), description: 'may vote' }

async function open(): Promise<Namespace> {
  const users = (await openTestNode()).namespace('users')
  await users.put('user', 'ann', { name: 'Ann', age: 30 })
  await users.put('user', 'ben', { name: 'Ben', age: 10 })
  await users.put('user', 'cid', { name: 'Cid', age: 40 })
  return users
}

const idsOf = (users: Namespace, id = 'adults', options = {}) => users.rows(id, options).rows.map((row) => row['id'])

describe('a stored query', () => {
  it('is read as a named view, whole or in pages, and by other queries', async () => {
    const users = await open()
    await users.storeQuery('adults', adults)
    expect(idsOf(users)).toEqual(['ann', 'cid'])
    const first = users.rows('adults', { limit: 1 })
    expect(users.rows('adults', { limit: 1, ...(first.next && { after: first.next }) }).rows).toMatchObject([
      { id: 'cid' },
    ])
    const named = users.query(fromView<User>('adults').where({ '<': [{ var: 'age' }, 35] }))
    expect(named.rows).toMatchObject([{ id: 'ann' }])
    expect(users.get('query', 'adults')?.properties['definition']).toMatchObject({
      semantics: 1,
      description: 'may vote',
    })
  })

  it('is read in a context', async () => {
    const users = await open()
    await users.storeQuery('adults', adults)
    const resolvers = [{ collection: 'user', property: 'age', rule: SHIPPED_RESOLVERS.count }]
    await users.context('counting', { resolvers })
    expect(idsOf(users, 'adults', { context: 'counting' })).toEqual([])
  })

  it('is that of the moment that is asked for', async () => {
    const users = await open()
    const before = users.frontier()
    await users.storeQuery('adults', adults)
    const then = users.frontier()
    await users.storeQuery('adults', { query: from('user').where({ '===': [{ var: 'id' }, 'ben'] }) })
    expect(idsOf(users)).toEqual(['ben'])
    expect(idsOf(users, 'adults', { asOf: then })).toEqual(['ann', 'cid'])
    expect(codeOf(() => users.rows('adults', { asOf: before }))).toBe('RZ_QUERY_UNKNOWN')
  })

  it('that cannot be read is not written here, and passed over where others wrote it', async () => {
    const users = await open()
    const bad = { query: { cross: 1 } as never }
    await expect(users.storeQuery('adults', bad)).rejects.toMatchObject({ code: 'RZ_QUERY_OPERATOR' })
    await users.storeQuery('adults', adults)
    await users.put('query', 'adults', { definition: { query: { cross: 1 }, semantics: 1 } })
    expect(idsOf(users)).toEqual(['ann', 'cid'])
    expect(users.problems()).toMatchObject([{ record: 'query/adults', code: 'RZ_QUERY_OPERATOR' }])
    await users.delete('query', 'adults')
    expect(users.problems()).toEqual([])
    expect(codeOf(() => users.rows('adults'))).toBe('RZ_QUERY_UNKNOWN')
  })

  it('takes effect on another node when it arrives', async () => {
    const writer = await openLoopbackNode()
    const reader = await openLoopbackNode([writer])
    const [there, here] = [reader.namespace('users'), writer.namespace('users')]
    await here.put('user', 'ann', { age: 30 })
    await here.storeQuery('adults', adults)
    await until(
      'the query is there',
      () => there.get('query', 'adults') !== undefined && there.get('user', 'ann') !== undefined,
    )
    expect(idsOf(there)).toEqual(['ann'])
  })

  it('can be watched until its definition changes', async () => {
    const users = await open()
    await users.storeQuery('adults', adults)
    const stop = new AbortController()
    onTestFinished(() => stop.abort())
    const rows = users.watch(fromView<User>('adults').select('name'), { signal: stop.signal })[Symbol.asyncIterator]()
    const added = async () => {
      const { value } = (await rows.next()) as IteratorResult<LiveRows, undefined>
      return value?.added.map((row) => ({ ...row }))
    }
    expect(await added()).toHaveLength(2)
    await users.put('user', 'ben', { age: 20 })
    expect(await added()).toEqual([{ name: 'Ben' }])
    await users.storeQuery('adults', { ...adults, description: 'the same query' })
    await users.put('user', 'dan', { name: 'Dan', age: 50 })
    expect(await added()).toEqual([{ name: 'Dan' }])
    await users.storeQuery('adults', { query: from('user') })
    await expect(rows.next()).rejects.toMatchObject({ code: 'RZ_QUERY_CHANGED' })
  })

  it('tells how it would be run, with the indexes that are of use', async () => {
    const users = await open()
    await users.schema('user', { collection: 'user', schema: true, indexes: ['age'] })
    await users.storeQuery('adults', adults)
    const steps = JSON.stringify(users.explainQuery(fromView('adults')))
    expect(steps).toContain('look up user by the index of age')
    expect(idsOf(users)).toEqual(['ann', 'cid'])
  })
})
