import { describe, expect, it } from 'vitest'
import { FUTURE_MS_MAX } from '../../src/delta/clock.ts'
import type { Block } from '../../src/log/block.ts'
import { topicOf } from '../../src/log/namespace.ts'
import type { Net, NetStream } from '../../src/net/net.ts'
import { encodeGossipHead, encodeGossipRun } from '../../src/sync/gossip-message.ts'
import { SYNC_PROTOCOL } from '../../src/sync/limits.ts'
import { decodeFrame, encodeFrame, type Frame } from '../../src/sync/wire.ts'
import { claim, logId, logOf, NAMESPACE, NAMESPACE_NAME, runOf, signer, START_MS, TestLog } from '../support/blocks.ts'
import { give, lengthOf, World, type WorldNode } from './world.ts'

const TOPIC = topicOf(NAMESPACE_NAME)

async function inSync(world: World, ...nodes: readonly WorldNode[]): Promise<void> {
  await world.until('they are in sync', () => nodes.every((node) => node.status() === 'in-sync'))
}

/** A peer without a node behind it that has joined the topic. */
async function listening(
  world: World,
  node: WorldNode,
  listen: (bytes: Uint8Array) => void = () => undefined,
): Promise<Net> {
  const stranger = world.stranger(99)
  stranger.join(TOPIC, () => 'accept', listen)
  const joined = (): boolean =>
    node.net.peers().some(({ id, topics }) => id === stranger.self && topics.includes(TOPIC))
  await world.until('it has joined', () => joined() && stranger.peers().some(({ topics }) => topics.includes(TOPIC)))
  return stranger
}

function told(...blocks: readonly Block[]): Uint8Array {
  return encodeGossipRun(runOf(...blocks))
}

describe('what a node writes', () => {
  it('reaches its peer by gossip', async () => {
    const world = new World()
    const [a, b] = [world.open(1), world.open(2)]
    await inSync(world, a, b)
    a.write()
    await world.untilEqual(20)
    expect(b.told('received')).toMatchObject([{ from: a.net.self, via: 'gossip', blocks: 1, deltas: 1 }])
  })

  it('before they met reaches its peer by sync, both ways', async () => {
    const world = new World()
    const [a, b] = [world.open(1), world.open(2)]
    a.write(300)
    b.write(200)
    await world.untilEqual()
    expect(b.store.counts(NAMESPACE).blocks).toBe(500)
    expect(b.told('received')).toMatchObject([{ via: 'sync' }])
  })

  it('reaches, through one between them, a node that it never meets', async () => {
    const world = new World()
    const [a, b, c] = [world.open(1), world.open(2), world.open(3)]
    world.network.cut(a.net.self, c.net.self)
    a.write(5)
    await world.untilEqual()
    a.write()
    await world.untilEqual(100)
    await inSync(world, a, b, c)
    expect(c.replication.peers(NAMESPACE).map(({ peer }) => peer)).toEqual([b.net.self])
  })

  it('and is too large for gossip is announced by its head and fetched', async () => {
    const world = new World()
    const [a, b] = [world.open(1), world.open(2)]
    await inSync(world, a, b)
    a.store.commit(a.log.write([claim('large', 'x', 'bytes', new Uint8Array(200_000))]))
    await world.untilEqual(100)
    expect(b.told('received')).toMatchObject([{ via: 'sync', blocks: 1 }])
  })

  it('while a message is on its way goes into the next one, as a run', async () => {
    const world = new World()
    const a = world.open(1)
    const heard: number[] = []
    await listening(world, a, (bytes) => heard.push(bytes.length))
    a.write(500)
    await world.time.advance(1_000)
    expect(heard.length).toBeGreaterThan(0)
    expect(heard.length).toBeLessThan(20)
  })

  it('is announced by its host alone', async () => {
    const world = new World()
    const a = world.open(1)
    const heard: unknown[] = []
    await listening(world, a, (bytes) => heard.push(bytes))
    give(a, logOf(3, { signer: signer(9) }).run())
    await world.time.advance(1_000)
    expect(heard).toEqual([])
  })
})

