/** Questions between nodes on a network in memory, some of which are hostile, dead or slow. */
import { describe, expect, it } from 'vitest'
import { encode } from '../../../src/delta/cbor.ts'
import type { Value } from '../../../src/delta/delta.ts'
import { RhizomeError } from '../../../src/errors.ts'
import { createMemoryNetwork } from '../../../src/net/memory.ts'
import type { Net, NetStream } from '../../../src/net/net.ts'
import { type Answerer, Answering } from '../../../src/sync/questions/answering.ts'
import { type Asked, Asking } from '../../../src/sync/questions/asking.ts'
import {
  ANSWER_IDLE_MS,
  ANSWERED_PER_PEER_MAX,
  ASKED_PER_PEER_MAX,
  QUESTION_MS_MAX,
  QUESTION_PROTOCOL,
  WAITING_MAX,
} from '../../../src/sync/questions/limits.ts'
import { encodeAnswer, encodeItem, encodeQuestion, type Question } from '../../../src/sync/questions/wire.ts'
import { seededRandom } from '../../../src/testing/seeded-random.ts'
import { VirtualTime } from '../../../src/testing/virtual-time.ts'
import { NAMESPACE, signer } from '../../support/blocks.ts'

const QUESTION: Question = { namespace: NAMESPACE, word: 'ids', content: { collection: 'user' } }

class World {
  readonly time = new VirtualTime(0)
  readonly network = createMemoryNetwork({
    schedule: (delayMs, run) => void this.time.schedule(delayMs, run),
    random: (() => {
      const random = seededRandom(1)
      return () => random.next()
    })(),
    nowMs: () => this.time.nowMs(),
  })
  readonly schedule = (delayMs: number, run: () => void) => this.time.schedule(delayMs, run)
  readonly penalised: string[] = []
  /** Beside what passes: what work has taken. */
  workedMs = 0

  steadyMs(): number {
    return this.time.nowMs() + this.workedMs
  }

  net(number: number): Net {
    const net = this.network.open(signer(number).id)
    const penalise = net.penalise.bind(net)
    net.penalise = (peer, why) => {
      this.penalised.push(why)
      penalise(peer, why)
    }
    return net
  }

  holder(number: number, answer: Answerer): Answering {
    return new Answering({ net: this.net(number), schedule: this.schedule, steadyMs: () => this.steadyMs(), answer })
  }

  /** A peer that does as it likes with a stream. */
  peer(number: number, handle: (stream: NetStream) => Promise<void>): void {
    this.net(number).handle(QUESTION_PROTOCOL, handle)
  }

  async asker(number = 9): Promise<Asking> {
    const asking = new Asking({ net: this.net(number), schedule: this.schedule })
    await this.time.advance(2_000)
    return asking
  }

  async within<Result>(promise: Promise<Result>, forMs = 60_000): Promise<Result> {
    let isOver = false
    const watched = promise.finally(() => (isOver = true))
    watched.catch(() => undefined)
    for (let ms = 0; !isOver && ms < forMs; ms += 50) await this.time.advance(50)
    return watched
  }
}

const peers = (...numbers: readonly number[]) => numbers.map((number) => signer(number).id)
const itemsOf = (asked: Asked): readonly Value[] | undefined =>
  asked.kind === 'answered' ? asked.heard.items : undefined

