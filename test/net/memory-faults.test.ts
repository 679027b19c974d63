import { describe, expect, test } from 'vitest'
import { createMemoryNetwork, type MemoryFaults, type MemoryNetwork } from '../../src/net/memory.ts'
import type { Net, NetEvent } from '../../src/net/net.ts'
import { seededRandom, VirtualClock } from './virtual-clock.ts'
import { connected, eventsOf, gathered, knows, until, within } from './until.ts'

const TOPIC = 'topic'

interface World {
  readonly network: MemoryNetwork
  readonly clock: VirtualClock
  readonly nets: readonly Net[]
  readonly heard: Map<string, string[]>
}

/** So many nodes in one topic, all connected. */
async function openWorld(names: readonly string[], seed = 1, faults: Partial<MemoryFaults> = {}): Promise<World> {
  const clock = new VirtualClock()
  const network = createMemoryNetwork({
    schedule: clock.schedule,
    nowMs: clock.nowMs,
    random: seededRandom(seed),
    faults,
  })
  const heard = new Map(names.map((name) => [name, [] as string[]]))
  const nets = names.map((name) => {
    const net = network.open(name)
    net.join(
      TOPIC,
      () => 'accept',
      (bytes) => heard.get(name)?.push(Buffer.from(bytes).toString()),
    )
    return net
  })
  await gathered(TOPIC, ...nets)
  return { network, clock, nets, heard }
}

/** Publishes so many from the first node and waits until nothing is under way. */
async function publishMany({ nets, clock }: World, count: number): Promise<void> {
  for (let index = 0; index < count; index += 1) await nets[0]?.publish(TOPIC, Buffer.from(`message ${index}`))
  const settled = Promise.withResolvers<void>()
  clock.schedule(60_000, settled.resolve)
  await within('it settles', settled.promise)
}

describe('faults of the network in memory', () => {
  test('the same seed gives the same history, another seed another', async () => {
    const run = async (seed: number): Promise<string> => {
      const world = await openWorld(['a', 'b', 'c'], seed, {
        delayMsMin: 1,
        delayMsMax: 50,
        lossRate: 0.3,
        duplicateRate: 0.3,
      })
      await publishMany(world, 50)
      return JSON.stringify([...world.heard])
    }
    expect(await run(7)).toBe(await run(7))
    expect(await run(7)).not.toBe(await run(8))
  })

  test('differing delays reorder gossip and lose none of it', async () => {
    const world = await openWorld(['a', 'b'], 1, { delayMsMin: 1, delayMsMax: 100 })
    await publishMany(world, 50)
    const heard = world.heard.get('b') ?? []
    const sent = Array.from({ length: 50 }, (_, index) => `message ${index}`)
    expect(heard).not.toEqual(sent)
    expect(heard.toSorted()).toEqual(sent.toSorted())
  })

  test('loss loses about its share, duplication delivers nothing twice', async () => {
    const world = await openWorld(['a', 'b'], 1, { lossRate: 0.5, duplicateRate: 0.5 })
    await publishMany(world, 200)
    const heard = world.heard.get('b') ?? []
    expect(heard.length).toBeGreaterThan(50)
    expect(heard.length).toBeLessThan(150)
    expect(new Set(heard).size).toBe(heard.length)
  })

  test('a one-way cut stops that way alone until it is noticed, then the connection is gone', async () => {
    const world = await openWorld(['a', 'b'], 1, { noticeMs: 5_000 })
    const [a, b] = world.nets as [Net, Net]
    const events = eventsOf(a)
    world.network.cut('a', 'b')
    await a.publish(TOPIC, Buffer.from('lost'))
    await b.publish(TOPIC, Buffer.from('heard'))
    await until('a hears b', () => world.heard.get('a')?.includes('heard') === true)
    await until('it is noticed', () => !knows(a, b) && !knows(b, a))
    expect(world.heard.get('b')).toEqual([])
    world.network.heal()
    await gathered(TOPIC, a, b)
    expect(events.map(({ kind }) => kind).filter((kind) => kind !== 'alone')).toEqual([
      'connected',
      'joined',
      'left',
      'disconnected',
      'connected',
      'joined',
    ])
  })

  test('a partition splits the nodes into its groups, and healing joins them', async () => {
    const world = await openWorld(['a', 'b', 'c', 'd'])
    const [a, b, c, d] = world.nets as [Net, Net, Net, Net]
    world.network.partition(['a', 'b'], ['c'])
    await until(
      'the groups are apart',
      () => a.peers().length === 1 && c.peers().length === 0 && d.peers().length === 0,
    )
    expect(knows(a, b)).toBe(true)
    world.network.heal()
    await connected(a, b, c, d)
  })

  test('a stream stalls in a cut and goes on when it heals in time', async () => {
    const world = await openWorld(['a', 'b'], 1, { noticeMs: 100_000 })
    const [a, b] = world.nets as [Net, Net]
    const frames: string[] = []
    b.handle('p', async (stream) => {
      for await (const frame of stream.frames()) frames.push(Buffer.from(frame).toString())
    })
    const stream = await a.open('b', 'p', { signal: AbortSignal.timeout(10_000) })
    await stream.send(Buffer.from('before'))
    await until('it arrives', () => frames.length === 1)
    world.network.cut('a', 'b')
    await stream.send(Buffer.from('during'))
    const later = Promise.withResolvers<void>()
    world.clock.schedule(1_000, later.resolve)
    await later.promise
    expect(frames).toEqual(['before'])
    world.network.heal()
    await until('it arrives after all', () => frames.length === 2)
  })

  test('streams break in the middle and the connection stays', async () => {
    const world = await openWorld(['a', 'b'])
    const [a, b] = world.nets as [Net, Net]
    b.handle('p', () => new Promise(() => undefined))
    const stream = await a.open('b', 'p', { signal: AbortSignal.timeout(10_000) })
    const reading = stream.frames()[Symbol.asyncIterator]().next()
    expect(world.network.breakStreams('a', 'b')).toBe(1)
    await expect(within('it breaks', reading)).rejects.toThrow(
      expect.objectContaining({ code: 'RZ_NET_STREAM_CLOSED' }),
    )
    expect(world.network.breakStreams('a', 'b')).toBe(0)
    expect(knows(a, b)).toBe(true)
  })

  test('a crashed node is gone at once, hears nothing more, and its name may open again', async () => {
    const world = await openWorld(['a', 'b'])
    const [a, b] = world.nets as [Net, Net]
    const opening = a.open('b', 'p', { signal: AbortSignal.timeout(10_000) })
    world.network.crash('b')
    await expect(opening).rejects.toThrow(expect.objectContaining({ code: 'RZ_NET_DIAL_FAILED' }))
    expect(knows(a, b)).toBe(false)
    await expect(b.publish(TOPIC, Buffer.from('x'))).rejects.toThrow(expect.objectContaining({ code: 'RZ_NET_CLOSED' }))
    const again = world.network.open('b')
    await connected(a, again)
  })

  test('a node that is alone says so once', async () => {
    const clock = new VirtualClock()
    const network = createMemoryNetwork({ schedule: clock.schedule, nowMs: clock.nowMs, random: seededRandom(1) })
    const events: NetEvent[] = eventsOf(network.open('a'))
    await until('it says so', () => events.length > 0)
    expect(events.map(({ kind }) => kind)).toEqual(['alone'])
  })
})
