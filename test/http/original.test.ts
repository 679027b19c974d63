/** The sequence of the original's README, word for word, over real sockets. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { type Api, ask, openApi, type Target } from './api.ts'

describe.each(['TCP', 'the control socket'])("the original's README works word for word over %s", (way) => {
  let api: Api
  let target: Target
  beforeAll(async () => {
    api = await openApi()
    target = way === 'TCP' ? { port: api.port } : { socketPath: api.socketPath }
  })
  afterAll(() => api[Symbol.asyncDispose]())
  const call = async (method: string, path: string, body?: unknown) => {
    const { status, json } = await ask(target, method, path, body === undefined ? {} : { body })
    return { status, json }
  }

  it('GET /api/peers lists the node itself', async () => {
    const self = { id: api.node.peerId, name: 'tester', self: true, state: 'self' }
    expect(await call('GET', '/api/peers')).toEqual({ status: 200, json: [expect.objectContaining(self)] })
  })

  it('GET /api/peers/count counts the node itself', async () => {
    expect(await call('GET', '/api/peers/count')).toEqual({ status: 200, json: 1 })
  })

  it('GET /api/deltas, /api/deltas/count and /api/user/ids are empty at first', async () => {
    expect(await call('GET', '/api/deltas')).toEqual({ status: 200, json: [] })
    expect(await call('GET', '/api/deltas/count')).toEqual({ status: 200, json: 0 })
    expect(await call('GET', '/api/user/ids')).toEqual({ status: 200, json: { ids: [] } })
  })

  it('PUT /api/user makes a record with the given id, and answers 201', async () => {
    const record = { id: 'peer-1', properties: { name: 'Peer 1', age: 263 } }
    expect(await call('PUT', '/api/user', record)).toEqual({ status: 201, json: record })
  })

  it('GET /api/user/<id> reads it', async () => {
    const json = { id: 'peer-1', properties: { name: 'Peer 1', age: 263 } }
    expect(await call('GET', '/api/user/peer-1')).toEqual({ status: 200, json })
  })

  it('PUT /api/user merges, and answers 200', async () => {
    const json = { id: 'peer-1', properties: { name: 'Peer 1', age: 264, city: 'Riga' } }
    const body = { id: 'peer-1', properties: { age: 264, city: 'Riga' } }
    expect(await call('PUT', '/api/user', body)).toEqual({ status: 200, json })
  })

  it('PUT /api/user/<id> does the same', async () => {
    expect(await call('PUT', '/api/user/peer-2', { properties: { name: 'Peer 2' } })).toMatchObject({ status: 201 })
    const json = { id: 'peer-2', properties: { name: 'Peer Two' } }
    expect(await call('PUT', '/api/user/peer-2', { properties: { name: 'Peer Two' } })).toEqual({ status: 200, json })
  })

  it('PUT /api/user without an id makes one that nobody else has', async () => {
    const first = (await call('PUT', '/api/user', { properties: { name: 'x' } })).json as { id: string }
    const second = (await call('PUT', '/api/user', { properties: { name: 'x' } })).json as { id: string }
    expect(first.id).toMatch(/^[0-9a-f-]{36}$/)
    expect(second.id).not.toBe(first.id)
    expect(await call('GET', `/api/user/${first.id}`)).toEqual({ status: 200, json: first })
  })

  it('what was written is seen in /api/user/ids, /api/deltas and /api/deltas/count', async () => {
    const { ids } = (await call('GET', '/api/user/ids')).json as { ids: string[] }
    expect(ids).toHaveLength(4)
    expect(ids).toEqual(expect.arrayContaining(['peer-1', 'peer-2']))
    const deltas = (await call('GET', '/api/deltas')).json as { pointers: unknown }[]
    expect(deltas).toHaveLength(8)
    expect(await call('GET', '/api/deltas/count')).toEqual({ status: 200, json: 8 })
    expect(deltas[0]?.pointers).toEqual([
      { localContext: 'user', target: 'user/peer-1', targetContext: 'name' },
      { localContext: 'name', target: 'Peer 1' },
    ])
  })
})