describe('gossip that is out of order', () => {
  it('is put in order without sync when the missing block comes within 50 ms', async () => {
    const world = new World()
    const b = world.open(2)
    const log = logOf(3, { signer: signer(9) })
    const sender = await listening(world, b)
    for (const block of log.blocks.toReversed()) await sender.publish(TOPIC, told(block))
    await world.until('all is there', () => lengthOf(b, log.key) === 3, 20)
    expect(b.told('received').every(({ via }) => via === 'gossip')).toBe(true)
  })

  it('and lasts is healed by sync', async () => {
    const world = new World()
    const [a, b] = [world.open(1), world.open(2)]
    await inSync(world, a, b)
    world.network.setFaults({ lossRate: 1 })
    a.write()
    await world.time.advance(20)
    world.network.setFaults({ lossRate: 0 })
    a.write()
    await world.until('the gap is seen', () => b.status() === 'behind', 20)
    expect(b.replication.status(NAMESPACE)).toMatchObject({ kind: 'behind', blocks: 2, peers: [a.net.self] })
    await world.untilEqual(200)
    expect(b.status()).toBe('in-sync')
  })

  it('and is lost altogether is found by the next sync in time', async () => {
    const world = new World()
    const [a, b] = [world.open(1), world.open(2)]
    await inSync(world, a, b)
    world.network.setFaults({ lossRate: 1 })
    a.write()
    await world.untilEqual(15_000)
    expect(b.told('received').at(-1)).toMatchObject({ via: 'sync' })
  })

  it('a duplicate changes nothing and is not told', async () => {
    const world = new World({ faults: { duplicateRate: 1 } })
    const [a, b] = [world.open(1), world.open(2)]
    await inSync(world, a, b)
    a.write()
    await world.time.advance(1_000)
    expect(b.told('received')).toHaveLength(1)
    expect(b.told('rejected')).toEqual([])
  })
})

describe('a block dated too far ahead', () => {
  it('touches no frontier, is told of, and is admitted when it is due', async () => {
    const world = new World()
    const [a, b] = [world.open(1, { skewMs: 2 * FUTURE_MS_MAX }), world.open(2)]
    await inSync(world, a, b)
    const beforeMs = b.store.latestTime().ms
    a.store.commit(a.log.write([], { time: { ms: world.time.nowMs() + 2 * FUTURE_MS_MAX, counter: 0 } }))
    await world.until('it is told', () => b.told('future-block').length > 0)
    expect(b.told('future-block')).toMatchObject([{ peer: a.net.self, log: a.log.key }])
    expect([lengthOf(b, a.log.key), b.store.latestTime().ms]).toEqual([0, beforeMs])
    await world.time.advance(FUTURE_MS_MAX - 10_000)
    expect(lengthOf(b, a.log.key)).toBe(0)
    await world.until('it is due and admitted', () => lengthOf(b, a.log.key) === 1, 20_000)
    expect(b.told('future-block')).toHaveLength(1)
  })

  it('does not keep the blocks before it from coming by sync', async () => {
    const world = new World()
    const a = world.open(1)
    a.write(3)
    a.store.commit(a.log.write([], { time: { ms: Date.UTC(2100, 0), counter: 0 } }))
    a.write(2)
    const b = world.open(2)
    await world.until('the good ones are there', () => lengthOf(b, a.log.key) === 3)
    await world.time.advance(60_000)
    expect(lengthOf(b, a.log.key)).toBe(3)
    expect(b.told('future-block')).toHaveLength(1)
    expect(b.store.latestTime().ms).toBeLessThan(Date.UTC(2100, 0))
    expect(b.status()).toBe('in-sync')
    expect(a.net.peers()).toHaveLength(1)
  })

  it('comes from a peer whose clock is off, which both sides are told', async () => {
    const world = new World()
    const [a, b] = [world.open(1, { skewMs: 3_600_000 }), world.open(2)]
    await inSync(world, a, b)
    expect(a.told('clock-off')).toMatchObject([{ peer: b.net.self }])
    expect(b.told('clock-off')).toMatchObject([{ peer: a.net.self }])
    expect(a.told('clock-off')[0]?.offsetMs).toBeCloseTo(-3_600_000, -2)
    expect(b.told('clock-off')[0]?.offsetMs).toBeCloseTo(3_600_000, -2)
    expect(b.replication.peers(NAMESPACE)[0]?.clockOffsetMs).toBeCloseTo(3_600_000, -2)
  })
})

