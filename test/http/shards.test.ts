/** Events of records that lie in shards which the answering node does not hold, or holds in part. */
import { request, type IncomingMessage } from 'node:http'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openHttp } from '../../src/http/server.ts'
import { type Cluster, createCluster } from '../../src/testing/cluster.ts'
import { ask, linesOf } from './api.ts'
import { within } from '../support/sharded.ts'

const TOPICS = ['shop:order:a-g', 'shop:order:h-n', 'shop:none'] as const
const PATH = '/api/ns/shop/collections/order/events'

interface Event {
  readonly id: string
  readonly name: string
  readonly json: unknown
}

/** Nodes that hold a shard each, and a client, whose API is asked. */
async function served() {
  const cluster = createCluster({ nodes: 3, topics: ['shop'], topicsOf: TOPICS.map((topic) => [topic]) })
  onTestFinished(() => cluster.close())
  await cluster.settle()
  await cluster.advance(6_000)
  await cluster.settle()
  const [first, second, client] = cluster.nodes.map(({ node }) => node.everywhere('shop'))
  const node = cluster.nodes[2]?.node
  if (node === undefined || first === undefined || second === undefined || client === undefined)
    throw new Error('three')
  const face = await openHttp(node, { port: 0, socketPath: false })
  onTestFinished(() => face.close())
  return { cluster, first, second, client, port: face.port ?? 0 }
}

async function follow(cluster: Cluster, port: number, headers: Record<string, string> = {}, path = PATH) {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  request({ port, host: '127.0.0.1', path, headers }, resolve).on('error', reject).end()
  const response = await within(cluster, promise)
  onTestFinished(() => void response.destroy())
  const events = eventsOf(linesOf(response))
  const next = async (): Promise<Event> => {
    const { done, value } = await within(cluster, events.next())
    if (done === true) throw new Error('the stream ended')
    return value
  }
  return { response, next }
}

async function* eventsOf(lines: AsyncIterable<string>): AsyncGenerator<Event, undefined> {
  let [id, name] = ['', '']
  for await (const line of lines) {
    if (line.startsWith('id: ')) id = line.slice(4)
    if (line.startsWith('event: ')) name = line.slice(7)
    if (line.startsWith('data: ')) yield { id, name, json: JSON.parse(line.slice(6)) }
  }
  return undefined
}

describe('events of a collection in several shards', () => {
  it('come from all of them, and after a connection that broke none is missed', async () => {
    const { cluster, first, second, client, port } = await served()
    await first.put('order', 'a0', { n: 0 })
    const { response, next } = await follow(cluster, port)
    expect(response.headers['content-type']).toBe('text/event-stream; charset=utf-8')
    const told = []
    await first.put('order', 'a1', { n: 1 })
    told.push(await next())
    await second.put('order', 'h1', { n: 1 })
    told.push(await next())
    await client.put('order', 'z1', { n: 1 })
    told.push(await next())
    expect(told.map(({ name, json }) => [name, json])).toEqual(
      ['a1', 'h1', 'z1'].map((id) => ['view', { id, properties: { n: 1 } }]),
    )
    response.destroy()
    await first.put('order', 'a2', { n: 2 })
    await within(cluster, second.delete('order', 'h1'))
    await client.put('order', 'z2', { n: 2 })
    const again = await follow(cluster, port, { 'last-event-id': told.at(-1)?.id ?? '' })
    const missed = [await again.next(), await again.next(), await again.next()]
    expect(new Map(missed.map(({ name, json }) => [(json as { id: string }).id, name]))).toEqual(
      new Map([
        ['a2', 'view'],
        ['h1', 'gone'],
        ['z2', 'view'],
      ]),
    )
  })

  it('are refused while nobody holds one of them, but not to who comes back: those come once somebody does', async () => {
    const { cluster, first, second, port } = await served()
    const before = await follow(cluster, port)
    await first.put('order', 'a1', { n: 1 })
    const { id } = await before.next()
    before.response.destroy()
    cluster.crash(1)
    await cluster.advance(30_000)
    expect(await within(cluster, ask({ port }, 'GET', PATH))).toMatchObject({
      status: 503,
      json: { code: 'RZ_SHARD_UNHELD' },
    })
    const again = await follow(cluster, port, { 'last-event-id': id })
    expect(again.response.statusCode).toBe(200)
    cluster.restart(1)
    await cluster.advance(6_000)
    expect(second).toBeDefined()
    await cluster.nodes[1]?.node.everywhere('shop').put('order', 'h1', { n: 1 })
    expect(await again.next()).toMatchObject({ name: 'view', json: { id: 'h1' } })
  })

  it.each(['x', '~', '0~0', 'abcdef01-1~abc:1-1'])('are refused to who comes back with %j', async (id) => {
    const { cluster, port } = await served()
    const headers = { 'last-event-id': id }
    const answer = await within(cluster, ask({ port }, 'GET', PATH, { headers }))
    expect(answer).toMatchObject({
      status: 400,
      json: { code: expect.stringMatching(/^RZ_(HTTP_INPUT|WATCH_CURSOR)$/) },
    })
  })
})

describe('a followed query over several shards', () => {
  it('begins with the rows of all, and goes on with changes', async () => {
    const { cluster, first, second, port } = await served()
    await first.put('order', 'a', { n: 1 })
    await second.put('order', 'h', { n: 2 })
    const query = encodeURIComponent(JSON.stringify({ collection: 'order', columns: ['n'] }))
    const { next } = await follow(cluster, port, {}, `/api/ns/shop/query/events?query=${query}`)
    expect(await next()).toMatchObject({ name: 'rows', json: { rows: [{ n: 1 }, { n: 2 }] } })
    await second.put('order', 'h', { n: 3 })
    expect(await next()).toMatchObject({ name: 'change', json: { added: [{ n: 3 }], removed: [{ n: 2 }] } })
  })
})
