/** Queries that are followed over HTTP: rows, then changes; coming back; what is refused, and when. */
import { describe, expect, it } from 'vitest'

import { LIVE_QUERIES_MAX } from '../../src/http/options.ts'
import { type Api, linesOf, type More, open, openApi, take } from './api.ts'

interface Event {
  readonly id: string
  readonly name: string
  readonly json: unknown
}

async function* eventsOf(lines: AsyncIterable<string>): AsyncGenerator<Event> {
  let [id, name] = ['', '']
  for await (const line of lines) {
    if (line.startsWith('id: ')) id = line.slice(4)
    if (line.startsWith('event: ')) name = line.slice(7)
    if (line.startsWith('data: ')) yield { id, name, json: JSON.parse(line.slice(6)) }
  }
}

const large = { select: { collection: 'city' }, where: { '>': [{ var: 'people' }, 50] } }
const pathOf = (query: unknown, more = '') =>
  `/api/ns/users/query/events?query=${encodeURIComponent(JSON.stringify(query))}${more}`
const put = (api: Api, id: string, people: number) => api.node.namespace('users').put('city', id, { people })

async function follow(api: Api, path: string, method = 'GET', more: More = {}) {
  const response = await open({ port: api.port }, method, path, more)
  const events = eventsOf(linesOf(response))
  const next = async (): Promise<Event | undefined> => (await take(events, 1))[0]
  return { response, next, events }
}

describe('a followed query', () => {
  it('begins with the rows, and goes on with changes, each with a cursor as its id', async () => {
    await using api = await openApi()
    await put(api, 'riga', 600)
    const { response, next, events } = await follow(api, pathOf(large))
    expect(response).toMatchObject({ statusCode: 200 })
    expect(response.headers['content-type']).toBe('text/event-stream; charset=utf-8')
    const id = expect.stringMatching(/^[0-9a-f]{8}-\d+$/) as string
    expect(await next()).toEqual({ id, name: 'rows', json: { rows: [{ id: 'riga', people: 600 }] } })
    await put(api, 'cesis', 15)
    await put(api, 'tartu', 95)
    const added = [{ id: 'tartu', people: 95 }]
    expect(await next()).toEqual({ id, name: 'change', json: { added, removed: [] } })
    await put(api, 'riga', 5)
    expect((await next())?.json).toEqual({ added: [], removed: [{ id: 'riga', people: 600 }] })
    await events.return(undefined)
  })

  it('is the same by POST, for queries that are too long for a path', async () => {
    await using api = await openApi()
    await put(api, 'riga', 600)
    const headers = { accept: 'text/event-stream' }
    const { next, events } = await follow(api, '/api/query', 'POST', { body: large, headers })
    expect(await next()).toMatchObject({ name: 'rows', json: { rows: [{ id: 'riga' }] } })
    await put(api, 'tartu', 95)
    expect(await next()).toMatchObject({ name: 'change', json: { added: [{ id: 'tartu' }] } })
    await events.return(undefined)
  })

  it('begins anew for a client that comes back, with all that it missed', async () => {
    await using api = await openApi()
    const first = await follow(api, pathOf(large))
    const seen = await first.next()
    await first.events.return(undefined)
    await put(api, 'riga', 600)
    const again = await follow(api, pathOf(large), 'GET', { headers: { 'last-event-id': seen?.id ?? '' } })
    expect(await again.next()).toMatchObject({ name: 'rows', json: { rows: [{ id: 'riga' }] } })
    await again.events.return(undefined)
  })

  it('holds all rows in order when asked so', async () => {
    await using api = await openApi()
    for (const [id, people] of Object.entries({ riga: 600, tartu: 95 })) await put(api, id, people)
    const top = { limit: { order: { collection: 'city' }, by: [{ descending: 'people' }] }, count: 1 }
    const { next, events } = await follow(api, pathOf(top, '&rows=true'))
    await next()
    await put(api, 'tartu', 700)
    expect((await next())?.json).toEqual({
      added: [{ id: 'tartu', people: 700 }],
      removed: [{ id: 'riga', people: 600 }],
      rows: [{ id: 'tartu', people: 700 }],
    })
    await events.return(undefined)
  })

  it('waits for a reader who is slow, and then tells what became of it all, not of each change', async () => {
    await using api = await openApi()
    const users = api.node.namespace('users')
    const { next, events } = await follow(api, pathOf({ collection: 'city' }))
    await next()
    // 60 MB of changes: more than every buffer between the two ends holds.
    const text = 'x'.repeat(200_000)
    for (let people = 1; people <= 300; people++) await users.put('city', 'riga', { people, text })
    let count = 0
    for (let told: unknown; told !== 300; count++) {
      const event = await next()
      if (event === undefined) throw new Error('the stream ended')
      told = (event.json as { added: { people: number }[] }).added[0]?.people
    }
    expect(count).toBeLessThan(300)
    await events.return(undefined)
  })

  it('tells why it ends, when its context goes', async () => {
    await using api = await openApi()
    await put(api, 'riga', 600)
    await api.node.namespace('users').context('audit', { negations: 'everyone' })
    const { next, events } = await follow(api, pathOf(large, '&context=audit'))
    expect(await next()).toMatchObject({ name: 'rows' })
    await api.node.namespace('users').delete('context', 'audit')
    expect(await next()).toMatchObject({ name: 'problem', json: { status: 404, code: 'RZ_CONTEXT_UNKNOWN' } })
    expect((await events.next()).done).toBe(true)
  })

  it.each([
    [pathOf({ sellect: 1 }), 400, 'RZ_QUERY_OPERATOR'],
    [pathOf(large, '&context=none'), 404, 'RZ_CONTEXT_UNKNOWN'],
    [pathOf(large, '&asOf=0'), 400, 'RZ_HTTP_INPUT'],
    [pathOf(1), 400, 'RZ_HTTP_INPUT'],
    ['/api/query/events', 400, 'RZ_HTTP_INPUT'],
    ['/api/query/events?query=%7B', 400, 'RZ_HTTP_INPUT'],
  ])('is refused with a status, not with an event: %s', async (path, status, code) => {
    await using api = await openApi()
    expect(await api.ask('GET', path)).toMatchObject({ status, json: { code } })
  })

  it('is of now alone', async () => {
    await using api = await openApi()
    const headers = { accept: 'text/event-stream' }
    const answer = await api.ask('POST', '/api/query?asOf=0', { headers, body: large })
    expect(answer).toMatchObject({ status: 400, json: { code: 'RZ_HTTP_INPUT' } })
  })

  it('is refused while as many are followed as may be, and not after one has gone', async () => {
    await using api = await openApi()
    const all = await Promise.all(Array.from({ length: LIVE_QUERIES_MAX }, () => follow(api, pathOf(large))))
    expect(await api.ask('GET', pathOf(large))).toMatchObject({ status: 503, json: { code: 'RZ_HTTP_BUSY' } })
    // Other streams have a limit of their own.
    const other = await open({ port: api.port }, 'GET', '/api/events')
    expect(other.statusCode).toBe(200)
    other.destroy()
    all[0]?.response.destroy()
    await expect
      .poll(async () => {
        const { response } = await follow(api, pathOf(large))
        response.destroy()
        return response.statusCode
      })
      .toBe(200)
    for (const { response } of all) response.destroy()
  })
})
