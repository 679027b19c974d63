/** Delivery to several nodes that crash and are cut off: clusters on virtual time. */
import { describe, expect, it } from 'vitest'
import type { NodeEvent, SubscribeOptions } from '../../../src/index.ts'
import { type Cluster, createCluster } from '../../../src/testing/cluster.ts'

/** What each node was handed, over its restarts; a node that restarts subscribes anew. */
class Handed {
  readonly of: string[][]
  readonly #cluster: Cluster
  readonly #options: SubscribeOptions

  constructor(cluster: Cluster, options: SubscribeOptions) {
    this.#cluster = cluster
    this.#options = options
    this.of = cluster.nodes.map(() => [])
    for (const index of cluster.nodes.keys()) this.subscribe(index)
  }

  subscribe(index: number): void {
    this.#cluster.namespace(index).subscribe(this.#options, ({ id }) => {
      this.of[index]?.push(id)
    })
  }
}

function idsOf(cluster: Cluster): string[] {
  return cluster.nodes.map(({ peerId }) => peerId)
}

describe('reliable delivery', () => {
  it('reaches all though the author dies after reaching one', async () => {
    await using cluster = createCluster({ nodes: 4, seed: 3 })
    await cluster.settle()
    const handed = new Handed(cluster, { delivery: 'reliable' })
    cluster.partition([0, 1], [2, 3])
    const { deltas } = await cluster.namespace(0).put('item', 'bolt', { stock: 1 })
    await cluster.advance(1_000)
    cluster.crash(0)
    cluster.heal()
    await cluster.settle()
    expect(handed.of.slice(1)).toEqual([deltas, deltas, deltas])
  })

  it('reaches none where the author died before it reached anyone, and all once it is back', async () => {
    await using cluster = createCluster({ nodes: 3, seed: 4 })
    await cluster.settle()
    const handed = new Handed(cluster, { delivery: 'reliable' })
    cluster.partition([0], [1, 2])
    const { deltas } = await cluster.namespace(0).put('item', 'bolt', { stock: 1 })
    cluster.crash(0)
    cluster.heal()
    await cluster.settle()
    expect(handed.of.slice(1)).toEqual([[], []])
    cluster.restart(0)
    await cluster.settle()
    expect(handed.of.slice(1)).toEqual([deltas, deltas])
  })

  it('of what is written everywhere hands out the same set, once each, whatever is lost and doubled on the way', async () => {
    await using cluster = createCluster({
      nodes: 4,
      seed: 5,
      network: { delayMsMax: 60, lossRate: 0.3, duplicateRate: 0.2 },
    })
    const handed = new Handed(cluster, { delivery: 'reliable' })
    for (let round = 0; round < 10; round++) {
      await Promise.all(cluster.nodes.map((node, index) => node.namespace().put('item', `${index}`, { round })))
      await cluster.advance(20)
    }
    await cluster.settle()
    const sets = handed.of.map((ids) => ids.toSorted())
    expect(sets[0]).toHaveLength(40)
    for (const set of sets) expect(set).toEqual(sets[0])
  })
})

describe('uniform delivery', () => {
  it('hands out soon what a majority holds, with one node that is no member', async () => {
    await using cluster = createCluster({ nodes: 4, seed: 6 })
    await cluster.settle()
    const handed = new Handed(cluster, { delivery: 'uniform', members: idsOf(cluster).slice(0, 3) })
    await cluster.advance(2_000)
    const { deltas } = await cluster.namespace(3).put('item', 'bolt', { stock: 1 })
    await cluster.advance(100)
    expect(handed.of).toEqual([deltas, deltas, deltas, deltas])
  })

  it('hands out nothing without a majority, tells who holds it, and goes on with one', async () => {
    await using cluster = createCluster({ nodes: 5, seed: 7 })
    await cluster.settle()
    const events: NodeEvent[] = []
    cluster.nodes[0]?.node.onEvent((event) => event.kind === 'subscription' && events.push(event))
    const handed = new Handed(cluster, { delivery: 'uniform', members: idsOf(cluster), deadlineMs: 3_000 })
    cluster.partition([0, 1], [2, 3, 4])
    await cluster.advance(5_000)
    const minority = await cluster.namespace(0).put('item', 'bolt', { stock: 1 })
    const majority = await cluster.namespace(2).put('item', 'bolt', { stock: 2 })
    await cluster.advance(4_000)
    expect(handed.of).toEqual([[], [], majority.deltas, majority.deltas, majority.deltas])
    expect(events).toMatchObject([
      {
        name: 'uniform',
        event: { kind: 'majority-missing', delta: minority.deltas[0], neededCount: 3, waitedMs: 3_000 },
      },
    ])
    const [{ event }] = events as [Extract<NodeEvent, { kind: 'subscription' }>]
    const holders = event.kind === 'majority-missing' ? event.holders.map(({ peer }) => peer) : []
    expect(holders.toSorted()).toEqual(idsOf(cluster).slice(0, 2).sort())
    cluster.heal()
    await cluster.settle()
    await cluster.advance(10_000)
    for (const ids of handed.of) expect(ids.toSorted()).toEqual([...minority.deltas, ...majority.deltas].sort())
  })

  it('agrees: what one that crashes was handed, all correct nodes are, at whatever moment it happens', async () => {
    for (let seed = 1; seed <= 20; seed++) {
      await using cluster = createCluster({ nodes: 5, seed, network: { delayMsMax: 30, lossRate: 0.1 } })
      await cluster.settle()
      const handed = new Handed(cluster, { delivery: 'uniform', members: idsOf(cluster) })
      await cluster.advance(1_000)
      // Reaches at most two others, then a minority dies: the author, and one of those.
      cluster.partition([0, 1, 2], [3, 4])
      await cluster.namespace(0).put('item', 'bolt', { stock: seed })
      await cluster.advance(seed * 7)
      cluster.crash(0)
      await cluster.advance(seed)
      cluster.crash(1)
      cluster.heal()
      await cluster.settle()
      await cluster.advance(10_000)
      const [first, second, ...correct] = handed.of.map((ids) => ids.join())
      expect(new Set(correct).size, `seed ${seed}: ${correct.join(' ')}`).toBe(1)
      for (const died of [first, second]) if (died !== '') expect(correct[0], `seed ${seed}`).toBe(died)
    }
  })

  it('goes on from its cursor after a restart', async () => {
    await using cluster = createCluster({ nodes: 3, seed: 8 })
    await cluster.settle()
    const handed = new Handed(cluster, { delivery: 'uniform', members: idsOf(cluster) })
    const first = await cluster.namespace(0).put('item', 'bolt', { stock: 1 })
    await cluster.advance(2_000)
    cluster.crash(1)
    const second = await cluster.namespace(0).put('item', 'bolt', { stock: 2 })
    await cluster.advance(2_000)
    cluster.restart(1)
    handed.subscribe(1)
    await cluster.settle()
    await cluster.advance(10_000)
    expect(handed.of[1]).toEqual([...first.deltas, ...second.deltas])
  })

  it('catches up on a long history of many logs in few questions', async () => {
    await using cluster = createCluster({ nodes: 3, seed: 9 })
    await cluster.settle()
    for (let round = 0; round < 100; round++) {
      await cluster.namespace(round % 3).put('item', `${round}`, { round })
    }
    await cluster.settle()
    const handed = new Handed(cluster, { delivery: 'uniform', members: idsOf(cluster) })
    await cluster.advance(1_000)
    expect(handed.of.map((ids) => ids.length)).toEqual([100, 100, 100])
  })
})
