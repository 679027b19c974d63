import { describe, expect, it } from 'vitest'
import { claim, NAMESPACE, signer, TestLog } from '../support/blocks.ts'
import { give, lengthOf, World, type WorldNode } from './world.ts'

const FAULTS = { delayMsMin: 1, delayMsMax: 40, lossRate: 0.2, duplicateRate: 0.1, noticeMs: 2_000 }

/** Five nodes that write at random over a bad network, with cuts, broken streams and a fork, until all is healed. */
async function history(seed: number): Promise<World> {
  const world = new World({ seed, faults: FAULTS })
  const { random } = world
  const nodes = [1, 2, 3, 4, 5].map((number) => world.open(number, { intervalMs: 5_000 }))
  const shared = new TestLog({ signer: signer(9) })
  for (let step = 0; step < 40; step++) {
    const node = random.pick(nodes)
    const other = random.pick(nodes)
    switch (random.below(10)) {
      case 0:
        world.network.cut(node.net.self, other.net.self)
        break
      case 1:
        world.network.heal()
        break
      case 2:
        world.network.breakStreams(node.net.self, other.net.self)
        break
      case 3: {
        // A copied identity writes: whoever took the other branch learns of the fork.
        const branch = random.below(4) === 0 ? shared.fork(random.below(shared.blocks.length + 1)) : shared
        branch.append([claim('shared', `${step}`, 'n', random.below(100))])
        give(node, branch.run())
        break
      }
      default:
        node.write(1 + random.below(5))
    }
    await world.time.advance(random.below(400))
  }
  world.network.setFaults({ lossRate: 0, duplicateRate: 0 })
  world.network.heal()
  return world
}

describe('five nodes on a network that loses, doubles and reorders', () => {
  it.each([1, 2, 3, 4, 5, 6])('hold the same once it is healed, and all that was written (seed %i)', async (seed) => {
    const world = await history(seed)
    await world.untilEqual(120_000)
    await world.until('all say so', () => world.nodes.every((node) => node.status() === 'in-sync'), 120_000)
    for (const node of world.nodes) expect(lengthOf(node, node.log.key)).toBe(node.log.blocks.length)
    expect(world.nodes.flatMap((node) => node.told('rejected'))).toEqual([])
  })

  it('came to it by the same events, when the seed is the same', async () => {
    const events = async (): Promise<unknown> => (await history(7)).nodes.map((node) => node.events)
    expect(await events()).toEqual(await events())
  })
})

describe('a chain of five nodes, each of which knows its neighbours alone', () => {
  it('carries what is written at one end to the other, by gossip and by sync', async () => {
    const world = new World()
    const nodes = [1, 2, 3, 4, 5].map((number) => world.open(number))
    for (const [index, node] of nodes.entries()) {
      for (const far of nodes.slice(index + 2)) world.network.cut(node.net.self, far.net.self)
    }
    const [first, last] = [nodes[0] as WorldNode, nodes[4] as WorldNode]
    first.write(10)
    await world.untilEqual(30_000)
    world.network.setFaults({ lossRate: 1 })
    last.write(10)
    await world.untilEqual(30_000)
    expect(first.store.counts(NAMESPACE).blocks).toBe(20)
  })
})
