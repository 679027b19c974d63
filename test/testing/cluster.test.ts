import { describe, expect, it } from 'vitest'
import { SHIPPED_RESOLVERS } from '../../src/index.ts'
import { type Cluster, createCluster } from '../../src/testing/cluster.ts'

const TTL_MS = 60_000

function stocks(cluster: Cluster): unknown[] {
  return cluster.nodes.map((node) => node.namespace().get('item', 'bolt')?.properties['stock'])
}

describe('a cluster', () => {
  it('brings all nodes to the same after a partition and a crash, by the rule in the log', async () => {
    await using cluster = createCluster({ nodes: 3, seed: 7 })
    const [first, second, third] = cluster.nodes.map((node) => node.namespace())
    await first?.resolver('stock', { collection: 'item', property: 'stock', rule: SHIPPED_RESOLVERS.min })
    await cluster.settle()
    cluster.partition([0], [1, 2])
    await third?.put('item', 'bolt', { stock: 3 })
    await first?.put('item', 'bolt', { stock: 4 })
    await second?.put('item', 'bolt', { stock: 5 })
    cluster.crash(2)
    await cluster.settle()
    expect(first?.get('item', 'bolt')?.properties['stock']).toBe(4)
    cluster.heal()
    cluster.restart(2)
    await cluster.settle()
    expect(stocks(cluster)).toEqual([3, 3, 3])
  })

  it('is the same at every run of a seed, to the millisecond, and another for another seed', async () => {
    const run = async (seed: number) => {
      await using cluster = createCluster({ nodes: 4, seed, network: { delayMsMax: 40, lossRate: 0.3 } })
      await Promise.all(cluster.nodes.map((node, index) => node.namespace().put('item', 'bolt', { stock: index })))
      await cluster.settle()
      const deltas: string[] = []
      for await (const { delta } of cluster.nodes[0]?.namespace().deltas({ live: false }) ?? []) deltas.push(delta.id)
      return { atMs: cluster.nowMs(), deltas }
    }
    const once = await run(5)
    expect(await run(5)).toEqual(once)
    expect((await run(6)).deltas).not.toEqual(once.deltas)
  })

  it('settles each side of a partition, and a node in no group is alone', async () => {
    await using cluster = createCluster({ nodes: 5 })
    await cluster.settle()
    cluster.partition([0, 1], [2, 3])
    for (const [index, node] of cluster.nodes.entries()) await node.namespace().put('item', `of ${index}`, { n: index })
    await cluster.settle()
    expect(cluster.nodes.map((node) => node.namespace().ids('item').length)).toEqual([2, 2, 2, 2, 1])
    expect(cluster.nodes[4]?.namespace().status()).toEqual({ kind: 'alone' })
  })

  it('keeps what was acknowledged over a crash, refuses calls under way, and ends who follows', async () => {
    await using cluster = createCluster({ nodes: 1 })
    const [node] = cluster.nodes
    const before = node?.namespace()
    await before?.put('item', 'bolt', { stock: 1 })
    const told: unknown[] = []
    const following = (async () => {
      for await (const { view } of before?.watch('item') ?? []) told.push(view?.properties['stock'])
    })()
    await before?.put('item', 'bolt', { stock: 2 })
    await cluster.advance(1)
    const underWay = before?.put('item', 'bolt', { stock: 3 })
    cluster.crash(0)
    await expect(underWay).rejects.toMatchObject({ code: 'RZ_STORE_CLOSED' })
    await following
    expect(told).toEqual([2])
    expect(node?.isUp).toBe(false)
    expect(() => node?.namespace()).toThrow(expect.objectContaining({ code: 'RZ_CLUSTER_NODE_DOWN' }))
    cluster.restart(0)
    expect(stocks(cluster)).toEqual([2])
  })

  it('has clocks that can be set: the later one wins, and a write from too far ahead waits until it is due', async () => {
    await using cluster = createCluster({ nodes: 2 })
    await cluster.settle()
    cluster.setClock(1, TTL_MS)
    await cluster.nodes[1]?.namespace().put('item', 'bolt', { stock: 'by a clock ahead' })
    await cluster.nodes[0]?.namespace().put('item', 'bolt', { stock: 'by a true clock' })
    await cluster.settle()
    expect(stocks(cluster)).toEqual(['by a clock ahead', 'by a clock ahead'])
    cluster.setClock(1, 10 * TTL_MS)
    await cluster.nodes[1]?.namespace().put('item', 'bolt', { stock: 'far ahead' })
    await cluster.advance(TTL_MS)
    expect(cluster.nodes[0]?.namespace().get('item', 'bolt')?.properties['stock']).toBe('by a clock ahead')
    await cluster.settle()
    expect(stocks(cluster)).toEqual(['far ahead', 'far ahead'])
  })

  it('holds several namespaces, the first by default', async () => {
    await using cluster = createCluster({ nodes: 2, topics: ['shop', 'users'] })
    await cluster.nodes[0]?.namespace('users').put('user', 'ann', { name: 'Ann' })
    await cluster.settle()
    expect(cluster.nodes[1]?.namespace('users').get('user', 'ann')?.properties).toEqual({ name: 'Ann' })
    expect(cluster.nodes[1]?.namespace().ids('user')).toEqual([])
    expect(() => cluster.nodes[1]?.namespace('other')).toThrow(
      expect.objectContaining({ code: 'RZ_NAMESPACE_UNKNOWN' }),
    )
  })

  it('says who is not in sync when it cannot settle', async () => {
    await using cluster = createCluster({ nodes: 2, network: { delayMsMin: 50_000, delayMsMax: 50_000 } })
    await expect(cluster.settle({ virtualMsMax: 1_000 })).rejects.toMatchObject({
      code: 'RZ_CLUSTER_UNSETTLED',
      message: expect.stringContaining('node-0 is'),
    })
  })

  it.each([
    ['no node', () => createCluster({ nodes: 0 })],
    ['half a node', () => createCluster({ nodes: 1.5 })],
    ['too many', () => createCluster({ nodes: 101 })],
    ['no topic', () => createCluster({ nodes: 1, topics: [] })],
    ['a node that is not there', () => createCluster({ nodes: 2 }).crash(2)],
    ['a node in two groups', () => createCluster({ nodes: 3 }).partition([0, 1], [1, 2])],
  ])('refuses %s', (_, ask) => {
    expect(ask).toThrow(expect.objectContaining({ code: 'RZ_CLUSTER_INVALID' }))
  })

  it('refuses time that is none', async () => {
    await using cluster = createCluster({ nodes: 1 })
    for (const durationMs of [-1, Number.NaN])
      await expect(cluster.advance(durationMs)).rejects.toMatchObject({ code: 'RZ_CLUSTER_INVALID' })
  })
})