describe('a question', () => {
  it('is answered whole, by one who is named', async () => {
    const world = new World()
    const items = Array.from({ length: 3_000 }, (_, index) => `${index} ${'x'.repeat(200)}`)
    world.holder(1, ({ word, content }, from) => ({ items, end: [word, content, from] }))
    const asking = await world.asker()
    const asked = await world.within(asking.ask(QUESTION, peers(1)))
    expect(itemsOf(asked)).toEqual(items)
    const end = ['ids', { collection: 'user' }, signer(9).id]
    expect(asked).toMatchObject({ kind: 'answered', heard: { by: signer(1).id, end } })
  })

  it('that a holder refuses is refused, and nobody else is asked', async () => {
    const world = new World()
    let askedCount = 0
    world.holder(1, () => {
      throw new RhizomeError('RZ_QUERY_LIMIT', 'too much')
    })
    world.holder(2, () => ({ end: ++askedCount }))
    const asking = await world.asker()
    const asked = await world.within(asking.ask(QUESTION, peers(1, 2)))
    expect(asked).toMatchObject({
      kind: 'refused',
      by: signer(1).id,
      error: { code: 'RZ_QUERY_LIMIT', message: 'too much' },
    })
    expect(askedCount).toBe(0)
  })

  it.each<readonly [string, (stream: NetStream) => Promise<void>]>([
    [
      'says that it does not hold it',
      (stream) => stream.send(encodeAnswer({ kind: 'fault', code: 'RZ_SHARD_UNHELD', text: '' })),
    ],
    [
      'is only taking it over',
      (stream) => stream.send(encodeAnswer({ kind: 'fault', code: 'RZ_SHARD_TAKING', text: '' })),
    ],
    [
      'breaks off in the middle',
      async (stream) => {
        await stream.send(encodeAnswer({ kind: 'part', items: [encodeItem('half')] }))
        stream.abort('gone')
      },
    ],
    [
      'ends without an end',
      async (stream) => {
        await stream.send(encodeAnswer({ kind: 'part', items: [encodeItem('half')] }))
        await stream.close()
      },
    ],
    ['never answers', () => new Promise<void>(() => undefined)],
    ['sends garbage', (stream) => stream.send(Uint8Array.of(1, 2, 3))],
    ['sends items that are none', (stream) => stream.send(encode([1, 1, [Uint8Array.of(0xff)]]))],
    ['sends an answer of a later version', (stream) => stream.send(encode([2, 1, []]))],
  ])('goes to another when the first %s, and nothing of the first is kept', async (_, misbehave) => {
    const world = new World()
    world.peer(1, async (stream) => {
      for await (const _frame of stream.frames()) return misbehave(stream)
    })
    world.holder(2, () => ({ items: ['a', 'b'], end: null }))
    const asking = await world.asker()
    const asked = await world.within(asking.ask(QUESTION, peers(1, 2)), ANSWER_IDLE_MS * 3)
    expect(asked).toMatchObject({ kind: 'answered', heard: { by: signer(2).id, items: ['a', 'b'] } })
  })

  it('costs who sends garbage its standing, and nobody else', async () => {
    const world = new World()
    world.peer(1, (stream) => stream.send(Uint8Array.of(1, 2, 3)))
    world.peer(2, (stream) => stream.send(encode([2, 1, []])))
    const asking = await world.asker()
    const asked = await world.within(asking.ask(QUESTION, peers(1, 2)))
    expect(asked).toMatchObject({ kind: 'unanswered', tried: [{ peer: signer(1).id }, { peer: signer(2).id }] })
    expect(world.penalised).toHaveLength(1)
  })

  it('to nobody, or to one who is not connected, is told as unanswered', async () => {
    const world = new World()
    const asking = await world.asker()
    expect(await world.within(asking.ask(QUESTION, []))).toEqual({ kind: 'unanswered', tried: [] })
    const asked = await world.within(asking.ask(QUESTION, peers(5)))
    expect(asked).toMatchObject({ kind: 'unanswered', tried: [{ peer: signer(5).id }] })
  })

  it('waits its turn past so many at once, and all are answered', async () => {
    const world = new World()
    let atOnce = 0
    let most = 0
    world.holder(1, async ({ content }) => {
      most = Math.max(most, ++atOnce)
      await new Promise<void>((resolve) => world.time.schedule(20, resolve))
      atOnce--
      return { end: content }
    })
    const asking = await world.asker()
    const answers = Array.from({ length: 100 }, (_, index) => asking.ask({ ...QUESTION, content: index }, peers(1)))
    const ends = (await world.within(Promise.all(answers))).map((asked) => asked.kind === 'answered' && asked.heard.end)
    expect(ends).toEqual(Array.from({ length: 100 }, (_, index) => index))
    expect(most).toBe(ASKED_PER_PEER_MAX)
  })

  it('is refused when too many wait, and when the node closes', async () => {
    const world = new World()
    world.peer(1, () => new Promise<void>(() => undefined))
    const asking = await world.asker()
    const waiting = Array.from({ length: ASKED_PER_PEER_MAX + WAITING_MAX }, () => asking.ask(QUESTION, peers(1)))
    for (const each of waiting) each.catch(() => undefined)
    await expect(asking.ask(QUESTION, peers(1))).rejects.toMatchObject({ code: 'RZ_NODE_BUSY' })
    asking.close()
    const ended = await world.within(Promise.allSettled(waiting))
    expect(ended.every(({ status }) => status === 'rejected')).toBe(true)
    expect(ended[0]).toMatchObject({ reason: { code: 'RZ_SYNC_CLOSED' } })
  })
})