describe('a fork', () => {
  it('is known to all as soon as two nodes with different branches meet, and each sees the same', async () => {
    const world = new World()
    const nodes = [1, 2, 3, 4].map((number) => world.open(number))
    const [a, b] = nodes as [WorldNode, WorldNode, WorldNode, WorldNode]
    const left = logOf(4, { signer: signer(9) })
    const right = left.fork(2)
    right.append([claim('branch', 'x', 'n', 1)])
    give(a, left.run())
    give(b, right.run())
    await world.until('all know the cut', () =>
      nodes.every((node) => node.store.logState(NAMESPACE, left.key)?.cut === 2),
    )
    await world.untilEqual()
    expect(a.told('forked').at(-1)).toMatchObject({ log: left.key, cut: 2, own: false })
  })

  it('in a log of our own is told as that', async () => {
    const world = new World()
    const [a, b] = [world.open(1), world.open(2)]
    a.write(3)
    const copy = a.log.fork(2)
    copy.append([claim('branch', 'x', 'n', 1)])
    give(b, copy.run())
    await world.untilEqual()
    expect(a.told('forked')).toMatchObject([{ log: a.log.key, cut: 2, own: true }])
  })

  it('shown by gossip reaches the others at once', async () => {
    const world = new World()
    const [a, b] = [world.open(1), world.open(2)]
    const log = logOf(2, { signer: signer(9) })
    give(a, log.run())
    await world.untilEqual()
    const branch = log.fork(1)
    branch.append([claim('branch', 'x', 'n', 1)])
    const sender = await listening(world, a)
    await sender.publish(TOPIC, told(branch.blocks[1] as Block))
    await world.until(
      'both know',
      () => [a, b].every((node) => node.store.logState(NAMESPACE, log.key)?.cut === 1),
      1_000,
    )
    expect(a.frontier()).toBe(b.frontier())
  })
})

describe('a peer that holds more of our own log than we do', () => {
  it('is told before the blocks are taken in', async () => {
    const world = new World()
    const log = new TestLog({ signer: signer(1) })
    for (let count = 0; count < 5; count++) log.append()
    const a = world.open(1, { log: log.fork(2) })
    give(a, log.run(0, 2))
    const seen: number[] = []
    a.replication.onEvent((event) => event.kind === 'own-log-ahead' && seen.push(lengthOf(a, log.key)))
    give(world.open(2), log.run())
    await world.untilEqual()
    expect(a.told('own-log-ahead')).toMatchObject([{ log: log.key, seq: 4 }])
    expect(seen).toEqual([2])
  })
})

