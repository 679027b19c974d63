/** Who may talk to the node: Host, Origin, what browsers send unasked, tokens, and CORS for those who may. */
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { type Caller, judge } from '../../src/http/access.ts'
import { isLoopback } from '../../src/node/loopback.ts'
import { hasToken, makeToken, renewToken, tokenCheck, tokenFileCheck } from '../../src/node/token.ts'
import { type Api, ask, openApi } from './api.ts'

const policy = { allowHosts: ['db.example.org', 'proxy:8080'], allowOrigins: ['https://app.example.org'] }
const caller: Caller = {
  method: 'GET',
  host: 'localhost:3000',
  origin: undefined,
  fetchSite: undefined,
  fetchMode: undefined,
  localAddress: '192.168.1.5',
}
const verdict = (facts: Partial<Caller>) => {
  const answer = judge({ ...caller, ...facts }, policy)
  return answer.kind === 'pass' ? 'pass' : answer.code
}

describe('a Host', () => {
  const good = [
    'localhost',
    'LOCALHOST:3000',
    '127.0.0.1:80',
    '[::1]:3000',
    '192.168.1.5:3000',
    'db.example.org',
    'DB.example.org:9',
    'proxy',
  ]
  it.each(good)('"%s" is ours', (host) => expect(verdict({ host })).toBe('pass'))

  const bad = [
    'evil.example',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    '192.168.1.6',
    'localhost@evil.example',
    'evil.example#localhost',
    'evil.example/localhost',
    'localhost evil.example',
    '',
    ':3000',
    'local host',
    '[::2]',
    'localhost:99999',
  ]
  it.each(bad)('"%s" is not', (host) => expect(verdict({ host })).toBe('RZ_HTTP_HOST'))

  it('that is missing is not', () => expect(verdict({ host: undefined })).toBe('RZ_HTTP_HOST'))

  it('is ours in the IPv6 form of an IPv4 address', () => {
    expect(verdict({ host: '10.0.0.7', localAddress: '::ffff:10.0.0.7' })).toBe('pass')
    expect(verdict({ host: '[fe80::1]', localAddress: 'fe80::1%eth0' })).toBe('pass')
  })
})

describe('an Origin', () => {
  const good = ['http://localhost:3000', 'https://localhost:3000', 'https://app.example.org']
  it.each(good)('"%s" passes', (origin) => expect(verdict({ origin })).toBe('pass'))

  const bad = [
    'http://localhost:8080',
    'http://localhost',
    'null',
    'https://evil.example',
    'http://app.example.org',
    'file://',
    'x',
  ]
  it.each(bad)('"%s" is refused', (origin) => expect(verdict({ origin })).toBe('RZ_HTTP_ORIGIN'))

  it('compares default ports as equal', () => {
    expect(verdict({ host: 'localhost', origin: 'http://localhost:80' })).toBe('pass')
    expect(verdict({ host: 'db.example.org', origin: 'https://db.example.org' })).toBe('pass')
  })
})

describe('a request that a browser sends unasked', () => {
  it('for a page of another site is refused, though it bears no Origin', () => {
    expect(verdict({ fetchSite: 'cross-site', fetchMode: 'no-cors' })).toBe('RZ_HTTP_ORIGIN')
    expect(verdict({ fetchSite: 'same-site', fetchMode: 'no-cors' })).toBe('RZ_HTTP_ORIGIN')
    expect(verdict({ fetchSite: 'cross-site', fetchMode: 'navigate', method: 'POST' })).toBe('RZ_HTTP_ORIGIN')
  })

  it('because its user followed a link, or typed, passes', () => {
    expect(verdict({ fetchSite: 'cross-site', fetchMode: 'navigate' })).toBe('pass')
    expect(verdict({ fetchSite: 'none', fetchMode: 'navigate' })).toBe('pass')
    expect(verdict({ fetchSite: 'same-origin', fetchMode: 'cors' })).toBe('pass')
  })
})

describe('loopback', () => {
  it.each(['localhost', '127.0.0.1', '127.8.9.1', '::1', '[::1]'])('is %s', (host) =>
    expect(isLoopback(host)).toBe(true),
  )
  it.each(['0.0.0.0', '::', '192.168.1.5', '127.evil.example', 'example.org'])('is not %s', (host) =>
    expect(isLoopback(host)).toBe(false),
  )
})