describe('a hostile asker', () => {
  const open = (net: Net) => net.open(signer(1).id, QUESTION_PROTOCOL, { signal: new AbortController().signal })

  it('that sends what is no question loses standing, and others are answered', async () => {
    const world = new World()
    world.holder(1, () => ({ end: 'answer' }))
    const hostile = world.net(2)
    const asking = await world.asker()
    for (const bytes of [Uint8Array.of(0xff), encode([1, 2, null]), encode('question'), new Uint8Array(100_000)]) {
      const stream = await world.within(open(hostile))
      await stream.send(bytes)
    }
    await world.time.advance(1_000)
    expect(world.penalised).toHaveLength(4)
    expect(await world.within(asking.ask(QUESTION, peers(1)))).toMatchObject({ kind: 'answered' })
  })

  it('that opens streams and asks nothing takes no more places than it may have, for no longer than it may', async () => {
    const world = new World()
    world.holder(1, () => ({ end: 'answer' }))
    const hostile = world.net(2)
    const asking = await world.asker()
    const streams = []
    for (let count = 0; count < 3 * ANSWERED_PER_PEER_MAX; count++) streams.push(await world.within(open(hostile)))
    expect(await world.within(asking.ask(QUESTION, peers(1)))).toMatchObject({ kind: 'answered' })
    await world.time.advance(QUESTION_MS_MAX + 1_000)
    const stream = await world.within(open(hostile))
    await stream.send(encodeQuestion(QUESTION))
    const frames = stream.frames()[Symbol.asyncIterator]()
    expect((await world.within(frames.next())).done).toBe(false)
  })

  it('that reads nothing is cut off, and the answer is not made further than it is read', async () => {
    const world = new World()
    let made = 0
    world.holder(1, () => ({
      items: (function* () {
        for (; made < 1_000; made++) yield 'x'.repeat(50_000)
      })(),
      end: null,
    }))
    const hostile = world.net(2)
    await world.asker()
    const stream = await world.within(open(hostile))
    await stream.send(encodeQuestion(QUESTION))
    await world.time.advance(ANSWER_IDLE_MS + 2_000)
    expect(made).toBeLessThan(40)
    const frames = stream.frames()[Symbol.asyncIterator]()
    const read = async () => {
      while ((await frames.next()).done !== true);
    }
    await expect(world.within(read())).rejects.toMatchObject({ code: 'RZ_NET_STREAM_CLOSED' })
  })

  it('whose questions take long waits, and others do not', async () => {
    const world = new World()
    const answered: string[] = []
    world.holder(1, (_, from) => {
      answered.push(from)
      if (from === signer(2).id) world.workedMs += 3_000
      return { end: null }
    })
    const costly = new Asking({ net: world.net(2), schedule: world.schedule })
    const asking = await world.asker()
    const asked = Array.from({ length: 6 }, () => costly.ask(QUESTION, peers(1)))
    await world.time.advance(1_000)
    // The burst, and not all of them.
    expect(answered.length).toBeLessThan(4)
    expect(await world.within(asking.ask(QUESTION, peers(1)))).toMatchObject({ kind: 'answered' })
    const all = await world.within(Promise.all(asked), 120_000)
    expect(all.filter(({ kind }) => kind === 'answered').length).toBeGreaterThanOrEqual(2)
  })

  it('is told when what it asks for is too much, and never more than that', async () => {
    const world = new World()
    world.holder(1, () => ({ items: Array.from({ length: 100 }, () => 'x'.repeat(1_000_000)), end: null }))
    const asking = await world.asker()
    const asked = await world.within(asking.ask(QUESTION, peers(1)))
    expect(asked).toMatchObject({ kind: 'refused', error: { code: 'RZ_BYTES_TOO_LARGE' } })
  })
})
