/** Watching queries: rows, then what comes and goes with every change, each whole; what ends a watch; what it refuses. */
import { describe, expect, it, onTestFinished } from 'vitest'
import {
  from,
  fromPointers,
  type LiveRows,
  type Namespace,
  type QueryJson,
  SHIPPED_RESOLVERS,
  type Value,
  type WatchQueryOptions,
} from '../../src/index.ts'
import { openTestNode } from '../support/nodes.ts'

interface User {
  readonly name: string
  readonly age: number
  readonly team: string
}

const open = async (): Promise<Namespace> => (await openTestNode()).namespace('users')
const plain = (rows: LiveRows['added'] | undefined) => rows?.map((row) => ({ ...row }))
const shown = ({ added, removed }: LiveRows) => ({ added: plain(added), removed: plain(removed) })

/** What a watcher is handed, one after the other. */
function watching(users: Namespace, query: QueryJson | { readonly json: QueryJson }, options: WatchQueryOptions = {}) {
  const stop = new AbortController()
  onTestFinished(() => stop.abort())
  const json = 'json' in query ? query.json : query
  const items = users.watch(json, { ...options, signal: stop.signal })[Symbol.asyncIterator]()
  const next = async (): Promise<LiveRows> => {
    const { done, value } = await items.next()
    if (done === true) throw new Error('the watch ended')
    return value
  }
  return { next, items, stop }
}

const adults = from<User>('user')
  .where({ '>=': [{ var: 'age' }, 18] })
  .select('id', 'age')

