import { describe, expect, it } from 'vitest'
import type { PutResult, Until } from '../../../src/index.ts'
import { openNode } from '../../../src/index.ts'
import { type Cluster, createCluster } from '../../../src/testing/cluster.ts'
import { signer } from '../../support/blocks.ts'

function idsOf(cluster: Cluster, ...indexes: readonly number[]): string[] {
  return indexes.map((index) => cluster.nodes[index]?.peerId ?? '')
}

async function met(nodes: number, seed = 1): Promise<Cluster> {
  const cluster = createCluster({ nodes, seed })
  await cluster.settle()
  await cluster.advance(3_000)
  return cluster
}

/** What a write by the first node comes to, with the milliseconds that its result took. */
async function written(cluster: Cluster, options: object): Promise<{ result: PutResult; tookMs: number }> {
  const startMs = cluster.nowMs()
  let tookMs: number | undefined
  const writing = cluster
    .namespace(0)
    .put('item', 'bolt', { stock: startMs }, options)
    .then((result) => {
      tookMs = cluster.nowMs() - startMs
      return result
    })
  while (tookMs === undefined && cluster.nowMs() < startMs + 60_000) await cluster.advance(1)
  return { result: await writing, tookMs: tookMs ?? NaN }
}

function holdersOf({ holders = [] }: PutResult): string[] {
  return holders.map(({ peer }) => peer).sort()
}

describe('a write', () => {
  it('names nobody unless it is asked to', async () => {
    await using cluster = await met(2)
    const { result } = await written(cluster, {})
    expect(result).not.toHaveProperty('holders')
    expect(result).not.toHaveProperty('achieved')
  })

  it('until local is there with the commit, and names this node', async () => {
    await using cluster = await met(2)
    const { result, tookMs } = await written(cluster, { until: 'local' })
    expect(result).toMatchObject({
      achieved: true,
      holders: [{ peer: cluster.nodes[0]?.peerId, durability: 'process' }],
    })
    expect(tookMs).toBeLessThanOrEqual(1)
  })

  it('until so many copies is told by as many, within a few round trips', async () => {
    await using cluster = await met(5)
    const { result, tookMs } = await written(cluster, { until: { copies: 3 } })
    expect(result.achieved).toBe(true)
    expect(result.holders?.length).toBeGreaterThanOrEqual(3)
    expect(tookMs).toBeLessThan(20)
    for (const peer of holdersOf(result).filter((each) => each !== cluster.nodes[0]?.peerId)) {
      const holder = cluster.nodes.find((node) => node.peerId === peer)
      expect(holder?.namespace().delta(result.deltas[0] ?? '')).toBeDefined()
    }
  })

  it('until uniform is told by a majority of the declared members, and by nobody else', async () => {
    await using cluster = await met(5)
    const members = idsOf(cluster, 0, 1, 2)
    const { result } = await written(cluster, { until: 'uniform', members })
    expect(result.achieved).toBe(true)
    expect(result.holders?.length).toBeGreaterThanOrEqual(2)
    expect(members).toEqual(expect.arrayContaining(holdersOf(result)))
  })

  it('until uniform is told where the writer is no member', async () => {
    await using cluster = await met(4)
    const { result } = await written(cluster, { until: 'uniform', members: idsOf(cluster, 1, 2, 3) })
    expect(result.achieved).toBe(true)
    expect(holdersOf(result)).not.toContain(cluster.nodes[0]?.peerId)
  })

  it('without a majority says at the deadline who holds it, and stays', async () => {
    await using cluster = await met(5)
    cluster.partition([0, 1], [2, 3, 4])
    await cluster.advance(5_000)
    const options = { until: 'uniform', members: idsOf(cluster, 0, 1, 2, 3, 4), deadlineMs: 2_000 }
    const { result, tookMs } = await written(cluster, options)
    expect(result).toMatchObject({ achieved: false, fault: { code: 'RZ_DELIVERY_DEADLINE' } })
    expect(result.fault?.message).toContain('3 of 5 declared members')
    expect(holdersOf(result)).toEqual(idsOf(cluster, 0, 1).sort())
    expect(tookMs).toBe(2_000)
    cluster.heal()
    await cluster.settle()
    expect(cluster.namespace(4).delta(result.deltas[0] ?? '')).toBeDefined()
  })

  it('until alive waits for all that are not held down, and for those no longer', async () => {
    await using cluster = await met(4)
    const whole = await written(cluster, { until: 'alive' })
    expect(holdersOf(whole.result)).toEqual(idsOf(cluster, 0, 1, 2, 3).sort())
    cluster.crash(3)
    const { result, tookMs } = await written(cluster, { until: 'alive', deadlineMs: 30_000 })
    expect(result.achieved).toBe(true)
    expect(holdersOf(result)).toEqual(idsOf(cluster, 0, 1, 2).sort())
    expect(tookMs).toBeGreaterThan(1_000)
  })

  it('is told of by those that are not its neighbours', async () => {
    await using cluster = await met(3)
    cluster.partition([0, 1], [2])
    await cluster.advance(5_000)
    const members = idsOf(cluster, 0, 2)
    const first = await written(cluster, { until: 'uniform', members, deadlineMs: 500 })
    expect(first.result.achieved).toBe(false)
    cluster.heal()
    const second = await written(cluster, { until: 'uniform', members })
    expect(second.result.achieved).toBe(true)
  })

  it('many at once cost few questions', async () => {
    await using cluster = await met(3)
    const many = Promise.all(
      Array.from({ length: 200 }, (_, index) =>
        cluster.namespace(0).put('item', `${index}`, { n: index }, { until: { copies: 3 } }),
      ),
    )
    await cluster.advance(200)
    expect((await many).every(({ achieved }) => achieved === true)).toBe(true)
  })

  it('by append, negate, delete and transaction waits likewise', async () => {
    await using cluster = await met(2)
    const until: Until = { copies: 2 }
    const users = cluster.namespace(0)
    const one = await Promise.all([
      users.append([{ localContext: 'note', target: 'hello' }], { until }),
      users.transaction((transaction) => transaction.put('item', 'nut', { stock: 1 }), { until }),
      cluster.advance(1_000),
    ])
    const other = await Promise.all([
      users.negate(one[0].deltas[0] ?? '', { until }),
      users.delete('item', 'nut', { until }),
      users.delete('item', 'nothing', { until }),
      cluster.advance(1_000),
    ])
    for (const result of [one[0], one[1], other[0], other[1], other[2]]) expect(result?.achieved).toBe(true)
  })

  it('whose node is closed meanwhile says so, and was made', async () => {
    await using cluster = await met(1)
    const writing = cluster.namespace(0).put('item', 'bolt', { stock: 1 }, { until: { copies: 2 } })
    await cluster.advance(10)
    await cluster.nodes[0]?.node.close()
    expect(await writing).toMatchObject({ achieved: false, fault: { code: 'RZ_STORE_CLOSED' }, holders: [{}] })
  })
})

