/** Queries that are watched wherever the records lie. */
import { expect, it, onTestFinished } from 'vitest'
import type { LiveRows, RhizomeNode } from '../../../src/index.ts'
import { type Cluster, createCluster } from '../../../src/testing/cluster.ts'

type Shop = ReturnType<RhizomeNode['everywhere']>
type Query = Parameters<Shop['watchQuery']>[0]

const JOINED = {
  join: [
    { collection: 'order', as: 'o' },
    { collection: 'house', as: 'h' },
  ],
  on: [['o.house', 'h.id']],
} as const
const STREETS = { project: JOINED, columns: { order: { var: 'o.id' }, street: { var: 'h.street' } } }

/** A holder of houses, one of orders, and a client. */
async function shops() {
  const topicsOf = [['shop:*:h-n'], ['shop:*:o-u'], ['shop:none']]
  const cluster = createCluster({ nodes: 3, topics: ['shop'], topicsOf })
  onTestFinished(() => cluster.close())
  await cluster.settle()
  await cluster.advance(6_000)
  await cluster.settle()
  const [houses, orders, client] = cluster.nodes.map(({ node }) => node.everywhere('shop')) as [Shop, Shop, Shop]
  await houses.put('house', 'h1', { street: 'Elm' })
  await orders.put('order', '1', { house: 'h1' })
  return { cluster, houses, orders, client }
}

function watcher(cluster: Cluster, shop: Shop, query: Query, options: Parameters<Shop['watchQuery']>[1] = {}) {
  const stop = new AbortController()
  onTestFinished(() => stop.abort())
  const items = shop.watchQuery(query, { ...options, signal: stop.signal })[Symbol.asyncIterator]()
  const next = async (forMs = 30_000): Promise<LiveRows | undefined> => {
    let isSettled = false
    const told = items.next().finally(() => (isSettled = true))
    told.catch(() => undefined)
    for (let ms = 0; !isSettled && ms < forMs; ms += 10) await cluster.advance(10)
    const { done, value } = await told
    return done === true ? undefined : value
  }
  return { next, stop }
}

const rowsOf = (told: LiveRows | undefined) => ({ added: told?.added, removed: told?.removed })

it('a join of collections in two shards is told as it changes in either, and all rows where that is asked', async () => {
  const { cluster, houses, orders, client } = await shops()
  const { next } = watcher(cluster, client, STREETS, { rows: true })
  const first = await next()
  expect(rowsOf(first)).toEqual({ added: [{ order: '1', street: 'Elm' }], removed: [] })
  await orders.put('order', '2', { house: 'h1' })
  expect(rowsOf(await next())).toEqual({ added: [{ order: '2', street: 'Elm' }], removed: [] })
  await houses.put('house', 'h1', { street: 'Oak' })
  const told = await next()
  const both = (street: string) => [
    { order: '1', street },
    { order: '2', street },
  ]
  expect(rowsOf(told)).toEqual({ added: both('Oak'), removed: both('Elm') })
  expect(told?.rows).toEqual(both('Oak'))
})

it('what lies in one shard that is held elsewhere is told, and no change that alters no row', async () => {
  const { cluster, orders, client } = await shops()
  const { next } = watcher(cluster, client, { limit: { collection: 'order', columns: ['house'] }, count: 1 })
  expect((await next())?.added).toHaveLength(1)
  await orders.put('order', '2', { house: 'z9' })
  await cluster.advance(3_000)
  await orders.put('order', '1', { house: 'h3' })
  expect(rowsOf(await next())).toMatchObject({ added: [{ house: 'h3' }], removed: [{ house: 'h1' }] })
})

it('what is held here is a live query as ever, until it is held elsewhere', async () => {
  const { cluster, orders } = await shops()
  const { next } = watcher(cluster, orders, { collection: 'order' })
  expect((await next())?.added).toHaveLength(1)
  await orders.put('order', '2', { house: 'h2' })
  expect((await next())?.added).toHaveLength(1)
  void cluster.nodes[1]?.node.drop('shop:*:o-u', { force: true })
  await expect(next()).rejects.toMatchObject({ code: 'RZ_QUERY_CHANGED' })
})

it('waits while nobody holds what it reads, once it has begun, and is refused before', async () => {
  const { cluster, client } = await shops()
  const { next } = watcher(cluster, client, STREETS)
  expect((await next())?.added).toHaveLength(1)
  cluster.crash(1)
  await cluster.advance(30_000)
  await expect(watcher(cluster, client, STREETS).next()).rejects.toMatchObject({ code: 'RZ_SHARD_UNHELD' })
  cluster.restart(1)
  await cluster.advance(6_000)
  await cluster.nodes[1]?.node.everywhere('shop').put('order', '2', { house: 'h1' })
  expect(rowsOf(await next())).toEqual({ added: [{ order: '2', street: 'Elm' }], removed: [] })
})

it('ends when a stored query that it names changes', async () => {
  const { cluster, client } = await shops()
  await client.namespace.storeQuery('streets', { query: STREETS })
  const { next } = watcher(cluster, client, { view: 'streets' })
  expect((await next())?.added).toHaveLength(1)
  await client.namespace.storeQuery('streets', { query: JOINED })
  await expect(next()).rejects.toMatchObject({ code: 'RZ_QUERY_CHANGED' })
})

it('of raw deltas is refused', async () => {
  const { cluster, client } = await shops()
  await expect(watcher(cluster, client, { pointers: { a: {} } }).next()).rejects.toMatchObject({
    code: 'RZ_SHARD_ACROSS',
  })
})

it('of raw deltas ends with a code when the namespace comes to be placed', async () => {
  const cluster = createCluster({ nodes: 1, topics: ['shop'] })
  onTestFinished(() => cluster.close())
  const { next } = watcher(cluster, cluster.nodes[0]?.node.everywhere('shop') as Shop, { pointers: { a: {} } })
  expect(await next()).toMatchObject({ added: [] })
  await cluster.namespace(0).place('*:a-g')
  await expect(next()).rejects.toMatchObject({ code: 'RZ_SHARD_ACROSS' })
})

it('ends with its signal', async () => {
  const { cluster, client } = await shops()
  const { next, stop } = watcher(cluster, client, STREETS)
  expect((await next())?.added).toHaveLength(1)
  stop.abort()
  expect(await next()).toBeUndefined()
})
