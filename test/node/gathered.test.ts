/** Transactions of the older rhizome-node's kind, as their deltas come in: none of it is seen until all of it is there. */
import { describe, expect, it, onTestFinished } from 'vitest'
import { from, type Namespace, type Pointer, type WatchedView } from '../../src/index.ts'
import { isComplete } from '../../src/delta/gathered.ts'
import { claim, logId, NAMESPACE, NAMESPACE_NAME, runOf, signer, TestLog } from '../support/blocks.ts'
import { Freshness } from '../../src/node/freshness.ts'
import { localContexts } from '../../src/node/local-contexts.ts'
import { Views } from '../../src/node/views.ts'
import { Following } from '../../src/node/watch-query.ts'
import { LiveQuery } from '../../src/query/live/live-query.ts'
import { openMemoryStore } from '../../src/store/memory.ts'
import { openLoopbackNode, openTestNode, temporaryFolder, until } from '../support/nodes.ts'

const open = async (): Promise<Namespace> => (await openTestNode()).namespace('users')

/** As the original's `TypedCollection.put` wrote a property. */
function member(transaction: string, id: string, property: string, value: string | number): readonly Pointer[] {
  return [
    { localContext: '_transaction', target: transaction, targetContext: 'deltas' },
    { localContext: 'user', target: `user/${id}`, targetContext: property },
    { localContext: property, target: value },
  ]
}

function size(transaction: string, count: unknown): readonly Pointer[] {
  return [
    { localContext: '_transaction', target: transaction, targetContext: 'size' },
    { localContext: 'size', target: count as number },
  ]
}

const shown = (users: Namespace, id: string) => users.get('user', id)?.properties

describe('a transaction', () => {
  it('of which a delta is lacking shows nothing; complete, it shows all, and no trace of itself in a value', async () => {
    const users = await open()
    await users.append(size('t', 3))
    await users.append(member('t', 'a', 'name', 'Ann'))
    await users.append(member('t', 'a', 'age', 3))
    expect(shown(users, 'a')).toBeUndefined()
    expect(users.lossless('user/a')).toBeUndefined()
    expect(users.ids('user')).toEqual([])
    expect(users.query(from('user')).rows).toEqual([])
    await users.append(member('t', 'b', 'name', 'Bob'))
    expect(shown(users, 'a')).toEqual({ name: 'Ann', age: 3 })
    expect(shown(users, 'b')).toEqual({ name: 'Bob' })
    expect(users.ids('user')).toEqual(['a', 'b'])
    expect(users.query(from('user')).rows).toHaveLength(2)
  })

  it('whose size nobody has declared shows nothing, in whatever order its deltas come', async () => {
    const users = await open()
    await users.append(member('t', 'a', 'name', 'Ann'))
    expect(shown(users, 'a')).toBeUndefined()
    await users.append(size('other', 1))
    expect(shown(users, 'a')).toBeUndefined()
    await users.append(size('t', 1))
    expect(shown(users, 'a')).toEqual({ name: 'Ann' })
  })

  it('is completed by what comes later, from another node, on every node', async () => {
    const one = await openLoopbackNode()
    const two = await openLoopbackNode([one])
    const [here, there] = [one.namespace('users'), two.namespace('users')]
    await here.append(size('t', 2))
    await here.append(member('t', 'a', 'name', 'Ann'))
    await until('the other has it', () => there.counts().deltas === 2)
    expect(shown(there, 'a')).toBeUndefined()
    await there.append(member('t', 'b', 'name', 'Bob'))
    await until('it is complete', () => shown(here, 'b') !== undefined)
    for (const users of [here, there]) expect(shown(users, 'a')).toEqual({ name: 'Ann' })
  })

  it('with more deltas than it should have is complete', async () => {
    const users = await open()
    await users.append(size('t', 1))
    await users.append(member('t', 'a', 'name', 'Ann'))
    await users.append(member('t', 'a', 'age', 3))
    expect(shown(users, 'a')).toEqual({ name: 'Ann', age: 3 })
  })

  it.each([
    [2, 9],
    [9, 2],
  ])(
    'of two declared sizes, %d and %d, has the lesser: nobody can hide it by declaring more',
    async (first, second) => {
      const users = await open()
      await users.append(size('t', first))
      await users.append(member('t', 'a', 'name', 'Ann'))
      await users.append(member('t', 'a', 'age', 3))
      await users.append(size('t', second))
      expect(shown(users, 'a')).toEqual({ name: 'Ann', age: 3 })
    },
  )

  it.each([[0], [-1], ['2'], [null]])('whose size is %j has none', async (count) => {
    const users = await open()
    await users.append(size('t', count))
    await users.append(member('t', 'a', 'name', 'Ann'))
    expect(shown(users, 'a')).toBeUndefined()
  })

  it('is seen at a moment as far as it was complete then', async () => {
    const users = await open()
    await users.append(member('t', 'a', 'name', 'Ann'))
    const before = users.frontier()
    await users.append(size('t', 1))
    const after = users.frontier()
    expect(users.get('user', 'a', { asOf: before })).toBeUndefined()
    expect(users.get('user', 'a', { asOf: after })?.properties).toEqual({ name: 'Ann' })
    expect(users.query(from('user'), { asOf: before }).rows).toEqual([])
    expect(users.diff('user', 'a', { from: before, to: after })).toHaveLength(1)
  })

  it('shows in what is kept, watched and followed, once it is complete', async () => {
    const users = await open()
    expect(shown(users, 'a')).toBeUndefined()
    const stop = new AbortController()
    onTestFinished(() => stop.abort())
    const views = users.watch('user', { id: 'a', signal: stop.signal })[Symbol.asyncIterator]()
    await users.append(member('t', 'a', 'name', 'Ann'))
    const first = (await views.next()).value as WatchedView
    expect(first.view).toBeUndefined()
    expect(shown(users, 'a')).toBeUndefined()
    await users.append(member('t', 'b', 'name', 'Bob'))
    await users.append(size('t', 2))
    const second = (await views.next()).value as WatchedView
    expect(second.view?.properties).toEqual({ name: 'Ann' })
  })

  it('that lacks something negates nothing yet', async () => {
    const users = await open()
    const { deltas } = await users.put('user', 'a', { name: 'Ann' })
    await users.append([
      { localContext: '_transaction', target: 't', targetContext: 'deltas' },
      { localContext: 'negates', target: deltas[0] ?? '', targetContext: 'negated_by' },
    ])
    expect(shown(users, 'a')).toEqual({ name: 'Ann' })
    await users.append(size('t', 1))
    expect(shown(users, 'a')).toBeUndefined()
  })

  it('may define how others are read, once it is complete', async () => {
    const users = await open()
    await users.put('user', 'a', { n: 1 })
    const definition = { collection: 'user', property: 'n', rule: 7, semantics: 1 }
    await users.append([
      { localContext: '_transaction', target: 't', targetContext: 'deltas' },
      { localContext: 'resolver', target: 'resolver/r', targetContext: 'definition' },
      { localContext: 'definition', target: definition },
    ])
    const before = users.frontier()
    expect(shown(users, 'a')).toEqual({ n: 1 })
    await users.append(size('t', 1))
    expect(shown(users, 'a')).toEqual({ n: 7 })
    expect(users.get('user', 'a', { asOf: before })?.properties).toEqual({ n: 1 })
  })

  it('is found by an index, by the values that it claims', async () => {
    const users = await open()
    await users.schema('user', { collection: 'user', schema: { type: 'object' }, indexes: ['name'] })
    await users.put('user', 'b', { name: 'Bob' })
    await users.append(member('t', 'a', 'name', 'Ann'))
    const query = from<{ name: string }>('user').where({ '===': [{ var: 'name' }, 'Ann'] })
    expect(JSON.stringify(users.explainQuery(query))).toContain('index')
    expect(users.query(query).rows).toEqual([])
    await users.append(size('t', 1))
    expect(users.query(query).rows).toMatchObject([{ id: 'a', name: 'Ann' }])
  })

  it('is there after a restart as it was before', async () => {
    const data = await temporaryFolder()
    {
      await using node = await openTestNode({ data })
      const users = node.namespace('users')
      await users.append(member('whole', 'a', 'name', 'Ann'))
      await users.append(size('whole', 1))
      await users.append(member('half', 'b', 'name', 'Bob'))
      await users.append(size('half', 2))
    }
    const users = (await openTestNode({ data })).namespace('users')
    expect(shown(users, 'a')).toEqual({ name: 'Ann' })
    expect(shown(users, 'b')).toBeUndefined()
    expect(users.ids('user')).toEqual(['a'])
  })
})

