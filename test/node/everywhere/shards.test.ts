import { describe, expect, it, onTestFinished } from 'vitest'
import { from, ref, type RhizomeNode, SHIPPED_RESOLVERS, trustOnly } from '../../../src/index.ts'
import { type Cluster, createCluster } from '../../../src/testing/cluster.ts'
import { shardedCluster, within } from '../../support/sharded.ts'

const RANGES = ['a-g', 'h-n', 'o-u', 'v-z'] as const
const COLLECTIONS = ['apple', 'house', 'order', 'zebra'] as const

/** Four nodes that hold a range each, and one that holds none. */
function fourAndOne(more: readonly (readonly string[])[] = []): Promise<Cluster> {
  return shardedCluster([...RANGES.map((range) => [`shop:*:${range}`]), ['shop:none'], ...more])
}

const shopOf = ({ node }: { readonly node: RhizomeNode }) => node.everywhere('shop')

describe('shards over four nodes and a client', () => {
  it('every record is written and read through every node, and lies with its holder alone', async () => {
    const cluster = await fourAndOne()
    for (const [writer, node] of cluster.nodes.entries()) {
      for (const collection of COLLECTIONS) {
        const put = await within(cluster, shopOf(node).put(collection, `by-${writer}`, { writer }))
        expect(put).toMatchObject({ id: `by-${writer}`, answeredBy: [expect.any(String)] })
        expect(put.achieved).toBeUndefined()
      }
    }
    await cluster.settle()
    for (const node of cluster.nodes) {
      for (const [holder, collection] of COLLECTIONS.entries()) {
        const answeredBy = [cluster.nodes[holder]?.peerId]
        expect(await within(cluster, shopOf(node).ids(collection))).toEqual({
          value: ['by-0', 'by-1', 'by-2', 'by-3', 'by-4'],
          answeredBy,
        })
        const read = await within(cluster, shopOf(node).get(collection, 'by-4'))
        expect(read).toEqual({ value: { id: 'by-4', properties: { writer: 4 } }, answeredBy })
      }
      expect((await within(cluster, shopOf(node).collections())).value).toEqual(
        [...COLLECTIONS, 'placement'].toSorted(),
      )
    }
    const [first] = cluster.nodes
    expect(first?.node.namespaces().map(({ name }) => name)).toEqual(['shop', 'shop:*:a-g'])
    expect(first?.node.namespace('shop').ids('apple')).toEqual([])
    expect(cluster.nodes[4]?.node.namespaces().map(({ name }) => name)).toEqual(['shop'])
  })

  it('a record is deleted, and written anew later than what was deleted, through a client', async () => {
    const cluster = await fourAndOne()
    const [holder, , , , client] = cluster.nodes.map(shopOf)
    if (holder === undefined || client === undefined) throw new Error('five nodes')
    await holder.put('apple', 'x', { size: 1 })
    cluster.setClock(4, -60_000)
    await within(cluster, client.put('apple', 'x', { size: 2 }))
    expect((await within(cluster, holder.get('apple', 'x'))).value?.properties).toEqual({ size: 2 })
    const gone = await within(cluster, client.delete('apple', 'x'))
    expect(gone.deltas).toHaveLength(2)
    expect((await within(cluster, client.get('apple', 'x'))).value).toBeUndefined()
    expect((await within(cluster, client.delete('apple', 'x'))).deltas).toEqual([])
  })

  it('queries run where the records are, and over several shards here', async () => {
    const cluster = await fourAndOne()
    const client = shopOf(cluster.nodes[4] as never)
    for (let number = 0; number < 5; number++) {
      await within(cluster, client.put('order', `${number}`, { house: `h${number % 2}`, number }))
    }
    for (const id of ['h0', 'h1']) await within(cluster, client.put('house', id, { street: `Street ${id}` }))
    const order = from<{ house: string; number: number }>('order')
    const page = await within(cluster, client.query(order.where({ '>': [{ var: 'number' }, 2] }).select('number')))
    expect(page.value.rows).toEqual([{ number: 3 }, { number: 4 }])
    expect(page.answeredBy).toEqual([cluster.nodes[2]?.peerId])
    const joined = {
      join: [
        { collection: 'order', as: 'o' },
        { collection: 'house', as: 'h' },
      ],
      on: [['o.house', 'h.id']],
    } as const
    const counted = {
      group: joined,
      by: { street: { var: 'h.street' } },
      aggregates: { count: { count: true } },
    } as const
    const both = await within(cluster, client.query(counted))
    expect(both.value.rows).toEqual([
      { street: 'Street h0', count: 3 },
      { street: 'Street h1', count: 2 },
    ])
    expect(new Set(both.answeredBy)).toEqual(new Set([cluster.nodes[1]?.peerId, cluster.nodes[2]?.peerId]))
  })

  it('of a collection in several shards those records alone are brought together that meet the conditions', async () => {
    const cluster = createCluster({
      nodes: 3,
      topics: ['shop'],
      topicsOf: [['shop:log:a-m'], ['shop:log:n-z'], ['shop:none']],
    })
    onTestFinished(() => cluster.close())
    await cluster.settle()
    await cluster.advance(5_000)
    await cluster.settle()
    const [a, b, client] = cluster.nodes.map(shopOf)
    if (a === undefined || b === undefined || client === undefined) throw new Error('three nodes')
    // More than may be brought together.
    for (const [holder, letter] of [[a, 'a'] as const, [b, 'n'] as const]) {
      for (let block = 0; block < 7; block++) {
        const records = Array.from({ length: 4_000 }, (_, index) => block * 4_000 + index)
        await holder.transaction((transaction) => {
          for (const number of records) transaction.put('log', `${letter}${number}`, { number })
        })
      }
    }
    const all = { collection: 'log' }
    const some = { select: all, where: { in: [{ var: 'number' }, [3, 20_000]] } }
    const page = await within(cluster, client.query(some), 120_000)
    const found = [
      { id: 'a20000', number: 20_000 },
      { id: 'a3', number: 3 },
      { id: 'n20000', number: 20_000 },
      { id: 'n3', number: 3 },
    ]
    expect(page.value.rows).toEqual(found)
    expect(page.answeredBy).toHaveLength(3)
    const prefixed = await within(cluster, client.query({ collection: 'log', prefix: 'a1999' }), 120_000)
    expect(prefixed.value.rows.map(({ id }) => id)).toHaveLength(11)
    await expect(within(cluster, client.query(all), 120_000)).rejects.toMatchObject({ code: 'RZ_QUERY_LIMIT' })
  })

  it('a transaction stays in one shard', async () => {
    const cluster = await fourAndOne()
    const client = shopOf(cluster.nodes[4] as never)
    const across = client.transaction((transaction) => {
      transaction.put('apple', 'x', { a: 1 })
      transaction.put('zebra', 'x', { a: 1 })
    })
    await expect(across).rejects.toMatchObject({ code: 'RZ_PLACEMENT_TRANSACTION' })
    const within_ = client.transaction((transaction) => {
      transaction.put('apple', 'x', { a: 1 })
      transaction.put('beer', 'x', { a: 1 })
    })
    expect((await within(cluster, within_)).deltas).toHaveLength(2)
    expect((await within(cluster, client.get('beer', 'x'))).value?.properties).toEqual({ a: 1 })
  })
})

