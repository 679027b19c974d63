/** What every read takes: a context, a moment, a filter; views of many entities; contexts of this node alone. */
import { describe, expect, it } from 'vitest'

import {
  composeLossless,
  decomposeLossless,
  type Delta,
  isReference,
  type Namespace,
  type PlacedDelta,
  SHIPPED_RESOLVERS,
  trustOnly,
} from '../../src/index.ts'
import { openTestNode, temporaryFolder } from '../support/nodes.ts'

const NOBODY = trustOnly([])

async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = []
  for await (const item of items) all.push(item)
  return all
}

const deltasOf = async (namespace: Namespace, options: object = {}): Promise<readonly Delta[]> =>
  (await collect<PlacedDelta>(namespace.deltas({ live: false, ...options }))).map(({ delta }) => delta)

describe('losslessAll', () => {
  it('hands out the view of every entity, once, in order, by `for` and by `for await` alike', async () => {
    const users = (await openTestNode()).namespace('users')
    for (const id of ['b', 'a', 'ä']) await users.put('user', id, { name: id })
    await users.append([{ localContext: 'sees', target: 'zoe', targetContext: 'seen by' }])
    const ids = [...users.losslessAll()].map(({ id }) => id)
    expect(ids).toEqual(['user/a', 'user/b', 'user/ä', 'zoe'])
    expect(await collect(users.losslessAll())).toEqual([...users.losslessAll()])
    expect([...users.losslessAll()]).toEqual(ids.map((id) => users.lossless(id)))
    await users.negate((await users.put('user', 'a', { age: 3 })).deltas[0] ?? '')
    expect([...users.viewAll()].map(({ id }) => id)).toEqual(ids)
    expect([...users.viewAll({ prefix: 'user/' })].map(({ properties }) => properties['name'])).toEqual(['a', 'b', 'ä'])
  })

  it('goes through more entities than a page has, and goes on behind any of them', async () => {
    const users = (await openTestNode()).namespace('users')
    await users.transaction((transaction) => {
      for (let n = 0; n < 1_000; n++) transaction.put('user', String(1_000 + n), { n })
    })
    const all = [...users.losslessAll({ prefix: 'user/' })].map(({ id }) => id)
    expect(all).toHaveLength(1_000)
    expect([...users.losslessAll({ prefix: 'user/', after: 'user/1256' })].map(({ id }) => id)).toEqual(all.slice(257))
    expect([...users.losslessAll({ prefix: 'user/19' })]).toHaveLength(100)
  })

  it('of a list of ids keeps to their order, leaves out repeats and what nothing is said about', async () => {
    const users = (await openTestNode()).namespace('users')
    for (const id of ['a', 'b', 'c']) await users.put('user', id, { name: id })
    const ids = ['user/c', 'user/none', 'user/a', 'user/c']
    expect([...users.losslessAll({ ids })].map(({ id }) => id)).toEqual(['user/c', 'user/a'])
    expect([...users.losslessAll({ ids, after: 'user/c' })].map(({ id }) => id)).toEqual(['user/a'])
    expect([...users.losslessAll({ ids: [] })]).toEqual([])
  })

  it('gives way to what else the node does while it is walked with `for await`', async () => {
    const users = (await openTestNode()).namespace('users')
    await users.transaction((transaction) => {
      for (let n = 0; n < 4_000; n++) transaction.put('user', String(n), { n })
    })
    let isWalking = true
    let turns = 0
    const turn = () => {
      turns++
      if (isWalking) setImmediate(turn)
    }
    setImmediate(turn)
    await collect(users.losslessAll())
    isWalking = false
    expect(turns).toBeGreaterThan(1)
  })

  it('is what composing all deltas gives, and is decomposed to them', async () => {
    const users = (await openTestNode()).namespace('users')
    await users.put('user', 'a', { name: 'A', age: 1 })
    await users.put('user', 'b', { name: 'B' })
    await users.append([
      { localContext: 'one', target: 'user/a', targetContext: 'friends' },
      { localContext: 'other', target: 'user/b', targetContext: 'friends' },
    ])
    await users.delete('user', 'a')
    const deltas = await deltasOf(users)
    const views = [...users.losslessAll()]
    expect(decomposeLossless(views)).toEqual(deltas.filter(({ pointers }) => pointers.some(isReference)))
    expect(views).toEqual([...composeLossless(deltas)])
    expect([...composeLossless(decomposeLossless(views))]).toEqual(views)
  })
})

