/** Queries over HTTP: pages of rows, plans, contexts and moments, and what is refused. */
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
const ask = (body: unknown, path = '/api/query') => api.ask('POST', path, { body })

describe('a query', () => {
  it('is answered with rows, by shorthand and canonically', async () => {
    const rows = [
      { id: 'riga', people: 600 },
      { id: 'tartu', people: 95 },
    ]
    expect(await ask(large)).toMatchObject({ status: 200, json: { rows } })
    expect(await ask(large, '/api/ns/users/query')).toMatchObject({ status: 200, json: { rows } })
    expect(await ask(large, '/api/ns/other/query')).toMatchObject({ status: 200, json: { rows: [] } })
  })

  it('goes on behind the cursor of a page', async () => {
    const page = (after?: string) => ({ limit: { collection: 'city' }, count: 2, ...(after && { after }) })
    const first = (await ask(page())).json as { rows: unknown[]; next?: string }
    const rest = (await ask(page(first.next))).json as { rows: unknown[]; next?: string }
    expect([first.rows.length, rest.rows.length, rest.next]).toEqual([2, 1, undefined])
  })

  it('is of a moment when asked so', async () => {
    const { headers } = await ask(large)
    const frontier = encodeURIComponent(String(headers['rhizome-frontier']))
    await api.ask('PUT', '/api/city/cesis', { body: { properties: { people: 5_000 } } })
    expect((await ask(large)).json).toMatchObject({ rows: [{ id: 'cesis' }, { id: 'riga' }, { id: 'tartu' }] })
    expect((await ask(large, `/api/query?asOf=${frontier}`)).json).toMatchObject({
      rows: [{ id: 'riga' }, { id: 'tartu' }],
    })
    await api.ask('PUT', '/api/city/cesis', { body: { properties: { people: 15 } } })
  })

  it('tells how it would be run', async () => {
    const { status, json } = await ask(large, '/api/query/plan')
    expect({ status, text: JSON.stringify(json) }).toMatchObject({
      status: 200,
      text: expect.stringContaining('city') as string,
    })
  })

  it.each([
    [{ sellect: {} }, '', 400, 'RZ_QUERY_OPERATOR'],
    [{ limit: { collection: 'city' }, count: -1 }, '', 400, 'RZ_QUERY_INVALID'],
    [{ limit: { collection: 'city' }, count: 1, after: 'nonsense' }, '', 400, 'RZ_QUERY_CURSOR'],
    [{ select: { collection: 'city' }, where: { boom: 1 } }, '', 400, 'RZ_RULE_OPERATOR'],
    [[], '', 400, 'RZ_HTTP_INPUT'],
    [large, '?context=nowhere', 404, 'RZ_CONTEXT_UNKNOWN'],
    [large, '?asOf=nonsense', 400, 'RZ_AS_OF_INVALID'],
    [large, '?depth=3', 400, 'RZ_HTTP_INPUT'],
  ])('%j%s is refused with %d %s', async (body, search, status, code) => {
    expect(await ask(body, `/api/query${search}`)).toMatchObject({ status, json: { code } })
  })
})