describe('a holder', () => {
  it('that dies in the middle of an answer is replaced by another, and no row is doubled or missing', async () => {
    const cluster = await fourAndOne([['shop:*:o-u']])
    const [holder, other, client] = [2, 5, 4].map((index) => cluster.nodes[index] as never).map(shopOf)
    if (holder === undefined || client === undefined || other === undefined) throw new Error('six nodes')
    const text = 'x'.repeat(20_000)
    for (let number = 0; number < 100; number++) await holder.put('order', `${1_000 + number}`, { number, text })
    await cluster.settle()
    const everything = { collection: 'order', columns: ['number', 'text'] }
    const first = await within(cluster, client.query(everything))
    const killed = cluster.nodes.findIndex(({ peerId }) => peerId === first.answeredBy[0])
    const asked = client.query(everything)
    if (!(asked instanceof Promise)) throw new Error('it is not held by the client')
    // Two megabytes take many frames: by now some have come.
    await cluster.advance(4)
    cluster.crash(killed)
    const { value, answeredBy } = await within(cluster, asked)
    expect(answeredBy).toEqual([cluster.nodes[killed === 2 ? 5 : 2]?.peerId])
    expect(value.rows.map((row) => row['number'])).toEqual(Array.from({ length: 100 }, (_, number) => number))
  })

  it('that is the only one makes a code when it is gone, and what is written waits until another appears', async () => {
    const cluster = await fourAndOne()
    const client = cluster.nodes[4] as never
    await within(cluster, shopOf(client).put('zebra', 'early', { stripes: 1 }))
    cluster.crash(3)
    await cluster.advance(10_000)
    await expect(within(cluster, shopOf(client).get('zebra', 'early'))).rejects.toMatchObject({
      code: 'RZ_SHARD_UNHELD',
    })
    const put = await within(cluster, shopOf(client).put('zebra', 'late', { stripes: 2 }))
    expect(put).toMatchObject({
      achieved: false,
      fault: { code: 'RZ_SHARD_UNHELD' },
      answeredBy: [cluster.nodes[4]?.peerId],
    })
    const status = cluster.nodes[4]?.node.shards('shop').find(({ range }) => range === '*:v-z')
    expect(status).toMatchObject({ state: 'unheld', waitingBlocks: 1, holders: [], isPlaced: true })

    cluster.restart(3)
    await cluster.advance(10_000)
    expect((await within(cluster, shopOf(client).get('zebra', 'late'))).value?.properties).toEqual({ stripes: 2 })
    expect((await within(cluster, shopOf(client).ids('zebra'))).value).toEqual(['early', 'late'])
    const after = cluster.nodes[4]?.node.shards('shop').find(({ range }) => range === '*:v-z')
    expect(after).toMatchObject({ state: 'elsewhere', waitingBlocks: 0, holders: [cluster.nodes[3]?.peerId] })
  })

  it('that waits for the writer finds what was written before the writer was restarted', async () => {
    const cluster = await fourAndOne()
    cluster.crash(3)
    await cluster.advance(10_000)
    await within(cluster, shopOf(cluster.nodes[4] as never).put('zebra', 'x', { stripes: 2 }))
    cluster.crash(4)
    cluster.restart(4)
    cluster.restart(3)
    await cluster.advance(10_000)
    const holder = shopOf(cluster.nodes[3] as never)
    expect((await within(cluster, holder.get('zebra', 'x'))).value?.properties).toEqual({ stripes: 2 })
  })
})

