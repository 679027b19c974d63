/** Watching: views again when something that bears upon them changes, from a cursor that misses nothing. */
import { describe, expect, it, onTestFinished } from 'vitest'
import {
  type Namespace,
  type Position,
  SHIPPED_RESOLVERS,
  trustOnly,
  type WatchedView,
  type WatchOptions,
} from '../../src/index.ts'
import { openTestNode } from '../support/nodes.ts'

const open = async (): Promise<Namespace> => (await openTestNode()).namespace('users')
const sum = { collection: 'user', property: 'n', rule: SHIPPED_RESOLVERS.sum }
const shown = ({ id, view }: WatchedView) => [id, view?.properties]

/** What a watcher is handed, one after the other. */
function watching(users: Namespace, options: WatchOptions = {}) {
  const stop = new AbortController()
  onTestFinished(() => stop.abort())
  const views = users.watch('user', { ...options, signal: stop.signal })[Symbol.asyncIterator]()
  const next = async (): Promise<WatchedView> => {
    const { done, value } = await views.next()
    if (done === true) throw new Error('the watch ended')
    return value
  }
  return { next, views, stop }
}

describe('watching', () => {
  it('a record hands out its view after each change of it, and of nothing else', async () => {
    const users = await open()
    const { next } = watching(users, { id: 'a' })
    await users.put('user', 'a', { n: 1 })
    expect(shown(await next())).toEqual(['a', { n: 1 }])
    await users.put('user', 'b', { n: 1 })
    await users.put('other', 'a', { n: 1 })
    await users.append([{ localContext: 'note', target: 'elsewhere', targetContext: 'notes' }])
    await users.put('user', 'a', { n: 2 })
    expect(shown(await next())).toEqual(['a', { n: 2 }])
  })

  it('a collection hands out each record of a block once', async () => {
    const users = await open()
    const { next } = watching(users)
    await users.transaction((transaction) => {
      for (const id of ['a', 'b']) transaction.put('user', id, { n: id, m: id })
      transaction.put('other', 'c', { n: 1 })
    })
    expect([shown(await next()), shown(await next())]).toEqual([
      ['a', { n: 'a', m: 'a' }],
      ['b', { n: 'b', m: 'b' }],
    ])
    await users.put('user', 'd', { n: 1 })
    expect((await next()).id).toBe('d')
  })

  it('tells of negations, of negations of those, and that nothing stands any more', async () => {
    const users = await open()
    const { deltas } = await users.put('user', 'a', { n: 1 })
    const { next } = watching(users, { id: 'a' })
    const negation = await users.negate(deltas[0] ?? '')
    expect(await next()).toEqual({ position: negation.position, id: 'a' })
    await users.negate(negation.deltas[0] ?? '')
    expect(shown(await next())).toEqual(['a', { n: 1 }])
  })

  it('passes over a negation of what is no delta', async () => {
    const users = await open()
    const { next } = watching(users, { id: 'a' })
    await users.append([{ localContext: 'negates', target: 'nonsense', targetContext: 'negated_by' }])
    await users.put('user', 'a', { n: 1 })
    expect(shown(await next())).toEqual(['a', { n: 1 }])
  })

  it('hands all out again when a resolver of the collection comes, changes or goes, and no other one', async () => {
    const users = await open()
    for (const n of [1, 2]) for (const id of ['a', 'b']) await users.put('user', id, { n })
    const { next } = watching(users)
    await users.resolver('other', { ...sum, collection: 'other' })
    await users.resolver('n', sum)
    expect([shown(await next()), shown(await next())]).toEqual([
      ['a', { n: 3 }],
      ['b', { n: 3 }],
    ])
    await users.delete('resolver', 'n')
    expect(shown(await next())).toEqual(['a', { n: 2 }])
  })

  it('in a context hands out its views, and again when the context changes', async () => {
    const users = await open()
    await users.put('user', 'a', { n: 1 })
    await users.context('trusted', trustOnly([]))
    const { next } = watching(users, { context: 'trusted' })
    await users.context('other', trustOnly([]))
    await users.context('trusted', {})
    expect(shown(await next())).toEqual(['a', { n: 1 }])
  })

  it('ends with an error when its context goes', async () => {
    const users = await open()
    await users.context('mine', {})
    await users.put('user', 'a', { n: 1 })
    const { next } = watching(users, { context: 'mine' })
    await users.delete('context', 'mine')
    await expect(next()).rejects.toMatchObject({ code: 'RZ_CONTEXT_UNKNOWN' })
  })

  it('goes on behind a position, and misses nothing of a block that was dealt with in part', async () => {
    const users = await open()
    await users.put('user', 'a', { n: 1 })
    const after = users.position()
    await users.transaction((transaction) => {
      for (const id of ['a', 'b', 'c']) transaction.put('user', id, { n: 2 })
    })
    await users.put('user', 'd', { n: 3 })
    const first = watching(users, { after })
    const seen = [await first.next(), await first.next()]
    const second = watching(users, { after: seen.at(-1)?.position ?? (0 as Position) })
    for (let count = 0; count < 4; count++) seen.push(await second.next())
    expect([...new Set(seen.map(({ id }) => id))]).toEqual(['a', 'b', 'c', 'd'])
    expect(seen.at(-1)?.position).toBe(users.position())
  })

  it('ends with its signal, and with the node', async () => {
    const node = await openTestNode()
    const users = node.namespace('users')
    const first = watching(users)
    const ending = first.views.next()
    first.stop.abort()
    expect(await ending).toMatchObject({ done: true })
    const second = watching(users).views.next()
    await node.close()
    expect(await second).toMatchObject({ done: true })
  })

  it('refuses what is no collection or id', async () => {
    const users = await open()
    const refused = expect.objectContaining({ code: 'RZ_RECORD_INVALID' })
    expect(() => users.watch('a/b')).toThrow(refused)
    expect(() => users.watch('user', { id: '' })).toThrow(refused)
  })
})
