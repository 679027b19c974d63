/**
 * A network that falls apart, a container that stands still, links that lose and crawl, with writes all the time; afterwards all
 * hold the same. The broad matrix of faults runs on network namespaces (test/real-network); this one is about containers. The
 * length of a fault is what is tested, so these tests sleep for it, all at once.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { report } from '../support/cluster.ts'
import { type ContainerNode, eventually } from '../support/container-node.ts'
import { Containers, expectConnected, expectEqual, expectSameFrontier } from '../support/containers.ts'

const FAULT_MS = 60_000
const WRITE_EVERY_MS = 500
const LOSS = 0.2
const KILOBITS = 256
/** From the slow node alone some ten seconds of its link. */
const BULK_COUNT = 200
const BULK_VALUE = 'x'.repeat(1_500)

async function start(count: number): Promise<{ containers: Containers; nodes: readonly ContainerNode[] }> {
  const containers = await Containers.up(count)
  const nodes = await containers.ready()
  await expectConnected(nodes)
  await Promise.all(nodes.map((node) => node.putMany(`before-${node.number}-`, 10)))
  await expectEqual(nodes)
  return { containers, nodes }
}

describe.concurrent('containers hold the same', () => {
  test('after two of five were cut off for 60 s, with writes on both sides', async () => {
    const { containers, nodes } = await start(5)
    await using _ = containers
    const [few, many] = [nodes.slice(0, 2), nodes.slice(2)]
    await Promise.all([...few.map((node) => node.deafTo(many)), ...many.map((node) => node.deafTo(few))])
    await writeFor(FAULT_MS, nodes)
    const [here, there] = await Promise.all([few[0]?.values(), many[0]?.values()])
    expect([here?.has('during-5-0'), there?.has('during-1-0')]).toEqual([false, false])
    expect([here?.has('during-2-0'), there?.has('during-4-0')]).toEqual([true, true])
    await Promise.all(nodes.map((node) => node.heal()))
    report(`a partition of 60 s healed in ${await expectEqual(nodes)} ms; must be < 15000`)
    await goesOn(nodes)
  })

  test('after one was paused for 60 s', async () => {
    const { containers, nodes } = await start(3)
    await using _ = containers
    const [first, second, third] = nodes as [ContainerNode, ContainerNode, ContainerNode]
    await third.act('pause')
    await writeFor(FAULT_MS, [first, second])
    await third.act('unpause')
    report(`a container that was paused for 60 s was equal after ${await expectEqual(nodes)} ms`)
    await goesOn(nodes)
  })

  test('while one loses a fifth of its packets and another has a slow link', async () => {
    const { containers, nodes } = await start(3)
    await using _ = containers
    const [, lossy, slow] = nodes as [ContainerNode, ContainerNode, ContainerNode]
    await Promise.all([lossy.lose(LOSS), slow.slow(KILOBITS)])
    await Promise.all(nodes.map((node) => node.putMany(`bulk-${node.number}-`, BULK_COUNT, BULK_VALUE)))
    const tookMs = await expectSameFrontier(nodes)
    report(
      `with ${LOSS * 100} % loss here and ${KILOBITS} kbit/s there, all was equal ${tookMs} ms after the last write`,
    )
    // The views are asked for over links that carry them.
    await Promise.all([lossy.heal(), slow.unslow()])
    await expectEqual(nodes)
  })
})

/** Every node writes all the time. */
async function writeFor(ms: number, nodes: readonly ContainerNode[]): Promise<void> {
  const end = Date.now() + ms
  for (let round = 0; Date.now() < end; round++) {
    await Promise.all(nodes.map((node) => node.put(`during-${node.number}-${round}`)))
    await sleep(Math.min(WRITE_EVERY_MS, Math.max(0, end - Date.now())))
  }
}

/** What is written now is seen by all: the mesh is whole again. */
async function goesOn(nodes: readonly ContainerNode[]): Promise<void> {
  const [writer] = nodes
  await writer?.put('after', 'seen by all')
  for (const node of nodes)
    await eventually(`${node.name} has it`, async () => (await node.values()).get('after') === 'seen by all')
}
