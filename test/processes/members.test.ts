/**
 * The failure detector with real processes: how soon a killed one is down, and that nobody is down who lives, on a machine
 * that is short of processors and for a node that stood still. What is waited for is the time itself, so these tests sleep.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { Cluster, report } from '../support/cluster.ts'
import { expectAllAlive, Load, stateOf, toldBy } from '../support/members.ts'
import { until } from '../support/nodes.ts'
import type { ProcessNode } from '../support/process-node.ts'

/** `npm run soak` asks for ten. */
const LOAD_MS = Number(process.env['SOAK_MINUTES'] ?? 1) * 60_000
const KILLS = 3

describe('a process that is killed', () => {
  test('is down for all others', async () => {
    await using cluster = await Cluster.open()
    const tookMs: number[] = []
    const others = await cluster.startAll('a', 'b', 'c')
    for (let round = 0; round < KILLS; round++) {
      const victim = await cluster.start('victim')
      await expectAllAlive([...others, victim])
      const killedMs = performance.now()
      await victim.kill()
      for (const node of others) {
        await until('it is down', () => stateOf(node, victim) === 'down', 20_000)
        tookMs.push(Math.round(performance.now() - killedMs))
      }
    }
    report(`killed processes were down after ${tookMs.toSorted((a, b) => a - b).join(', ')} ms`)
    expect(Math.max(...tookMs)).toBeLessThan(20_000)
    for (const node of others) expect(wronglyDown(node, others)).toEqual([])
  })

  test('is down for all others that knew it, however soon after it came', async () => {
    await using cluster = await Cluster.open()
    const tookMs: number[] = []
    const others = await cluster.startAll('a', 'b')
    await expectAllAlive(others)
    for (let round = 0; round < KILLS; round++) {
      const victim = await cluster.start(`victim-${round}`)
      await until('all know it', () => others.every((node) => stateOf(node, victim) === 'alive'), 60_000)
      const killedMs = performance.now()
      await victim.kill()
      for (const node of others) {
        await until('it is down', () => stateOf(node, victim) === 'down', 20_000)
        tookMs.push(Math.round(performance.now() - killedMs))
      }
    }
    report(
      `killed as soon as they were known, processes were down after ${tookMs.toSorted((a, b) => a - b).join(', ')} ms`,
    )
    expect(tookMs).toHaveLength(KILLS * others.length)
  })

  test('is down for the only other one', async () => {
    await using cluster = await Cluster.open()
    const [a, b] = (await cluster.startAll('a', 'b')) as [ProcessNode, ProcessNode]
    await expectAllAlive([a, b])
    const killedMs = performance.now()
    await b.kill()
    await until('it is down', () => stateOf(a, b) === 'down', 20_000)
    report(`of two nodes, the killed one was down after ${Math.round(performance.now() - killedMs)} ms`)
    expect(stateOf(a, b)).toBe('down')
  })
})

test('a process that ends by Ctrl-C has left, and is not down', async () => {
  await using cluster = await Cluster.open()
  const [a, b] = (await cluster.startAll('a', 'b')) as [ProcessNode, ProcessNode]
  await expectAllAlive([a, b])
  await b.stop()
  await sleep(4_000)
  expect(stateOf(a, b)).toBe('left')
})

test('a process that stood still for 8 s holds nobody down, is down for others, and is back with its first word', async () => {
  await using cluster = await Cluster.open()
  const nodes = (await cluster.startAll('a', 'b', 'c')) as [ProcessNode, ProcessNode, ProcessNode]
  const [a, b, c] = nodes
  await expectAllAlive(nodes)
  process.kill(c.pid, 'SIGSTOP')
  try {
    await until('the others miss it', () => [a, b].every((node) => stateOf(node, c) === 'down'), 20_000)
    await sleep(4_000)
  } finally {
    process.kill(c.pid, 'SIGCONT')
  }
  await until('it is back', () => [a, b].every((node) => stateOf(node, c) === 'alive'), 20_000)
  await sleep(5_000)
  expect(wronglyDown(c, [a, b])).toEqual([])
  expect([wronglyDown(a, [b]), wronglyDown(b, [a])]).toEqual([[], []])
})

test(
  `nobody is down in ${LOAD_MS / 1_000} s at 90 % load on every processor`,
  async () => {
    await using cluster = await Cluster.open()
    const nodes = await cluster.startAll('a', 'b', 'c', 'd')
    await expectAllAlive(nodes)
    const before = nodes.map((node) => toldBy(node).length)
    using load = new Load(2)
    expect(load).toBeInstanceOf(Load)
    await sleep(LOAD_MS)
    const told = nodes.flatMap((node, index) => toldBy(node).slice(before[index]))
    report(`under load: ${told.filter(({ state }) => state === 'suspect').length} suspicions, all refuted`)
    expect(told.filter(({ state }) => state === 'down')).toEqual([])
  },
  LOAD_MS + 240_000,
)

function wronglyDown(node: ProcessNode, living: readonly ProcessNode[]): readonly string[] {
  const peers = new Set(living.map(({ peerId }) => peerId))
  return toldBy(node)
    .filter(({ peer, state }) => state === 'down' && peers.has(peer))
    .map(({ peer }) => peer)
}
