/** Nodes that meet in a DHT, on loopback, where they know nothing of each other but a node in between. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { KadDHTComponents } from '@libp2p/kad-dht'
import { boundedRecords, topicKey } from '../../src/net/dht.ts'
import { DHT_RECORDS_MAX, DHT_RECORDS_PER_PEER_MAX } from '../../src/net/limits.ts'
import type { Net } from '../../src/net/net.ts'
import type { Libp2pNetOptions } from '../../src/net/options.ts'
import { openOnLoopback } from './libp2p-cluster.ts'
import { connected, eventsOf, gathered, knows, until } from './until.ts'

const TOPIC = '/test/1/topic'

describe('a DHT', () => {
  const opened: Net[] = []
  beforeEach(() => {
    opened.length = 0
  })
  afterEach(() => Promise.all(opened.map((net) => net.close())))

  async function open(name: string, options: Partial<Libp2pNetOptions> = {}): Promise<Net> {
    const net = await openOnLoopback(name, { dht: true, ...options })
    opened.push(net)
    return net
  }

  function join(net: Net, topic = TOPIC): void {
    net.join(
      topic,
      () => 'accept',
      () => undefined,
    )
  }

  test.each([undefined, 'correct horse'])('leads nodes of a topic to each other (secret: %s)', async (secret) => {
    const closed = secret === undefined ? {} : { secret }
    const a = await open('a', closed)
    const known = { peers: a.addresses(), ...closed }
    const [b, c, d] = await Promise.all([open('b', known), open('c', known), open('d', { ...known, dht: false })])
    join(a, '/test/1/other')
    for (const net of [b, c, d]) join(net)
    await gathered(TOPIC, b, c)
    await connected(a, d)
    // One that does not take part is neither found nor told.
    expect([b, c].some((net) => knows(net, d))).toBe(false)
  })

  test('leads nodes that only a relay reaches to each other', async () => {
    const relay = await open('relay', { relay: true })
    const [b, c] = await Promise.all([
      open('b', { via: relay.addresses(), listen: [] }),
      open('c', { via: relay.addresses(), listen: [] }),
    ])
    const events = [b, c].flatMap((net) => [eventsOf(net)])
    join(b)
    join(c)
    await gathered(TOPIC, b, c)
    const found = events.flat().flatMap((event) => (event.kind === 'discovered' ? [event.by] : []))
    expect(new Set(found)).toEqual(new Set(['dht']))
  })

  test('asks nothing of a relay that is outside of the overlay', async () => {
    const lines: string[] = []
    const relay = await open('relay', { relay: true })
    const closed = { via: relay.addresses(), secret: 'correct horse', log: (line: string) => lines.push(line) }
    const b = await open('b', closed)
    join(b)
    const relayed = (): string | undefined => b.addresses().find((each) => each.includes('/p2p-circuit/'))
    await until('it has a place at the relay', () => relayed() !== undefined)
    const c = await open('c', { ...closed, listen: [], peers: [relayed() ?? ''] })
    join(c)
    await gathered(TOPIC, b, c)
    const ofDht = lines.filter((line) => line.includes('kad-dht'))
    expect(ofDht).not.toEqual([])
    expect(ofDht.filter((line) => line.includes(relay.self))).toEqual([])
  })
})

describe('the key of a topic', () => {
  test('is another one for each topic and for each secret', () => {
    const keys = [topicKey('a', undefined), topicKey('b', undefined), topicKey('a', 'x'), topicKey('a', 'y')]
    expect(new Set(keys.map((key) => Buffer.from(key).toString('hex'))).size).toBe(4)
    expect(topicKey('a', 'x')).toEqual(topicKey('a', 'x'))
  })
})

describe('what is kept for others', () => {
  function open(self: string) {
    const kept = new Set<string>()
    const store = {
      put: async (key: string) => {
        kept.add(key)
      },
      delete: async (key: string) => {
        kept.delete(key)
      },
    }
    const bounded = boundedRecords(store as unknown as KadDHTComponents['datastore'], self)
    type Key = Parameters<typeof bounded.put>[0]
    const keyOf = (topic: string, peer: string) => `/dht/provider/${topic}/${peer}` as unknown as Key
    return {
      kept,
      put: async (topic: string, peer: string) => bounded.put(keyOf(topic, peer), new Uint8Array()),
      delete: async (topic: string, peer: string) => bounded.delete(keyOf(topic, peer)),
      putOther: async () => bounded.put('/dht/record/x' as unknown as Key, new Uint8Array()),
    }
  }

  test('is bounded for each provider, and what ended makes room', async () => {
    const records = open('me')
    for (let index = 0; index < DHT_RECORDS_PER_PEER_MAX; index++) await records.put(`t${index}`, 'p')
    await expect(records.put('more', 'p')).rejects.toThrow('no room')
    await records.put('t0', 'p')
    await records.put('more', 'q')
    await records.delete('t0', 'p')
    await records.put('more', 'p')
    await expect(records.put('t0', 'p')).rejects.toThrow('no room')
    expect(records.kept.size).toBe(DHT_RECORDS_PER_PEER_MAX + 1)
  })

  test('is bounded in all, with room for its own', async () => {
    const records = open('me')
    for (let index = 0; index < DHT_RECORDS_MAX; index++) await records.put('t', `p${index}`)
    await expect(records.put('t', 'q')).rejects.toThrow('no room')
    await records.put('t', 'me')
    expect(records.kept.size).toBe(DHT_RECORDS_MAX + 1)
  })

  test('is nothing but word of providers', async () => {
    await expect(open('me').putOther()).rejects.toThrow('nothing but providers')
  })
})