describe('what a write cannot wait for is refused before anything is written:', () => {
  const me = signer(1).id
  it.each([
    ['uniform without a declared list', { until: 'uniform' }, 'RZ_DELIVERY_MEMBERS'],
    ['an unknown word', { until: 'quorum' }, 'RZ_DELIVERY_INVALID'],
    ['no copies', { until: { copies: 0 } }, 'RZ_DELIVERY_INVALID'],
    ['half a copy', { until: { copies: 1.5 } }, 'RZ_DELIVERY_INVALID'],
    ['more copies than are asked for', { until: { copies: 65 } }, 'RZ_DELIVERY_INVALID'],
    ['null', { until: null }, 'RZ_DELIVERY_INVALID'],
    ['no time', { until: 'local', deadlineMs: 0 }, 'RZ_DELIVERY_INVALID'],
    ['endless time', { until: 'local', deadlineMs: Infinity }, 'RZ_DELIVERY_INVALID'],
    ['a deadline for nothing', { deadlineMs: 5 }, 'RZ_DELIVERY_INVALID'],
    ['members for nothing', { members: [me] }, 'RZ_DELIVERY_INVALID'],
    ['members of copies', { until: { copies: 2 }, members: [me] }, 'RZ_DELIVERY_INVALID'],
    ['an empty list', { until: 'uniform', members: [] }, 'RZ_DELIVERY_INVALID'],
    ['somebody twice', { until: 'uniform', members: [me, me] }, 'RZ_DELIVERY_INVALID'],
    ['no peer id', { until: 'uniform', members: ['alice'] }, 'RZ_DELIVERY_INVALID'],
  ])('%s', async (_, options, code) => {
    await using cluster = createCluster({ nodes: 1 })
    const writing = cluster.namespace(0).put('item', 'bolt', { stock: 1 }, options as object)
    await expect(writing).rejects.toMatchObject({ code })
    expect(cluster.namespace(0).counts().deltas).toBe(0)
  })

  it('others, without a network', async () => {
    await using node = await openNode({ topics: ['users'], memory: true, network: false })
    const users = node.namespace('users')
    const writing = users.put('user', 'alice', { age: 3 }, { until: { copies: 2 } })
    await expect(writing).rejects.toMatchObject({ code: 'RZ_NODE_OFFLINE' })
    const alone = await users.put('user', 'alice', { age: 3 }, { until: 'local' })
    expect(alone).toMatchObject({ achieved: true, holders: [{ peer: node.peerId, durability: 'memory' }] })
  })

  it('the living, with the detector off', async () => {
    await using node = await openNode({
      topics: ['users'],
      memory: true,
      network: { listen: ['/ip4/127.0.0.1/tcp/0'], mdns: false },
      detector: 'off',
    })
    const writing = node.namespace('users').put('user', 'alice', { age: 3 }, { until: 'alive' })
    await expect(writing).rejects.toMatchObject({ code: 'RZ_DELIVERY_DETECTOR' })
  })

  it('a declared list that cannot be, when the node is opened', async () => {
    const opening = openNode({ topics: ['users'], memory: true, network: false, members: ['alice'] })
    await expect(opening).rejects.toMatchObject({ code: 'RZ_DELIVERY_INVALID' })
  })
})