describe('a watched query', () => {
  it('begins with its rows, though there are none', async () => {
    const users = await open()
    expect(shown(await watching(users, adults).next())).toEqual({ added: [], removed: [] })
    const { position } = await users.put('user', 'b', { age: 20 })
    await users.put('user', 'a', { age: 30 })
    const first = await watching(users, adults).next()
    expect(shown(first)).toEqual({
      added: [
        { id: 'a', age: 30 },
        { id: 'b', age: 20 },
      ],
      removed: [],
    })
    expect(first.position).toBeGreaterThan(position)
  })

  it('goes on with what a change adds and removes, and with nothing for what alters no row', async () => {
    const users = await open()
    await users.put('user', 'a', { age: 20 })
    const { next } = watching(users, adults)
    await next()
    await users.put('user', 'b', { age: 5 })
    await users.put('user', 'a', { name: 'Alice' })
    await users.put('other', 'a', { age: 50 })
    const { position } = await users.put('user', 'a', { age: 21 })
    const change = await next()
    expect(change.position).toBe(position)
    expect(shown(change)).toEqual({ added: [{ id: 'a', age: 21 }], removed: [{ id: 'a', age: 20 }] })
    await users.put('user', 'b', { age: 18 })
    expect(shown(await next())).toEqual({ added: [{ id: 'b', age: 18 }], removed: [] })
    await users.delete('user', 'a')
    expect(shown(await next())).toEqual({ added: [], removed: [{ id: 'a', age: 21 }] })
  })

  it('shows a transaction whole', async () => {
    const users = await open()
    for (const id of ['a', 'b']) await users.put('user', id, { age: 20 })
    const { next } = watching(users, { group: adults.json, by: [], aggregates: { sum: { sum: 'age' } } })
    expect(plain((await next()).added)).toEqual([{ sum: 40 }])
    await users.transaction((transaction) => {
      transaction.put('user', 'a', { age: 19 })
      transaction.put('user', 'b', { age: 22 })
    })
    expect(shown(await next())).toEqual({ added: [{ sum: 41 }], removed: [{ sum: 40 }] })
  })

  it('tells a watcher who is slow what became of many changes, at once', async () => {
    const users = await open()
    const { next } = watching(users, adults)
    await next()
    for (let age = 10; age < 40; age++) await users.put('user', 'a', { age })
    await users.put('user', 'b', { age: 20 })
    await users.delete('user', 'b')
    expect(shown(await next())).toEqual({ added: [{ id: 'a', age: 39 }], removed: [] })
  })

  it('holds all rows in order on request, and watches as many as its limit says', async () => {
    const users = await open()
    for (const [index, id] of ['a', 'b', 'c'].entries()) await users.put('user', id, { age: 20 + index })
    const eldest = adults.order({ descending: 'age' }).limit(2)
    const { next } = watching(users, eldest, { rows: true })
    expect(plain((await next()).rows)?.map(({ id }) => id)).toEqual(['c', 'b'])
    await users.put('user', 'a', { age: 30 })
    const { added, removed, rows } = await next()
    expect([plain(added), plain(removed)]).toEqual([[{ id: 'a', age: 30 }], [{ id: 'b', age: 21 }]])
    expect(plain(rows)?.map(({ id }) => id)).toEqual(['a', 'c'])
    const { next: all } = watching(users, adults.order('age'), { rows: true })
    expect(plain((await all()).rows)?.map(({ id }) => id)).toEqual(['b', 'c', 'a'])
    expect((await watching(users, adults).next()).rows).toBeUndefined()
  })

  it('follows both sides of a join', async () => {
    const users = await open()
    await users.put('user', 'a', { team: 'red' })
    const { next } = watching(
      users,
      from<User, 'u'>('user', { as: 'u' })
        .join(from<{ town: string }, 't'>('team', { as: 't' }), ['u.team', 't.id'])
        .make({ id: { var: 'u.id' }, town: { var: 't.town' } }),
    )
    await next()
    await users.put('team', 'red', { town: 'Riga' })
    expect(shown(await next())).toEqual({ added: [{ id: 'a', town: 'Riga' }], removed: [] })
    await users.put('user', 'a', { team: 'blue' })
    expect(shown(await next())).toEqual({ added: [], removed: [{ id: 'a', town: 'Riga' }] })
  })

  it('follows deltas as rows, their negations, and negations of those', async () => {
    const users = await open()
    const { next } = watching(users, fromPointers({ actor: { in: 'person' }, film: {} }))
    await next()
    const { deltas } = await users.append([
      { localContext: 'actor', target: 'person/keanu', targetContext: 'films' },
      { localContext: 'film', target: 'film/matrix', targetContext: 'cast' },
    ])
    const row = { id: deltas[0], actor: 'person/keanu', film: 'film/matrix' }
    expect(shown(await next())).toEqual({ added: [row], removed: [] })
    const negation = await users.negate(deltas[0] ?? '')
    expect(shown(await next())).toEqual({ added: [], removed: [row] })
    await users.negate(negation.deltas[0] ?? '')
    expect(shown(await next())).toEqual({ added: [row], removed: [] })
  })

  it('is read anew when a resolver of its records changes, by the new rule', async () => {
    const users = await open()
    for (const age of [20, 30]) for (const id of ['a', 'b']) await users.put('user', id, { age })
    const { next } = watching(users, adults)
    await next()
    await users.resolver('other', { collection: 'other', property: 'age', rule: SHIPPED_RESOLVERS.sum ?? null })
    await users.resolver('ages', { collection: 'user', property: 'age', rule: SHIPPED_RESOLVERS.sum ?? null })
    expect(plain((await next()).added)).toEqual([
      { id: 'a', age: 50 },
      { id: 'b', age: 50 },
    ])
    await users.delete('resolver', 'ages')
    expect(plain((await next()).removed)).toEqual([
      { id: 'a', age: 50 },
      { id: 'b', age: 50 },
    ])
  })

  it('is read in its context, as that changes, and ends when that goes', async () => {
    const users = await open()
    const pointsAt = (id: string): Value => ({
      some: [{ var: 'pointers' }, { '===': [{ var: 'target' }, `user/${id}`] }],
    })
    await users.put('user', 'a', { age: 20 })
    await users.put('user', 'b', { age: 30 })
    await users.context('audit', { filter: pointsAt('b') })
    const { next } = watching(users, adults, { context: 'audit' })
    expect(plain((await next()).added)).toEqual([{ id: 'b', age: 30 }])
    await users.context('audit', { filter: pointsAt('a') })
    expect(shown(await next())).toEqual({ added: [{ id: 'a', age: 20 }], removed: [{ id: 'b', age: 30 }] })
    await users.delete('context', 'audit')
    await expect(next()).rejects.toMatchObject({ code: 'RZ_CONTEXT_UNKNOWN' })
  })

  it('shows nothing of another namespace', async () => {
    const node = await openTestNode({ topics: ['users', 'others'] })
    const { next } = watching(node.namespace('users'), adults)
    await next()
    await node.namespace('others').put('user', 'a', { age: 40 })
    await node.namespace('users').put('user', 'b', { age: 41 })
    expect(plain((await next()).added)).toEqual([{ id: 'b', age: 41 }])
  })

  it('reads more than fits a slice while others write, and misses nothing', async () => {
    const users = await open()
    const put = (index: number, age: number) => users.put('user', `${index}`, { age })
    await Promise.all(Array.from({ length: 2_000 }, (_, index) => put(index, 18)))
    const { next } = watching(users, from<User>('user').group([], { sum: { sum: 'age' }, count: { count: true } }))
    const first = next()
    for (let index = 0; index < 3_000; index += 10) await put(index, 28)
    const last = { sum: 2_000 * 18 + 200 * 10 + 100 * 28, count: 2_100 }
    let told = await first
    while (told.added[0]?.['count'] !== last.count || told.added[0]['sum'] !== last.sum) told = await next()
    expect(plain(told.added)).toEqual([last])
  })

  it('ends with its signal, with its reader, and with the node', async () => {
    const node = await openTestNode()
    const users = node.namespace('users')
    const [one, two, three] = [watching(users, adults), watching(users, adults), watching(users, adults)]
    for (const { next } of [one, two, three]) await next()
    const waiting = one.items.next()
    one.stop.abort()
    expect((await waiting).done).toBe(true)
    await two.items.return?.()
    expect((await two.items.next()).done).toBe(true)
    const last = three.items.next()
    await node.close()
    expect((await last).done).toBe(true)
  })

  it.each([
    [{ sellect: {} }, 'RZ_QUERY_OPERATOR'],
    [{ project: { collection: 'user', columns: ['id'] }, columns: ['x'] }, 'RZ_QUERY_COLUMN'],
    [{ limit: { collection: 'user' }, count: 0 }, 'RZ_QUERY_INVALID'],
    [{ limit: { collection: 'user' }, count: 1, after: 'x' }, 'RZ_QUERY_CURSOR'],
    [{ select: { collection: 'user' }, where: { boom: 1 } }, 'RZ_RULE_OPERATOR'],
  ])('is refused at once when it is none: %j', async (query, code) => {
    const users = await open()
    expect(() => users.watch(query as never)).toThrow(expect.objectContaining({ code }) as Error)
    expect(() => users.watch(adults, { context: 'none' })).toThrow(
      expect.objectContaining({ code: 'RZ_CONTEXT_UNKNOWN' }) as Error,
    )
  })
})
