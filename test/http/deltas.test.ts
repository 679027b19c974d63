/** Raw deltas: writing, paging, reading, negating; entities and their lossless view. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { Cursors } from '../../src/http/cursor.ts'
import { type Api, openApi } from './api.ts'

let api: Api
beforeAll(async () => {
  api = await openApi()
})
afterAll(() => api[Symbol.asyncDispose]())

interface DeltaJson {
  readonly cursor: string
  readonly id: string
  readonly index: number
}

const about = (entity: string, value: unknown) => ({
  pointers: [
    { localContext: 'thing', target: entity, targetContext: 'size' },
    { localContext: 'size', target: value },
  ],
})
const post = (path: string, body: unknown) => api.ask('POST', path, { body })

describe('a raw delta', () => {
  it('is written by POST, and read back with its provenance', async () => {
    const written = await post('/api/ns/users/deltas', about('sun', 1_392_700))
    expect(written.status).toBe(201)
    const { deltas, block } = written.json as { deltas: [string]; block: string }
    expect(deltas).toEqual([`${block}/0`])
    const { peerId } = api.node
    expect((await api.ask('GET', `/api/ns/users/deltas/${deltas[0]}`)).json).toEqual({
      id: deltas[0],
      ...about('sun', 1_392_700),
      creator: peerId,
      host: peerId,
      time: { ms: expect.any(Number), counter: expect.any(Number) },
      log: expect.stringMatching(/^[0-9a-f]{32}$/),
      seq: expect.any(Number),
      index: 0,
    })
  })

  it('speaks about an entity of any id, which is read by it', async () => {
    await post('/api/deltas', about('moon', 3_475))
    expect((await api.ask('GET', '/api/ns/users/entities/moon')).json).toEqual({
      id: 'moon',
      properties: { size: 3_475 },
    })
    expect(await api.ask('GET', '/api/ns/users/entities/nothing')).toMatchObject({
      status: 404,
      json: { code: 'RZ_HTTP_NOT_FOUND' },
    })
    expect(await api.ask('GET', '/api/ns/users/entities/nothing/lossless')).toMatchObject({ status: 404 })
  })

  it('may hold bytes and nested values', async () => {
    const value = { list: [1, { $bytes: 'AAEC' }], empty: {} }
    await post('/api/deltas', about('nested', value))
    expect((await api.ask('GET', '/api/ns/users/entities/nested')).json).toEqual({
      id: 'nested',
      properties: { size: value },
    })
  })

  it('in a list becomes visible together with the others: one block', async () => {
    const { json } = await post('/api/deltas', [about('a', 1), about('b', 2), about('c', 3)])
    const { deltas, block } = json as { deltas: string[]; block: string }
    expect(deltas).toEqual([0, 1, 2].map((index) => `${block}/${index}`))
  })

  it('in a list with a bad one is not written, nor are the others', async () => {
    const before = api.node.namespace('users').counts()
    const bad = { pointers: [{ localContext: '', target: 1 }] }
    expect(await post('/api/deltas', [about('a', 1), bad])).toMatchObject({
      status: 400,
      json: { code: 'RZ_DELTA_INVALID' },
    })
    expect(api.node.namespace('users').counts()).toEqual(before)
  })

  it('that exceeds the size of a delta, or a list that exceeds a block, is refused', async () => {
    expect(await post('/api/deltas', about('big', 'x'.repeat(600_000)))).toMatchObject({
      status: 413,
      json: { code: 'RZ_DELTA_TOO_LARGE' },
    })
    const half = about('big', 'x'.repeat(400_000))
    expect(await post('/api/deltas', [half, half, half])).toMatchObject({
      status: 413,
      json: { code: 'RZ_BLOCK_TOO_LARGE' },
    })
  })

  it('is negated by DELETE, and still there with its negation', async () => {
    const { json } = await post('/api/deltas', about('pluto', 'planet'))
    const [id = ''] = (json as { deltas: string[] }).deltas
    const negation = (await api.ask('DELETE', `/api/ns/users/deltas/${id}`)).json as { deltas: [string] }
    expect(await api.ask('GET', '/api/ns/users/entities/pluto')).toMatchObject({ status: 404 })
    expect(await api.ask('GET', `/api/deltas/${id}`)).toMatchObject({ status: 200 })
    expect((await api.ask('GET', '/api/ns/users/entities/pluto/lossless')).json).toMatchObject({
      id: 'pluto',
      referencedAs: ['thing'],
      properties: {
        size: [{ value: 'planet', standing: false, negatedBy: [{ id: negation.deltas[0], counted: true }], delta: id }],
      },
      negations: [{ standing: true, negatedBy: [], delta: negation.deltas[0] }],
      deltas: { [id]: { id, creator: api.node.peerId }, [negation.deltas[0]]: { id: negation.deltas[0] } },
    })
  })

  it('that speaks about many properties of an entity is told once, and named by each claim', async () => {
    const pointers = Array.from({ length: 256 }, (_, index) => ({
      localContext: `of ${index}`,
      target: 'many',
      targetContext: `p${index}`,
    }))
    const { json } = await post('/api/deltas', { pointers })
    const [id = ''] = (json as { deltas: string[] }).deltas
    const view = (await api.ask('GET', '/api/ns/users/entities/many/lossless')).json as {
      properties: Record<string, unknown>
      deltas: Record<string, unknown>
    }
    expect(Object.keys(view.properties)).toHaveLength(256)
    for (const claims of Object.values(view.properties)) expect(claims).toMatchObject([{ delta: id }])
    expect(Object.keys(view.deltas)).toEqual([id])
  })

  it('and its like cannot make an answer large without bound', async () => {
    const claims = Array.from({ length: 256 }, (_, index) => ({
      localContext: `of ${index}`,
      target: 'hostile',
      targetContext: `p${index}`,
    }))
    // Each of its 256 claims has the other 255 pointers for a value: 1.2 MB for each of these deltas.
    for (let index = 0; index < 40; index++) await post('/api/deltas', { pointers: claims })
    expect(await api.ask('GET', '/api/ns/users/entities/hostile/lossless')).toMatchObject({
      status: 422,
      json: { code: 'RZ_HTTP_ANSWER_TOO_LARGE' },
    })
    expect(await api.ask('GET', '/api/deltas?limit=1')).toMatchObject({ status: 200 })
  })

  it('that is not held is not found, nor negated', async () => {
    const path = `/api/deltas/${'a'.repeat(52)}/0`
    for (const method of ['GET', 'DELETE']) {
      expect(await api.ask(method, path)).toMatchObject({ status: 404, json: { code: 'RZ_HTTP_NOT_FOUND' } })
    }
  })

  for (const path of ['/api/deltas/xyz/0', `/api/deltas/${'a'.repeat(52)}/01`, `/api/deltas/${'a'.repeat(52)}/99999`]) {
    it(`is not looked for under ${path}`, async () => {
      expect(await api.ask('GET', path)).toMatchObject({ status: 400, json: { code: 'RZ_HTTP_INPUT' } })
    })
  }
})

describe('the list of deltas', () => {
  const list = async (path: string) => (await api.ask('GET', path)).json as DeltaJson[]
  beforeAll(async () => {
    await post(
      '/api/ns/other/deltas',
      [1, 2, 3, 4, 5, 6, 7].map((value) => about('x', value)),
    )
    for (const value of [8, 9, 10]) await post('/api/ns/other/deltas', about('x', value))
  })

  it('holds those of its namespace alone, and as many as the count says', async () => {
    const deltas = await list('/api/ns/other/deltas')
    expect(deltas).toHaveLength(10)
    expect((await api.ask('GET', '/api/ns/other/deltas/count')).json).toBe(10)
  })

  it.each([1, 2, 3, 10, 11])(
    'comes in pages of %i, each delta once and in order, though blocks are cut through',
    async (limit) => {
      const all = await list('/api/ns/other/deltas')
      const paged: DeltaJson[] = []
      let path: string | undefined = `/api/ns/other/deltas?limit=${limit}`
      while (path !== undefined) {
        const { headers, json } = await api.ask('GET', path)
        expect((json as DeltaJson[]).length).toBeLessThanOrEqual(limit)
        paged.push(...(json as DeltaJson[]))
        path = /^<(.*)>; rel="next"$/.exec(String(headers['link']))?.[1]
      }
      expect(paged).toEqual(all)
    },
  )

  it('goes on behind any of its cursors', async () => {
    const all = await list('/api/ns/other/deltas')
    for (const [index, { cursor }] of all.entries()) {
      expect(await list(`/api/ns/other/deltas?after=${cursor}`)).toEqual(all.slice(index + 1))
    }
  })

  it('refuses a cursor of another life of the store, rather than leave anything out', async () => {
    await using other = await openApi()
    await other.ask('PUT', '/api/user/a', { body: { properties: { n: 1 } } })
    const [{ cursor } = { cursor: '' }] = (await other.ask('GET', '/api/deltas')).json as DeltaJson[]
    for (const path of ['deltas?', 'deltas?follow=true&', 'events?', 'collections/user/events?']) {
      expect(await api.ask('GET', `/api/ns/other/${path}after=${cursor}`)).toMatchObject({
        status: 410,
        json: { code: 'RZ_HTTP_CURSOR' },
      })
    }
    expect(await list('/api/ns/other/deltas?after=0')).toEqual(await list('/api/ns/other/deltas'))
    const beyond = new Cursors(api.node.instance).at(999_999 as never)
    expect(await api.ask('GET', `/api/ns/other/deltas?after=${beyond}`)).toMatchObject({
      status: 400,
      json: { code: 'RZ_HTTP_INPUT' },
    })
  })

  it('goes on behind a whole block for a cursor without an index', async () => {
    const all = await list('/api/ns/other/deltas')
    const [position = ''] = (all[0]?.cursor ?? '').split('.')
    expect(await list(`/api/ns/other/deltas?after=${position}`)).toEqual(all.slice(7))
  })

  it('comes as lines when asked for so, the same ones', async () => {
    const { text, headers } = await api.ask('GET', '/api/ns/other/deltas', {
      headers: { accept: 'application/x-ndjson' },
    })
    expect(headers['content-type']).toBe('application/x-ndjson; charset=utf-8')
    const lines = text.split('\n').slice(0, -1)
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(await list('/api/ns/other/deltas'))
  })

  it('as lines answers HEAD without them', async () => {
    const headers = { accept: 'application/x-ndjson' }
    expect(await api.ask('HEAD', '/api/ns/other/deltas?follow=true', { headers })).toMatchObject({
      status: 200,
      text: '',
    })
  })

  it('of large deltas ends a page early, and says so', async () => {
    const large = 'x'.repeat(500_000)
    for (let count = 0; count < 12; count++) await post('/api/deltas', about('large', `${large}${count}`))
    const { json, headers } = await api.ask('GET', '/api/deltas')
    expect((json as DeltaJson[]).length).toBeGreaterThan(1)
    expect(headers['link']).toContain('rel="next"')
  })
})

describe('status', () => {
  it('of the node tells who it is, what it holds and who may join', async () => {
    const { json } = await api.ask('GET', '/api/status')
    expect(json).toMatchObject({
      name: 'tester',
      peerId: api.node.peerId,
      version: api.node.version,
      directory: null,
      addresses: [],
      urls: [`http://127.0.0.1:${api.port}`],
      overlay: 'open',
      identities: [{ id: api.node.peerId, isDefault: true }],
      namespaces: [{ name: 'users' }, { name: 'other', counts: { deltas: 10 }, sync: { kind: 'alone' } }],
    })
  })

  it('of a namespace is the one in the list', async () => {
    const [, other] = (await api.ask('GET', '/api/ns')).json as unknown[]
    expect((await api.ask('GET', '/api/ns/other/status')).json).toEqual(other)
  })
})
