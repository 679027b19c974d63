/** Connections through a relay, on loopback, where nothing but the address keeps nodes from connecting directly. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Net } from '../../src/net/net.ts'
import type { Libp2pNetOptions } from '../../src/net/options.ts'
import { openOnLoopback } from './libp2p-cluster.ts'
import { connected, eventsOf, gathered, knows, until, within } from './until.ts'

const TOPIC = '/test/1/topic'
const ECHO = '/test/echo/1'

describe('a relay', () => {
  const opened: Net[] = []
  beforeEach(() => {
    opened.length = 0
  })
  afterEach(() => Promise.all(opened.map((net) => net.close())))

  async function open(name: string, options: Partial<Libp2pNetOptions> = {}): Promise<Net> {
    const net = await openOnLoopback(name, options)
    opened.push(net)
    return net
  }

  /** `a` can be reached through the relay, and `b` reaches it so. */
  async function through(relay: Net, options: Partial<Libp2pNetOptions> = {}): Promise<[Net, Net]> {
    const a = await open('a', { via: relay.addresses(), ...options })
    const b = await open('b', { peers: [await relayed(a)], listen: [], ...options })
    return [a, b]
  }

  async function relayed(net: Net): Promise<string> {
    const address = () => net.addresses().find((each) => each.includes('/p2p-circuit/'))
    await until('it has a place at the relay', () => address() !== undefined)
    return address() ?? ''
  }

  async function carries(a: Net, b: Net): Promise<void> {
    await connected(a, b)
    const heard: string[] = []
    for (const net of [a, b]) {
      net.join(
        TOPIC,
        () => 'accept',
        (bytes) => heard.push(Buffer.from(bytes).toString()),
      )
    }
    a.handle(ECHO, async (stream) => {
      for await (const frame of stream.frames()) await stream.send(frame)
    })
    await gathered(TOPIC, a, b)
    expect(await a.publish(TOPIC, Buffer.from('gossip'))).toBe(1)
    await until('gossip comes through', () => heard.includes('gossip'))
    const stream = await b.open(a.self, ECHO, { signal: AbortSignal.timeout(10_000) })
    // More than a stream buffers, both ways.
    const sent = Buffer.alloc(1_500_000, 7)
    const sending = stream.send(sent).then(() => stream.close())
    for await (const frame of stream.frames()) expect(Buffer.from(frame).equals(sent)).toBe(true)
    await within('all is sent', sending)
  }

  test('carries gossip and streams between two nodes, of which it is no part', async () => {
    const relay = await open('relay', { relay: true })
    const [a, b] = await through(relay)
    await carries(a, b)
    expect(b.peers().find(({ id }) => id === a.self)?.isRelayed).toBe(true)
    expect(a.peers().find(({ id }) => id === relay.self)?.isRelayed).toBe(false)
  })

  test('carries what it takes, however little it was told to', async () => {
    const relay = await open('relay', { relay: { nodesMax: 0.5, connectionBytesMax: 0.5, connectionMs: -1 } })
    const [a, b] = await through(relay)
    await connected(a, b)
    expect(b.peers().find(({ id }) => id === a.self)?.isRelayed).toBe(true)
  })

  test('carries nodes with a secret, who are connected to each other and not to it', async () => {
    const relay = await open('relay', { relay: true })
    relay.join(
      TOPIC,
      () => 'accept',
      () => undefined,
    )
    const events = eventsOf(relay)
    const [a, b] = await through(relay, { secret: 'correct horse' })
    await carries(a, b)
    for (const net of [a, b]) expect(net.peers().map(({ id }) => id)).not.toContain(relay.self)
    expect(events.filter(({ kind }) => kind === 'joined')).toEqual([])
    expect(relay.peers().flatMap(({ topics }) => topics)).toEqual([])
  })

  test('carries nothing between nodes with different secrets, who are told so', async () => {
    const relay = await open('relay', { relay: true })
    const a = await open('a', { via: relay.addresses(), secret: 'one' })
    const b = await open('b', { peers: [await relayed(a)], listen: [], secret: 'other' })
    const events = eventsOf(b)
    await until('b is told', () =>
      events.some((event) => event.kind === 'dial-failed' && event.code === 'secret-mismatch'),
    )
    expect(knows(a, b)).toBe(false)
  })

  test('need not be on an allow-list, and takes no part then', async () => {
    const relay = await open('relay', { relay: true })
    const names = [await open('a', { listen: [] }), await open('b', { listen: [] })]
    const allow = names.map(({ self }) => self)
    await Promise.all(names.map((net) => net.close()))
    const [a, b] = await through(relay, { allow })
    await carries(a, b)
    for (const net of [a, b]) expect(net.peers().map(({ id }) => id)).not.toContain(relay.self)
  })

  test('is asked for a place again when it was away', async () => {
    const relay = await open('relay', { relay: true })
    const [address = ''] = relay.addresses()
    const a = await open('a', { via: [address] })
    const events = eventsOf(a)
    await relayed(a)
    await relay.close()
    await until('the place is lost', () => !a.addresses().some((each) => each.includes('/p2p-circuit/')))
    await open('relay', { relay: true, listen: [address.replace(/\/p2p\/.*/, '')] })
    await relayed(a)
    await until('it was told', () => events.filter(({ kind }) => kind === 'relay').length === 3)
    expect(events.flatMap((event) => (event.kind === 'relay' ? [event.isReserved] : []))).toEqual([true, false, true])
  })

  test('that is none is told of, and asked again until it is one', async () => {
    const none = await open('relay')
    const [address = ''] = none.addresses()
    const a = await open('a', { via: [address] })
    const events = eventsOf(a)
    await until('a is told', () => events.some(({ kind }) => kind === 'dial-failed'))
    const told = events.find(({ kind }) => kind === 'dial-failed')
    expect(told).toMatchObject({ code: 'other', message: expect.stringContaining('no relay: start it with --relay') })
    await none.close()
    await open('relay', { relay: true, listen: [address.replace(/\/p2p\/.*/, '')] })
    await relayed(a)
  })

  test('has no secret', async () => {
    await expect(open('relay', { relay: true, secret: 'x' })).rejects.toThrow(
      expect.objectContaining({ code: 'RZ_NET_RELAY_SECRET' }),
    )
  })

  test('cannot be added later where none was named at the start', async () => {
    const relay = await open('relay', { relay: true })
    const a = await open('a')
    const address = `${relay.addresses()[0]}/p2p-circuit/p2p/${a.self}`
    expect(() => a.addPeer(address)).toThrow(expect.objectContaining({ code: 'RZ_NET_ADDRESS_INVALID' }))
  })
})
