/** What a client can get wrong: each time a problem with our code, nothing written, and the node goes on. */
import { connect } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'

import { ERROR_CODES } from '../../src/errors.ts'
import { BODY_BYTES_MAX } from '../../src/http/options.ts'
import { describe as describeError, problemOf } from '../../src/http/problem.ts'
import { type Api, openApi } from './api.ts'

let api: Api
beforeAll(async () => {
  api = await openApi()
})
afterAll(() => api[Symbol.asyncDispose]())
afterEach(async () => {
  expect(api.node.namespace('users').counts().deltas).toBe(0)
  expect(api.errors).toEqual([])
  expect(await api.ask('GET', '/health')).toMatchObject({ status: 200 })
})

const deep = `${'['.repeat(1_000_000)}${']'.repeat(1_000_000)}`
const json = (value: unknown) => JSON.stringify(value)
const record = (properties: unknown) => json({ properties })
const pointers = (...some: unknown[]) => json({ pointers: some })

interface Case {
  readonly title: string
  readonly method: string
  readonly path: string
  readonly body?: string
  readonly headers?: Record<string, string>
  readonly status: number
  readonly code: string
}

const INPUT = { status: 400, code: 'RZ_HTTP_INPUT' }
const DELTA = { status: 400, code: 'RZ_DELTA_INVALID' }
const PUT = { method: 'PUT', path: '/api/user' }
const POST = { method: 'POST', path: '/api/deltas' }

