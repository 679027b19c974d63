/** Receipts among nodes on a network in memory, some of which lie. */
import { describe, expect, it } from 'vitest'
import type { PeerId } from '../../../src/delta/delta.ts'
import type { BlockHash } from '../../../src/log/block.ts'
import { openNamespaceId } from '../../../src/log/namespace.ts'
import type { Net } from '../../../src/net/net.ts'
import {
  decodeReceiptMessage,
  encodeReceiptMessage,
  type Receipt,
  receiptTopicOf,
  type Want,
} from '../../../src/sync/delivery/message.ts'
import { NAMESPACE, NAMESPACE_NAME, runOf, signer, START_MS } from '../../support/blocks.ts'
import { World, type WorldNode } from '../world.ts'

const TOPIC = receiptTopicOf(NAMESPACE_NAME)

async function nodesOf(world: World, count: number): Promise<WorldNode[]> {
  const nodes = Array.from({ length: count }, (_, index) => world.open(index + 1, { receipts: {} }))
  await world.time.advance(1_000)
  return nodes
}

function holdersOf(node: WorldNode, of: WorldNode, seq = 0): string[] {
  return (node.replication.receipts(NAMESPACE)?.holdersOf(of.log.key, seq) ?? []).map(({ peer }) => peer).sort()
}

/** Asks all others for receipts of what `of` has written up to `seq`. */
function ask(node: WorldNode, of: WorldNode, from: readonly PeerId[], seq = 0) {
  const question = node.replication.receipts(NAMESPACE)?.ask({ from: () => from, all: false, onNews: () => undefined })
  question?.need(of.log.key, seq)
  return question
}

/** What a listener on the topic hears; it lets all pass on. */
function listen(net: Net): Uint8Array[] {
  const heard: Uint8Array[] = []
  net.join(
    TOPIC,
    () => 'accept',
    (bytes) => heard.push(bytes.slice()),
  )
  return heard
}

function receipt(fields: Partial<Receipt> = {}): Receipt {
  return {
    kind: 'receipt',
    namespace: NAMESPACE,
    peer: signer(9).id,
    number: START_MS,
    durability: 'disk',
    held: [],
    ...fields,
  }
}

describe('receipts', () => {
  it('are sent by nobody while nobody asks', async () => {
    const world = new World()
    const nodes = await nodesOf(world, 3)
    const heard = listen(world.stranger(9))
    await world.time.advance(1_000)
    for (const node of nodes) node.write(5)
    await world.time.advance(20_000)
    expect(heard).toEqual([])
  })

  it('come from whoever holds it, at once or as soon as it does', async () => {
    const world = new World()
    const [first, second, third] = (await nodesOf(world, 3)) as [WorldNode, WorldNode, WorldNode]
    first.write()
    await world.untilEqual()
    ask(first, first, [signer(2).id, signer(3).id], 1)
    await world.time.advance(100)
    expect(holdersOf(first, first)).toEqual([second.net.self, third.net.self].sort())
    expect(holdersOf(first, first, 1)).toEqual([])
    first.write()
    await world.time.advance(100)
    expect(holdersOf(first, first, 1)).toEqual([second.net.self, third.net.self].sort())
  })

  it('reach one that has no connection to the holder', async () => {
    const world = new World()
    const [first, , third] = (await nodesOf(world, 3)) as [WorldNode, WorldNode, WorldNode]
    world.network.cut(first.net.self, third.net.self)
    world.network.cut(third.net.self, first.net.self)
    await world.time.advance(30_000)
    first.write()
    await world.untilEqual()
    ask(first, first, [signer(3).id])
    await world.time.advance(5_000)
    expect(holdersOf(first, first)).toEqual([third.net.self])
  })

  it('come though most messages are lost', async () => {
    const world = new World({ faults: { lossRate: 0.7 } })
    const [first] = (await nodesOf(world, 2)) as [WorldNode]
    first.write()
    await world.untilEqual()
    ask(first, first, [signer(2).id])
    await world.time.advance(60_000)
    expect(holdersOf(first, first)).toEqual([signer(2).id])
  })

  it('come from a holder that was restarted with its clock set back', async () => {
    const world = new World()
    const [first, second] = (await nodesOf(world, 2)) as [WorldNode, WorldNode]
    first.write()
    await world.untilEqual()
    ask(first, first, [signer(2).id])
    await world.until('the receipt is here', () => holdersOf(first, first).length === 1)
    const { disk, log } = second
    await world.crash(second)
    world.open(2, { receipts: {}, disk, log, skewMs: -60_000 })
    first.write()
    ask(first, first, [signer(2).id], 1)
    await world.time.advance(30_000)
    expect(holdersOf(first, first, 1)).toEqual([signer(2).id])
  })

  it('end with who asked for them', async () => {
    const world = new World()
    const [first, second] = (await nodesOf(world, 2)) as [WorldNode, WorldNode]
    first.write()
    const question = ask(first, first, [signer(2).id])
    await world.time.advance(1_000)
    question?.close()
    await world.time.advance(20_000)
    const heard = listen(world.stranger(9))
    await world.time.advance(1_000)
    first.write(3)
    second.write(3)
    await world.time.advance(20_000)
    expect(heard).toEqual([])
  })
})