describe('a moment', () => {
  it('is kept to by ids, collections, deltas, single deltas and walks', async () => {
    const users = (await openTestNode()).namespace('users')
    const first = await users.put('user', 'a', { name: 'A' })
    const asOf = users.frontier()
    const second = await users.put('pet', 'b', { name: 'B' })
    await users.delete('user', 'a')

    expect(users.ids('user')).toEqual([])
    expect(users.ids('user', { asOf })).toEqual(['a'])
    expect(users.ids('pet', { asOf })).toEqual([])
    expect(users.collections()).toEqual(['pet'])
    expect(users.collections({ asOf })).toEqual(['user'])
    expect((await deltasOf(users, { asOf })).map(({ id }) => id)).toEqual(first.deltas)
    expect(users.delta(first.deltas[0] ?? '', { asOf })).toBeDefined()
    expect(users.delta(second.deltas[0] ?? '', { asOf })).toBeUndefined()
    expect([...users.losslessAll({ asOf })]).toMatchObject([{ id: 'user/a', negations: [] }])
  })

  it.each([
    ['yesterday', 'RZ_AS_OF_INVALID'],
    ['f!', 'RZ_AS_OF_INVALID'],
  ])('that is none, as %s, is refused by all of them', async (asOf, code) => {
    const users = (await openTestNode()).namespace('users')
    const { deltas } = await users.put('user', 'a', { name: 'A' })
    const refused = expect.objectContaining({ code }) as unknown as Error
    expect(() => users.ids('user', { asOf })).toThrow(refused)
    expect(() => users.collections({ asOf })).toThrow(refused)
    expect(() => users.delta(deltas[0] ?? '', { asOf })).toThrow(refused)
    expect(() => [...users.losslessAll({ asOf })]).toThrow(refused)
    expect(() => [...users.viewAll({ asOf })]).toThrow(refused)
    await expect(deltasOf(users, { asOf })).rejects.toThrow(refused)
  })
})

describe('a context', () => {
  it('is kept to by ids, collections, deltas, single deltas and walks', async () => {
    const users = (await openTestNode()).namespace('users')
    const { deltas } = await users.put('user', 'a', { name: 'A' })
    await users.context('nobody', NOBODY)
    const context = 'nobody'
    expect(users.ids('user', { context })).toEqual([])
    expect(users.collections()).toEqual(['context', 'user'])
    // What says how records are read is read in no context.
    expect(users.collections({ context })).toEqual(['context'])
    expect(await deltasOf(users, { context })).toEqual([])
    expect(users.delta(deltas[0] ?? '', { context })).toBeUndefined()
    expect([...users.losslessAll({ context, prefix: 'user/' })]).toEqual([])
    const refused = expect.objectContaining({ code: 'RZ_CONTEXT_UNKNOWN' }) as unknown as Error
    expect(() => users.ids('user', { context: 'none' })).toThrow(refused)
    expect(() => users.delta(deltas[0] ?? '', { context: 'none' })).toThrow(refused)
    await expect(deltasOf(users, { context: 'none' })).rejects.toThrow(refused)
  })
})

describe('a filter', () => {
  it('is a function or a rule over the delta, in front of what the context sees', async () => {
    const users = (await openTestNode()).namespace('users')
    const { deltas } = await users.put('user', 'a', { name: 'A', age: 1 })
    const [first = ''] = deltas
    const byFunction = { filter: (delta: Delta) => delta.id === first }
    const byRule = { filter: { '===': [{ var: 'id' }, first] } }
    for (const options of [byFunction, byRule]) {
      expect(users.get('user', 'a', options)?.properties).toEqual({ name: 'A' })
      expect(Object.keys(users.lossless('user/a', options)?.properties ?? {})).toEqual(['name'])
      expect(users.explain('user', 'a', 'age', options)).toBeUndefined()
      expect(users.history('user', 'a', 'age', options).moments).toEqual([])
      expect(await deltasOf(users, options)).toHaveLength(1)
      expect([...users.viewAll(options)]).toMatchObject([{ properties: { name: 'A' } }])
      expect(users.diff('user', 'a', { from: 0, ...options })).toMatchObject([{ property: 'name' }])
    }
    expect(users.get('user', 'a')?.properties).toEqual({ name: 'A', age: 1 })
    await users.context('nobody', NOBODY)
    expect(users.get('user', 'a', { context: 'nobody', ...byRule })).toBeUndefined()
  })

  it('that is no rule is refused; one that fails on a delta says so, and a function that throws is its owner’s', async () => {
    const users = (await openTestNode()).namespace('users')
    await users.put('user', 'a', { name: 'A' })
    const unknown = expect.objectContaining({ code: 'RZ_RULE_OPERATOR' }) as unknown as Error
    expect(() => users.get('user', 'a', { filter: { nonsense: 1 } })).toThrow(unknown)
    const many = Array.from({ length: 200 }, () => 1)
    const failing = { map: [many, { map: [many, 1] }] }
    expect(users.view('user', 'a', { filter: failing })).toBeUndefined()
    expect(users.lossless('user/a', { filter: failing })).toBeUndefined()
    expect(() =>
      users.get('user', 'a', {
        filter: () => {
          throw new TypeError('mine')
        },
      }),
    ).toThrow('mine')
  })
})