describe('a sync session on the network', () => {
  it('that breaks in the middle goes on where it was', async () => {
    const world = new World()
    const a = world.open(1)
    const log = logOf(2_000, { signer: signer(9), deltas: 4 })
    give(a, runOf(...log.blocks.slice(0, 1_000)), runOf(...log.blocks.slice(1_000)))
    const b = world.open(2)
    for (const length of [1, 600, 1_200]) {
      const broken = (): boolean => world.network.breakStreams(a.net.self, b.net.self) > 0
      await world.until('some of it is there', () => lengthOf(b, log.key) >= length && broken())
      expect(lengthOf(b, log.key)).toBeLessThan(2_000)
    }
    await world.untilEqual()
    expect(b.told('sync-failed').length).toBeGreaterThan(0)
    expect(b.told('received').reduce((sum, { blocks }) => sum + blocks, 0)).toBe(2_000)
  })

  it('is held once when several peers have what we lack: nothing is fetched twice', async () => {
    const world = new World()
    const run = logOf(1_000, { signer: signer(9) }).run()
    const givers = [1, 2, 3, 4].map((number) => world.open(number))
    for (const node of givers) give(node, run)
    await inSync(world, ...givers)
    const b = world.open(5)
    await world.untilEqual()
    await world.until(
      'all is in sync',
      () => b.replication.peers(NAMESPACE).filter(({ state }) => state === 'in sync').length === 4,
    )
    expect(b.told('received').reduce((sum, { blocks }) => sum + blocks, 0)).toBe(1_000)
  })

  it('with a peer that never answers is given up', async () => {
    const world = new World()
    const b = world.open(2)
    const mute = world.stranger(1)
    mute.handle(SYNC_PROTOCOL, () => new Promise(() => undefined))
    mute.join(
      TOPIC,
      () => 'accept',
      () => undefined,
    )
    await world.until('it is given up', () => b.told('sync-failed').length > 0, 60_000)
    expect(b.told('sync-failed')[0]).toMatchObject({ peer: mute.self, code: 'RZ_SYNC_STALLED' })
    expect(b.status()).toBe('looking')
    await world.until('it is failing', () => b.replication.peers(NAMESPACE)[0]?.state === 'failing', 120_000)
  })

  it('that a peer opens and never reads is given up, which is no offence', async () => {
    const world = new World()
    const b = world.open(2)
    const log = logOf(1_000, { signer: signer(9), deltas: 30 })
    give(b, { blocks: runOf(...log.blocks).blocks })
    const lazy = world.stranger(3)
    await world.until('they are connected', () => lazy.peers().length === 1)
    const stream = await opened(world, lazy, b)
    for (const frame of [hello({ logs: 0 }), TURN, { kind: 'want', wants: [{ log: log.key, fromSeq: 0 }] }] as const) {
      await stream.send(encodeFrame(frame))
    }
    await world.until(
      'it is given up',
      () => b.told('sync-failed').some(({ code }) => code === 'RZ_SYNC_STALLED'),
      60_000,
    )
    expect(b.told('rejected')).toEqual([])
  })

  it('with a peer that sends garbage ends at once, and enough of it ends the connection', async () => {
    const world = new World()
    const b = world.open(2)
    const bad = world.stranger(3)
    await world.until('they are connected', () => bad.peers().length === 1)
    for (let round = 0; round < 30 && bad.peers().length > 0; round++) {
      const stream = await opened(world, bad, b)
      await stream.send(Buffer.from('garbage')).catch(() => undefined)
      await world.time.advance(50)
    }
    expect(bad.peers()).toEqual([])
    expect(b.status()).toBe('alone')
  })

  it.each<[string, () => Frame]>([
    [
      'a head with a false signature',
      () => ({ kind: 'heads', heads: [{ headers: [headerOf(0)], signature: new Uint8Array(64) }] }),
    ],
    ['blocks that nobody asked for', () => ({ kind: 'runs', runs: [[new Uint8Array(9)]] })],
    ['a frame out of turn', () => ({ kind: 'served' })],
  ])('with a peer that sends %s is refused and counts against it', async (_, frame) => {
    const world = new World()
    const b = world.open(2)
    const bad = world.stranger(3)
    await world.until('they are connected', () => bad.peers().length === 1)
    const stream = await opened(world, bad, b)
    for (const each of [hello({ logs: 1 }), TURN, frame()]) await stream.send(encodeFrame(each))
    await world.until('it is refused', () => b.told('rejected').length > 0, 1_000)
    expect(b.told('rejected')[0]).toMatchObject({ from: bad.self })
  })

  it('for a namespace that is not held is refused, and nobody is blamed', async () => {
    const world = new World()
    const b = world.open(2)
    const peer = world.stranger(3)
    await world.until('they are connected', () => peer.peers().length === 1)
    const stream = await opened(world, peer, b)
    await stream.send(encodeFrame({ ...hello({ logs: 0 }), namespace: 'ab'.repeat(32) as typeof NAMESPACE }))
    expect(await answered(world, stream)).toEqual({ kind: 'refuse', reason: 'namespace' })
    expect(b.told('rejected')).toEqual([])
  })

  it('of a later version of the protocol is refused with that word', async () => {
    const world = new World()
    const b = world.open(2)
    const peer = world.stranger(3)
    await world.until('they are connected', () => peer.peers().length === 1)
    const stream = await opened(world, peer, b)
    const later = encodeFrame(hello({ logs: 0 }))
    later[2] = 9
    await stream.send(later)
    expect(await answered(world, stream)).toEqual({ kind: 'refuse', reason: 'version' })
    expect(peer.peers()).toHaveLength(1)
  })
})

