/** What goes wrong on a real network, and what libp2p alone would not recover from. */
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Net, NetEvent } from '../../src/net/net.ts'
import { parseEntry } from '../../src/net/registry.ts'
import { openOnLoopback } from './libp2p-cluster.ts'
import { openStranger } from './stranger.ts'
import { connected, eventsOf, gathered, knows, until, within } from './until.ts'

const TOPIC = '/test/1/topic'

function addressOf(net: Net): string {
  return net.addresses()[0] ?? ''
}

function portOf(net: Net): number {
  return Number(addressOf(net).split('/')[4])
}

function joinAndHear(net: Net, topic = TOPIC): string[] {
  const heard: string[] = []
  net.join(
    topic,
    () => 'accept',
    (bytes) => heard.push(Buffer.from(bytes).toString()),
  )
  return heard
}

async function failureOf(
  events: readonly NetEvent[],
  code: string,
): Promise<Extract<NetEvent, { kind: 'dial-failed' }>> {
  await until(`it fails with ${code}`, () =>
    events.some((event) => event.kind === 'dial-failed' && event.code === code),
  )
  const found = events.find((event) => event.kind === 'dial-failed' && event.code === code)
  if (found?.kind !== 'dial-failed') throw new Error('unreachable')
  return found
}

async function serve(onConnection: (end: () => void) => void): Promise<{ server: Server; port: number }> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    onConnection(() => socket.destroy())
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port')
  return { server, port: address.port }
}

describe('listening', () => {
  test('a taken port is an error that names it', async () => {
    await using a = await openOnLoopback('a')
    const port = portOf(a)
    const opening = openOnLoopback('b', { listen: [`/ip4/127.0.0.1/tcp/${port}`] })
    const taken = expect.objectContaining({ code: 'RZ_NET_PORT_TAKEN', message: expect.stringContaining(String(port)) })
    await expect(opening).rejects.toThrow(taken)
  })

  test('where it may, a node takes one of the next ports instead', async () => {
    await using a = await openOnLoopback('a')
    const options = { listen: [`/ip4/127.0.0.1/tcp/${portOf(a)}`], portFallbackCount: 50 }
    await using b = await openOnLoopback('b', options)
    expect(portOf(b)).toBeGreaterThan(portOf(a))
    expect(portOf(b)).toBeLessThanOrEqual(portOf(a) + 50)
  })

  test.each(['localhost', '/ip4/127.0.0.1', '/ip4/127.0.0.1/udp/1', '/ip4/203.0.113.7/tcp/0', ''])(
    '%j cannot be listened on',
    async (address) => {
      const invalid = expect.objectContaining({ code: 'RZ_NET_ADDRESS_INVALID' })
      await expect(openOnLoopback('a', { listen: [address] })).rejects.toThrow(invalid)
    },
  )

  test('an address outside is told beside the own ones, this node’s id at its end', async () => {
    await using a = await openOnLoopback('a', { announce: ['wss://node.example.org', '203.0.113.7:4100'] })
    expect(a.addresses()).toContain(`/dns/node.example.org/tcp/443/wss/p2p/${a.self}`)
    expect(a.addresses()).toContain(`/ip4/203.0.113.7/tcp/4100/p2p/${a.self}`)
  })

  const SOMEBODY = '12D3KooWGC6TvWhfapngX6wvJHMYvKpDMXPb3ZnCZ6dMoaMtimQ5'
  test.each([
    '',
    'http://host',
    `/ip4/203.0.113.7/tcp/4000/p2p/${SOMEBODY}`,
    `/dns/r/tcp/1/p2p/${SOMEBODY}/p2p-circuit`,
  ])('%j cannot be announced', async (address) => {
    const invalid = expect.objectContaining({ code: 'RZ_NET_ADDRESS_INVALID' })
    await expect(openOnLoopback('a', { announce: [address] })).rejects.toThrow(invalid)
  })

  test('a node that listens nowhere can dial', async () => {
    await using a = await openOnLoopback('a')
    await using b = await openOnLoopback('b', { listen: [], peers: [addressOf(a)] })
    await connected(a, b)
    expect(b.addresses()).toEqual([])
  })

  test('an aborted signal opens nothing', async () => {
    const reason = new Error('changed my mind')
    await expect(openOnLoopback('a', { signal: AbortSignal.abort(reason) })).rejects.toThrow(reason)
  })
})

