/** Nodes on a LAN that nobody told of each other: mDNS finds them, and the mesh is whole. design.md 8, containers.md. */
import { expect, test } from 'vitest'
import { allConnected, Cluster, report } from '../support/cluster.ts'
import { Lan } from '../support/lan.ts'
import { until } from '../support/nodes.ts'
import type { ProcessNode } from '../support/process-node.ts'

/** Beyond this many nodes a node does not dial everyone. */
const FULL_MESH_NODES_MAX = 12

for (const count of [2, 5, FULL_MESH_NODES_MAX]) {
  test(`${count} nodes find each other and are all connected to all`, async () => {
    const names = namesOf(count)
    using lan = new Lan(names)
    await using cluster = await Cluster.open(lan)
    const nodes = await cluster.startAll(...names)
    report(`${count} nodes were fully connected ${await allConnected(nodes)} ms after the last one was ready`)
    const writer = nodes[0] as ProcessNode
    await writer.put('alice', 'seen by all')
    await Promise.all(nodes.map((node) => until(`${node.name} has it`, () => node.run('get', 'user', 'alice'))))
  })
}

test('a node finds one that was there long before, and the other way round', async () => {
  using lan = new Lan(['a', 'b'])
  await using cluster = await Cluster.open(lan)
  const a = await cluster.start('a')
  await until('a says that it is alone', () => a.networkEvents('alone')[0])
  const b = await cluster.start('b')
  report(`a newcomer was connected ${await allConnected([a, b])} ms after it was ready`)
  expect(b.networkEvents('discovered').map(({ by }) => by)).toContain('mdns')
})

test('a node that is alone tells what it asked, what it heard and on which interface', async () => {
  using lan = new Lan(['a'])
  await using cluster = await Cluster.open(lan)
  const a = await cluster.start('a')
  const alone = await until('a says that it is alone', () => a.networkEvents('alone')[0])
  expect(alone).toMatchObject({ interfaces: [`eth0 ${lan.host('a').address}`], answersHeard: 0 })
  expect(alone.queriesSent).toBeGreaterThan(0)
})

test('beyond the full mesh every node is reached over a bounded number of connections', async () => {
  const names = namesOf(16)
  using lan = new Lan(names)
  await using cluster = await Cluster.open(lan)
  const nodes = await cluster.startAll(...names)
  const edges = await until(
    'the graph is connected',
    async () => {
      const found = await Promise.all(nodes.map(async (node) => [node.peerId, await node.connected()] as const))
      return reachable(new Map(found)) === names.length && new Map(found)
    },
    60_000,
  )
  const degrees = [...edges.values()].map((peers) => peers.length)
  report(`16 nodes have ${degrees.toSorted((a, b) => a - b).join(' ')} connections`)
  await (nodes[0] as ProcessNode).put('alice', 'seen by all')
  await Promise.all(nodes.map((node) => until(`${node.name} has it`, () => node.run('get', 'user', 'alice'), 60_000)))
})

function namesOf(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `n${index + 1}`)
}

/** How many nodes can be reached from the first. */
function reachable(edges: ReadonlyMap<string, readonly string[]>): number {
  const [first] = edges.keys()
  const reached = new Set(first === undefined ? [] : [first])
  // A set may grow while it is walked.
  for (const peer of reached) for (const other of edges.get(peer) ?? []) reached.add(other)
  return reached.size
}