const cases: readonly Case[] = [
  { title: 'JSON that breaks off', ...PUT, body: '{"properties":{', ...INPUT },
  { title: 'no JSON at all', ...PUT, body: 'name=Alice', ...INPUT },
  { title: 'an empty body', ...PUT, body: '', headers: { 'content-type': 'application/json' }, ...INPUT },
  { title: 'no body', ...PUT, ...INPUT },
  { title: 'a body that is a list', ...PUT, body: '[]', ...INPUT },
  { title: 'a body that is null', ...PUT, body: 'null', ...INPUT },
  { title: 'a record without properties', ...PUT, body: '{}', ...INPUT },
  { title: 'a record with empty properties', ...PUT, body: record({}), ...INPUT },
  { title: 'properties that are a list', ...PUT, body: record([1]), ...INPUT },
  { title: 'properties that are text', ...PUT, body: record('x'), ...INPUT },
  { title: 'an unknown member', ...PUT, body: '{"properties":{"a":1},"propertys":{}}', ...INPUT },
  { title: 'an id that is a number', ...PUT, body: '{"id":1,"properties":{"a":1}}', ...INPUT },
  { title: 'an empty id', ...PUT, body: '{"id":"","properties":{"a":1}}', ...INPUT },
  { title: 'an id that is null', ...PUT, body: '{"id":null,"properties":{"a":1}}', ...INPUT },
  { title: 'a property without a name', ...PUT, body: record({ '': 1 }), status: 400, code: 'RZ_RECORD_INVALID' },
  { title: 'half a surrogate pair', ...PUT, body: '{"properties":{"a":"\\ud800"}}', ...DELTA },
  { title: 'half a surrogate pair as a name', ...PUT, body: '{"properties":{"\\ud800":1}}', ...DELTA },
  { title: 'a number too large for any', ...PUT, body: '{"properties":{"a":1e999}}', ...DELTA },
  { title: 'bytes that are no base64', ...PUT, body: record({ a: { $bytes: '!' } }), ...DELTA },
  { title: 'bytes that are a number', ...PUT, body: record({ a: { $bytes: 1 } }), ...DELTA },
  { title: 'a reference to a number', ...PUT, body: record({ a: { $ref: 1, as: 'b' } }), ...DELTA },
  { title: 'a reference under a number', ...PUT, body: record({ a: { $ref: 'x', as: 1 } }), ...DELTA },
  { title: 'a reference to nothing', ...PUT, body: record({ a: { $ref: '', as: 'b' } }), ...DELTA },
  {
    title: 'nesting beyond what a delta holds',
    ...PUT,
    body: `{"properties":{"a":${'['.repeat(40)}${']'.repeat(40)}}}`,
    ...DELTA,
  },
  { title: 'nesting beyond what a stack holds', ...PUT, body: `{"properties":{"a":${deep}}}`, ...DELTA },
  {
    title: 'nesting beyond what a stack holds in a pointer',
    ...POST,
    body: `{"pointers":[{"localContext":"a","target":${deep}}]}`,
    ...DELTA,
  },
  { title: 'nesting beyond what a stack holds as the body', ...POST, body: deep, ...INPUT },
  {
    title: 'more properties than a block holds',
    ...PUT,
    body: record(Object.fromEntries(Array.from({ length: 5_000 }, (_, n) => [`p${n}`, n]))),
    status: 413,
    code: 'RZ_BLOCK_TOO_LARGE',
  },
  {
    title: 'a value larger than a delta',
    ...PUT,
    body: record({ a: 'x'.repeat(600_000) }),
    status: 413,
    code: 'RZ_DELTA_TOO_LARGE',
  },
  {
    title: 'a body larger than the limit',
    ...PUT,
    body: ' '.repeat(BODY_BYTES_MAX + 1),
    status: 413,
    code: 'RZ_HTTP_TOO_LARGE',
  },
  { title: 'a delta without pointers', ...POST, body: '{}', ...INPUT },
  { title: 'an empty list of pointers', ...POST, body: pointers(), ...INPUT },
  { title: 'an empty list of deltas', ...POST, body: '[]', ...INPUT },
  { title: 'a pointer without a target', ...POST, body: pointers({ localContext: 'a' }), ...INPUT },
  { title: 'a pointer without a local context', ...POST, body: pointers({ target: 'a' }), ...INPUT },
  {
    title: 'a pointer with an unknown member',
    ...POST,
    body: pointers({ localContext: 'a', target: 1, property: 'x' }),
    ...INPUT,
  },
  { title: 'an empty local context', ...POST, body: pointers({ localContext: '', target: 1 }), ...DELTA },
  {
    title: 'an empty target context',
    ...POST,
    body: pointers({ localContext: 'a', target: 'x', targetContext: '' }),
    ...DELTA,
  },
  {
    title: 'a reference pointer to a number',
    ...POST,
    body: pointers({ localContext: 'a', target: 1, targetContext: 'x' }),
    ...DELTA,
  },
  {
    title: 'a text body',
    ...PUT,
    body: 'x',
    headers: { 'content-type': 'text/plain' },
    status: 415,
    code: 'RZ_HTTP_MEDIA_TYPE',
  },
  {
    title: 'NDJSON where it is not taken',
    ...PUT,
    body: record({ a: 1 }),
    headers: { 'content-type': 'application/x-ndjson' },
    status: 415,
    code: 'RZ_HTTP_MEDIA_TYPE',
  },
  { title: 'a negative limit', method: 'GET', path: '/api/deltas?limit=-1', ...INPUT },
  { title: 'a limit of nothing', method: 'GET', path: '/api/user/ids?limit=0', ...INPUT },
  { title: 'a limit beyond the largest', method: 'GET', path: '/api/deltas?limit=10001', ...INPUT },
  { title: 'a limit that is a word', method: 'GET', path: '/api/deltas?limit=all', ...INPUT },
  { title: 'a limit that is a fraction', method: 'GET', path: '/api/deltas?limit=1.5', ...INPUT },
  { title: 'a limit given twice', method: 'GET', path: '/api/deltas?limit=1&limit=2', ...INPUT },
  { title: 'a cursor that is none', method: 'GET', path: '/api/deltas?after=x', ...INPUT },
  { title: 'a negative cursor', method: 'GET', path: '/api/deltas?after=-1', ...INPUT },
  { title: 'a cursor from elsewhere', method: 'GET', path: '/api/deltas?after=123456', ...INPUT },
  {
    title: 'a cursor from elsewhere, to follow',
    method: 'GET',
    path: '/api/deltas?after=123456&follow=true',
    ...INPUT,
  },
  { title: 'an unknown parameter', method: 'GET', path: '/api/deltas?offset=1', ...INPUT },
  { title: 'a parameter where there is none', method: 'GET', path: '/api/peers?x=1', ...INPUT },
  { title: 'a percent sign alone', method: 'GET', path: '/api/user/%', ...INPUT },
  { title: 'a percent escape that is none', method: 'GET', path: '/api/user/%zz', ...INPUT },
  { title: 'a percent escape that is no UTF-8', method: 'GET', path: '/api/user/%ff', ...INPUT },
  { title: 'an empty id in the path', method: 'GET', path: '/api/user/', ...INPUT },
  { title: 'an empty collection in the path', method: 'GET', path: '/api//x', ...INPUT },
  {
    title: 'an unknown namespace',
    method: 'GET',
    path: '/api/ns/nowhere/status',
    status: 404,
    code: 'RZ_NAMESPACE_UNKNOWN',
  },
  {
    title: 'a namespace that is no name',
    method: 'GET',
    path: '/api/ns/No%20Where/deltas',
    status: 404,
    code: 'RZ_NAMESPACE_UNKNOWN',
  },
  { title: 'an unknown path', method: 'GET', path: '/nowhere', status: 404, code: 'RZ_HTTP_ROUTE_UNKNOWN' },
  { title: 'the root', method: 'GET', path: '/', status: 404, code: 'RZ_HTTP_ROUTE_UNKNOWN' },
  { title: 'a path too deep', method: 'GET', path: '/api/user/a/b/c', status: 404, code: 'RZ_HTTP_ROUTE_UNKNOWN' },
  { title: 'a part of a path too long', method: 'GET', path: `/api/user/${'x'.repeat(5_000)}`, ...INPUT },
  {
    title: 'a shorthand that waits for a later release',
    method: 'GET',
    path: '/api/metrics/x',
    status: 400,
    code: 'RZ_HTTP_RESERVED',
  },
  { title: 'POST to a record', method: 'POST', path: '/api/user/x', body: '{}', status: 405, code: 'RZ_HTTP_METHOD' },
  { title: 'PATCH', method: 'PATCH', path: '/api/user/x', body: '{}', status: 405, code: 'RZ_HTTP_METHOD' },
  { title: 'TRACE', method: 'TRACE', path: '/api/status', status: 405, code: 'RZ_HTTP_METHOD' },
  {
    title: 'GET of an import',
    method: 'GET',
    path: '/api/ns/users/collections/c/import',
    status: 405,
    code: 'RZ_HTTP_METHOD',
  },
  {
    title: 'DELETE of all deltas',
    method: 'DELETE',
    path: '/api/ns/users/deltas',
    status: 405,
    code: 'RZ_HTTP_METHOD',
  },
  { title: 'DELETE of a collection', method: 'DELETE', path: '/api/user', status: 405, code: 'RZ_HTTP_METHOD' },
]

