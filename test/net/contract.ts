/** What every implementation of the network port does. Run by `libp2p.test.ts` and `memory.test.ts`. */
import { describe, expect, test } from 'vitest'
import { FRAME_BYTES_MAX, GOSSIP_BYTES_MAX, type Net, type NetStream, type Verdict } from '../../src/net/net.ts'
import { connected, eventsOf, gathered, knows, until, within } from './until.ts'

export interface Cluster extends AsyncDisposable {
  /**
   * Opens a node that connects to all nodes opened before it but those apart. Opening a name again after its node was
   * closed gives a node of the same id that others find again.
   */
  open(name: string, options?: { readonly apart?: readonly string[] }): Promise<Net>
}

const TOPIC = '/test/1/topic'
const ECHO = '/test/echo/1'
const SILENT = '/test/silent/1'

export function netContract(createCluster: () => Cluster): void {
  const bytes = (text: string): Uint8Array => Buffer.from(text)
  const signal = (): AbortSignal => AbortSignal.timeout(15_000)

  /** Joins and collects what is heard. */
  function hear(net: Net, verdict: () => Verdict = () => 'accept'): { text: string; from: string }[] {
    const heard: { text: string; from: string }[] = []
    net.join(TOPIC, verdict, (message, from) => heard.push({ text: Buffer.from(message).toString(), from }))
    return heard
  }

  async function echo(stream: NetStream): Promise<void> {
    for await (const frame of stream.frames()) await stream.send(frame)
  }

  async function collect(stream: NetStream): Promise<Uint8Array[]> {
    const frames: Uint8Array[] = []
    for await (const frame of stream.frames()) frames.push(frame)
    return frames
  }

  async function pair(cluster: Cluster): Promise<[Net, Net]> {
    const a = await cluster.open('a')
    const b = await cluster.open('b')
    await connected(a, b)
    return [a, b]
  }

  describe('connecting', () => {
    test('two nodes connect and list each other, one as inbound and one as outbound', async () => {
      await using cluster = createCluster()
      const [a, b] = await pair(cluster)
      expect(new Set([...a.peers(), ...b.peers()].map(({ direction }) => direction))).toEqual(
        new Set(['inbound', 'outbound']),
      )
      expect(a.peers().map(({ id }) => id)).toEqual([b.self])
      expect(a.peers()[0]?.addresses.length).toBeGreaterThan(0)
      expect(a.peers()[0]?.connectedAtMs).toBeLessThanOrEqual(Date.now())
    })

    test('a node that closes is told of as disconnected, and as connected and joined again when it comes back', async () => {
      await using cluster = createCluster()
      const [a, b] = await pair(cluster)
      const events = eventsOf(a)
      hear(a)
      hear(b)
      await gathered(TOPIC, a, b)
      await b.close()
      await until('a learns that b is gone', () => !knows(a, b))
      const again = await cluster.open('b')
      hear(again)
      await gathered(TOPIC, a, again)
      expect(events.map(({ kind }) => kind).filter((kind) => kind !== 'dial-failed' && kind !== 'discovered')).toEqual([
        // What happened before the first listener came is told to it.
        'connected',
        'joined',
        'left',
        'disconnected',
        'connected',
        'joined',
      ])
    })

    test('a listener that was removed hears nothing', async () => {
      await using cluster = createCluster()
      const a = await cluster.open('a')
      let count = 0
      a.onEvent(() => (count += 1))()
      const b = await cluster.open('b')
      await connected(a, b)
      expect(count).toBe(0)
    })

    test.each(['', 'a b', 'http://localhost', '/ip4/1.2.3.4', '/ip4/1.2.3.4/udp/4000', '1.2.3.4:0', '1.2.3.4:65536'])(
      'the address %j is refused',
      async (address) => {
        await using cluster = createCluster()
        const a = await cluster.open('a')
        expect(() => a.addPeer(address)).toThrow(expect.objectContaining({ code: 'RZ_NET_ADDRESS_INVALID' }))
      },
    )

    test('closing twice is harmless, and every call after it says that the network is closed', async () => {
      await using cluster = createCluster()
      const [a, b] = await pair(cluster)
      await Promise.all([a.close(), a.close()])
      await a.close()
      const closed = expect.objectContaining({ code: 'RZ_NET_CLOSED' })
      await expect(a.publish(TOPIC, bytes('x'))).rejects.toThrow(closed)
      await expect(a.open(b.self, ECHO, { signal: signal() })).rejects.toThrow(closed)
      expect(() => hear(a)).toThrow(closed)
      expect(() => a.handle(ECHO, echo)).toThrow(closed)
      expect(() => a.addPeer('localhost')).toThrow(closed)
      expect(a.peers()).toEqual([])
    })
  })

  describe('gossip', () => {
    test('a message reaches everyone else in the topic once, and not its publisher', async () => {
      await using cluster = createCluster()
      const [a, b] = await pair(cluster)
      const c = await cluster.open('c')
      const heard = [a, b, c].map((net) => hear(net))
      await gathered(TOPIC, a, b, c)
      expect(await a.publish(TOPIC, bytes('hello'))).toBe(2)
      expect(await b.publish(TOPIC, bytes('after'))).toBeGreaterThan(0)
      await until('all hear both', () => heard[1]?.length === 1 && heard[2]?.length === 2 && heard[0]?.length === 1)
      expect(heard[0]?.map(({ text }) => text)).toEqual(['after'])
      expect(heard[1]?.map(({ text }) => text)).toEqual(['hello'])
      expect(heard[2]?.map(({ text }) => text).toSorted()).toEqual(['after', 'hello'])
    })

    test('published to nobody is no error, and the same message may be published again', async () => {
      await using cluster = createCluster()
      const a = await cluster.open('a')
      hear(a)
      expect(await a.publish(TOPIC, bytes('early'))).toBe(0)
      const b = await cluster.open('b')
      const heard = hear(b)
      await gathered(TOPIC, a, b)
      expect(await a.publish(TOPIC, bytes('early'))).toBe(1)
      await until('b hears it', () => heard.length === 1)
    })

    test('the same message published twice is delivered once', async () => {
      await using cluster = createCluster()
      const [a, b] = await pair(cluster)
      const heard = hear(b)
      hear(a)
      await gathered(TOPIC, a, b)
      await a.publish(TOPIC, bytes('same'))
      expect(await a.publish(TOPIC, bytes('same'))).toBe(0)
      await a.publish(TOPIC, bytes('end'))
      await until('b hears the end', () => heard.some(({ text }) => text === 'end'))
      expect(heard.map(({ text }) => text).toSorted()).toEqual(['end', 'same'])
    })

    test('on a line A–B–C, where A and C never connect, a message goes all the way', async () => {
      await using cluster = createCluster()
      const [a, b] = await pair(cluster)
      const c = await cluster.open('c', { apart: ['a'] })
      const heard = [hear(a), hear(b), hear(c)]
      await gathered(TOPIC, b, c)
      await gathered(TOPIC, a, b)
      expect(await a.publish(TOPIC, bytes('through'))).toBe(1)
      await until('c hears it', () => heard[2]?.length === 1)
      expect(heard[2]?.[0]).toEqual({ text: 'through', from: b.self })
      expect(knows(a, c)).toBe(false)
    })

    test.each(['ignore', 'reject'] as const)(
      'what a validator answers %s to is neither delivered nor passed on',
      async (verdict) => {
        await using cluster = createCluster()
        const [a, b] = await pair(cluster)
        const c = await cluster.open('c', { apart: ['a'] })
        const heardByC = hear(c)
        let judgedCount = 0
        const heardByB = hear(b, () => ((judgedCount += 1) === 1 ? verdict : 'accept'))
        hear(a)
        await gathered(TOPIC, a, b)
        await gathered(TOPIC, b, c)
        await a.publish(TOPIC, bytes('bad'))
        await until('b judges it', () => judgedCount === 1)
        await a.publish(TOPIC, bytes('good'))
        await until('c hears the next', () => heardByC.length > 0)
        expect(heardByC.map(({ text }) => text)).toEqual(['good'])
        expect(heardByB.map(({ text }) => text)).toEqual(['good'])
      },
    )

    test('a peer that sends much that is rejected is disconnected; one whose messages are ignored is not', async () => {
      await using cluster = createCluster()
      const [a, b] = await pair(cluster)
      let verdict: Verdict = 'ignore'
      let judgedCount = 0
      hear(b, () => {
        judgedCount += 1
        return verdict
      })
      hear(a)
      await gathered(TOPIC, a, b)
      for (let index = 0; index < 20; index += 1) await a.publish(TOPIC, bytes(`ignored ${index}`))
      await until('all are judged', () => judgedCount === 20)
      expect(knows(b, a)).toBe(true)
      const events = eventsOf(b)
      verdict = 'reject'
      for (let index = 0; index < 20; index += 1) await a.publish(TOPIC, bytes(`rejected ${index}`))
      await until('b hangs up', () => events.some(({ kind }) => kind === 'disconnected'))
    })

    test('a peer that is penalised often enough is disconnected', async () => {
      await using cluster = createCluster()
      const [a, b] = await pair(cluster)
      const events = eventsOf(b)
      b.penalise(a.self, 'a small thing')
      expect(knows(b, a)).toBe(true)
      for (let index = 0; index < 20; index += 1) b.penalise(a.self, 'it goes on')
      await until('b hangs up', () => events.some(({ kind }) => kind === 'disconnected'))
    })

    test('the largest message arrives, a larger one is not sent', async () => {
      await using cluster = createCluster()
      const [a, b] = await pair(cluster)
      const heard = hear(b)
      hear(a)
      await gathered(TOPIC, a, b)
      const tooLarge = a.publish(TOPIC, new Uint8Array(GOSSIP_BYTES_MAX + 1))
      await expect(tooLarge).rejects.toThrow(expect.objectContaining({ code: 'RZ_NET_MESSAGE_TOO_LARGE' }))
      expect(await a.publish(TOPIC, new Uint8Array(GOSSIP_BYTES_MAX).fill(120))).toBe(1)
      await until('b hears it', () => heard[0]?.text.length === GOSSIP_BYTES_MAX)
    })

    test('joining is told to those who are in the topic, whoever came first, and leaving as well', async () => {
      await using cluster = createCluster()
      const [a, b] = await pair(cluster)
      const events = { a: eventsOf(a), b: eventsOf(b) }
      hear(a)
      hear(b)
      await gathered(TOPIC, a, b)
      a.leave(TOPIC)
      await until('b learns it', () => events.b.some(({ kind }) => kind === 'left'))
      expect(events.b.filter(({ kind }) => kind === 'joined' || kind === 'left')).toEqual([
        { kind: 'joined', peer: a.self, topic: TOPIC },
        { kind: 'left', peer: a.self, topic: TOPIC },
      ])
      expect(events.a.filter(({ kind }) => kind === 'joined')).toEqual([{ kind: 'joined', peer: b.self, topic: TOPIC }])
      expect(a.peers()[0]?.topics).toEqual([])
    })
  })

  describe('streams', () => {
    test('frames arrive whole and in order, both ways, also after the opener has closed its side', async () => {
      await using cluster = createCluster()
      const [a, b] = await pair(cluster)
      b.handle(ECHO, echo)
      const stream = await a.open(b.self, ECHO, { signal: signal() })
      const sizes = [0, 1, 3, 4, 1_000, 70_000, 300_000, 5]
      const sending = (async () => {
        for (const [index, size] of sizes.entries()) await stream.send(new Uint8Array(size).fill(index))
        await stream.close()
      })()
      const frames = await within('all come back', collect(stream))
      await sending
      expect(frames.map((frame) => frame.length)).toEqual(sizes)
      expect(frames.every((frame, index) => frame.every((byte) => byte === index))).toBe(true)
    })

    test('both ends know who is on the other', async () => {
      await using cluster = createCluster()
      const [a, b] = await pair(cluster)
      const peers: string[] = []
      b.handle(SILENT, async (stream) => void peers.push(stream.peer))
      const stream = await a.open(b.self, SILENT, { signal: signal() })
      await stream.close()
      await until('the handler has run', () => peers.length === 1)
      expect([stream.peer, ...peers]).toEqual([b.self, a.self])
    })

    test('the largest frame passes, a larger one is refused before it is sent', async () => {
      await using cluster = createCluster()
      const [a, b] = await pair(cluster)
      b.handle(ECHO, echo)
      const stream = await a.open(b.self, ECHO, { signal: signal() })
      const tooLarge = stream.send(new Uint8Array(FRAME_BYTES_MAX + 1))
      await expect(tooLarge).rejects.toThrow(expect.objectContaining({ code: 'RZ_NET_FRAME_TOO_LARGE' }))
      const frames = collect(stream)
      await stream.send(new Uint8Array(FRAME_BYTES_MAX))
      await stream.close()
      expect((await within('it comes back', frames)).map((frame) => frame.length)).toEqual([FRAME_BYTES_MAX])
    })

    test('a sender waits for a slow reader, again and again, and goes on when it reads', async () => {
      await using cluster = createCluster()
      const [a, b] = await pair(cluster)
      const reading = Promise.withResolvers<void>()
      let readCount = 0
      b.handle(SILENT, async (stream) => {
        await reading.promise
        for await (const _ of stream.frames()) readCount += 1
      })
      const stream = await a.open(b.self, SILENT, { signal: signal() })
      let sentCount = 0
      const total = 400
      const sending = (async () => {
        for (; sentCount < total; sentCount += 1) await stream.send(new Uint8Array(65_536))
        await stream.close()
      })()
      // It stands still: nothing was sent between many looks in a row.
      let last = -1
      let still = 0
      await until('the sender waits', () => {
        still = sentCount === last ? still + 1 : 0
        last = sentCount
        return still > 40
      })
      expect(sentCount * 65_536).toBeLessThan(4 * 1_048_576)
      reading.resolve()
      await within('all is sent', sending)
      await until('all is read', () => readCount === total)
    })

    test('an aborted stream breaks at the other end with a code', async () => {
      await using cluster = createCluster()
      const [a, b] = await pair(cluster)
      const failure = Promise.withResolvers<unknown>()
      b.handle(SILENT, async (stream) => collect(stream).then(failure.reject, failure.resolve))
      const stream = await a.open(b.self, SILENT, { signal: signal() })
      await stream.send(bytes('begun'))
      stream.abort('a test')
      expect(await within('b notices', failure.promise)).toMatchObject({ code: 'RZ_NET_STREAM_CLOSED' })
      await expect(stream.send(bytes('more'))).rejects.toThrow(
        expect.objectContaining({ code: 'RZ_NET_STREAM_CLOSED' }),
      )
    })

    test('a handler that rejects breaks its stream', async () => {
      await using cluster = createCluster()
      const [a, b] = await pair(cluster)
      b.handle(SILENT, () => Promise.reject(new Error('no')))
      const stream = await a.open(b.self, SILENT, { signal: signal() })
      const reading = within('a notices', collect(stream))
      await expect(reading).rejects.toThrow(expect.objectContaining({ code: 'RZ_NET_STREAM_CLOSED' }))
    })

    test('a node that closes breaks the streams to it, also one that waits for room', async () => {
      await using cluster = createCluster()
      const [a, b] = await pair(cluster)
      b.handle(SILENT, () => new Promise(() => undefined))
      const stream = await a.open(b.self, SILENT, { signal: signal() })
      const reading = collect(stream)
      const sending = (async () => {
        for (;;) await stream.send(new Uint8Array(262_144))
      })()
      const outcomes = Promise.allSettled([reading, sending])
      await b.close()
      for (const outcome of await within('both end', outcomes)) {
        expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'RZ_NET_STREAM_CLOSED' } })
      }
    })

    test('a stream to a stranger, or of a protocol that nobody handles, is not opened', async () => {
      await using cluster = createCluster()
      const [a, b] = await pair(cluster)
      const c = await cluster.open('c', { apart: ['a'] })
      const failed = expect.objectContaining({ code: 'RZ_NET_DIAL_FAILED' })
      await expect(a.open(c.self, ECHO, { signal: signal() })).rejects.toThrow(failed)
      await expect(a.open(b.self, '/test/nobody/1', { signal: signal() })).rejects.toThrow(failed)
    })

    test('an aborted signal gives up the opening with its reason', async () => {
      await using cluster = createCluster()
      const [a, b] = await pair(cluster)
      const reason = new Error('changed my mind')
      await expect(a.open(b.self, ECHO, { signal: AbortSignal.abort(reason) })).rejects.toThrow(reason)
    })

    test('a reader that stops early does not hold the other side up', async () => {
      await using cluster = createCluster()
      const [a, b] = await pair(cluster)
      b.handle(SILENT, async (stream) => {
        for (let index = 0; index < 40; index += 1) await stream.send(new Uint8Array(65_536))
      })
      const stream = await a.open(b.self, SILENT, { signal: signal() })
      for await (const frame of stream.frames()) {
        expect(frame.length).toBe(65_536)
        break
      }
      await within('it can be closed', stream.close())
    })
  })
}
