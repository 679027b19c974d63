/** Messages that are not data among nodes on a network in memory, some of which are hostile. */
import { describe, expect, it } from 'vitest'
import type { Value } from '../../../src/delta/delta.ts'
import { openNamespaceId } from '../../../src/log/namespace.ts'
import type { Net } from '../../../src/net/net.ts'
import {
  MESSAGE_AGE_MS_MAX,
  SENDER_BURST,
  SENDER_PER_SECOND,
  SENT_BURST,
  SENT_PER_SECOND,
} from '../../../src/sync/messages/limits.ts'
import { encodeMessage, type Message, messageTopicOf } from '../../../src/sync/messages/message.ts'
import { NAMESPACE, NAMESPACE_NAME, signer, START_MS } from '../../support/blocks.ts'
import { type NodeOptions, World, type WorldNode } from '../world.ts'

const TOPIC = messageTopicOf(NAMESPACE_NAME)
const STRANGER = signer(9)

async function nodesOf(world: World, ...options: readonly NodeOptions[]): Promise<WorldNode[]> {
  const nodes = options.map((each, index) => world.open(index + 1, { messages: {}, ...each }))
  await world.time.advance(1_000)
  return nodes
}

function heardBy(node: WorldNode): Value[] {
  return node.told('message').map(({ message }) => message.value)
}

function say(node: WorldNode, value: Value, to?: WorldNode): Promise<number> {
  return node.replication.sendMessage(NAMESPACE, value, to === undefined ? undefined : signer(to.number).id)
}

function forged(fields: Partial<Message> = {}, by = STRANGER): Uint8Array {
  return encodeMessage(NAMESPACE, { from: STRANGER.id, atMs: START_MS + 1_000, value: 'hello', ...fields }, by)
}

async function hostile(
  world: World,
  ...options: readonly NodeOptions[]
): Promise<{ nodes: WorldNode[]; stranger: Net }> {
  const stranger = world.stranger(9)
  stranger.join(
    TOPIC,
    () => 'accept',
    () => undefined,
  )
  const nodes = await nodesOf(world, ...options)
  return { nodes, stranger }
}

describe('a message', () => {
  it('comes to all others once, with its sender and date, and nothing is stored', async () => {
    const world = new World()
    const [first, second, third] = (await nodesOf(world, {}, {}, {})) as [WorldNode, WorldNode, WorldNode]
    expect(await say(first, { typing: true })).toBe(2)
    await world.time.advance(1_000)
    expect(heardBy(first)).toEqual([])
    const message = { from: signer(1).id, atMs: START_MS + 1_000, value: { typing: true } }
    for (const node of [second, third]) {
      expect(node.told('message')).toEqual([{ kind: 'message', namespace: NAMESPACE, message }])
      expect(node.store.counts(NAMESPACE).blocks).toBe(0)
    }
  })

  it('to one is told by that one alone', async () => {
    const world = new World()
    const [first, second, third] = (await nodesOf(world, {}, {}, {})) as [WorldNode, WorldNode, WorldNode]
    await say(first, 'you', second)
    await world.time.advance(1_000)
    expect(second.told('message')).toMatchObject([{ message: { to: signer(2).id, value: 'you' } }])
    expect(heardBy(third)).toEqual([])
    await expect(say(first, 'me', first)).rejects.toMatchObject({ code: 'RZ_MESSAGE_INVALID' })
  })

  it('reaches by others whom the sender is not connected to', async () => {
    const world = new World()
    const [first, , third] = (await nodesOf(world, {}, {}, {})) as [WorldNode, WorldNode, WorldNode]
    world.network.cut(first.net.self, third.net.self)
    world.network.cut(third.net.self, first.net.self)
    await world.time.advance(30_000)
    await say(first, 'far', third)
    await world.time.advance(1_000)
    expect(heardBy(third)).toEqual(['far'])
  })

  it('that the network doubles is told once', async () => {
    const world = new World({ faults: { duplicateRate: 1 } })
    const [first, second] = (await nodesOf(world, {}, {})) as [WorldNode, WorldNode]
    for (const value of [1, 2, 3]) await say(first, value)
    await world.time.advance(1_000)
    expect(heardBy(second)).toHaveLength(3)
    expect(new Set(heardBy(second))).toEqual(new Set([1, 2, 3]))
  })

  it('is dropped where its date is more than a minute off the clock there, and its bearer is not to blame', async () => {
    const world = new World()
    const skewed = [MESSAGE_AGE_MS_MAX - 1_000, MESSAGE_AGE_MS_MAX + 1_000, -MESSAGE_AGE_MS_MAX - 1_000]
    const [first, ...others] = await nodesOf(world, {}, ...skewed.map((skewMs) => ({ skewMs })))
    if (first === undefined) throw new Error('there is one')
    await say(first, 'now')
    await world.time.advance(1_000)
    expect(others.map(heardBy)).toEqual([['now'], [], []])
    for (const node of others) expect(node.told('rejected')).toEqual([])
  })

  it('is not sent when it is too large, no JSON, or the namespace is left', async () => {
    const world = new World()
    const [first] = (await nodesOf(world, {})) as [WorldNode]
    await expect(say(first, 'x'.repeat(16_384))).rejects.toMatchObject({ code: 'RZ_MESSAGE_TOO_LARGE' })
    await expect(say(first, Number.NaN)).rejects.toMatchObject({ code: 'RZ_MESSAGE_INVALID' })
    expect(await say(first, 'nobody hears it')).toBe(0)
    await first.replication.detach(NAMESPACE)
    await expect(say(first, 'late')).rejects.toMatchObject({ code: 'RZ_SYNC_CLOSED' })
  })
})

