/** Views of several entities or of all, and what every read over HTTP takes: a context and a moment. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { trustOnly } from '../../src/index.ts'
import { type Answer, type Api, linesOf, open, openApi, take } from './api.ts'

const NS = '/api/ns/users'
const lines = { headers: { accept: 'application/x-ndjson' } }

let api: Api
let frontier: string
beforeAll(async () => {
  api = await openApi()
  for (const [id, n] of [
    ['a', 1],
    ['b', 2],
    ['c', 3],
  ])
    await api.ask('PUT', `/api/user/${id}`, { body: { properties: { n } } })
  const before = await api.ask('GET', `${NS}/frontier`)
  frontier = encodeURIComponent((before.json as { frontier: string }).frontier)
  await api.ask('PUT', '/api/pet/rex', { body: { properties: { n: 4 } } })
  await api.ask('DELETE', '/api/user/b')
  await api.ask('PUT', '/api/contexts/nobody', { body: { ...trustOnly([]) } })
})
afterAll(async () => {
  expect(api.errors).toEqual([])
  await api[Symbol.asyncDispose]()
})

const get = (path: string) => api.ask('GET', `${NS}${path}`)
const idsIn = ({ json, text }: Answer) =>
  (Array.isArray(json) ? (json as object[]) : parsedLines(text)).map((view) => (view as { id: string }).id)
const parsedLines = (text: string) =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as object)

describe.each(['lossless', 'entities'])('the views at /%s', (path) => {
  it('are those of a prefix, by page with a link to the next, or by line', async () => {
    const first = await get(`/${path}?prefix=user/&limit=1&asOf=${frontier}`)
    expect(idsIn(first)).toEqual(['user/a'])
    const next = /<([^>]*)>/.exec(String(first.headers['link']))?.[1] ?? ''
    const second = await api.ask('GET', next)
    expect(idsIn(second)).toEqual(['user/b'])
    const all = await api.ask('GET', `${NS}/${path}?prefix=user/&asOf=${frontier}`, lines)
    expect(all.headers['content-type']).toBe('application/x-ndjson; charset=utf-8')
    expect(idsIn(all)).toEqual(['user/a', 'user/b', 'user/c'])
    expect(idsIn(await api.ask('GET', `${NS}/${path}?prefix=user/&limit=2&asOf=${frontier}`, lines))).toHaveLength(2)
    expect(parsedLines(all.text)).toEqual((await get(`/${path}?prefix=user/&asOf=${frontier}`)).json)
  })

  it('are those of the ids that are given, one or several, by path or by body', async () => {
    expect(idsIn(await get(`/${path}?id=user%2Fc`))).toEqual(['user/c'])
    expect(idsIn(await get(`/${path}?id=user%2Fc&id=user%2Fnone&id=user%2Fa`))).toEqual(['user/c', 'user/a'])
    const body = { ids: ['user/c', 'user/a'] }
    expect(idsIn(await api.ask('POST', `${NS}/${path}`, { body }))).toEqual(['user/c', 'user/a'])
    expect(idsIn(await api.ask('POST', `${NS}/${path}?after=user/c`, { body, ...lines }))).toEqual(['user/a'])
  })

  it('are of what a rule selects', async () => {
    const { deltas } = api.node.namespace('users').lossless('user/a')?.properties['n']?.[0]?.delta
      ? { deltas: [api.node.namespace('users').lossless('user/a')?.properties['n']?.[0]?.delta.id ?? ''] }
      : { deltas: [''] }
    const body = { filter: { in: [{ var: 'id' }, deltas] } }
    expect(idsIn(await api.ask('POST', `${NS}/${path}?prefix=user/`, { body }))).toEqual(['user/a'])
    const bad = { filter: { nonsense: 1 } }
    expect((await api.ask('POST', `${NS}/${path}`, { body: bad })).json).toMatchObject({ code: 'RZ_RULE_OPERATOR' })
  })

  it.each([
    ['?context=none', 404, 'RZ_CONTEXT_UNKNOWN'],
    ['?asOf=then', 400, 'RZ_AS_OF_INVALID'],
    ['?id=', 400, 'RZ_HTTP_INPUT'],
    ['?limit=0', 400, 'RZ_HTTP_INPUT'],
    ['?prefixes=a', 400, 'RZ_HTTP_INPUT'],
  ])('refuse %s before they begin, as lines too', async (query, status, code) => {
    for (const more of [{}, lines]) {
      expect(await api.ask('GET', `${NS}/${path}${query}`, more)).toMatchObject({ status, json: { code } })
    }
  })
})

it('a reader that takes its time holds the walk, and one that leaves ends it', async () => {
  const users = api.node.namespace('users')
  const text = 'x'.repeat(10_000)
  await Promise.all(Array.from({ length: 300 }, (_, n) => users.put('big', String(n), { text })))
  const response = await open({ port: api.port }, 'GET', `${NS}/lossless?prefix=big/`, lines)
  const read = linesOf(response)
  expect(await take(read, 2)).toHaveLength(2)
  response.destroy()
  // The walk is over when the server lets go of it: then the place among the followers is free again.
  expect(idsIn(await api.ask('GET', `${NS}/lossless?prefix=big/`, lines))).toHaveLength(300)
  await users.delete('big', '0')
})

describe('every read', () => {
  it('takes a moment', async () => {
    const asOf = `?asOf=${frontier}`
    expect((await get(`/collections${asOf}`)).json).toEqual(['user'])
    expect((await get(`/collections/user/ids${asOf}`)).json).toEqual({ ids: ['a', 'b', 'c'] })
    expect((await get('/collections/user/ids')).json).toEqual({ ids: ['a', 'c'] })
    expect((await get(`/deltas${asOf}`)).json).toHaveLength(3)
    expect((await get(`/deltas/count${asOf}`)).json).toBe(3)
    expect(parsedLines((await api.ask('GET', `${NS}/deltas${asOf}`, lines)).text)).toHaveLength(3)
    expect((await get(`/contexts/nobody${asOf}`)).json).toMatchObject({ code: 'RZ_HTTP_NOT_FOUND' })
    const [, , , late] = (await get('/deltas')).json as { id: string }[]
    expect(await get(`/deltas/${late?.id}`)).toMatchObject({ status: 200 })
    expect(await get(`/deltas/${late?.id}${asOf}`)).toMatchObject({ status: 404 })
    for (const path of ['/collections', '/collections/user/ids', '/deltas', '/deltas/count', `/deltas/${late?.id}`]) {
      expect((await get(`${path}?asOf=then`)).json).toMatchObject({ code: 'RZ_AS_OF_INVALID' })
    }
  })

  it('takes a context, of which the empty one is none', async () => {
    expect((await get('/collections?context=nobody')).json).toEqual(['context'])
    expect((await get('/collections/user/ids?context=nobody')).json).toEqual({ ids: [] })
    expect((await get('/collections/user/ids?context=')).json).toEqual({ ids: ['a', 'c'] })
    expect((await get('/deltas?context=nobody')).json).toEqual([])
    expect((await get('/deltas/count?context=nobody')).json).toBe(0)
    for (const path of [
      '/collections',
      '/collections/user/ids',
      '/deltas',
      '/deltas/count',
      '/lossless',
      '/entities',
    ]) {
      for (const more of [{}, lines]) {
        const answer = await api.ask('GET', `${NS}${path}?context=none`, more)
        expect(answer).toMatchObject({ status: 404, json: { code: 'RZ_CONTEXT_UNKNOWN' } })
      }
    }
  })
})
