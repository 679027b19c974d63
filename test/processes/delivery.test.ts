/**
 * Reliable and uniform delivery among processes that are killed: one sends and is killed when exactly one other has it. The
 * sender is connected to that one alone, and the others stand still meanwhile (SIGSTOP).
 */
import { expect, it } from 'vitest'
import type { Delivery, SubscribeOptions } from '../../src/index.ts'
import { Cluster, eventually, report } from '../support/cluster.ts'
import type { ProcessNode } from '../support/process-node.ts'

const LOOPBACK = { listen: ['/ip4/127.0.0.1/tcp/0'], mdns: false, registry: false }

/** The first knows the second alone; all others know each other. */
async function startAll(cluster: Cluster, count: number): Promise<ProcessNode[]> {
  const others: ProcessNode[] = []
  for (let number = 2; number <= count; number++) {
    const peers = others.flatMap((node) => node.addresses.slice(0, 1))
    others.push(await cluster.start(`node-${number}`, { network: { ...LOOPBACK, peers } }))
  }
  const [second] = others as [ProcessNode]
  const first = await cluster.start('node-1', { network: { ...LOOPBACK, peers: second.addresses.slice(0, 1) } })
  const nodes = [first, ...others]
  await eventually('all know all', async () => {
    const known = await Promise.all(nodes.map((node) => node.run('members')))
    return known.every((members) => members.filter(({ state }) => state === 'alive').length === count - 1)
  })
  // Who was never heard cannot fall silent.
  await eventually('the second hears the first', async () => {
    const members = await second.run('members')
    return members.find(({ peer }) => peer === first.peerId)?.roundTripMs !== undefined
  })
  return nodes
}

async function subscribe(nodes: readonly ProcessNode[], options: SubscribeOptions): Promise<void> {
  await Promise.all(nodes.map((node) => node.run('subscribe', options)))
}

/** The first writes while all but the second stand still, and is killed as soon as that one has it. */
async function sendToOne([first, second, ...others]: readonly ProcessNode[]): Promise<readonly string[]> {
  if (first === undefined || second === undefined) throw new Error('there are two at least')
  for (const { pid } of others) process.kill(pid, 'SIGSTOP')
  const { deltas } = await first.run('put', 'user', 'alice', { age: 3 })
  await eventually('the second has it', async () => (await second.run('missing', deltas)).length === 0)
  await first.kill()
  return deltas
}

function goOn(nodes: readonly ProcessNode[]): void {
  for (const { pid } of nodes) process.kill(pid, 'SIGCONT')
}

/** The ids of what was handed out, in that order. */
async function handedBy(node: ProcessNode, delivery: Delivery): Promise<readonly string[]> {
  return (await node.run('handed', delivery)).map(({ id }) => id)
}

async function untilHanded(
  nodes: readonly ProcessNode[],
  delivery: Delivery,
  deltas: readonly string[],
): Promise<void> {
  for (const node of nodes) {
    await eventually(`${node.name} was handed it`, async () => {
      const handed = await handedBy(node, delivery)
      return deltas.every((delta) => handed.includes(delta))
    })
  }
}

it('reliable: the author is killed after exactly one other has it, and all others are handed it, once', async () => {
  await using cluster = await Cluster.open()
  const nodes = await startAll(cluster, 4)
  await subscribe(nodes, { delivery: 'reliable' })
  const [author, , ...others] = nodes as [ProcessNode, ProcessNode, ...ProcessNode[]]
  const deltas = await sendToOne(nodes)
  goOn(others)
  const startedMs = performance.now()
  await untilHanded(nodes.slice(1), 'reliable', deltas)
  report(`handed out on all others after ${Math.round(performance.now() - startedMs)} ms`)
  await eventually('the detector holds the author down', async () => {
    const members = await Promise.all(others.map((node) => node.run('members')))
    return members.every((known) => known.find(({ peer }) => peer === author.peerId)?.state === 'down')
  })
  for (const node of nodes.slice(1)) expect(await handedBy(node, 'reliable')).toEqual(deltas)
})

it('uniform: with a declared list a second is killed too, and it holds; without a majority the deadline says so', async () => {
  await using cluster = await Cluster.open()
  const nodes = await startAll(cluster, 5)
  const members = nodes.map(({ peerId }) => peerId)
  await subscribe(nodes, { delivery: 'uniform', members, deadlineMs: 2_000 })
  const [, second, ...others] = nodes as [ProcessNode, ProcessNode, ...ProcessNode[]]
  const [third, fourth, fifth] = others as [ProcessNode, ProcessNode, ProcessNode]
  const deltas = await sendToOne(nodes)
  // Two of five hold it: nobody was handed it.
  expect(await handedBy(second, 'uniform')).toEqual([])
  goOn(others)
  await eventually('the third has it', async () => (await third.run('missing', deltas)).length === 0)
  await second.kill()
  await untilHanded(others, 'uniform', deltas)

  await third.kill()
  const late = await fourth.run('put', 'user', 'alice', { age: 4 }, { until: 'uniform', members, deadlineMs: 2_000 })
  expect(late).toMatchObject({ achieved: false, fault: { code: 'RZ_DELIVERY_DEADLINE' } })
  expect(late.holders?.map(({ peer }) => peer).sort()).toEqual([fourth.peerId, fifth.peerId].sort())
  expect(await fifth.run('missing', late.deltas)).toEqual([])
  await eventually('a subscriber says that it waits', () =>
    fifth.events.some((event) => event.kind === 'subscription' && event.event.kind === 'majority-missing'),
  )
  for (const node of [fourth, fifth]) expect(await handedBy(node, 'uniform')).toEqual(deltas)
})

it('uniform: the only other that has it is killed before it told anybody, and nobody was handed it', async () => {
  await using cluster = await Cluster.open()
  const nodes = await startAll(cluster, 5)
  const members = nodes.map(({ peerId }) => peerId)
  await subscribe(nodes, { delivery: 'uniform', members })
  const [, second, ...others] = nodes as [ProcessNode, ProcessNode, ...ProcessNode[]]
  await sendToOne(nodes)
  expect(await handedBy(second, 'uniform')).toEqual([])
  await second.kill()
  goOn(others)
  const after = await others[0]?.run('put', 'user', 'bob', { age: 5 }, { until: 'uniform', members })
  expect(after?.achieved).toBe(true)
  await untilHanded(others, 'uniform', after?.deltas ?? [])
  const handed = await Promise.all(others.map((node) => handedBy(node, 'uniform')))
  // What lay in their sockets may have reached them after all: then it reached all.
  expect(new Set(handed.map((ids) => ids.toSorted().join())).size).toBe(1)
})
