/** Watching records wherever they are held: by several holders at once, as these come, go and die. */
import { describe, expect, it, onTestFinished } from 'vitest'
import { type RhizomeNode, SHIPPED_RESOLVERS } from '../../../src/index.ts'
import { type Cluster, createCluster } from '../../../src/testing/cluster.ts'
import { within } from '../../support/sharded.ts'

type Shop = ReturnType<RhizomeNode['everywhere']>
type Options = Parameters<Shop['watch']>[1]
type Watched = ReturnType<Shop['watch']> extends AsyncIterable<infer Item> ? Item : never

/** Nodes that know of each other's shards, and answer for their own. */
async function clusterOf(...topicsOf: readonly string[]): Promise<Cluster> {
  const cluster = createCluster({
    nodes: topicsOf.length,
    topics: ['shop'],
    topicsOf: topicsOf.map((topic) => [topic]),
  })
  onTestFinished(() => cluster.close())
  await cluster.settle()
  await cluster.advance(6_000)
  await cluster.settle()
  return cluster
}

function shopOf(cluster: Cluster, index: number): Shop {
  const member = cluster.nodes[index]
  if (member === undefined) throw new Error(`no node ${index}`)
  return member.node.everywhere('shop')
}

interface Watcher {
  /** What was told by now, oldest first: ids, and `n` of what stands. */
  readonly told: readonly (readonly [string, unknown])[]
  readonly cursor: () => string
  readonly failure: () => unknown
  readonly stop: () => void
  /** Lets time pass until it has been told this; whatever else came before. */
  readonly until: (...told: readonly (readonly [string, unknown])[]) => Promise<void>
}

/** Watches on, once it has begun. */
async function watcher(cluster: Cluster, shop: Shop, collection: string, options: Options = {}): Promise<Watcher> {
  const stopping = new AbortController()
  onTestFinished(() => stopping.abort())
  const views = shop.watch(collection, { ...options, signal: stopping.signal })
  await within(cluster, views.begin())
  const told: (readonly [string, unknown])[] = []
  let cursor = ''
  let failure: unknown
  const note = ({ id, view, cursor: behind }: Watched): void => {
    told.push([id, view?.properties['n']])
    cursor = behind
  }
  void (async () => {
    try {
      for await (const watched of views) note(watched)
    } catch (error) {
      failure = error
    }
  })()
  const until: Watcher['until'] = async (...wanted) => {
    const isTold = () => wanted.every(([id, n]) => told.some((one) => one[0] === id && one[1] === n))
    for (let ms = 0; !isTold() && ms < 60_000; ms += 10) await cluster.advance(10)
    expect(told).toEqual(expect.arrayContaining(wanted.map(([id, n]) => [id, n])))
  }
  return { told, cursor: () => cursor, failure: () => failure, stop: () => stopping.abort(), until }
}

describe('a watcher that holds nothing', () => {
  it('is told what is written by anybody, what changes and what is gone', async () => {
    const cluster = await clusterOf('shop:*:a-m', 'shop:*:n-z', 'shop:none')
    const [holder, other, client] = [0, 1, 2].map((index) => shopOf(cluster, index)) as [Shop, Shop, Shop]
    await holder.put('apple', 'before', { n: 0 })
    const { told, until } = await watcher(cluster, client, 'apple')
    await holder.put('apple', 'x', { n: 1 })
    await until(['x', 1])
    await within(cluster, client.put('apple', 'y', { n: 2 }))
    await within(cluster, other.put('apple', 'x', { n: 3 }))
    await holder.put('banana', 'x', { n: 4 })
    await until(['y', 2], ['x', 3])
    await within(cluster, client.delete('apple', 'x'))
    await until(['x', undefined])
    expect(told.map(([id]) => id)).not.toContain('before')
    expect(told).not.toContainEqual(['x', 4])
  })

  it('is told of one record alone, where it asks for one', async () => {
    const cluster = await clusterOf('shop:*:*', 'shop:none')
    const [holder, client] = [shopOf(cluster, 0), shopOf(cluster, 1)]
    const { told, until } = await watcher(cluster, client, 'apple', { id: 'x' })
    await holder.put('apple', 'y', { n: 1 })
    await holder.put('apple', 'x', { n: 2 })
    await until(['x', 2])
    expect(told).toEqual([['x', 2]])
  })

  it('is told of a collection that lies in several shards and in the parent, some of which it holds', async () => {
    const cluster = await clusterOf('shop:order:a-g', 'shop:order:h-n', 'shop:order:o-u', 'shop:none')
    const holders = [0, 1, 2].map((index) => shopOf(cluster, index))
    const watchers = [
      await watcher(cluster, shopOf(cluster, 0), 'order'),
      await watcher(cluster, shopOf(cluster, 3), 'order'),
    ]
    for (const [n, id] of ['a1', 'h1', 'o1', 'z1'].entries()) {
      await within(cluster, (holders[n] ?? shopOf(cluster, 0)).put('order', id, { n }))
    }
    for (const { until } of watchers) await until(['a1', 0], ['h1', 1], ['o1', 2], ['z1', 3])
  })

  it('is told all records again when a resolver of theirs changes, and when its context does', async () => {
    const cluster = await clusterOf('shop:*:*', 'shop:none')
    const [holder, client] = [shopOf(cluster, 0), shopOf(cluster, 1)]
    await client.namespace.context('audit', { negations: 'everyone' })
    for (const n of [1, 2]) await holder.put('apple', 'x', { n })
    await cluster.settle()
    const plain = await watcher(cluster, client, 'apple')
    const audit = await watcher(cluster, client, 'apple', { context: 'audit' })
    const sum = { property: 'n', rule: SHIPPED_RESOLVERS.sum }
    await client.namespace.resolver('other', { ...sum, collection: 'pear' })
    await cluster.advance(1_000)
    expect(plain.told).toEqual([])
    await client.namespace.resolver('sum', { ...sum, collection: 'apple' })
    await plain.until(['x', 3])
    await audit.until(['x', 3])
    await client.namespace.context('audit', { filter: { '==': [1, 2] } })
    await audit.until(['x', undefined])
    expect(plain.told).toEqual([['x', 3]])
  })

  it('is told what it asks for, however many others watch here', async () => {
    const cluster = await clusterOf('shop:*:*', 'shop:none')
    const [holder, client] = [shopOf(cluster, 0), shopOf(cluster, 1)]
    const watchers = [await watcher(cluster, client, 'apple'), await watcher(cluster, client, 'pear')]
    for (let count = 0; count < 10; count++) watchers.push(await watcher(cluster, client, 'apple', { id: 'x' }))
    await holder.put('apple', 'x', { n: 1 })
    for (const { until } of watchers.toSpliced(1, 1)) await until(['x', 1])
    expect(watchers[1]?.told).toEqual([])
  })
})