describe('of what is hostile', () => {
  /** Two nodes, the first of which waits for the receipt of a holder that the test plays, and for the second’s. */
  async function attacked(): Promise<{
    world: World
    first: WorldNode
    second: WorldNode
    liar: Net
    send: (bytes: Uint8Array) => void
  }> {
    const world = new World()
    const [first, second] = (await nodesOf(world, 2)) as [WorldNode, WorldNode]
    const liar = world.stranger(9)
    listen(liar)
    await world.time.advance(1_000)
    first.write(3)
    await world.untilEqual()
    ask(first, first, [signer(2).id, signer(9).id], 2)
    await world.time.advance(500)
    expect(holdersOf(first, first, 2)).toEqual([second.net.self])
    return { world, first, second, liar, send: (bytes) => void liar.publish(TOPIC, bytes) }
  }
  const held = ({ log }: WorldNode, seq = 2) => ({
    log: log.key,
    seq,
    hash: log.blocks[Math.min(seq, 2)]?.hash as BlockHash,
  })

  it('a true receipt is the measure: it counts', async () => {
    const { world, first, second, send } = await attacked()
    send(encodeReceiptMessage(receipt({ held: [held(first)] }), signer(9)))
    await world.time.advance(10)
    expect(holdersOf(first, first, 2)).toEqual([second.net.self, signer(9).id].sort())
  })

  it.each<[string, (first: WorldNode) => Uint8Array, string | undefined]>([
    [
      'a receipt in another’s name',
      (first) => encodeReceiptMessage(receipt({ held: [held(first)] }), signer(8)),
      'RZ_SIGNATURE_INVALID',
    ],
    [
      'one of another namespace',
      (first) => encodeReceiptMessage(receipt({ namespace: openNamespaceId('other'), held: [held(first)] }), signer(9)),
      'RZ_SYNC_RECEIPT_INVALID',
    ],
    ['bytes that are none', () => new Uint8Array(40), 'RZ_SYNC_RECEIPT_INVALID'],
    [
      'one for more than exists',
      (first) => encodeReceiptMessage(receipt({ held: [held(first, 1_000_000)] }), signer(9)),
      undefined,
    ],
    [
      'one for a block that is not the one there',
      ({ log }) => {
        const hash = log.blocks[0]?.hash as BlockHash
        return encodeReceiptMessage(receipt({ held: [{ log: log.key, seq: 2, hash }] }), signer(9))
      },
      undefined,
    ],
    [
      'one of somebody who was not asked',
      (first) => encodeReceiptMessage(receipt({ peer: signer(7).id, held: [held(first)] }), signer(7)),
      undefined,
    ],
  ])('%s counts for nothing', async (_, made, code) => {
    const { world, first, second, send } = await attacked()
    send(made(first))
    await world.time.advance(100)
    expect(holdersOf(first, first, 2)).toEqual([second.net.self])
    expect(first.told('rejected').map((event) => event.code)).toEqual(code === undefined ? [] : [code])
  })

  it('an old one takes nothing back, and far behind the newest it is not passed on', async () => {
    const { world, first, second, send } = await attacked()
    const old = encodeReceiptMessage(receipt({ number: 1, held: [held(first, 0)] }), signer(9))
    const heard = listen(world.stranger(10))
    await world.time.advance(1_000)
    const newest = encodeReceiptMessage(receipt({ number: 1_000, held: [held(first)] }), signer(9))
    world.network.cut(signer(9).id, signer(10).id)
    world.network.cut(signer(10).id, signer(9).id)
    await world.time.advance(30_000)
    send(newest)
    await world.time.advance(10)
    send(old)
    await world.time.advance(10)
    expect(heard).toContainEqual(newest)
    expect(heard).not.toContainEqual(old)
    expect(holdersOf(first, first, 2)).toEqual([second.net.self, signer(9).id].sort())
  })

  it('a flood of them leaves honest ones their way, and of questions sets off few answers', async () => {
    const { world, first, second, liar } = await attacked()
    const heard = listen(world.stranger(10))
    await world.time.advance(1_000)
    let number = START_MS
    const wanted: Omit<Want, 'number' | 'peer'> = {
      kind: 'want',
      namespace: NAMESPACE,
      forMs: 60_000,
      holders: [signer(1).id, signer(2).id],
      all: true,
      logs: [{ log: first.log.key, seq: 0 }],
    }
    for (let round = 0; round < 5; round++) {
      for (let index = 0; index < 1_000; index++) {
        const by = signer(9 + (index % 40) * 100)
        const message =
          index % 2 === 0
            ? receipt({ peer: by.id, number: number++, held: [held(first)] })
            : { ...wanted, peer: by.id, number: number++ }
        void liar.publish(TOPIC, encodeReceiptMessage(message, by))
      }
      await world.time.advance(1_000)
    }
    const answers = heard.filter((bytes) => {
      const { kind, peer } = decodeReceiptMessage(bytes).message
      return kind === 'receipt' && [first.net.self, second.net.self].includes(peer)
    })
    expect(answers.length).toBeGreaterThan(0)
    expect(answers.length).toBeLessThan(5 * 2 * 45)
    first.write()
    ask(first, first, [signer(2).id], 3)
    await world.until('the honest receipt is here', () => holdersOf(first, first, 3).length === 1, 5_000)
  }, 60_000)

  it('a fork above leaves the receipts of what came before it', async () => {
    const { world, first, second } = await attacked()
    const branch = first.log.fork(1)
    second.store.commit(runOf(branch.append([[{ localContext: 'other', target: 1 }]])))
    await world.untilEqual()
    expect(holdersOf(first, first, 0)).toEqual([second.net.self])
  })
})
