import { describe, expect, it } from 'vitest'
import { from } from '../../../src/index.ts'
import { openTestNode } from '../../support/nodes.ts'

describe('a namespace that is held here whole', () => {
  it('is read at once, and this node has answered', async () => {
    const node = await openTestNode()
    const users = node.everywhere('users')
    const put = await users.put('user', 'alice', { name: 'Alice', age: 3 })
    expect(put.answeredBy).toEqual([node.peerId])
    expect(put.deltas).toHaveLength(2)

    const answeredBy = [node.peerId]
    const alice = { id: 'alice', properties: { name: 'Alice', age: 3 } }
    expect(users.get('user', 'alice')).toEqual({ value: alice, answeredBy })
    expect(users.get('user', 'bob')).toEqual({ value: undefined, answeredBy })
    expect(users.ids('user')).toEqual({ value: ['alice'], answeredBy })
    expect(users.collections()).toEqual({ value: ['user'], answeredBy })
    const rows = [{ name: 'Alice' }]
    expect(users.query(from<{ name: string }>('user').select('name'))).toEqual({ value: { rows }, answeredBy })
    await node.namespace('users').storeQuery('names', { query: from<{ name: string }>('user').select('name') })
    expect(users.rows('names')).toEqual({ value: { rows }, answeredBy })
  })

  it('is written as the namespace itself is', async () => {
    const node = await openTestNode()
    const users = node.everywhere('users')
    await users.transaction((transaction) => {
      transaction.put('user', 'alice', { name: 'Alice' })
      transaction.put('team', 'a', { lead: 'alice' })
    })
    expect(node.namespace('users').ids('team')).toEqual(['a'])
    expect((await users.delete('user', 'alice')).answeredBy).toEqual([node.peerId])
    expect(node.namespace('users').get('user', 'alice')).toBeUndefined()
    await expect(users.put('a/b', 'c', { x: 1 })).rejects.toMatchObject({ code: 'RZ_RECORD_INVALID' })
  })

  it('is watched', async () => {
    const users = (await openTestNode()).everywhere('users')
    const watched = users.watch('user')[Symbol.asyncIterator]()
    const next = watched.next()
    await users.put('user', 'alice', { age: 3 })
    expect((await next).value).toMatchObject({ id: 'alice', view: { properties: { age: 3 } } })
    await watched.return?.()
  })

  it('must be one in which this node takes part', async () => {
    const node = await openTestNode()
    expect(() => node.everywhere('other')).toThrow(expect.objectContaining({ code: 'RZ_NAMESPACE_UNKNOWN' }))
  })
})