describe('a context of the node alone', () => {
  const count = { length: { var: 'candidates' } }
  const audit = { resolvers: [{ collection: 'user', property: 'n', rule: count }] }

  it('takes the place of the record of its id, at every moment, and is never written', async () => {
    const data = await temporaryFolder()
    await using pinning = await openTestNode({ data, contexts: { audit } })
    const users = pinning.namespace('users')
    for (const n of [5, 7]) await users.put('user', 'a', { n })
    const asOf = users.frontier()
    expect(users.get('user', 'a', { context: 'audit' })?.properties).toEqual({ n: 2 })
    await users.context('audit', { resolvers: [{ collection: 'user', property: 'n', rule: SHIPPED_RESOLVERS.first }] })
    expect(users.get('user', 'a', { context: 'audit' })?.properties).toEqual({ n: 2 })
    expect(users.get('user', 'a', { context: 'audit', asOf })?.properties).toEqual({ n: 2 })
    expect(pinning.contexts()).toEqual({ pinned: ['audit'] })
    await pinning.close()

    await using plain = await openTestNode({ data })
    expect(plain.namespace('users').get('user', 'a', { context: 'audit' })?.properties).toEqual({ n: 5 })
    expect(plain.contexts()).toEqual({ pinned: [] })
  })

  it('is read in by whatever names no context, but for the log itself and for what writing goes by', async () => {
    const node = await openTestNode({ contexts: { audit, nobody: NOBODY }, context: 'nobody' })
    const users = node.namespace('users')
    const { deltas } = await users.put('user', 'a', { n: 5 })
    expect(node.contexts()).toEqual({ pinned: ['audit', 'nobody'], standard: 'nobody' })
    expect(users.get('user', 'a')).toBeUndefined()
    expect(users.ids('user')).toEqual([])
    expect(users.lossless('user/a')).toBeUndefined()
    expect([...users.viewAll()]).toEqual([])
    expect(users.query({ collection: 'user' }).rows).toEqual([])
    expect(users.get('user', 'a', { context: false })?.properties).toEqual({ n: 5 })
    expect(users.get('user', 'a', { context: 'audit' })?.properties).toEqual({ n: 1 })
    expect(users.ids('user', { context: false })).toEqual(['a'])
    expect(await deltasOf(users)).toHaveLength(1)
    expect(users.delta(deltas[0] ?? '')).toBeDefined()
    expect((await users.put('user', 'a', { n: 5 }, { onlyChanged: true })).deltas).toEqual([])
    expect((await users.delete('user', 'a')).deltas).toHaveLength(1)
  })

  it('that no record defines yet is told where it is read, and records of definitions are read all the same', async () => {
    const node = await openTestNode({ context: 'trusted' })
    const users = node.namespace('users')
    await users.put('user', 'a', { n: 5 })
    expect(() => users.get('user', 'a')).toThrow(
      'has no context "trusted" then, in which this node reads unless told otherwise: write one as the record',
    )
    expect(users.get('context', 'trusted')).toBeUndefined()
    await users.context('trusted', trustOnly([node.peerId]))
    expect(users.get('context', 'trusted')).toBeDefined()
    expect(users.get('user', 'a')?.properties).toEqual({ n: 5 })
  })

  it.each([
    ['RZ_DEFINITION_INVALID', { filters: true }],
    ['RZ_RULE_OPERATOR', { filter: { nonsense: 1 } }],
  ])('that cannot be read keeps the node from opening: %s', async (code, definition) => {
    await expect(openTestNode({ contexts: { odd: definition as object } })).rejects.toThrow(
      expect.objectContaining({
        code,
        message: expect.stringContaining('the context "odd" of this node\'s configuration: '),
      }),
    )
  })
})
