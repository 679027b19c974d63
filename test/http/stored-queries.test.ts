/** Stored queries over HTTP: written, read, their rows in pages, in a context, at a moment, and what is refused. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { type Api, openApi } from './api.ts'

let api: Api
beforeAll(async () => {
  api = await openApi()
  const cities = { riga: 600, tartu: 95, cesis: 15 }
  for (const [id, people] of Object.entries(cities)) {
    await api.ask('PUT', `/api/city/${id}`, { body: { properties: { people } } })
  }
})
afterAll(() => api[Symbol.asyncDispose]())

const large = { select: { collection: 'city' }, where: { '>': [{ var: 'people' }, 50] } }
const store = (id: string, query: unknown, more = {}) =>
  api.ask('PUT', `/api/queries/${id}`, { body: { query, ...more } })
const rowsOf = async (path: string) => (await api.ask('GET', path)).json as { rows: { id: string }[]; next?: string }

describe('a stored query', () => {
  it('is written, read with its definition, and deleted', async () => {
    const definition = { semantics: 1, query: large, description: 'large ones' }
    const first = await store('large', large, { description: 'large ones' })
    expect(first).toMatchObject({ status: 201, json: { id: 'large', definition } })
    expect(await store('large', large, { description: 'large ones' })).toMatchObject({ status: 200 })
    expect(await api.ask('GET', '/api/ns/users/queries/large')).toMatchObject({ status: 200, json: { definition } })
    expect(await api.ask('DELETE', '/api/queries/large')).toMatchObject({ status: 200 })
    expect(await api.ask('GET', '/api/queries/large')).toMatchObject({ status: 404 })
    expect(await api.ask('GET', '/api/queries/large/rows')).toMatchObject({
      status: 404,
      json: { code: 'RZ_QUERY_UNKNOWN' },
    })
  })

  it('is listed with the others, in pages, as other definitions are', async () => {
    await store('large', large)
    await store('small', { collection: 'city' })
    for (const path of ['/api/queries', '/api/ns/users/queries']) {
      expect(await api.ask('GET', path)).toMatchObject({
        status: 200,
        json: { definitions: [{ id: 'large', definition: { query: large } }, { id: 'small' }] },
      })
    }
    const first = await api.ask('GET', '/api/queries?limit=1')
    const { definitions, next } = first.json as { definitions: { id: string }[]; next: string }
    expect(definitions.map(({ id }) => id)).toEqual(['large'])
    expect(first.headers['link']).toBe(`<${next}>; rel="next"`)
    const rest = (await api.ask('GET', next)).json as { definitions: { id: string }[]; next?: string }
    expect(rest.definitions.map(({ id }) => id)).toEqual(['small'])
    expect(rest.next).toBeUndefined()
    for (const kind of ['resolvers', 'contexts', 'schemas'])
      expect(await api.ask('GET', `/api/${kind}`)).toMatchObject({ status: 200, json: { definitions: [] } })
    expect(await api.ask('DELETE', '/api/queries/small')).toMatchObject({ status: 200 })
  })

  it('has rows, by shorthand and canonically, in pages', async () => {
    await store('large', large)
    for (const path of ['/api/queries/large/rows', '/api/ns/users/queries/large/rows'])
      expect((await rowsOf(path)).rows).toEqual([
        { id: 'riga', people: 600 },
        { id: 'tartu', people: 95 },
      ])
    const first = await rowsOf('/api/queries/large/rows?limit=1')
    const rest = await rowsOf(`/api/queries/large/rows?limit=1&after=${first.next}`)
    expect([first.rows, rest.rows].map(([row]) => row?.id)).toEqual(['riga', 'tartu'])
    expect(rest.next).toBeUndefined()
  })

  it('is named by other queries, and told in plans', async () => {
    await store('large', large)
    const query = { select: { view: 'large' }, where: { '<': [{ var: 'people' }, 100] } }
    expect((await api.ask('POST', '/api/query', { body: query })).json).toEqual({ rows: [{ id: 'tartu', people: 95 }] })
    expect((await api.ask('POST', '/api/query/plan', { body: query })).text).toContain('scan city')
  })

  it('is that of a moment when asked so, in the context that is named', async () => {
    await store('large', large)
    const { headers } = await api.ask('GET', '/api/queries/large/rows')
    const asOf = encodeURIComponent(String(headers['rhizome-frontier']))
    await store('large', { collection: 'city' })
    expect((await rowsOf('/api/queries/large/rows')).rows).toHaveLength(3)
    expect((await rowsOf(`/api/queries/large/rows?asOf=${asOf}`)).rows).toHaveLength(2)
    await api.ask('PUT', '/api/contexts/nobody', { body: { filter: false } })
    expect((await rowsOf('/api/queries/large/rows?context=nobody')).rows).toEqual([])
  })

  it.each([
    ['what is no query', 'bad', { cross: 1 }, {}, 400, 'RZ_QUERY_OPERATOR'],
    ['an unknown field', 'bad', large, { rule: 1 }, 400, 'RZ_DEFINITION_INVALID'],
    ['no query', 'bad', undefined, {}, 400, 'RZ_DEFINITION_INVALID'],
  ])('with %s is refused', async (_, id, query, more, status, code) => {
    expect(await store(id, query, more)).toMatchObject({ status, json: { code } })
  })

  it('that is made of itself is refused when its rows are asked for', async () => {
    await store('ring', { view: 'ring' })
    expect(await api.ask('GET', '/api/queries/ring/rows')).toMatchObject({
      status: 400,
      json: { code: 'RZ_QUERY_CYCLE' },
    })
  })

  it.each(['limit=0', 'limit=x', 'after=', 'unknown=1', 'after=nonsense'])('refuses the page %s', async (query) => {
    await store('large', large)
    expect((await api.ask('GET', `/api/queries/large/rows?${query}`)).status).toBe(400)
  })
})
