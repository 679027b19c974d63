/** Rules, contexts, moments and explanations over HTTP, and views as server-sent events. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { Cursors } from '../../src/http/cursor.ts'
import { FRONTIER_LOGS_MAX } from '../../src/http/options.ts'
import { type Answer, type Api, linesOf, open, openApi, take } from './api.ts'

let api: Api
beforeAll(async () => {
  api = await openApi()
})
afterAll(async () => {
  expect(api.errors).toEqual([])
  await api[Symbol.asyncDispose]()
})

const put = (path: string, properties: unknown) => api.ask('PUT', path, { body: { properties } })
const get = (path: string) => api.ask('GET', path)
const frontierOf = ({ headers }: Answer) => encodeURIComponent(String(headers['rhizome-frontier']))
const count = { length: { var: 'candidates' } }

describe.each(['/api', '/api/ns/users'])('a resolver at %s/resolvers', (scope) => {
  const id = scope.length
  const collection = `c${id}`
  const path = `${scope}/resolvers/n${id}`
  const definition = { collection, property: 'n', rule: count }

  it('is written, read, changes the view, and is gone after DELETE', async () => {
    for (const n of [5, 6]) await put(`/api/${collection}/a`, { n })
    expect(await api.ask('PUT', path, { body: definition })).toMatchObject({
      status: 201,
      headers: { location: `/api/ns/users/collections/resolver/entities/n${id}` },
      json: { id: `n${id}`, definition: { ...definition, semantics: 1 } },
    })
    expect(await api.ask('PUT', path, { body: definition })).toMatchObject({ status: 200 })
    expect((await get(path)).json).toEqual({ id: `n${id}`, definition: { ...definition, semantics: 1 } })
    expect((await get(`/api/${collection}/a`)).json).toEqual({ id: 'a', properties: { n: 2 } })
    expect((await get(`/api/ns/users/entities/${collection}%2Fa`)).json).toMatchObject({ properties: { n: 2 } })
    expect(await api.ask('DELETE', path)).toMatchObject({
      status: 200,
      json: { deltas: [expect.any(String), expect.any(String)] },
    })
    expect((await get(`/api/${collection}/a`)).json).toMatchObject({ properties: { n: 6 } })
    for (const method of ['GET', 'DELETE']) {
      expect(await api.ask(method, path)).toMatchObject({ status: 404, json: { code: 'RZ_HTTP_NOT_FOUND' } })
    }
  })

  it.each([
    ['a rule with an unknown operator', { ...definition, rule: { nonsense: 1 } }, 'RZ_RULE_OPERATOR'],
    ['bytes', { $bytes: 'AAEC' }, 'RZ_DEFINITION_INVALID'],
    ['no rule', { collection, property: 'n' }, 'RZ_DEFINITION_INVALID'],
    ['an unknown field', { ...definition, weight: 1 }, 'RZ_DEFINITION_INVALID'],
    ['a collection that rules do not read', { ...definition, collection: 'schema' }, 'RZ_DEFINITION_INVALID'],
    ['a later version of the language', { ...definition, semantics: 2 }, 'RZ_RULE_SEMANTICS'],
    ['a list', [definition], 'RZ_HTTP_INPUT'],
    ['text', '"latest"', 'RZ_HTTP_INPUT'],
    ['properties as of a record', { properties: { definition } }, 'RZ_DEFINITION_INVALID'],
    ['a rule nested beyond what a stack holds', `{"rule":${'['.repeat(1e5)}${']'.repeat(1e5)}}`, 'RZ_DELTA_INVALID'],
  ])('is refused as %s', async (_, body, code) => {
    const answer = await api.ask('PUT', `${scope}/resolvers/bad`, { body })
    expect(answer.status).toBe(400)
    expect(answer.json).toMatchObject({ code })
    expect(await get(`${scope}/resolvers/bad`)).toMatchObject({ status: 404 })
  })

  it('is asserted as an identity of the node, and by no other method', async () => {
    const other = `${scope}/resolvers/other`
    expect(await api.ask('PUT', `${other}?as=nobody`, { body: definition })).toMatchObject({
      status: 404,
      json: { code: 'RZ_IDENTITY_UNKNOWN' },
    })
    expect(await api.ask('POST', other, { body: definition })).toMatchObject({
      status: 405,
      headers: { allow: 'DELETE, GET, HEAD, OPTIONS, PUT' },
    })
    expect(await get(`${other}?x=1`)).toMatchObject({ status: 400, json: { code: 'RZ_HTTP_INPUT' } })
  })
})

describe('a rule that fails', () => {
  it('is an error on its property alone', async () => {
    await put('/api/odd/a', { n: 1, name: 'A' })
    await api.ask('PUT', '/api/resolvers/odd', { body: { collection: 'odd', property: 'n', rule: { property: 'n' } } })
    expect((await get('/api/odd/a')).json).toEqual({
      id: 'a',
      properties: { name: 'A' },
      errors: { n: { code: 'RZ_RULE_CYCLE', message: expect.any(String) as unknown } },
    })
  })
})

describe('a definition that does not parse', () => {
  it('is reported where it is read, and among the problems of its namespace', async () => {
    await put('/api/ns/other/collections/resolver/entities/x', { definition: 'latest' })
    const problem = { record: 'resolver/x', code: 'RZ_DEFINITION_INVALID', creator: api.node.peerId }
    expect((await get('/api/ns/other/problems')).json).toMatchObject([problem])
    expect((await get('/api/ns/other/resolvers/x')).json).toMatchObject({ definition: 'latest', problems: [problem] })
    expect((await get('/api/ns/users/problems')).json).toEqual([])
  })
})

describe('?context=', () => {
  it('shows one log with another value, canonically and by shorthand', async () => {
    for (const n of [1, 2]) await put('/api/acct/a', { n })
    const body = { resolvers: [{ collection: 'acct', property: 'n', rule: { var: 'candidates.0.value' } }] }
    expect(await api.ask('PUT', '/api/contexts/audit', { body })).toMatchObject({ status: 201 })
    expect((await get('/api/ns/users/contexts/audit')).json).toMatchObject({ definition: { ...body, semantics: 1 } })
    for (const path of [
      '/api/acct/a',
      '/api/ns/users/collections/acct/entities/a',
      '/api/ns/users/entities/acct%2Fa',
    ]) {
      expect((await get(path)).json).toMatchObject({ properties: { n: 2 } })
      expect((await get(`${path}?context=audit`)).json).toMatchObject({ properties: { n: 1 } })
      expect(await get(`${path}?context=nobody`)).toMatchObject({ status: 404, json: { code: 'RZ_CONTEXT_UNKNOWN' } })
      expect((await get(`${path}?context=`)).json).toEqual((await get(path)).json)
    }
  })

  it('tells which deltas its filter could not judge', async () => {
    const { json } = await put('/api/judged/a', { n: 'x' })
    expect(json).toMatchObject({ properties: { n: 'x' } })
    await put('/api/judged/a', { m: 1 })
    const isX = { '===': [{ var: 'pointers.1.target' }, 'x'] }
    const costly = { map: [Array.from({ length: 12_000 }, () => 1), 1] }
    expect(
      await api.ask('PUT', '/api/contexts/costly', { body: { filter: { if: [isX, costly, true] } } }),
    ).toMatchObject({ status: 201 })
    expect((await get('/api/judged/a?context=costly')).json).toMatchObject({
      properties: { m: 1 },
      unseen: [{ code: 'RZ_RULE_GAS', delta: { pointers: [{}, { target: 'x' }] } }],
    })
    expect((await get('/api/ns/users/entities/judged%2Fa/lossless?context=costly')).json).toMatchObject({
      properties: { m: [{ value: 1 }] },
    })
  })

  it.each([
    ['a filter with an unknown operator', { filter: { nonsense: 1 } }, 'RZ_RULE_OPERATOR'],
    ['nobody whose negations count', { negations: 'nobody' }, 'RZ_DEFINITION_INVALID'],
    ['an unknown field', { trust: [] }, 'RZ_DEFINITION_INVALID'],
  ])('is refused as %s', async (_, body, code) => {
    expect(await api.ask('PUT', '/api/contexts/bad', { body })).toMatchObject({ status: 400, json: { code } })
  })
})

describe('?asOf=', () => {
  it('a frontier that an answer named gives that answer again, by the rules of then', async () => {
    for (const n of [1, 2]) await put('/api/past/a', { n })
    const first = await get('/api/past/a')
    await api.ask('PUT', '/api/resolvers/past', { body: { collection: 'past', property: 'n', rule: count } })
    const frontier = frontierOf(first)
    for (const path of [
      '/api/past/a',
      '/api/ns/users/collections/past/entities/a',
      '/api/ns/users/entities/past%2Fa',
    ]) {
      expect((await get(path)).json).toMatchObject({ properties: { n: 2 } })
      const again = await get(`${path}?asOf=${frontier}`)
      expect(again.json).toMatchObject({ properties: { n: 2 } })
      expect(frontierOf(again)).toBe(frontier)
    }
    await put('/api/past/a', { n: 9 })
    expect((await get('/api/past/a')).json).toMatchObject({ properties: { n: 3 } })
    expect((await get(`/api/past/a?asOf=${frontier}`)).text).toBe(first.text)
    expect((await get('/api/ns/users/frontier')).json).toEqual({ frontier: api.node.namespace('users').frontier() })
    const lossless = await get(`/api/ns/users/entities/past%2Fa/lossless?asOf=${frontier}`)
    expect((lossless.json as { properties: { n: unknown[] } }).properties.n).toHaveLength(2)
  })

  it('a time shows what is dated up to then', async () => {
    await put('/api/past/b', { n: 1 })
    const now = encodeURIComponent(new Date(Date.now() + 1_000).toISOString())
    expect((await get(`/api/past/b?asOf=${now}`)).json).toMatchObject({ id: 'b' })
    expect(await get('/api/past/b?asOf=2020-01-01')).toMatchObject({ status: 404, json: { code: 'RZ_HTTP_NOT_FOUND' } })
    expect(await get('/api/past/b?asOf=0')).toMatchObject({ status: 404 })
  })

  it.each(['yesterday', 'f0.x', '2026-02-31', '-5'])('%s is no moment', async (moment) => {
    await put('/api/past/c', { n: 1 })
    expect(await get(`/api/past/c?asOf=${moment}`)).toMatchObject({ status: 400, json: { code: 'RZ_AS_OF_INVALID' } })
  })

  it('a frontier of what this node does not hold is a conflict', async () => {
    await put('/api/past/d', { n: 1 })
    await using other = await openApi()
    const frontier = frontierOf(await other.ask('PUT', '/api/past/d', { body: { properties: { n: 1 } } }))
    expect(frontier).toBe(other.node.namespace('users').frontier())
    expect(await get(`/api/past/d?asOf=${frontier}`)).toMatchObject({ status: 409, json: { code: 'RZ_AS_OF_AHEAD' } })
  })

  it('names no frontier in a header that clients would not take', () => {
    expect(FRONTIER_LOGS_MAX * 72).toBeLessThan(8_192)
  })
})

describe('explain, history and diff', () => {
  const record = '/api/ns/users/collections/told/entities/a'
  let before = ''
  beforeAll(async () => {
    await put(record, { n: 1, name: 'A' })
    before = frontierOf(await get(record))
    await put(record, { n: 2 })
    await api.ask('PUT', '/api/resolvers/told', {
      body: { collection: 'told', property: 'n', rule: { max: { map: [{ var: 'candidates' }, { var: 'value' }] } } },
    })
  })

  it('say why a property has its value', async () => {
    expect((await get(`${record}/explain/n`)).json).toMatchObject({
      id: 'told/a',
      property: 'n',
      candidates: [{ value: 1 }, { value: 2 }],
      resolver: {
        kind: 'rule',
        semantics: 1,
        source: { record: 'resolver/told', delta: { creator: api.node.peerId } },
      },
      signers: [api.node.peerId],
    })
    expect((await get(`${record}/explain/n?asOf=${before}`)).json).toMatchObject({
      value: 1,
      resolver: { kind: 'latest' },
    })
    expect(await get(`${record}/explain/nothing`)).toMatchObject({ status: 404, json: { code: 'RZ_HTTP_NOT_FOUND' } })
    expect(await get(`${record}/explain/n?context=nobody`)).toMatchObject({
      status: 404,
      json: { code: 'RZ_CONTEXT_UNKNOWN' },
    })
  })

  it('say how it came to that', async () => {
    expect((await get(`${record}/history/name`)).json).toMatchObject({
      moments: [{ delta: { creator: api.node.peerId }, after: { value: 'A' } }],
      skippedCount: 0,
    })
    expect((await get(`${record}/history/n?asOf=${before}`)).json).toMatchObject({ moments: [{ after: { value: 1 } }] })
    expect((await get(`${record}/history/n?limit=1`)).json).toMatchObject({ skippedCount: 2 })
    for (const limit of ['0', '1001', 'x']) {
      const refused = await get(`${record}/history/n?limit=${limit}`)
      expect(refused).toMatchObject({ status: 400, json: { code: 'RZ_HTTP_INPUT' } })
    }
    expect((await get(`${record}/history/nothing`)).json).toEqual({ moments: [], skippedCount: 0 })
    expect(await get(`${record}/history/n?asOf=x`)).toMatchObject({ status: 400, json: { code: 'RZ_AS_OF_INVALID' } })
  })

  it('say what differs between two moments', async () => {
    expect((await get(`${record}/diff?from=0&to=${before}`)).json).toEqual([
      { property: 'n', before: {}, after: { value: 1 } },
      { property: 'name', before: {}, after: { value: 'A' } },
    ])
    expect((await get(`${record}/diff?from=${before}`)).json).toMatchObject([{ property: 'n', before: { value: 1 } }])
    expect(await get(`${record}/diff`)).toMatchObject({ status: 400, json: { code: 'RZ_HTTP_INPUT' } })
    expect(await get(`${record}/diff?from=${before}&to=x`)).toMatchObject({
      status: 400,
      json: { code: 'RZ_AS_OF_INVALID' },
    })
  })
})

interface Event {
  readonly id: string
  readonly name: string
  readonly json: unknown
}

async function* eventsOf(path: string, headers: Record<string, string> = {}): AsyncGenerator<Event> {
  let id = ''
  let name = ''
  for await (const line of linesOf(await open({ port: api.port }, 'GET', path, { headers }))) {
    if (line.startsWith('id: ')) id = line.slice(4)
    if (line.startsWith('event: ')) name = line.slice(7)
    if (line.startsWith('data: ')) yield { id, name, json: JSON.parse(line.slice(6)) }
  }
}

describe('events of a collection', () => {
  const path = '/api/ns/users/collections/live/events'
  const after = () => new Cursors(api.node.instance).at(api.node.namespace('users').position())

  it('are views as they change, and what is gone', async () => {
    const events = eventsOf(`${path}?after=${after()}`)
    await put('/api/live/a', { n: 1 })
    expect(await take(events, 1)).toMatchObject([{ name: 'view', json: { id: 'a', properties: { n: 1 } } }])
    await put('/api/elsewhere/a', { n: 1 })
    await put('/api/live/b', { n: 2 })
    expect(await take(events, 1)).toMatchObject([{ name: 'view', json: { id: 'b', properties: { n: 2 } } }])
    await api.ask('DELETE', '/api/live/a')
    expect(await take(events, 1)).toMatchObject([{ name: 'gone', json: { id: 'a' } }])
    await events.return(undefined)
  })

  it('resume behind Last-Event-ID and miss nothing', async () => {
    const first = eventsOf(`${path}?id=r&after=${after()}`)
    await put('/api/live/r', { n: 1 })
    const [seen] = await take(first, 1)
    await first.return(undefined)
    await put('/api/live/other', { n: 2 })
    await put('/api/live/r', { n: 2 })
    const again = eventsOf(`${path}?id=r&after=0`, { 'last-event-id': seen?.id ?? '' })
    expect(await take(again, 1)).toMatchObject([{ name: 'view', json: { id: 'r', properties: { n: 2 } } }])
    await again.return(undefined)
  })

  it('come again when a rule of the collection changes, in a context by its own', async () => {
    await put('/api/ruled/a', { n: 5 })
    await api.ask('PUT', '/api/contexts/seen', { body: {} })
    const ruled = '/api/ns/users/collections/ruled/events'
    const events = eventsOf(`${ruled}?context=seen&after=${after()}`)
    await api.ask('PUT', '/api/resolvers/ruled', { body: { collection: 'ruled', property: 'n', rule: count } })
    expect(await take(events, 1)).toMatchObject([{ json: { id: 'a', properties: { n: 1 } } }])
    await events.return(undefined)
  })

  it('end when their context goes, which is no failure of the node', async () => {
    await put('/api/ends/a', { n: 1 })
    await api.ask('PUT', '/api/contexts/brief', { body: {} })
    const ended = eventsOf(`/api/ns/users/collections/ends/events?context=brief&after=${after()}`)
    await put('/api/ends/a', { n: 2 })
    await take(ended, 1)
    const rest = ended.next().then(
      ({ done }) => done,
      () => true,
    )
    await api.ask('DELETE', '/api/contexts/brief')
    expect(await rest).toBe(true)
    expect(await get('/health')).toMatchObject({ status: 200 })
  })

  it.each([
    ['?after=x', 400, 'RZ_HTTP_INPUT'],
    ['?after=99999999', 400, 'RZ_HTTP_INPUT'],
    ['?id=', 400, 'RZ_HTTP_INPUT'],
    ['?asOf=0', 400, 'RZ_HTTP_INPUT'],
    ['?context=nobody', 404, 'RZ_CONTEXT_UNKNOWN'],
  ])('are refused with %s', async (query, status, code) => {
    expect(await get(`${path}${query}`)).toMatchObject({ status, json: { code } })
  })

  it('are not for HEAD, nor of what is no collection', async () => {
    expect(await api.ask('HEAD', path)).toMatchObject({ status: 405 })
    expect(await get('/api/ns/users/collections/a%2Fb/events')).toMatchObject({
      status: 400,
      json: { code: 'RZ_RECORD_INVALID' },
    })
  })
})