describe('a node that does not know yet how the namespace is placed', () => {
  it('waits for that where it holds parts, and does not take a record for one of the parent', async () => {
    const cluster = createCluster({ nodes: 2, topics: ['shop'], topicsOf: [['shop:*:a-g'], ['shop:none']] })
    onTestFinished(() => cluster.close())
    const client = cluster.nodes[1] as never
    const put = await within(cluster, shopOf(client).put('apple', 'x', { a: 1 }))
    expect(put).toMatchObject({ answeredBy: [cluster.nodes[0]?.peerId] })
    expect(cluster.namespace(1).ids('apple')).toEqual([])
  })

  it('moves what it wrote meanwhile where it holds all, and leaves alone what the shard has by then', async () => {
    const cluster = createCluster({ nodes: 3, topics: ['shop'], topicsOf: [['shop'], ['shop:*:a-g'], ['shop:none']] })
    onTestFinished(() => cluster.close())
    cluster.partition([0], [1, 2])
    const [early, , client] = cluster.nodes.map(shopOf)
    if (early === undefined || client === undefined) throw new Error('three nodes')
    await early.put('apple', 'x', { early: 1, both: 'early', of: ref('house/1', 'apples') })
    await early.put('apple', 'y', { early: 2 })
    await early.put('house', '1', { early: 3 })
    await cluster.advance(10_000)
    await within(cluster, client.put('apple', 'x', { both: 'late' }))
    cluster.heal()
    await cluster.advance(20_000)
    await cluster.settle()
    for (const node of cluster.nodes) {
      const x = (await within(cluster, shopOf(node).get('apple', 'x'))).value?.properties
      expect(x).toEqual({ early: 1, both: 'late', of: 'house/1' })
      expect((await within(cluster, shopOf(node).ids('apple'))).value).toEqual(['x', 'y'])
      expect((await within(cluster, shopOf(node).get('house', '1'))).value?.properties['early']).toBe(3)
    }
    expect(cluster.namespace(0).ids('apple')).toEqual([])
  })
})

describe('tags', () => {
  it('tell the collections of shards to all who take part in the parent', async () => {
    const cluster = await fourAndOne()
    await within(cluster, shopOf(cluster.nodes[4] as never).put('dog', 'rex', { legs: 4 }))
    await cluster.advance(5_000)
    const tags = cluster
      .namespace(4)
      .members()
      .map((member) => member.tags.includes('dog'))
    expect(tags.filter(Boolean)).toHaveLength(1)
  })
})