const TURN: Frame = { kind: 'turn', final: true }

function hello({ logs }: { readonly logs: number }): Frame & { readonly kind: 'hello' } {
  return {
    kind: 'hello',
    namespace: NAMESPACE,
    name: 'stranger',
    digest: new Uint8Array(32).fill(1),
    logs,
    token: { instance: 'cd'.repeat(16), position: 0 },
    clockMs: START_MS,
  }
}

function headerOf(seq: number): Uint8Array {
  return logOf(seq + 1, { logId: logId(7) }).blocks[seq]?.headerBytes ?? new Uint8Array()
}

async function opened(world: World, from: ReturnType<World['stranger']>, to: WorldNode): ReturnType<typeof from.open> {
  const opening = from.open(to.net.self, SYNC_PROTOCOL, { signal: new AbortController().signal })
  await world.time.advance(5)
  return opening
}

/** The first frame that comes back. */
async function answered(world: World, stream: NetStream): Promise<Frame | undefined> {
  const frames: AsyncIterator<Uint8Array, undefined> = stream.frames()[Symbol.asyncIterator]()
  const answer = frames.next()
  await world.time.advance(100)
  const { value } = await answer
  return value === undefined ? undefined : decodeFrame(value)
}

describe('the status', () => {
  it('is alone without peers, and says since when it was in sync with them', async () => {
    const world = new World()
    const [a, b] = [world.open(1), world.open(2)]
    expect([a.status(), b.status()]).toEqual(['alone', 'alone'])
    await inSync(world, a, b)
    expect(a.replication.status(NAMESPACE)).toMatchObject({ kind: 'in-sync', peers: [b.net.self] })
    world.network.partition([a.net.self], [b.net.self])
    await world.until('the cut is noticed', () => a.status() === 'alone', 20_000)
    expect(a.replication.peers(NAMESPACE)).toEqual([])
  })

  it('is not in sync with a peer whose syncs stopped completing', async () => {
    const world = new World({ faults: { noticeMs: 600_000 } })
    const [a, b] = [world.open(1), world.open(2)]
    await inSync(world, a, b)
    world.network.cut(b.net.self, a.net.self)
    await world.until('it is noticed', () => a.status() === 'looking', 60_000)
    expect(a.net.peers().map(({ id }) => id)).toEqual([b.net.self])
  })

  it('is behind by what signed heads show, and by nothing else', async () => {
    const world = new World()
    const b = world.open(2)
    const log = logOf(50, { signer: signer(9) })
    const sender = await listening(world, b)
    await sender.publish(TOPIC, encodeGossipHead(log.blocks[49] as Block))
    await world.until('it is behind', () => b.status() === 'behind', 100)
    expect(b.replication.status(NAMESPACE)).toEqual({ kind: 'behind', blocks: 50, peers: [sender.self] })
    await sender.publish(TOPIC, encodeGossipHead({ ...(log.blocks[49] as Block), signature: new Uint8Array(64) }))
    await world.time.advance(100)
    expect(b.told('rejected')).toMatchObject([{ from: sender.self, code: 'RZ_SIGNATURE_INVALID' }])
    give(b, log.run(0, 20))
    expect(b.replication.status(NAMESPACE)).toMatchObject({ kind: 'behind', blocks: 30 })
  })

  it('is not kept behind for ever by a signed head that nobody holds the blocks of', async () => {
    const world = new World()
    const [a, b] = [world.open(1), world.open(2)]
    await inSync(world, a, b)
    const sender = await listening(world, b)
    await sender.publish(TOPIC, encodeGossipHead(logOf(50, { signer: signer(9) }).blocks[49] as Block))
    await world.until('they are behind', () => [a, b].every((node) => node.status() === 'behind'), 100)
    await sender.close()
    await world.until('they know better', () => [a, b].every((node) => node.status() === 'in-sync'), 90_000)
    expect(a.told('rejected')).toEqual([])
  })

  it('is full when the store takes nothing for want of space, and recovers by itself', async () => {
    const world = new World()
    const [a, b] = [world.open(1), world.open(2)]
    await inSync(world, a, b)
    b.disk.fault = 'full'
    a.write()
    await world.until('it is full', () => b.status() === 'full', 1_000)
    expect(b.told('store-refused')[0]).toMatchObject({ code: 'RZ_STORE_FULL' })
    b.disk.fault = 'none'
    await world.untilEqual()
    await inSync(world, a, b)
  })

  it('changes are told once each', async () => {
    const world = new World()
    const [a, b] = [world.open(1), world.open(2)]
    await inSync(world, a, b)
    await world.time.advance(60_000)
    expect(a.told('status-changed').map(({ status }) => status.kind)).toEqual(['in-sync'])
  })
})

