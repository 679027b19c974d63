/** `?until=` on writes: who holds it, or why that is not known yet. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Api, openApi } from './api.ts'

let api: Api
beforeAll(async () => {
  api = await openApi()
})
afterAll(() => api[Symbol.asyncDispose]())

describe('a write with ?until=', () => {
  it('names who holds it', async () => {
    const here = { achieved: true, holders: [{ peer: api.node.peerId, durability: 'memory' }] }
    const put = await api.ask('PUT', '/api/user/alice?until=local', { body: { properties: { age: 3 } } })
    expect(put).toMatchObject({ status: 201, json: { id: 'alice', properties: { age: 3 }, ...here } })
    const pointers = [{ localContext: 'note', target: 'hello' }]
    const posted = await api.ask('POST', '/api/deltas?until=local&deadlineMs=5', { body: { pointers } })
    expect(posted).toMatchObject({ status: 201, json: here })
    const { deltas } = posted.json as { deltas: readonly string[] }
    expect(await api.ask('DELETE', `/api/deltas/${deltas[0]}?until=local`)).toMatchObject({ status: 200, json: here })
    expect(await api.ask('DELETE', '/api/user/alice?until=local')).toMatchObject({ status: 200, json: here })
  })

  it('names nobody without it', async () => {
    const { json } = await api.ask('PUT', '/api/user/bob', { body: { properties: { age: 3 } } })
    expect(json).toEqual({ id: 'bob', properties: { age: 3 } })
  })

  it.each([
    ['until=everyone', 400, 'RZ_HTTP_INPUT'],
    ['until=copies:0', 400, 'RZ_HTTP_INPUT'],
    ['until=copies:99', 400, 'RZ_DELIVERY_INVALID'],
    ['until=local&deadlineMs=0', 400, 'RZ_HTTP_INPUT'],
    ['deadlineMs=5', 400, 'RZ_DELIVERY_INVALID'],
    ['until=uniform', 409, 'RZ_DELIVERY_MEMBERS'],
    ['until=copies:2', 409, 'RZ_NODE_OFFLINE'],
  ])('that cannot be waited for writes nothing (%s)', async (query, status, code) => {
    const put = await api.ask('PUT', `/api/user/carol?${query}`, { body: { properties: { age: 3 } } })
    expect(put).toMatchObject({ status, json: { code } })
    expect((await api.ask('GET', '/api/user/carol')).status).toBe(404)
  })
})