describe('what cannot be asked elsewhere', () => {
  it('is told by a code: functions, contexts of one node, raw deltas', async () => {
    const cluster = await fourAndOne()
    const client = shopOf(cluster.nodes[4] as never)
    const across = { code: 'RZ_SHARD_ACROSS' }
    await expect(within(cluster, client.get('apple', 'x', { filter: () => true }))).rejects.toMatchObject(across)
    expect(() => client.query({ pointers: { a: {} } })).toThrow(expect.objectContaining(across))
    expect(() => client.query({ collection: 'apple' }, { asOf: 'f0' })).toThrow(
      expect.objectContaining({ code: 'RZ_AS_OF_INVALID' }),
    )
    const asof = { asof: 1 } as never
    for (const misspelt of [
      async () => client.get('apple', 'x', asof),
      async () => client.explain('apple', 'x', 'a', asof),
      async () => client.lossless('apple/x', asof),
      async () => client.put('apple', 'x', { a: 1 }, asof),
    ]) {
      await expect(within<unknown>(cluster, misspelt())).rejects.toMatchObject({ code: 'RZ_OPTION_UNKNOWN' })
    }
    const uniform = client.put('apple', 'x', { a: 1 }, { until: 'uniform' })
    await expect(uniform).rejects.toMatchObject({ code: 'RZ_DELIVERY_INVALID' })
    const local = await within(cluster, client.put('apple', 'x', { a: 1 }, { until: 'local' }))
    expect(local).toMatchObject({ achieved: true, answeredBy: [cluster.nodes[4]?.peerId] })
    const copied = await within(cluster, client.put('apple', 'y', { a: 1 }, { until: { copies: 2 } }))
    expect(copied).toMatchObject({
      achieved: true,
      holders: [{ peer: cluster.nodes[4]?.peerId }, { peer: cluster.nodes[0]?.peerId }],
    })
  })

  it('a holder that is just gone has not answered', async () => {
    const cluster = await fourAndOne()
    cluster.crash(0)
    const asked = within(cluster, shopOf(cluster.nodes[4] as never).get('apple', 'x'))
    await expect(asked).rejects.toMatchObject({ code: 'RZ_SHARD_UNANSWERED' })
  })
})