describe('a problem answers', () => {
  for (const { title, method, path, body, headers = {}, status, code } of cases) {
    it(title, async () => {
      const answer = await api.ask(method, path, { headers, ...(body === undefined ? {} : { body }) })
      expect(answer.json).toMatchObject({ code, status })
      expect(answer.status).toBe(status)
      expect(answer.headers['content-type']).toBe('application/problem+json; charset=utf-8')
      const { type, title: phrase, detail, ...rest } = answer.json as Record<string, string>
      expect(type).toBe(`urn:rhizome-node:error:${code}`)
      expect(phrase).not.toBe('')
      expect(detail).not.toBe('')
      expect(Object.keys(rest).sort()).toEqual(['code', 'status'])
      expect(answer.text).not.toMatch(/node_modules|\.ts:\d|\bat .*\(/)
      if (status === 405) expect(answer.headers['allow']).toContain('OPTIONS')
    })
  }
})

describe('what is not even HTTP', () => {
  const raw = (text: string): Promise<string> => {
    const { promise, resolve } = Promise.withResolvers<string>()
    const socket = connect(api.port, '127.0.0.1')
    let answer = ''
    socket.setEncoding('utf8').on('data', (chunk: string) => (answer += chunk))
    socket.on('close', () => resolve(answer))
    socket.on('error', () => undefined)
    socket.write(text)
    return promise
  }

  it('is answered with a problem', async () => {
    const answer = await raw('hello, is this the database?\r\n\r\n')
    expect(answer).toMatch(/^HTTP\/1\.1 400 /)
    expect(answer).toContain('"code":"RZ_HTTP_INPUT"')
  })

  it('nor are headers without end', async () => {
    expect(await raw(`GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(100_000)}\r\n\r\n`)).toContain(
      '"code":"RZ_HTTP_INPUT"',
    )
  })

  it('a request of HTTP/1.0 without a Host is refused', async () => {
    expect(await raw('GET /api/status HTTP/1.0\r\n\r\n')).toContain('"code":"RZ_HTTP_HOST"')
  })

  it('a request of two lengths is refused', async () => {
    const answer = await raw(
      'PUT /api/user HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}',
    )
    expect(answer).toMatch(/^HTTP\/1\.1 400 /)
  })

  it('a target that is a whole URL, whose host would count before the header, is refused', async () => {
    const answer = await raw(
      'GET http://evil.example/api/status HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
    )
    expect(answer).toMatch(/^HTTP\/1\.1 400 /)
  })
})

describe('a failure', () => {
  it('that is ours says nothing of itself to who asked', () => {
    const { problem, isOurs } = describeError(new TypeError('secret of the process'))
    expect(isOurs).toBe(true)
    expect(problem).toMatchObject({ status: 500, code: 'RZ_HTTP_FAILED' })
    expect(JSON.stringify(problem)).not.toContain('secret')
  })

  it('of any code has a status and a title', () => {
    for (const code of ERROR_CODES) {
      const problem = problemOf(code, 'why')
      expect(problem.status).toBeGreaterThanOrEqual(400)
      expect(problem.title).not.toBe('Error')
    }
  })
})

describe('a refusal says what to do:', () => {
  const asJson = { 'content-type': 'application/json' }
  const refusals: readonly [
    method: string,
    path: string,
    body: string | undefined,
    headers: Record<string, string>,
    status: number,
    detail: string,
  ][] = [
    ['GET', '/', undefined, {}, 404, 'there is nothing at /: GET /api lists the routes'],
    ['GET', '/api/ns/users', undefined, {}, 400, 'of a namespace ask /api/ns/users/status'],
    ['GET', '/api/metrics', undefined, {}, 404, 'there is nothing at /api/metrics'],
    ['GET', '/api/user', undefined, {}, 405, 'which takes OPTIONS, PUT; /api/user/ids lists the ids of its records'],
    ['PUT', '/api/user', 'x', { 'content-type': 'text/plain' }, 415, 'this one came as text/plain: send it with -H'],
    ['PUT', '/api/user', '{"properties":{"a":1,}}', asJson, 400, 'the body is not JSON: '],
    ['PUT', '/api/user', '{"properties":{"a":1,}}', asJson, 400, 'at position 21'],
    ['PUT', '/api/user', '', asJson, 400, 'the body is empty'],
    ['PUT', '/api/user', '{"properties":{}}', asJson, 400, 'body/properties is empty'],
    ['PUT', '/api/user', '{}', asJson, 400, 'the body lacks "properties"'],
    ['PUT', '/api/user', '{"properties":{"a":1},"x":1}', asJson, 400, 'the body takes no "x"'],
    ['PUT', '/api/user', '{"properties":3}', asJson, 400, 'body/properties must be of type object'],
    ['GET', '/api/deltas?limit=0', undefined, {}, 400, 'querystring/limit must be >= 1'],
  ]
  it.each(refusals)('%s %s %s', async (method, path, body, headers, status, detail) => {
    const answer = await api.ask(method, path, { headers, ...(body === undefined ? {} : { body }) })
    expect(answer).toMatchObject({ status, json: { detail: expect.stringContaining(detail) as string } })
  })

  it('and one who comes without a path is told the routes', async () => {
    const { status, json: body } = await api.ask('GET', '/api')
    expect(status).toBe(200)
    const { routes } = body as {
      readonly routes: readonly { readonly path: string; readonly methods: readonly string[] }[]
    }
    expect(routes).toContainEqual({ path: '/api/ns/:ns/status', methods: ['GET', 'HEAD'] })
    expect(routes).toContainEqual({ path: '/api/:collection/:id', methods: ['DELETE', 'GET', 'HEAD', 'PUT'] })
  })
})
