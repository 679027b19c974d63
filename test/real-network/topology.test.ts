/** Nodes that cannot all reach each other, that come late, and that come back as somebody else on the network. */
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { expectConnected, expectEqual, Cluster, report, eventually } from '../support/cluster.ts'
import { Lan } from '../support/lan.ts'

describe.concurrent('a namespace converges', () => {
  test('over a line A–B–C where A and C never connect', async () => {
    using lan = new Lan(['a', 'b', 'c'])
    lan.dropBetween('a', 'c')
    await using cluster = await Cluster.open(lan)
    const [a, b, c] = await cluster.startAll('a', 'b', 'c')
    if (a === undefined || b === undefined || c === undefined) throw new Error('three nodes were started')
    await Promise.all([expectConnected([a, b]), expectConnected([b, c])])
    await Promise.all([a.putMany('from-a-', 100), c.putMany('from-c-', 100)])
    report(`a line of three was equal ${await expectEqual([a, b, c], cluster.acknowledged())} ms after the last write`)
    await b.putMany('from-b-', 100)
    await a.run('delete', 'user', 'from-c-7')
    await expectEqual([a, b, c], cluster.acknowledged())
    expect(await c.run('get', 'user', 'from-c-7')).toBeUndefined()
    expect([...a.networkEvents('connected'), ...c.networkEvents('connected')].map(({ peer }) => peer).sort()).toEqual([
      b.peerId,
      b.peerId,
    ])
  })

  test('with a node that joins when all was written, and whose author is gone', async () => {
    using lan = new Lan(['a', 'b', 'c'])
    await using cluster = await Cluster.open(lan)
    const [a, b] = await cluster.startAll('a', 'b')
    if (a === undefined || b === undefined) throw new Error('two nodes were started')
    await a.putMany('user', 500)
    await expectEqual([a, b], cluster.acknowledged())
    await a.kill()
    const c = await cluster.start('c')
    report(`a late joiner had 500 blocks ${await expectEqual([b, c], cluster.acknowledged())} ms after it was ready`)
    await eventually('c knows that it is in sync', async () => (await c.run('status')).kind === 'in-sync')
  })

  test('with a node that was restarted on another port, and one on another host', async () => {
    using lan = new Lan(['a', 'b', 'c', 'elsewhere'])
    await using cluster = await Cluster.open(lan)
    const [a, b, c] = await cluster.startAll('a', 'b', 'c')
    if (a === undefined || b === undefined || c === undefined) throw new Error('three nodes were started')
    await Promise.all([a.putMany('a', 20), b.putMany('b', 20), c.putMany('c', 20)])
    await expectEqual([a, b, c], cluster.acknowledged())
    await Promise.all([b.stop(), c.kill()])
    await a.putMany('meanwhile', 20)
    const [again, moved] = await Promise.all([
      cluster.start('b', { network: { listen: ['/ip4/0.0.0.0/tcp/4321'] } }),
      cluster.start('c', { host: 'elsewhere' }),
    ])
    expect([again.peerId, moved.peerId]).toEqual([b.peerId, c.peerId])
    await Promise.all([again.putMany('again', 20), moved.putMany('moved', 20)])
    report(`two restarted nodes were equal in ${await expectEqual([a, again, moved], cluster.acknowledged())} ms`)
    await expectConnected([a, again, moved])
  })

  test('with nodes that were started before their network was there', async () => {
    using lan = new Lan(['a', 'b', 'c'])
    for (const name of ['a', 'b']) lan.takeInterface(name)
    await using cluster = await Cluster.open(lan)
    const nodes = await cluster.startAll('a', 'b', 'c')
    await Promise.all(nodes.map((node) => node.putMany(`${node.name}-`, 20)))
    for (const node of nodes)
      await eventually(`${node.name} says that it is alone`, () => node.networkEvents('alone')[0])
    for (const name of ['a', 'b']) lan.giveInterface(name)
    report(`nodes that came before their network were connected in ${await expectConnected(nodes)} ms`)
    await expectEqual(nodes, cluster.acknowledged())
  })

  test('with a newcomer, after the interface was gone for 10 s and came back with its address', async () => {
    using lan = new Lan(['a', 'newcomer'])
    await using cluster = await Cluster.open(lan)
    const a = await cluster.start('a')
    await a.putMany('a-', 20)
    lan.takeInterface('a')
    await sleep(10_000)
    lan.giveInterface('a')
    const newcomer = await cluster.start('newcomer')
    report(`a newcomer met a node whose network had been away in ${await expectConnected([a, newcomer])} ms`)
    await expectEqual([a, newcomer], cluster.acknowledged())
  })

  test('without multicast, by addresses given before anybody listens there', async () => {
    using lan = new Lan(['a', 'b'])
    await using cluster = await Cluster.open(lan)
    const a = await cluster.start('a', { network: { mdns: false, peers: [lan.host('b').address] } })
    await a.putMany('a', 20)
    await eventually('a was told that nobody answers', () =>
      a.networkEvents('dial-failed').find(({ code }) => code === 'unreachable'),
    )
    const b = await cluster.start('b', { network: { mdns: false } })
    await expectEqual([a, b], cluster.acknowledged())
  })
})