describe('a holder that is followed', () => {
  it('and is killed is replaced by another: what was written meanwhile and what went is told', async () => {
    const cluster = await clusterOf('shop:*:*', 'shop:*:*', 'shop:none')
    const client = shopOf(cluster, 2)
    for (let n = 0; n < 40; n++) await shopOf(cluster, 0).put('apple', `a${n}`, { n })
    await cluster.settle()
    const { until } = await watcher(cluster, client, 'apple')
    await shopOf(cluster, 0).put('apple', 'x', { n: 1 })
    await until(['x', 1])
    const first = (await within(cluster, client.get('apple', 'x'))).answeredBy[0]
    const [killed, left] = cluster.nodes[0]?.peerId === first ? [0, 1] : [1, 0]
    await cluster.settle()
    cluster.crash(killed)
    await shopOf(cluster, left).put('apple', 'y', { n: 2 })
    await shopOf(cluster, left).delete('apple', 'a7')
    await until(['y', 2], ['a7', undefined])
    await shopOf(cluster, left).put('apple', 'z', { n: 3 })
    await until(['z', 3])
  })

  it('and is the only one may go and come back, and is followed on from where it was', async () => {
    const cluster = await clusterOf('shop:*:*', 'shop:none')
    const client = shopOf(cluster, 1)
    await shopOf(cluster, 0).put('apple', 'old', { n: 0 })
    const { told, until, failure } = await watcher(cluster, client, 'apple')
    cluster.crash(0)
    await cluster.advance(30_000)
    // It lies in the log of the client until there is a holder.
    await within(cluster, client.put('apple', 'late', { n: 5 }))
    expect(told).toEqual([])
    cluster.restart(0)
    await until(['late', 5])
    expect(failure()).toBeUndefined()
    expect(told).toEqual([['late', 5]])
  })

  it('is followed once there is one, by who goes on from a cursor; who begins is told that there is none', async () => {
    const cluster = await clusterOf('shop:*:*', 'shop:none')
    const client = shopOf(cluster, 1)
    const first = await watcher(cluster, client, 'apple')
    await shopOf(cluster, 0).put('apple', 'x', { n: 1 })
    await first.until(['x', 1])
    first.stop()
    cluster.crash(0)
    await cluster.advance(30_000)
    await expect(within(cluster, client.watch('apple').begin())).rejects.toMatchObject({ code: 'RZ_SHARD_UNHELD' })
    await expect(within(cluster, client.watch('apple')[Symbol.asyncIterator]().next())).rejects.toMatchObject({
      code: 'RZ_SHARD_UNHELD',
    })
    const again = await watcher(cluster, client, 'apple', { after: first.cursor() })
    cluster.restart(0)
    await cluster.advance(5_000)
    await shopOf(cluster, 0).put('apple', 'y', { n: 2 })
    await again.until(['y', 2])
    expect(again.told).toEqual([['y', 2]])
  })

  it('and drops the shard is replaced by who has taken it over, also where that is the watcher', async () => {
    const cluster = await clusterOf('shop:*:*', 'shop:none', 'shop:none')
    const [holder, next, client] = [0, 1, 2].map((index) => cluster.nodes[index]?.node) as [
      RhizomeNode,
      RhizomeNode,
      RhizomeNode,
    ]
    const watchers = [
      await watcher(cluster, shopOf(cluster, 1), 'apple'),
      await watcher(cluster, client.everywhere('shop'), 'apple'),
    ]
    await holder.everywhere('shop').put('apple', 'x', { n: 1 })
    for (const { until } of watchers) await until(['x', 1])
    await next.hold('shop:*:*')
    await cluster.advance(3_000)
    await within(cluster, holder.drop('shop:*:*'))
    await cluster.advance(10_000)
    await within(cluster, next.everywhere('shop').put('apple', 'y', { n: 2 }))
    for (const { until } of watchers) await until(['y', 2])
    await within(cluster, holder.everywhere('shop').put('apple', 'z', { n: 3 }))
    for (const { until } of watchers) await until(['z', 3])
  })
})