describe('dialling', () => {
  test('a host name with a port is dialled', async () => {
    await using a = await openOnLoopback('a')
    await using b = await openOnLoopback('b', { peers: [`localhost:${portOf(a)}`] })
    await connected(a, b)
    expect(b.peers()[0]?.addresses[0]).toContain('/dns/localhost/')
  })

  test('a peer that is not there yet is found when it comes', async () => {
    const { server, port } = await serve(() => undefined)
    server.close()
    await once(server, 'close')
    await using a = await openOnLoopback('a', { peers: [`127.0.0.1:${port}`] })
    expect(await failureOf(eventsOf(a), 'unreachable')).toMatchObject({ address: `/ip4/127.0.0.1/tcp/${port}` })
    await using b = await openOnLoopback('b', { listen: [`/ip4/127.0.0.1/tcp/${port}`] })
    await connected(a, b)
  })

  test('an address that is this node itself is told as such', async () => {
    await using a = await openOnLoopback('a')
    a.addPeer(`127.0.0.1:${portOf(a)}`)
    expect(await failureOf(eventsOf(a), 'self')).toMatchObject({ message: expect.stringContaining('itself') })
  })

  test('another node than the expected one is told as such', async () => {
    await using a = await openOnLoopback('a')
    await using b = await openOnLoopback('b')
    await using c = await openOnLoopback('c', { peers: [addressOf(a).replace(a.self, b.self)] })
    expect(await failureOf(eventsOf(c), 'other')).toMatchObject({ message: expect.stringContaining('another node') })
    expect(c.peers()).toEqual([])
  })

  test('a server of another kind is told as such', async () => {
    const { server, port } = await serve((end) => end())
    await using a = await openOnLoopback('a', { peers: [`127.0.0.1:${port}`] })
    const failure = await failureOf(eventsOf(a), 'secret-mismatch')
    expect(failure.message).toContain('no rhizome node')
    server.close()
  })
})

describe('who may connect', () => {
  test('a wrong secret is named on both sides, the right one connects', async () => {
    await using a = await openOnLoopback('a', { secret: 'one' })
    const events = eventsOf(a)
    await using b = await openOnLoopback('b', { secret: 'two', peers: [addressOf(a)] })
    await using c = await openOnLoopback('c', { peers: [addressOf(a)] })
    await using d = await openOnLoopback('d', { secret: 'one', peers: [addressOf(a)] })
    await connected(a, d)
    expect(await failureOf(events, 'secret-mismatch')).toMatchObject({ message: expect.stringContaining('secret') })
    expect(await failureOf(eventsOf(b), 'secret-mismatch')).toMatchObject({
      message: expect.stringContaining('another secret'),
    })
    expect(await failureOf(eventsOf(c), 'secret-mismatch')).toMatchObject({
      message: expect.stringContaining('this node none'),
    })
    expect(a.peers().map(({ id }) => id)).toEqual([d.self])
  })

  test('with a secret frames and gossip travel as without', async () => {
    await using a = await openOnLoopback('a', { secret: 'one' })
    await using b = await openOnLoopback('b', { secret: 'one', peers: [addressOf(a)] })
    joinAndHear(a)
    const heard = joinAndHear(b)
    await gathered(TOPIC, a, b)
    await a.publish(TOPIC, Buffer.from('hello'))
    await until('b hears it', () => heard.length === 1)
    a.handle('/test/echo/1', async (stream) => {
      for await (const frame of stream.frames()) await stream.send(frame)
    })
    const stream = await b.open(a.self, '/test/echo/1', { signal: AbortSignal.timeout(10_000) })
    void stream.send(new Uint8Array(1_000_000)).then(() => stream.close())
    for await (const frame of stream.frames()) expect(frame.length).toBe(1_000_000)
  })

  test('a peer that is not on the allow-list is refused, and both sides say so', async () => {
    await using friend = await openOnLoopback('friend')
    await using a = await openOnLoopback('a', { allow: [friend.self], peers: [addressOf(friend)] })
    const events = eventsOf(a)
    await using b = await openOnLoopback('b', { peers: [addressOf(a)] })
    await connected(a, friend)
    expect(await failureOf(events, 'refused')).toMatchObject({ message: expect.stringContaining(b.self) })
    expect(await failureOf(eventsOf(b), 'refused')).toMatchObject({ message: expect.stringContaining('allow-list') })
    expect(a.peers().map(({ id }) => id)).toEqual([friend.self])
    expect(b.peers()).toEqual([])
  })

  test('the allow-list holds for those that this node dials as well', async () => {
    await using b = await openOnLoopback('b')
    await using a = await openOnLoopback('a', { allow: [], peers: [addressOf(b)] })
    expect(await failureOf(eventsOf(a), 'refused')).toMatchObject({ message: expect.stringContaining('allow') })
    expect(knows(b, a)).toBe(false)
  })
})

describe('many nodes behind one address', () => {
  test('all connect to the same node at once, and each hears what any of them publishes', async () => {
    await using hub = await openOnLoopback('hub')
    joinAndHear(hub)
    const leaves = await Promise.all(
      Array.from({ length: 15 }, (_, index) => openOnLoopback(`leaf ${index}`, { peers: [addressOf(hub)] })),
    )
    const heard = leaves.map((leaf) => joinAndHear(leaf))
    await until('all have joined', () => hub.peers().filter(({ topics }) => topics.includes(TOPIC)).length === 15)
    for (const leaf of leaves) await gathered(TOPIC, leaf, hub)
    await leaves[0]?.publish(TOPIC, Buffer.from('from a leaf'))
    await hub.publish(TOPIC, Buffer.from('from the hub'))
    await until('all hear both', () => heard.every((texts, index) => texts.length === (index === 0 ? 1 : 2)))
    expect(new Set(heard.flat())).toEqual(new Set(['from a leaf', 'from the hub']))
    await Promise.all(leaves.map((leaf) => leaf.close()))
  })
})