describe('over a real socket', () => {
  let api: Api
  beforeAll(async () => {
    api = await openApi({ allowHosts: ['db.example.org'], allowOrigins: ['https://app.example.org'] })
  })
  afterAll(() => api[Symbol.asyncDispose]())
  const origin = 'https://app.example.org'
  const body = { properties: { a: 1 } }

  it('a name rebound to this address reads nothing, of no route, /health and unknown ones included', async () => {
    for (const path of ['/api/status', '/health', '/nowhere']) {
      const answer = await api.ask('GET', path, { headers: { host: 'evil.example' } })
      expect(answer).toMatchObject({ status: 403, json: { code: 'RZ_HTTP_HOST' } })
    }
  })

  it('an allowed host passes', async () => {
    expect(await api.ask('GET', '/health', { headers: { host: 'db.example.org' } })).toMatchObject({ status: 200 })
  })

  it('a page of another site neither reads nor writes', async () => {
    const headers = { origin: 'https://evil.example' }
    expect(await api.ask('GET', '/api/deltas', { headers })).toMatchObject({
      status: 403,
      json: { code: 'RZ_HTTP_ORIGIN' },
    })
    const answer = await api.ask('PUT', '/api/user/evil', { headers, body })
    expect(answer).toMatchObject({ status: 403, json: { code: 'RZ_HTTP_ORIGIN' } })
    expect(answer.headers['access-control-allow-origin']).toBeUndefined()
    expect(api.node.namespace('users').get('user', 'evil')).toBeUndefined()
  })

  it('its preflight is refused', async () => {
    const headers = { origin: 'https://evil.example', 'access-control-request-method': 'PUT' }
    expect(await api.ask('OPTIONS', '/api/user/x', { headers })).toMatchObject({ status: 403 })
  })

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x'])(
    'a form of type %s writes nothing, even where no header tells that a browser sends it',
    async (type) => {
      const raw = {
        headers: { 'content-type': type },
        body: JSON.stringify({ pointers: [{ localContext: 'a', target: 1 }] }),
      }
      expect(await api.ask('POST', '/api/deltas', raw)).toMatchObject({
        status: 415,
        json: { code: 'RZ_HTTP_MEDIA_TYPE' },
      })
      expect(await api.ask('POST', '/api/deltas', { body: '{}', headers: { 'content-type': '' } })).toMatchObject({
        status: 415,
      })
    },
  )

  it('a page of an allowed origin reads, and is told so', async () => {
    const answer = await api.ask('GET', '/api/peers/count', { headers: { origin } })
    expect(answer).toMatchObject({ status: 200, headers: { 'access-control-allow-origin': origin, vary: 'origin' } })
  })

  it('and is told in its preflight what it may do', async () => {
    const headers = { origin, 'access-control-request-method': 'PUT', 'access-control-request-private-network': 'true' }
    const answer = await api.ask('OPTIONS', '/api/user/x', { headers })
    expect(answer).toMatchObject({
      status: 204,
      headers: {
        'access-control-allow-origin': origin,
        'access-control-allow-methods': 'DELETE, GET, HEAD, OPTIONS, PUT',
        'access-control-allow-headers': 'authorization, content-type, last-event-id',
        'access-control-allow-private-network': 'true',
      },
    })
  })

  it('OPTIONS without a page tells the methods, and nothing for pages', async () => {
    const answer = await api.ask('OPTIONS', '/api/deltas')
    expect(answer).toMatchObject({ status: 204, headers: { allow: 'GET, HEAD, OPTIONS, POST' } })
    expect(answer.headers['access-control-allow-methods']).toBeUndefined()
  })

  it('the control socket asks for no Host of ours', async () => {
    const { socketPath } = api
    expect(await ask({ socketPath }, 'GET', '/api/status', { headers: { host: 'anything' } })).toMatchObject({
      status: 200,
    })
  })

  it('an origin that is none is an error at the start', async () => {
    for (const wrong of ['app.example.org', 'https://app.example.org/path', 'ftp://x', '*']) {
      await expect(openApi({ allowOrigins: [wrong] })).rejects.toMatchObject({ code: 'RZ_HTTP_ORIGIN' })
    }
  })
})