describe('a cursor', () => {
  it('of several shards misses nothing of any, and tells no other records again', async () => {
    const cluster = await clusterOf('shop:order:a-g', 'shop:order:h-n', 'shop:none')
    const [first, second, client] = [0, 1, 2].map((index) => shopOf(cluster, index)) as [Shop, Shop, Shop]
    await first.put('order', 'a0', { n: 0 })
    const before = await watcher(cluster, client, 'order')
    await first.put('order', 'a1', { n: 1 })
    await second.put('order', 'h1', { n: 1 })
    await client.put('order', 'z1', { n: 1 })
    await before.until(['a1', 1], ['h1', 1], ['z1', 1])
    before.stop()
    expect(before.cursor().split('~')).toHaveLength(3)
    await first.put('order', 'a2', { n: 2 })
    await second.put('order', 'h2', { n: 2 })
    await within(cluster, client.put('order', 'z2', { n: 2 }))
    await within(cluster, client.delete('order', 'h1'))
    const after = await watcher(cluster, client, 'order', { after: before.cursor() })
    await after.until(['a2', 2], ['h2', 2], ['z2', 2], ['h1', undefined])
    expect(after.told.map(([id]) => id)).not.toContain('a0')
  })

  it('of the beginning, and one that names no shard, tells all that there ever was', async () => {
    const cluster = await clusterOf('shop:order:a-g', 'shop:none')
    const [holder, client] = [shopOf(cluster, 0), shopOf(cluster, 1)]
    for (let n = 0; n < 50; n++) await holder.put('order', `a${n}`, { n })
    await holder.delete('order', 'a7')
    await client.put('order', 'z', { n: 1 })
    const { told, until, cursor } = await watcher(cluster, client, 'order', { after: '0' })
    await until(['a0', 0], ['a49', 49], ['a7', undefined], ['z', 1])
    expect(told).toHaveLength(51)
    const [ofParent = ''] = cursor().split('~')
    const again = await watcher(cluster, client, 'order', { after: ofParent })
    await again.until(['a0', 0], ['a49', 49], ['a7', undefined])
    expect(again.told.map(([id]) => id)).not.toContain('z')
  })

  it.each(['x', '1', '0~0', 'abcdef01-1~', 'abcdef01-1~x:abcdef01-1', ''])(
    'that nobody handed out is refused: %j',
    async (after) => {
      const cluster = await clusterOf('shop:none')
      expect(() => shopOf(cluster, 0).watch('apple', { after })).toThrow(
        expect.objectContaining({ code: 'RZ_WATCH_CURSOR' }),
      )
    },
  )
})

describe('a shard that is asked by its own name', () => {
  it('is read and watched by itself', async () => {
    const cluster = await clusterOf('shop:order:a-g', 'shop:order:h-n')
    const shard = cluster.nodes[0]?.node.everywhere('shop:order:a-g') as Shop
    const { told, until } = await watcher(cluster, shard, 'order')
    await within(cluster, shopOf(cluster, 0).put('order', 'h', { n: 1 }))
    await shopOf(cluster, 0).put('order', 'a', { n: 2 })
    await until(['a', 2])
    expect(told).toEqual([['a', 2]])
    expect(shard.ids('order')).toMatchObject({ value: ['a'] })
  })
})

describe('what is placed while it is watched', () => {
  it('is told from its shard on', async () => {
    const cluster = await clusterOf('shop:none', 'shop:none')
    const [first, second] = [0, 1].map((index) => cluster.nodes[index]?.node) as [RhizomeNode, RhizomeNode]
    const { until } = await watcher(cluster, second.everywhere('shop'), 'apple')
    await first.namespace('shop').put('apple', 'x', { n: 1 })
    await until(['x', 1])
    await first.namespace('shop').delete('apple', 'x')
    await until(['x', undefined])
    await first.hold('shop:*:*')
    await cluster.advance(6_000)
    await within(cluster, first.everywhere('shop').put('apple', 'y', { n: 2 }))
    await until(['y', 2])
  })
})
