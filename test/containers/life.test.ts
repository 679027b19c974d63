/** Nodes that come late, go, and come back: with their volume and without, at another address, killed while they write. */
import { describe, expect, test } from 'vitest'
import { report } from '../support/cluster.ts'
import { type ContainerNode, eventually } from '../support/container-node.ts'
import { Containers, expectConnected, expectEqual, expectInSync } from '../support/containers.ts'
import { docker } from '../support/docker.ts'

type Three = readonly [ContainerNode, ContainerNode, ContainerNode]

/** Three that are connected and have something to say. */
async function three(containers: Containers): Promise<Three> {
  const nodes = (await containers.ready()) as unknown as Three
  await expectConnected(nodes)
  await Promise.all(nodes.map((node) => node.putMany(`before-${node.number}-`, 10)))
  await expectEqual(nodes)
  return nodes
}

describe.concurrent('containers hold the same', () => {
  test('with one that joins late, when who wrote is gone', async () => {
    await using containers = await Containers.up(3)
    const nodes = await three(containers)
    const [first, second, third] = nodes
    await first.putMany('old-', 200)
    await expectEqual(nodes)
    await first.act('kill')
    const startedMs = performance.now()
    const late = await containers.run({})
    await late.ready()
    await expectEqual([second, third, late], nodes)
    report(`a late joiner held all ${Math.round(performance.now() - startedMs)} ms after it was asked for`)
    await expectInSync([late])
  })

  test('when one is restarted with its volume, and all are made anew with theirs', async () => {
    await using containers = await Containers.up(3)
    const nodes = await three(containers)
    const [first, second, third] = nodes
    const peerIds = await Promise.all(nodes.map((node) => node.peerId()))
    expect(await third.stop()).toBe(0)
    await Promise.all([first.putMany('meanwhile-1-', 20), second.putMany('meanwhile-2-', 20)])
    await third.act('start')
    await third.ready()
    report(`a node restarted with its volume was equal after ${await expectEqual(nodes)} ms`)
    expect(await third.peerId()).toBe(peerIds[2])
    // As with a new image: other containers, the same data.
    const anew = await containers.scale(3, '--no-build', '--force-recreate')
    expect(anew.length).toBe(3)
    await containers.ready()
    const again = await Promise.all(anew.map((node) => node.peerId()))
    expect(again.toSorted()).toEqual(peerIds.toSorted())
    await Promise.all(anew.map((node) => node.putMany(`anew-${node.number}-`, 10)))
    report(
      `three nodes made anew with their volumes were equal after ${await expectEqual(anew, [...nodes, ...anew])} ms`,
    )
  })

  test('when one lost its volume: it is another node, and is given all of it by the others', async () => {
    await using containers = await Containers.up(3)
    const nodes = await three(containers)
    const [first, second, third] = nodes
    const peerId = await third.peerId()
    await docker('rm', '--force', '--volumes', third.id)
    await Promise.all([first.putMany('meanwhile-1-', 20), second.putMany('meanwhile-2-', 20)])
    const [again] = (await containers.scale(3)) as [ContainerNode]
    await again.ready()
    report(`a node that lost its volume was equal after ${await expectEqual([first, second, again], nodes)} ms`)
    expect(await again.peerId()).not.toBe(peerId)
    await again.putMany('again-', 10)
    await expectEqual([first, second, again], [...nodes, again])
  })

  test('when one comes back at another address, and a stranger has its own', async () => {
    await using containers = await Containers.up(3)
    const nodes = await three(containers)
    const [first, second, third] = nodes
    const before = third.address
    expect(await third.stop()).toBe(0)
    await Promise.all([first.putMany('meanwhile-1-', 20), second.putMany('meanwhile-2-', 20)])
    const strangers: ContainerNode[] = []
    await eventually('somebody else has its address', async () => {
      strangers.push(await containers.stranger())
      return strangers.some((stranger) => stranger.address === before)
    })
    await third.act('start')
    await third.ready()
    expect(third.address).not.toBe(before)
    await third.putMany('moved-', 10)
    report(`a node whose address changed was equal after ${await expectEqual(nodes)} ms`)
    await Promise.all(strangers.map((stranger) => docker('rm', '--force', '--volumes', stranger.id)))
  })

  test('when one is killed again and again while it writes: what it acknowledged is kept', async () => {
    await using containers = await Containers.up(3)
    const nodes = await three(containers)
    const [first, second, third] = nodes
    for (let round = 0; round < 3; round++) {
      // Nobody else hears of it before the kill: its disk alone has it.
      await Promise.all([first.deafTo([third]), second.deafTo([third])])
      const atLeast = third.acknowledged.size + 50
      const writing = writeUntilKilled(third, `round-${round}-`)
      await eventually('it has written a while', () => third.acknowledged.size >= atLeast)
      await third.act('kill')
      await writing
      await Promise.all([first.heal(), second.heal()])
      await third.act('start')
      await third.ready()
    }
    report(
      `killed three times while it wrote: ${third.acknowledged.size} acknowledged writes were everywhere ` +
        `${await expectEqual(nodes)} ms after it was back`,
    )
  })

  test('without mDNS, where one was told of the other alone', async () => {
    await using containers = await Containers.up(1, { env: { RHIZOME_NO_MDNS: 'true' } })
    const [first] = (await containers.ready()) as [ContainerNode]
    await first.putMany('first-', 20)
    const second = await containers.run({ RHIZOME_PEER: 'node' })
    await second.ready()
    await second.putMany('second-', 20)
    report(`a node with a static peer alone was equal after ${await expectEqual([first, second])} ms`)
    // Nobody told this one, and so nobody finds it: what connects the others is the address that was given.
    const third = await containers.run({})
    await third.ready()
    await second.putMany('third-never-sees-', 5)
    await expectEqual([first, second])
    expect(await third.standing()).toBe('alone')
    expect((await third.values()).size).toBe(0)
  })
})

/** Writes one record after the other until the node does not answer any more. */
async function writeUntilKilled(node: ContainerNode, prefix: string): Promise<void> {
  for (let index = 0; ; index++) {
    try {
      await node.put(`${prefix}${index}`)
    } catch (error) {
      // Only silence ends it: an answer that refuses is a fault.
      if (error instanceof TypeError || (error instanceof Error && error.name === 'TimeoutError')) return
      throw error
    }
  }
}
