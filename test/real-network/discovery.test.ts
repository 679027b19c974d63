/** Nodes on a LAN that nobody told of each other: mDNS finds them, and the mesh is whole. design.md 8, containers.md. */
import { expect, test } from 'vitest'
import { FULL_MESH_NODES_MAX, RENDEZVOUS_PEERS, RING_SUCCESSORS } from '../../src/net/limits.ts'
import type { Net } from '../../src/net/net.ts'
import { openOnLoopback } from '../net/libp2p-cluster.ts'
import { expectConnected, Cluster, report, eventually } from '../support/cluster.ts'
import { Lan } from '../support/lan.ts'
import type { ProcessNode } from '../support/process-node.ts'

for (const count of [2, 5, FULL_MESH_NODES_MAX]) {
  test(`${count} nodes find each other and are all connected to all`, async () => {
    const names = namesOf(count)
    using lan = new Lan(names)
    await using cluster = await Cluster.open(lan)
    const nodes = await cluster.startAll(...names)
    report(`${count} nodes were fully connected ${await expectConnected(nodes)} ms after the last one was ready`)
    const writer = nodes[0] as ProcessNode
    await writer.put('alice', 'seen by all')
    await Promise.all(nodes.map((node) => eventually(`${node.name} has it`, () => node.run('get', 'user', 'alice'))))
  })
}

test('a node finds one that was there long before, and the other way round', async () => {
  using lan = new Lan(['a', 'b'])
  await using cluster = await Cluster.open(lan)
  const a = await cluster.start('a')
  await eventually('a says that it is alone', () => a.networkEvents('alone')[0])
  const b = await cluster.start('b')
  report(`a newcomer was connected ${await expectConnected([a, b])} ms after it was ready`)
  expect(b.networkEvents('discovered').map(({ by }) => by)).toContain('mdns')
})

test('a node that is alone tells what it asked, what it heard and on which interface', async () => {
  using lan = new Lan(['a'])
  await using cluster = await Cluster.open(lan)
  const a = await cluster.start('a')
  const alone = await eventually('a says that it is alone', () => a.networkEvents('alone')[0])
  expect(alone).toMatchObject({ interfaces: [`eth0 ${lan.host('a').address}`], answersHeard: 0 })
  expect(alone.queriesSent).toBeGreaterThan(0)
})

test('beyond the full mesh a message reaches all of thirty nodes, and none of them dials more than its share', async () => {
  // In one process: thirty would not share two cores well.
  await using closing = new AsyncDisposableStack()
  const serviceTag = '_rhizome-thirty._udp.local'
  const heard = new Set<Net>()
  const nets: Net[] = []
  for (const name of namesOf(30)) {
    const net = await openOnLoopback(name, { listen: ['/ip4/0.0.0.0/tcp/0'], mdns: { serviceTag } })
    nets.push(closing.use(net))
    net.join(
      'all',
      () => 'accept',
      () => void heard.add(net),
    )
  }
  const dialled = () => nets.map((net) => net.peers().filter(({ direction }) => direction === 'outbound').length)
  await eventually('the graph is connected', () => reachable(nets) === nets.length)
  const [writer, ...others] = nets
  await eventually('all hear the first', async () => {
    await writer?.publish('all', Buffer.from(`message ${heard.size} ${performance.now()}`))
    return others.every((net) => heard.has(net))
  })
  report(
    `30 nodes have ${summary(nets.map((net) => net.peers().length))} connections, and dialled ${summary(dialled())}`,
  )
  // Who knows few dials them all; who knows many dials the next on the ring and some by rendezvous.
  const share = FULL_MESH_NODES_MAX - 1 + RING_SUCCESSORS + RENDEZVOUS_PEERS
  expect(Math.max(...dialled())).toBeLessThanOrEqual(share)
})

function namesOf(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `n${index + 1}`)
}

function summary(counts: readonly number[]): string {
  return `${Math.min(...counts)} to ${Math.max(...counts)}`
}

/** How many nodes can be reached from the first. */
function reachable(nets: readonly Net[]): number {
  const byId = new Map(nets.map((net) => [net.self, net]))
  const [first] = byId.keys()
  const reached = new Set(first === undefined ? [] : [first])
  // A set may grow while it is walked.
  for (const peer of reached) for (const { id } of byId.get(peer)?.peers() ?? []) reached.add(id)
  return reached.size
}