describe('a token', () => {
  const token = makeToken()

  it('is needed beyond loopback from the start', async () => {
    for (const host of ['0.0.0.0', '::', '192.168.1.5']) {
      await expect(openApi({ host })).rejects.toMatchObject({ code: 'RZ_HTTP_TOKEN_MISSING' })
    }
  })

  it('opens every route to who has it, and only those of /health to who has not', async () => {
    await using api = await openApi({ host: '0.0.0.0', token: tokenCheck(token) })
    const good = { authorization: `Bearer ${token}` }
    for (const path of ['/api/status', '/api/deltas', '/api/user/x', '/nowhere', '/api/events']) {
      for (const headers of [
        {},
        { authorization: 'Bearer wrong' },
        { authorization: token },
        { authorization: 'Bearer ' },
      ]) {
        const answer = await api.ask('GET', path, { headers })
        expect(answer).toMatchObject({
          status: 401,
          json: { code: 'RZ_HTTP_TOKEN' },
          headers: { 'www-authenticate': 'Bearer' },
        })
      }
    }
    expect(await api.ask('PUT', '/api/user/x', { body: { properties: { a: 1 } } })).toMatchObject({ status: 401 })
    expect(api.node.namespace('users').get('user', 'x')).toBeUndefined()
    expect(await api.ask('GET', '/api/status', { headers: good })).toMatchObject({ status: 200 })
    expect(await api.ask('GET', '/api/status', { headers: { authorization: `bearer  ${token}` } })).toMatchObject({
      status: 200,
    })
    expect(await api.ask('GET', '/health')).toMatchObject({ status: 200, json: { status: 'ok' } })
    expect(await api.ask('GET', '/health/ready')).toMatchObject({ status: 200, json: { status: 'ready' } })
    expect(await api.ask('GET', '/health/other')).toMatchObject({ status: 401 })
    expect(await ask({ socketPath: api.socketPath }, 'GET', '/api/status')).toMatchObject({ status: 200 })
  })

  it('beyond loopback, the address of the machine is a Host of ours', async () => {
    await using api = await openApi({ host: '0.0.0.0', token: tokenCheck(token) })
    const addresses = Object.values(networkInterfaces()).flatMap((some) => some ?? [])
    for (const { address } of addresses.filter(({ family }) => family === 'IPv4')) {
      expect(await ask({ port: api.port, host: address }, 'GET', '/health')).toMatchObject({ status: 200 })
      expect(api.face.urls).toContain(`http://${address}:${api.port}`)
    }
  })

  it('has 256 random bits', () => {
    expect(makeToken()).toMatch(/^rz_[\w-]{43}$/)
    expect(new Set(Array.from({ length: 100 }, makeToken)).size).toBe(100)
  })

  describe('of a directory', () => {
    let directory: string
    beforeAll(async () => {
      directory = await mkdtemp(join(tmpdir(), 'rhizome-token-'))
    })
    afterAll(() => rm(directory, { recursive: true, force: true }))

    it('lets nobody in before one is made', async () => {
      expect(await hasToken(directory)).toBe(false)
      expect(await tokenFileCheck(directory)('anything')).toBe(false)
    })

    it('is stored as a hash alone, in a file that others cannot read', async () => {
      const fresh = await renewToken(directory)
      const stored = await readFile(join(directory, 'http-token'), 'utf8')
      expect(stored).toMatch(/^sha256:[0-9a-f]{64}\n$/)
      expect(stored).not.toContain(fresh)
      expect((await stat(join(directory, 'http-token'))).mode & 0o777).toBe(0o600)
      expect(await hasToken(directory)).toBe(true)
    })

    it('ends at once when a new one is made', async () => {
      const check = tokenFileCheck(directory)
      const old = await renewToken(directory)
      expect(await check(old)).toBe(true)
      const fresh = await renewToken(directory)
      expect(await check(old)).toBe(false)
      expect(await check(fresh)).toBe(true)
      expect(await check(`${fresh}x`)).toBe(false)
      expect(await check('')).toBe(false)
    })

    it('that is damaged is an error with a code, and lets nobody in', async () => {
      await writeFile(join(directory, 'http-token'), 'rz_plain')
      await expect(hasToken(directory)).rejects.toMatchObject({ code: 'RZ_HTTP_TOKEN_DAMAGED' })
      await using api = await openApi({ token: tokenFileCheck(directory) })
      const answer = await api.ask('GET', '/api/status', { headers: { authorization: 'Bearer rz_plain' } })
      expect(answer).toMatchObject({ status: 500, json: { code: 'RZ_HTTP_FAILED' } })
      expect(answer.text).not.toContain(directory)
      expect(api.errors).toMatchObject([{ cause: { code: 'RZ_HTTP_TOKEN_DAMAGED' } }])
    })
  })
})