describe('deaf connections', () => {
  test('when the gossip streams of a peer died, gossip flows again', async () => {
    await using a = await openOnLoopback('a')
    const heard = joinAndHear(a)
    await using stranger = await openStranger({ dial: addressOf(a), topic: TOPIC })
    await until('a sees the stranger', () => a.peers()[0]?.topics.includes(TOPIC) === true)
    stranger.killGossipStreams()
    await until('a hears the stranger again', () => {
      stranger.publish(Buffer.from(`message ${Math.random()}`))
      return heard.length > 0
    })
    await until('the stranger hears a again', () => {
      void a.publish(TOPIC, Buffer.from(`answer ${Math.random()}`))
      return stranger.heardCount() > 0
    })
  })
})

describe('the registry', () => {
  let directory = ''
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'rhizome-registry-'))
  })
  afterEach(async () => {
    await rm(directory, { recursive: true, force: true })
  })

  const open = (name: string, topics = [TOPIC]): Promise<Net> =>
    openOnLoopback(name, { registry: { directory } }).then((net) => {
      for (const topic of topics) joinAndHear(net, topic)
      return net
    })

  test('nodes that share a topic find each other, others do not', async () => {
    await using a = await open('a')
    const events = eventsOf(a)
    await using b = await open('b')
    await using c = await open('c', ['/test/1/other'])
    await connected(a, b)
    expect(events).toContainEqual(expect.objectContaining({ kind: 'discovered', peer: b.self, by: 'registry' }))
    expect(c.peers()).toEqual([])
    joinAndHear(c)
    await connected(a, b, c)
  })

  test('a node that comes back on another port is found again', async () => {
    await using a = await open('a')
    const b = await open('b')
    await connected(a, b)
    const port = portOf(b)
    await b.close()
    await using again = await open('b')
    await connected(a, again)
    expect(portOf(again)).not.toBe(port)
  })

  test('where the directory cannot be made, a node works without it', async () => {
    const file = join(directory, 'file')
    await writeFile(file, '')
    const lines: string[] = []
    await using a = await openOnLoopback('a', {
      registry: { directory: join(file, 'under') },
      log: (line) => lines.push(line),
    })
    expect(lines.some((line) => line.startsWith('registry: ') && line.includes('cannot be used'))).toBe(true)
    await using b = await openOnLoopback('b', { peers: [addressOf(a)] })
    await connected(a, b)
  })

  test('the file of a node is gone when it has closed, and that of a dead process is removed', async () => {
    const a = await open('a')
    const [name = ''] = await readdir(directory)
    expect(name).toContain(a.self)
    const own = await within(
      'its own entry',
      import('node:fs/promises').then(({ readFile }) => readFile(join(directory, name), 'utf8')),
    )
    const dead = await deadProcessId()
    const stale = JSON.parse(own) as Record<string, unknown>
    const peer = '12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5'
    await writeFile(join(directory, `${peer}.node.json`), JSON.stringify({ ...stale, peer, pid: dead, addresses: [] }))
    const foreign = '12D3KooWJWoaqZhDaoEFshF7Rh1bpY9ohihFhzcW6d69Lr2NASuq'
    const elsewhere = JSON.stringify({ ...stale, peer: foreign, pid: dead, addresses: [], scope: 'another machine' })
    await writeFile(join(directory, `${foreign}.node.json`), elsewhere)
    await writeFile(join(directory, 'junk.node.json'), 'not json')
    await writeFile(join(directory, 'huge.node.json'), Buffer.alloc(1_000_000, 32))
    await using b = await open('b')
    await connected(a, b)
    const names = async (): Promise<string[]> => (await readdir(directory)).toSorted()
    await within(
      'the stale one goes',
      (async () => {
        while ((await names()).includes(`${peer}.node.json`)) await b.publish(TOPIC, Buffer.from('tick'))
      })(),
    )
    await a.close()
    const left = [`${b.self}.node.json`, `${foreign}.node.json`, 'huge.node.json', 'junk.node.json']
    expect(await names()).toEqual(left.toSorted())
  })

  test.each([
    '{}',
    'null',
    '[]',
    '{"version":2,"peer":"x","pid":1,"scope":"","addresses":[],"topics":[]}',
    '{"version":1,"peer":"x","pid":-1,"scope":"","addresses":[],"topics":[]}',
    '{"version":1,"peer":"x","pid":1.5,"scope":"","addresses":[],"topics":[]}',
    '{"version":1,"peer":"x","pid":1,"scope":"","addresses":"y","topics":[]}',
    '{"version":1,"peer":"x","pid":1,"scope":"","addresses":[],"topics":[1]}',
  ])('%s is no entry', (text) => {
    expect(parseEntry(text)).toBeUndefined()
  })
})

async function deadProcessId(): Promise<number> {
  const child = execFile(process.execPath, ['--version'])
  await once(child, 'exit')
  return child.pid ?? 0
}