it('a transaction of which a fork takes a delta is not complete any more', async () => {
  await using store = openMemoryStore()
  store.openNamespace(NAMESPACE, NAMESPACE_NAME)
  const log = new TestLog()
  log.append([member('t', 'a', 'name', 'Ann'), size('t', 2)])
  store.commit(log.run())
  const other = new TestLog({ signer: signer(2), logId: logId(2) })
  other.append([claim('item', 'x', 'n', 1)])
  other.append([member('t', 'b', 'name', 'Bob')])
  store.commit(other.run())
  expect(store.entity(NAMESPACE, 'user/a').deltas).toHaveLength(1)
  store.commit(runOf(other.fork(1).append([claim('item', 'y', 'n', 2)])))
  expect(store.entity(NAMESPACE, 'user/a').deltas).toEqual([])
})

it('what a transaction showed goes from a watched query with the fork that takes one of its deltas', async () => {
  await using store = openMemoryStore()
  store.openNamespace(NAMESPACE, NAMESPACE_NAME)
  const log = new TestLog()
  log.append([member('t', 'a', 'name', 'Ann'), size('t', 2)])
  store.commit(log.run())
  const other = new TestLog({ signer: signer(2), logId: logId(2) })
  other.append([claim('item', 'x', 'n', 1)])
  other.append([member('t', 'b', 'name', 'Bob')])
  store.commit(other.run())
  const freshness = new Freshness(store, NAMESPACE)
  const views = new Views({
    store,
    namespace: NAMESPACE,
    name: NAMESPACE_NAME,
    contexts: localContexts(),
    freshness,
  })
  const live = new LiveQuery({ collection: 'user' })
  const following = new Following({
    store,
    namespace: NAMESPACE,
    views,
    rules: { namespace: NAMESPACE, views },
    live,
    context: false,
  })
  const told = () => {
    while (!following.catchUp()) continue
    return live.changed(following.run())
  }
  expect(told().added).toMatchObject([{ id: 'a' }, { id: 'b' }])
  store.commit(runOf(other.fork(1).append([claim('item', 'y', 'n', 2)])))
  expect(views.query({ collection: 'user' }, {}).rows).toEqual([])
  expect(told().removed).toMatchObject([{ id: 'a' }, { id: 'b' }])
})

it('nothing is a transaction of no deltas', () => {
  expect(isComplete('t', [])).toBe(false)
})
