/** A peer that sends garbage, or asks for everything and never reads: the node stays well, and the sender is shown the door. */
import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { openNamespaceId, topicOf } from '../../src/log/namespace.ts'
import { SYNC_PROTOCOL } from '../../src/sync/limits.ts'
import { decodeFrame, encodeFrame, type Frame } from '../../src/sync/wire.ts'
import { expectEqual, Cluster, report, eventually } from '../support/cluster.ts'
import { type HostilePeer, openHostilePeer } from '../support/hostile-peer.ts'
import type { ProcessNode } from '../support/process-node.ts'

const NAMESPACE = openNamespaceId('users')
const TOPIC = topicOf('users')
const MIB = 1_048_576

describe.concurrent('a hostile peer', () => {
  test('who sends garbage by gossip is soon not listened to, and the others go on', async () => {
    await using cluster = await Cluster.open()
    const [node, friend] = await startTwo(cluster)
    await using hostile = await openHostilePeer(addressOf(node), TOPIC)
    await eventually('the hostile peer is in the topic', () => hostile.isHeard)
    await hostile.publishGarbage(300)
    const offence = await eventually('the node rejects it', () => rejectionsOf(node, hostile)[0])
    expect(offence.code).toBe('RZ_SYNC_GOSSIP_INVALID')
    await friend.putMany('meanwhile-', 50)
    await expectEqual([node, friend], cluster.acknowledged())
    await hostile.publishGarbage(300).catch(() => undefined)
    await friend.putMany('after-', 50)
    await expectEqual([node, friend], cluster.acknowledged())
    // 600 were sent; each that is judged costs points, until the sender is heard no more.
    expect(rejectionsOf(node, hostile).length).toBeLessThanOrEqual(20)
    expect(rejectionsOf(friend, hostile)).toEqual([])
  })

  test('who sends garbage on sync streams is disconnected and not let in again', async () => {
    await using cluster = await Cluster.open()
    const [node, friend] = await startTwo(cluster)
    await using hostile = await openHostilePeer(addressOf(node), TOPIC)
    const garbage: readonly Uint8Array[] = [
      new Uint8Array(0),
      randomBytes(64),
      encodeFrame({ kind: 'served' }),
      encodeFrame(hello()).slice(0, 40),
      randomBytes(200_000),
    ]
    await eventually('the hostile peer is disconnected', async () => {
      for (const frame of garbage) await send(hostile, frame)
      return !hostile.isConnected
    })
    await hostile.dial().catch(() => undefined)
    await eventually('the hostile peer is not let in again', () => !hostile.isConnected)
    await friend.putMany('after-', 50)
    await expectEqual([node, friend], cluster.acknowledged())
  })

  test('a frame that claims to be four gigabytes, and one that never ends, cost nothing', async () => {
    await using cluster = await Cluster.open()
    const [node, friend] = await startTwo(cluster)
    await using hostile = await openHostilePeer(addressOf(node), TOPIC)
    const before = await node.run('heldBytes')
    const endless = await Promise.all(Array.from({ length: 8 }, () => hostile.rawStream(SYNC_PROTOCOL)))
    for (const stream of endless) stream.send(Uint8Array.of(0, 0x10, 0, 0))
    const huge = await hostile.rawStream(SYNC_PROTOCOL)
    huge.send(Uint8Array.of(0xff, 0xff, 0xff, 0xf0, 1, 2, 3))
    await friend.putMany('meanwhile-', 50)
    await expectEqual([node, friend], cluster.acknowledged())
    expect((await node.run('heldBytes')) - before).toBeLessThan(32 * MIB)
    await eventually('they are given up', () => [huge, ...endless].every(({ status }) => status !== 'open'))
  })

  test('peers that ask for everything and never read get a few buffers full, and then the streams are given up', async () => {
    await using cluster = await Cluster.open()
    const writer = await cluster.start('node')
    await writer.putMany('large-', 4_000, 'x'.repeat(5_000))
    await writer.stop()
    const node = await cluster.start('node')
    const before = await node.run('heldBytes')
    const hostiles = await Promise.all(Array.from({ length: 5 }, () => openHostilePeer(addressOf(node), TOPIC)))
    await using closing = new AsyncDisposableStack()
    for (const hostile of hostiles) closing.use(hostile)
    await Promise.all(hostiles.map(askAndNeverRead))

    // 5 × 20 MB were asked for. Meanwhile the node serves an honest peer.
    const friend = await cluster.start('friend')
    await expectEqual([node, friend], cluster.acknowledged())
    const grownBytes = (await node.run('heldBytes')) - before
    report(`five peers that do not read cost ${Math.round(grownBytes / MIB)} MiB`)
    expect(grownBytes).toBeLessThan(32 * MIB)
    await eventually('the sessions are given up', () => hostiles.every((hostile) => stalledOf(node, hostile)))
    await friend.putMany('after-', 50)
    await expectEqual([node, friend], cluster.acknowledged())
  })
})