describe('holding more or less', () => {
  it('a node that takes a shard over answers for it once it has everything, under writes', async () => {
    const cluster = await fourAndOne()
    const [holder, , , , client] = cluster.nodes
    if (holder === undefined || client === undefined) throw new Error('five nodes')
    for (let number = 0; number < 50; number++) await shopOf(holder).put('apple', `${100 + number}`, { number })
    const hold = client.node.hold('shop:*:a-g')
    for (let number = 50; number < 100; number++) {
      void within(cluster, shopOf(number % 2 === 0 ? holder : client).put('apple', `${100 + number}`, { number }))
      await cluster.advance(20)
    }
    await within(cluster, hold)
    await cluster.advance(5_000)
    await cluster.settle()
    expect(client.node.shards('shop').find(({ range }) => range === '*:a-g')).toMatchObject({ state: 'held' })
    const ids = Array.from({ length: 100 }, (_, number) => `${100 + number}`)
    expect(shopOf(client).ids('apple')).toEqual({ value: ids, answeredBy: [client.peerId] })

    // The first may go now; the last may not.
    await within(cluster, holder.node.drop('shop:*:a-g'))
    expect(await within(cluster, shopOf(holder).ids('apple'))).toEqual({ value: ids, answeredBy: [client.peerId] })
    const last = within(cluster, client.node.drop('shop:*:a-g', { deadlineMs: 1_000 }), 60_000)
    await expect(last).rejects.toMatchObject({ code: 'RZ_SHARD_LAST_COPY' })
    expect(shopOf(client).ids('apple')).toEqual({ value: ids, answeredBy: [client.peerId] })
    await within(cluster, client.node.drop('shop:*:a-g', { force: true }))
    await cluster.advance(5_000)
    await expect(within(cluster, shopOf(client).ids('apple'))).rejects.toMatchObject({ code: 'RZ_SHARD_UNHELD' })
  })

  it('a node that holds all takes over what is placed later', async () => {
    const cluster = createCluster({ nodes: 2, topics: ['shop'] })
    onTestFinished(() => cluster.close())
    await cluster.settle()
    const [a, b] = cluster.nodes
    if (a === undefined || b === undefined) throw new Error('two nodes')
    await a.node.namespace('shop').place('order:a-m')
    await cluster.advance(5_000)
    await cluster.settle()
    await shopOf(a).put('order', 'b', { number: 1 })
    await shopOf(a).put('order', 'x', { number: 2 })
    await cluster.settle()
    expect(shopOf(b).ids('order')).toEqual({ value: ['b', 'x'], answeredBy: [b.peerId] })
    expect(b.node.namespace('shop').ids('order')).toEqual(['x'])
    expect(b.node.namespace('shop:order:a-m').ids('order')).toEqual(['b'])
    expect(shopOf(b).query({ collection: 'order', columns: ['number'] })).toEqual({
      value: { rows: [{ number: 1 }, { number: 2 }] },
      answeredBy: [b.peerId],
    })
  })

  it('placements do not overlap, cover nothing that is there, and bind writers', async () => {
    const cluster = createCluster({ nodes: 1, topics: ['shop'] })
    onTestFinished(() => cluster.close())
    const shop = cluster.namespace(0)
    await shop.put('house', '1', { rooms: 3 })
    await expect(shop.place('*:h-n')).rejects.toMatchObject({ code: 'RZ_PLACEMENT_TAKEN' })
    await expect(shop.place('house:0-9')).rejects.toMatchObject({ code: 'RZ_PLACEMENT_TAKEN' })
    await shop.place('*:a-g')
    await expect(shop.place('*:g-k')).rejects.toMatchObject({ code: 'RZ_PLACEMENT_OVERLAP' })
    await expect(shop.place('apple:a-b')).rejects.toMatchObject({ code: 'RZ_PLACEMENT_OVERLAP' })
    await expect(shop.place('a-g')).rejects.toMatchObject({ code: 'RZ_PLACEMENT_INVALID' })
    await expect(shop.place('schema:*')).rejects.toMatchObject({ code: 'RZ_DEFINITION_INVALID' })
    await expect(shop.put('apple', 'x', { a: 1 })).rejects.toMatchObject({ code: 'RZ_PLACEMENT_ELSEWHERE' })
    await cluster.advance(5_000)
    const shard = cluster.namespace(0, 'shop:*:a-g')
    await expect(shard.put('house', 'x', { a: 1 })).rejects.toMatchObject({ code: 'RZ_PLACEMENT_ELSEWHERE' })
    await expect(shard.context('x', {})).rejects.toMatchObject({ code: 'RZ_PLACEMENT_ELSEWHERE' })
    await expect(shard.place('*:x')).rejects.toMatchObject({ code: 'RZ_PLACEMENT_INVALID' })
    await expect(cluster.nodes[0]?.node.hold('other:*:a')).rejects.toMatchObject({ code: 'RZ_SHARD_UNKNOWN' })
  })
})

describe('rules', () => {
  it('of the parent hold in its shards: schemas, resolvers, contexts, for those that hold them and those that do not', async () => {
    const cluster = await fourAndOne()
    const client = cluster.nodes[4] as never
    const shop = cluster.namespace(4)
    await shop.schema('apple', {
      collection: 'apple',
      schema: { type: 'object', properties: { size: { type: 'number', minimum: 1 } } },
    })
    await shop.resolver('size', { collection: 'apple', property: 'size', rule: SHIPPED_RESOLVERS.max })
    await shop.context('nobody', trustOnly([]))
    await cluster.settle()
    await expect(within(cluster, shopOf(client).put('apple', 'x', { size: 0 }))).rejects.toMatchObject({
      code: 'RZ_SCHEMA_VIOLATION',
    })
    expect(cluster.nodes[4]?.node.shards('shop').every(({ waitingBlocks }) => waitingBlocks === 0)).toBe(true)
    for (const size of [3, 2]) await within(cluster, shopOf(client).put('apple', 'x', { size }))
    for (const node of cluster.nodes) {
      expect((await within(cluster, shopOf(node).get('apple', 'x'))).value?.properties).toEqual({ size: 3 })
      expect((await within(cluster, shopOf(node).get('apple', 'x', { context: 'nobody' }))).value).toBeUndefined()
    }
    // A new rule takes effect on what was read before.
    await shop.resolver('size', { collection: 'apple', property: 'size', rule: SHIPPED_RESOLVERS.min })
    await cluster.settle()
    for (const node of cluster.nodes) {
      expect((await within(cluster, shopOf(node).get('apple', 'x'))).value?.properties).toEqual({ size: 2 })
    }
    const unchanged = await within(cluster, shopOf(client).put('apple', 'x', { size: 2 }, { onlyChanged: true }))
    expect(unchanged.deltas).toEqual([])
  })
})
