/** Records: the canonical routes and the shorthand, names that need care, and values beyond plain JSON. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { PAGE_COUNT_MAX } from '../../src/http/options.ts'
import { type Api, linesOf, open, openApi } from './api.ts'

let api: Api
beforeAll(async () => {
  api = await openApi()
})
afterAll(() => api[Symbol.asyncDispose]())

const put = (path: string, properties: unknown) => api.ask('PUT', path, { body: { properties } })

describe('a record', () => {
  it('is made and merged under its canonical path, which a 201 names', async () => {
    const path = '/api/ns/other/collections/city/entities/riga'
    expect(await put(path, { people: 600 })).toMatchObject({ status: 201, headers: { location: path } })
    expect(await put(path, { river: 'Daugava' })).toMatchObject({
      status: 200,
      json: { id: 'riga', properties: { people: 600, river: 'Daugava' } },
    })
    expect(await api.ask('GET', path)).toMatchObject({ status: 200, json: { id: 'riga' } })
  })

  it('names who answered, and a read the moment that it is of', async () => {
    const { peerId } = api.node
    const written = await put('/api/city/valka', { people: 4 })
    expect(written.headers).toMatchObject({ 'rhizome-answered-by': peerId })
    for (const path of ['/api/city/valka', '/api/city/ids', '/api/ns/users/collections']) {
      const { headers } = await api.ask('GET', path)
      expect(headers).toMatchObject({ 'rhizome-answered-by': peerId, 'rhizome-frontier': expect.stringMatching(/^f/) })
    }
    expect((await api.ask('DELETE', '/api/city/valka')).headers).toMatchObject({ 'rhizome-answered-by': peerId })
  })

  it('of another topic than the first is not seen by shorthand', async () => {
    await put('/api/ns/other/collections/city/entities/tartu', { people: 95 })
    expect(await api.ask('GET', '/api/city/tartu')).toMatchObject({ status: 404, json: { code: 'RZ_HTTP_NOT_FOUND' } })
  })

  it('by shorthand is that of the first topic', async () => {
    await put('/api/city/cesis', { people: 15 })
    expect((await api.ask('GET', '/api/ns/users/collections/city/entities/cesis')).json).toEqual({
      id: 'cesis',
      properties: { people: 15 },
    })
  })

  it('keeps null as a value', async () => {
    expect((await put('/api/user/null', { email: null })).json).toEqual({ id: 'null', properties: { email: null } })
  })

  it('is gone after DELETE, which answers the negations, and 404 the second time', async () => {
    await put('/api/user/gone', { a: 1, b: 2 })
    const first = await api.ask('DELETE', '/api/user/gone')
    expect(first.status).toBe(200)
    expect((first.json as { deltas: string[] }).deltas).toHaveLength(2)
    expect(await api.ask('GET', '/api/user/gone')).toMatchObject({ status: 404 })
    expect(await api.ask('DELETE', '/api/user/gone')).toMatchObject({
      status: 404,
      json: { code: 'RZ_HTTP_NOT_FOUND' },
    })
  })

  it('is written by the identity that ?as= names, and by no unknown one', async () => {
    expect(await put('/api/user/as?as=default', { a: 1 })).toMatchObject({ status: 201 })
    expect(await put('/api/user/as?as=nobody', { a: 1 })).toMatchObject({
      status: 404,
      json: { code: 'RZ_IDENTITY_UNKNOWN' },
    })
  })

  it('is refused when body and path name different ids', async () => {
    const body = { id: 'b', properties: { a: 1 } }
    expect(await api.ask('PUT', '/api/user/a', { body })).toMatchObject({
      status: 400,
      json: { code: 'RZ_HTTP_INPUT' },
    })
  })

  it('answers HEAD with the headers of GET and no body', async () => {
    await put('/api/user/head', { a: 1 })
    const head = await api.ask('HEAD', '/api/user/head')
    expect(head).toMatchObject({ status: 200, text: '' })
    expect(Number(head.headers['content-length'])).toBe((await api.ask('GET', '/api/user/head')).text.length)
    expect(await api.ask('HEAD', '/api/user/nobody')).toMatchObject({ status: 404, text: '' })
  })
})

describe('a part of a path is decoded once:', () => {
  const ids = [
    'peers',
    'ids',
    'a/b',
    '..',
    '.',
    '😀',
    '%25',
    '%',
    '%2F',
    'a b',
    '?',
    '#',
    ';',
    ':id',
    '*',
    'ä',
    '+',
    '\u0000',
  ]
  for (const id of ids) {
    it(`the id ${JSON.stringify(id)}, canonically`, async () => {
      const path = `/api/ns/users/collections/odd/entities/${encodeURIComponent(id).replaceAll('.', '%2e')}`
      expect(await put(path, { is: id })).toMatchObject({ status: 201, json: { id, properties: { is: id } } })
      expect(await api.ask('GET', path)).toMatchObject({ status: 200, json: { id, properties: { is: id } } })
      expect(api.node.namespace('users').get('odd', id)?.properties).toEqual({ is: id })
    })
  }

  it('dots are an id like any other, encoded or not: no path is walked', async () => {
    expect(await put('/api/user/..', { up: true })).toMatchObject({ status: 201, json: { id: '..' } })
    expect(await api.ask('GET', '/api/user/%2e%2e')).toMatchObject({ status: 200, json: { id: '..' } })
    expect(await api.ask('GET', '/api/user/../../etc/passwd')).toMatchObject({
      status: 404,
      json: { code: 'RZ_HTTP_ROUTE_UNKNOWN' },
    })
    expect(await api.ask('GET', '/api/user/..%2f..%2fetc%2fpasswd')).toMatchObject({
      status: 404,
      json: { code: 'RZ_HTTP_NOT_FOUND' },
    })
  })

  it('a collection of odd characters works, one with a slash is refused', async () => {
    expect(await put('/api/ns/users/collections/%F0%9F%9A%80/entities/x', { a: 1 })).toMatchObject({ status: 201 })
    expect(await put('/api/ns/users/collections/a%2Fb/entities/x', { a: 1 })).toMatchObject({
      status: 400,
      json: { code: 'RZ_RECORD_INVALID' },
    })
  })

  it('an id of 1,024 bytes is stored, a longer one refused', async () => {
    const longest = encodeURIComponent('ä'.repeat(509))
    expect(await put(`/api/long/${longest}`, { a: 1 })).toMatchObject({ status: 201 })
    expect(await put(`/api/long/${longest}${longest}`, { a: 1 })).toMatchObject({ status: 400 })
  })
})

describe('a reserved name', () => {
  const names = ['ns', 'peers', 'deltas', 'status', 'query', 'events', 'docs', 'metrics']
  for (const name of names) {
    it(`"${name}" is no collection by shorthand, and the error names the canonical path`, async () => {
      const canonical = `/api/ns/users/collections/${name}/entities/x`
      const refused = await put(`/api/${name}/x`, { a: 1 })
      expect(refused).toMatchObject({ status: 400, json: { code: 'RZ_HTTP_RESERVED' } })
      expect((refused.json as { detail: string }).detail).toContain(canonical)
      expect(await put(`/api/${name}`, { a: 1 })).toMatchObject({ status: 400, json: { code: 'RZ_HTTP_RESERVED' } })
      expect(await put(canonical, { a: 1 })).toMatchObject({ status: 201 })
      expect(await api.ask('DELETE', canonical)).toMatchObject({ status: 200 })
    })
  }

  it('"ids" is no id by shorthand, but canonically, and when the body says it', async () => {
    const refused = await put('/api/user/ids', { a: 1 })
    expect(refused).toMatchObject({ status: 400, json: { code: 'RZ_HTTP_RESERVED' } })
    expect((refused.json as { detail: string }).detail).toContain('/api/ns/users/collections/user/entities/ids')
    expect(await put('/api/ns/users/collections/user/entities/ids', { a: 1 })).toMatchObject({ status: 201 })
    expect(await api.ask('PUT', '/api/user', { body: { id: 'ids', properties: { a: 2 } } })).toMatchObject({
      status: 200,
    })
    expect((await api.ask('GET', '/api/ns/users/collections/user/entities/ids')).json).toEqual({
      id: 'ids',
      properties: { a: 2 },
    })
  })
})

describe('values beyond plain JSON', () => {
  it('bytes are $bytes in base64', async () => {
    const properties = { key: { $bytes: 'AAEC' } }
    expect((await put('/api/blob/1', properties)).json).toEqual({ id: '1', properties })
    expect(api.node.namespace('users').get('blob', '1')?.properties['key']).toEqual(Uint8Array.of(0, 1, 2))
  })

  it('a reference is read back as the id, and seen from the entity that it points at', async () => {
    await put('/api/user/bob', { boss: { $ref: 'user/alice', as: 'reports' } })
    expect((await api.ask('GET', '/api/user/bob')).json).toMatchObject({ properties: { boss: 'user/alice' } })
    const { json } = await api.ask('GET', '/api/ns/users/entities/user%2Falice/lossless')
    expect(json).toMatchObject({ id: 'user/alice', properties: { reports: [{ value: 'user/bob', standing: true }] } })
  })

  it('an object that looks like one is written with one more dollar, and read so', async () => {
    const properties = { a: { $$ref: 'x', as: 'y' }, b: { $$bytes: 'x' }, c: { $ref: '#/defs/x' } }
    expect((await put('/api/doc/1', properties)).json).toEqual({ id: '1', properties })
    expect(api.node.namespace('users').get('doc', '1')?.properties).toEqual({
      a: { $ref: 'x', as: 'y' },
      b: { $bytes: 'x' },
      c: { $ref: '#/defs/x' },
    })
  })

  it('a property may have any name', async () => {
    const body = '{"properties":{"__proto__":{"x":1},"constructor":"c","toString":"t","0":0}}'
    expect(await api.ask('PUT', '/api/names/1', { body })).toMatchObject({ status: 201 })
    expect((await api.ask('GET', '/api/names/1')).text).toContain('"__proto__":{"x":1}')
    expect(Object.prototype).not.toHaveProperty('x')
  })
})

interface Page {
  readonly ids: string[]
  readonly next?: string
}

describe('the ids of a collection', () => {
  const all = Array.from({ length: 25 }, (_, index) => `id-${String(index).padStart(2, '0')}`)
  beforeAll(async () => {
    await Promise.all(all.map((id) => api.node.namespace('other').put('paged', id, { a: 1 })))
  })

  it('come in pages, each with a link to the next, that hold each once', async () => {
    const ids: string[] = []
    let path: string | undefined = '/api/ns/other/collections/paged/ids?limit=10'
    let pages = 0
    while (path !== undefined) {
      const { status, headers, json } = await api.ask('GET', path)
      const page = json as Page
      expect(status).toBe(200)
      expect(headers['link']).toBe(page.next === undefined ? undefined : `<${page.next}>; rel="next"`)
      ids.push(...page.ids)
      path = page.next
      pages++
    }
    expect(ids).toEqual(all)
    expect(pages).toBe(3)
  })

  it('are linked to the next page even where a page is as large as it may be', async () => {
    const ids = Array.from({ length: PAGE_COUNT_MAX + 1 }, (_, index) => String(index))
    await Promise.all(ids.map((id) => api.node.namespace('other').put('large', id, { a: 1 })))
    const first = (await api.ask('GET', `/api/ns/other/collections/large/ids?limit=${PAGE_COUNT_MAX}`)).json as Page
    expect(first.ids).toHaveLength(PAGE_COUNT_MAX)
    const rest = (await api.ask('GET', first.next ?? '')).json as Page
    expect([...first.ids, ...rest.ids].sort()).toEqual(ids.sort())
    expect(rest.next).toBeUndefined()
  })

  it('come as lines when asked for so', async () => {
    const headers = { accept: 'application/x-ndjson' }
    const response = await open({ port: api.port }, 'GET', '/api/ns/other/collections/paged/ids', { headers })
    expect(response.headers['content-type']).toBe('application/x-ndjson; charset=utf-8')
    const lines = await Array.fromAsync(linesOf(response))
    expect(lines.map((line) => JSON.parse(line) as string)).toEqual(all)
  })

  it('as lines are no more than the limit', async () => {
    const headers = { accept: 'application/x-ndjson' }
    const { text } = await api.ask('GET', '/api/ns/other/collections/paged/ids?limit=3&after=id-04', { headers })
    expect(text).toBe('"id-05"\n"id-06"\n"id-07"\n')
  })
})