describe('who sends too much', () => {
  it('is told by a code, and may go on as time passes', async () => {
    const world = new World()
    const [first, second] = (await nodesOf(world, {}, {})) as [WorldNode, WorldNode]
    for (let count = 0; count < SENT_BURST; count++) await say(first, count)
    await expect(say(first, 'more')).rejects.toMatchObject({ code: 'RZ_MESSAGE_RATE' })
    await world.time.advance(1_000)
    for (let count = 0; count < SENT_PER_SECOND; count++) await say(first, count)
    await expect(say(first, 'more')).rejects.toMatchObject({ code: 'RZ_MESSAGE_RATE' })
    await world.time.advance(1_000)
    expect(heardBy(second)).toHaveLength(SENT_BURST + SENT_PER_SECOND)
  })

  it('without heeding that is not heard, nor passed on, beyond its rate, and is no reason to reject others', async () => {
    const world = new World()
    const { nodes, stranger } = await hostile(world, {}, {})
    const [first, second] = nodes as [WorldNode, WorldNode]
    world.network.cut(stranger.self, second.net.self)
    for (let count = 0; count < 500; count++) await stranger.publish(TOPIC, forged({ atMs: START_MS + count }))
    await world.time.advance(100)
    for (const node of [first, second]) {
      expect(heardBy(node).length).toBeGreaterThanOrEqual(SENDER_BURST)
      expect(heardBy(node).length).toBeLessThanOrEqual(SENDER_BURST + SENDER_PER_SECOND)
      expect(node.told('rejected')).toEqual([])
    }
    await say(second, 'still heard')
    await world.time.advance(100)
    expect(heardBy(first).at(-1)).toBe('still heard')
  })
})

describe('what is invalid in itself', () => {
  const elsewhere = encodeMessage(
    openNamespaceId('elsewhere'),
    { from: STRANGER.id, atMs: START_MS + 1_000, value: 'hello' },
    STRANGER,
  )
  it.each<[string, Uint8Array, string]>([
    ['a message in the name of another', forged({ from: signer(1).id, atMs: START_MS + 2 }), 'RZ_SIGNATURE_INVALID'],
    ['a message of another namespace', elsewhere, 'RZ_SYNC_MESSAGE_INVALID'],
    ['garbage', new Uint8Array([1, 2, 3]), 'RZ_SYNC_MESSAGE_INVALID'],
    ['more bytes than a message has', new Uint8Array(16_385), 'RZ_SYNC_MESSAGE_INVALID'],
  ])('is rejected: %s', async (_, bytes, code) => {
    const world = new World()
    const { nodes, stranger } = await hostile(world, {}, {})
    const [, second] = nodes as [WorldNode, WorldNode]
    await stranger.publish(TOPIC, bytes)
    await world.time.advance(1_000)
    expect(heardBy(second)).toEqual([])
    expect(second.told('rejected')).toMatchObject([{ from: stranger.self, code }])
  })
})

describe('a replay', () => {
  it('is not told again, soon, in a minute, or later', async () => {
    const world = new World()
    const { nodes, stranger } = await hostile(world, {})
    const [first] = nodes as [WorldNode]
    const bytes = forged({ atMs: START_MS + MESSAGE_AGE_MS_MAX })
    for (let minute = 0; minute < 5; minute++) {
      await stranger.publish(TOPIC, bytes)
      await world.time.advance(MESSAGE_AGE_MS_MAX - 1_000)
    }
    expect(heardBy(first)).toEqual(['hello'])
    expect(first.told('rejected')).toEqual([])
  })

  it('of one’s own word is not told to oneself', async () => {
    const world = new World()
    const { nodes, stranger } = await hostile(world, {})
    const [first] = nodes as [WorldNode]
    await stranger.publish(TOPIC, forged({ from: signer(1).id }, signer(1)))
    await world.time.advance(1_000)
    expect(heardBy(first)).toEqual([])
    expect(first.told('rejected')).toEqual([])
  })
})
