/** The nodes of one user on one machine find each other without multicast and without being told: by files under `home`. */
import { expect, test } from 'vitest'
import { expectConnected, expectEqual, Cluster, report, eventually } from '../support/cluster.ts'

test('three nodes of one home find each other without mDNS', async () => {
  await using cluster = await Cluster.open()
  const nodes = await cluster.startAll('a', 'b', 'c')
  report(`three nodes of one home were connected in ${await expectConnected(nodes)} ms`)
  await Promise.all(nodes.map((node) => node.putMany(`${node.name}-`, 10)))
  await expectEqual(nodes, cluster.acknowledged())
  expect(nodes.flatMap((node) => node.networkEvents('discovered')).every(({ by }) => by === 'registry')).toBe(true)
})

test('a node that was killed and comes back on another port is found again, and its old file misleads nobody', async () => {
  await using cluster = await Cluster.open()
  const [a, b] = await cluster.startAll('a', 'b')
  if (a === undefined || b === undefined) throw new Error('two nodes were started')
  await expectConnected([a, b])
  await b.kill()
  await eventually('a has lost b', async () => (await a.connected()).length === 0)
  const again = await cluster.start('b')
  expect(again.addresses).not.toEqual(b.addresses)
  await expectConnected([a, again])
})

test('a node of another home is not found', async () => {
  await using cluster = await Cluster.open()
  const [a, b] = await cluster.startAll('a', 'b')
  if (a === undefined || b === undefined) throw new Error('two nodes were started')
  const stranger = await cluster.start('stranger', { node: { home: cluster.dataOf('another home') } })
  await expectConnected([a, b])
  expect(await stranger.connected()).toEqual([])
  expect([...a.networkEvents('discovered'), ...b.networkEvents('discovered')].map(({ peer }) => peer)).not.toContain(
    stranger.peerId,
  )
})