async function startTwo(cluster: Cluster): Promise<readonly [ProcessNode, ProcessNode]> {
  const [node, friend] = await cluster.startAll('node', 'friend')
  if (node === undefined || friend === undefined) throw new Error('two nodes were started')
  await friend.putMany('before-', 10)
  await expectEqual([node, friend], cluster.acknowledged())
  return [node, friend]
}

function hello(): Frame {
  return {
    kind: 'hello',
    namespace: NAMESPACE,
    name: 'hostile',
    digest: randomBytes(32),
    logs: 0,
    token: { instance: '00'.repeat(16), position: 0 },
    clockMs: Date.now(),
  }
}

/** Opens a stream for one frame. That the node resets it, or the connection, is what is wanted. */
async function send(hostile: HostilePeer, frame: Uint8Array): Promise<void> {
  const stream = await hostile.frameStream(SYNC_PROTOCOL).catch(() => undefined)
  await stream?.send(frame).catch(() => undefined)
  const frames = stream?.frames()[Symbol.asyncIterator]()
  await frames?.next().catch(() => undefined)
}

/** Goes through a session up to the list of wants as an honest node without any data does, and then reads no more. */
async function askAndNeverRead(hostile: HostilePeer): Promise<void> {
  const stream = await hostile.frameStream(SYNC_PROTOCOL)
  const frames = stream.frames()[Symbol.asyncIterator]()
  const next = async (): Promise<Frame> => {
    const { value, done } = await frames.next()
    if (done === true) throw new Error('the node ended the session')
    return decodeFrame(value)
  }
  await stream.send(encodeFrame(hello()))
  await next()
  await stream.send(encodeFrame({ kind: 'compare', items: [{ kind: 'list', prefix: '', entries: [] }] }))
  await stream.send(encodeFrame({ kind: 'turn', final: false }))
  const claims = await next()
  if (claims.kind !== 'claims') throw new Error(`claims were due, ${claims.kind} came`)
  const turn = await next()
  if (turn.kind !== 'turn' || !turn.final) throw new Error('the last turn was due')
  await stream.send(encodeFrame({ kind: 'want', wants: claims.entries.map(({ log }) => ({ log, fromSeq: 0 })) }))
}

function addressOf(node: ProcessNode): string {
  return node.addresses[0] ?? ''
}

function rejectionsOf(node: ProcessNode, { self }: HostilePeer) {
  return node.events.flatMap((event) =>
    event.kind === 'replication' && event.event.kind === 'rejected' && event.event.from === self ? [event.event] : [],
  )
}

function stalledOf(node: ProcessNode, { self }: HostilePeer): boolean {
  return node.events.some((event) => {
    if (event.kind !== 'replication' || event.event.kind !== 'sync-failed') return false
    return event.event.peer === self && event.event.code === 'RZ_SYNC_STALLED'
  })
}