describe('observers', () => {
  it('see the names of peers, cut to what travels', async () => {
    const world = new World()
    const [a, b] = [world.open(1, { name: 'é'.repeat(300) }), world.open(2)]
    await inSync(world, a, b)
    expect(b.replication.peers(NAMESPACE)).toMatchObject([{ name: 'é'.repeat(128), state: 'in sync', behindBlocks: 0 }])
    expect(a.replication.peers(NAMESPACE)).toMatchObject([{ name: 'node 2' }])
  })

  it('may leave', async () => {
    const world = new World()
    const [a, b] = [world.open(1), world.open(2)]
    let heard = 0
    const stop = b.replication.onEvent(() => heard++)
    stop()
    a.write()
    await world.untilEqual()
    expect(heard).toBe(0)
  })
})

describe('waiting for sync', () => {
  it('ends when all that is known is held', async () => {
    const world = new World()
    const [a, b] = [world.open(1), world.open(2)]
    a.write(100)
    const waiting = b.replication.waitForSync(NAMESPACE, { signal: new AbortController().signal })
    await world.untilEqual()
    await inSync(world, b)
    await world.time.advance(20)
    expect(await waiting).toMatchObject({ kind: 'in-sync', peers: [a.net.self] })
  })

  it('ends with the reason of its signal', async () => {
    const world = new World()
    const a = world.open(1)
    const abort = new AbortController()
    const waiting = a.replication.waitForSync(NAMESPACE, { signal: abort.signal })
    abort.abort(new Error('no time'))
    await expect(waiting).rejects.toThrow('no time')
  })

  it('ends with a code when the namespace is left', async () => {
    const world = new World()
    const a = world.open(1)
    const waiting = a.replication.waitForSync(NAMESPACE, { signal: new AbortController().signal })
    const failed = waiting.catch((error: unknown) => error)
    await a.replication.detach(NAMESPACE)
    expect(await failed).toMatchObject({ code: 'RZ_SYNC_CLOSED' })
    await a.replication.close()
    await a.replication.close()
    expect(() => a.replication.attach(NAMESPACE, NAMESPACE_NAME)).toThrow(
      expect.objectContaining({ code: 'RZ_SYNC_CLOSED' }),
    )
  })
})
