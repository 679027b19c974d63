/**
 * A network that falls apart and heals, with writes on both sides meanwhile: afterwards all nodes hold the same, and nothing
 * that was acknowledged is lost. The length of a cut is what is tested, so these tests sleep for it.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { expectConnected, expectEqual, Cluster, report, eventually } from '../support/cluster.ts'
import { Lan } from '../support/lan.ts'
import { until } from '../support/nodes.ts'
import type { ProcessNode } from '../support/process-node.ts'

const WRITE_EVERY_MS = 500

type Nodes = readonly [ProcessNode, ProcessNode, ProcessNode]

describe.concurrent('a network that was cut', () => {
  for (const seconds of [5, 45, 150]) {
    test(`heals after ${seconds} s in silence: all hold what was written on both sides`, async () => {
      using lan = new Lan(['a', 'b', 'c'])
      await using cluster = await Cluster.open(lan)
      const nodes = await startThree(cluster)
      lan.cut('c')
      await writeFor(seconds, nodes)
      lan.heal('c')
      report(`a cut of ${seconds} s healed in ${await expectEqual(nodes, cluster.acknowledged())} ms`)
      expect(cluster.acknowledged().length).toBeGreaterThan(3 * seconds)
      await gossipFlows(nodes)
    })
  }

  test('heals after a cable was pulled for 20 s: the interface itself was down', async () => {
    using lan = new Lan(['a', 'b', 'c'])
    await using cluster = await Cluster.open(lan)
    const nodes = await startThree(cluster)
    lan.unplug('c')
    await writeFor(20, nodes)
    lan.plug('c')
    report(`a pulled cable healed in ${await expectEqual(nodes, cluster.acknowledged())} ms`)
    await gossipFlows(nodes)
  })

  test('heals after frames were lost one way for 30 s', async () => {
    using lan = new Lan(['a', 'b', 'c'])
    await using cluster = await Cluster.open(lan)
    const nodes = await startThree(cluster)
    for (const other of ['a', 'b']) lan.drop(other, 'c')
    await writeFor(30, nodes)
    for (const other of ['a', 'b']) lan.allow(other, 'c')
    report(`a one-way loss of 30 s healed in ${await expectEqual(nodes, cluster.acknowledged())} ms`)
    await gossipFlows(nodes)
  })

  test('heals when a host comes back with another address, and the others were restarted meanwhile', async () => {
    using lan = new Lan(['a', 'b', 'c'])
    await using cluster = await Cluster.open(lan)
    const [a, b, c] = await startThree(cluster)
    lan.cut('c')
    await Promise.all([a.stop(), b.stop()])
    lan.readdress('c', '10.7.0.99')
    const again = await cluster.startAll('a', 'b')
    const nodes = [...again, c] as unknown as Nodes
    await writeFor(10, nodes)
    lan.heal('c')
    report(`a change of address healed in ${await expectEqual(nodes, cluster.acknowledged())} ms`)
    await gossipFlows(nodes)
  })
})

async function startThree(cluster: Cluster): Promise<Nodes> {
  const nodes = (await cluster.startAll('a', 'b', 'c')) as unknown as Nodes
  await expectConnected(nodes)
  await nodes[0].putMany('before', 20)
  await expectEqual(nodes, cluster.acknowledged())
  return nodes
}

/** Every node writes all the time. */
async function writeFor(seconds: number, nodes: readonly ProcessNode[]): Promise<void> {
  const end = Date.now() + seconds * 1_000
  for (let round = 0; Date.now() < end; round++) {
    await Promise.all(nodes.map((node) => node.put(`${node.name}-${round}`)))
    await sleep(Math.min(WRITE_EVERY_MS, Math.max(0, end - Date.now())))
  }
}

/** The mesh is whole again, so that a new write arrives by gossip and need not wait for a sync. */
async function gossipFlows(nodes: readonly ProcessNode[]): Promise<void> {
  const [writer, ...others] = nodes
  await expectConnected(nodes)
  await eventually('a new write of one node reaches the others by gossip', async () => {
    const before = others.map((node) => node.events.length)
    await writer?.put(`after-${before.join('-')}`)
    const heard = await Promise.all(others.map((node, index) => hearsGossip(node, before[index] ?? 0)))
    return heard.every(Boolean)
  })
}

function hearsGossip(node: ProcessNode, from: number): Promise<boolean> {
  const holds = () =>
    node.events
      .slice(from)
      .some((event) => event.kind === 'replication' && event.event.kind === 'received' && event.event.via === 'gossip')
  return until(`${node.name} hears gossip`, holds, 1_000).catch(() => false)
}
