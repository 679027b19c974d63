/** Opening and closing: ports, hosts, the control socket and its path, read-only nodes. */
import { createServer as createHttpServer } from 'node:http'
import { createServer, type AddressInfo, type Server } from 'node:net'
import { mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'

import { findControlSocket } from '../../src/http/control-socket.ts'
import { openHttp } from '../../src/http/server.ts'
import { openNode, type RhizomeNode } from '../../src/node/node.ts'
import { ask, openApi } from './api.ts'

/** Somebody else's server, gone after the test. */
async function occupy(
  where: { port: number; host: string } | { path: string },
  server: Server = createServer(),
): Promise<Server> {
  await new Promise<void>((resolve) => server.listen(where, resolve))
  onTestFinished(() => new Promise<void>((resolve) => server.close(() => resolve())))
  return server
}

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'rhizome-server-'))
  onTestFinished(() => rm(path, { recursive: true, force: true }))
  return path
}

const portOf = (server: Server) => (server.address() as AddressInfo).port

describe('a port', () => {
  it('that is taken and was asked for is an error that names it and says what to do', async () => {
    const port = portOf(await occupy({ port: 0, host: '127.0.0.1' }))
    const error: unknown = await openApi({ port }).catch((cause: unknown) => cause)
    expect(error).toMatchObject({ code: 'RZ_HTTP_PORT_TAKEN' })
    expect((error as Error).message).toContain(String(port))
    expect((error as Error).message).toContain('--http-port')
    const isKnown = process.platform === 'linux'
    expect((error as Error).message).toContain(isKnown ? `process ${process.pid} (node` : 'another process')
  })

  it('that is taken gives the next one where fallback is allowed', async () => {
    const port = portOf(await occupy({ port: 0, host: '127.0.0.1' }))
    await using api = await openApi({ port, portFallbackCount: 20 })
    expect(api.port).toBeGreaterThan(port)
    expect(api.port).toBeLessThanOrEqual(port + 20)
  })

  it('is 3000 by default, or one of the next', async () => {
    await using opening = new AsyncDisposableStack()
    const node = opening.use(await openNode({ topics: ['users'], memory: true, network: false }))
    const first = opening.use(await openHttp(node))
    const second = opening.use(await openHttp(node))
    for (const { port, urls } of [first, second]) {
      expect(port).toBeGreaterThanOrEqual(3_000)
      expect(urls).toEqual([`http://127.0.0.1:${port}`])
    }
    expect(second.port).not.toBe(first.port)
  })

  it('is not opened at all when it is false, and the control socket serves', async () => {
    await using api = await openApi({ port: false })
    expect(api.face).toMatchObject({ urls: [], port: undefined })
    expect(await ask({ socketPath: api.socketPath }, 'GET', '/api/status')).toMatchObject({
      status: 200,
      json: { urls: [] },
    })
  })
})

describe('a host', () => {
  it('that is not this machine’s is an error with a code', async () => {
    await expect(openApi({ host: '203.0.113.7', token: () => false })).rejects.toMatchObject({
      code: 'RZ_HTTP_LISTEN_FAILED',
    })
  })

  it('of IPv6 loopback is reached by its brackets', async () => {
    await using api = await openApi({ host: '::1' })
    expect(api.face.urls).toEqual([`http://[::1]:${api.port}`])
    expect(await ask({ port: api.port, host: '::1' }, 'GET', '/health')).toMatchObject({ status: 200 })
  })
})

describe('a probe', () => {
  it('is told that the node is ready while its store can be read, and no longer once it cannot', async () => {
    await using api = await openApi()
    expect(await api.ask('GET', '/health/ready')).toMatchObject({ status: 200, json: { status: 'ready' } })
    await api.node.close()
    expect(await api.ask('GET', '/health/ready')).toMatchObject({
      status: 503,
      json: { code: 'RZ_HTTP_NOT_READY', detail: 'the store cannot be read now' },
    })
    // Why is told to the operator alone, and the process answers all the same.
    expect(api.errors).toMatchObject([{ code: 'RZ_STORE_CLOSED' }])
    expect(await api.ask('GET', '/health')).toMatchObject({ status: 200, json: { status: 'ok' } })
  })
})

describe('the control socket', () => {
  it('is closed to other users', async () => {
    await using api = await openApi()
    expect((await stat(api.socketPath)).mode & 0o777).toBe(0o600)
  })

  it('takes the place of one that a dead process left', async () => {
    const path = join(await folder(), 'node.sock')
    // A file that nobody listens at, as a killed process leaves: binding it is refused all the same.
    await writeFile(path, '')
    await using api = await openApi({ socketPath: path })
    expect(await ask({ socketPath: path }, 'GET', '/health')).toMatchObject({ status: 200 })
    expect(api.face.socketPath).toBe(path)
  })

  it('of a living process is not taken', async () => {
    const path = join(await folder(), 'node.sock')
    await occupy(
      { path },
      createHttpServer((_request, response) => response.end('other')),
    )
    await expect(openApi({ socketPath: path })).rejects.toMatchObject({ code: 'RZ_HTTP_SOCKET_TAKEN' })
    expect(await ask({ socketPath: path }, 'GET', '/')).toMatchObject({ text: 'other' })
  })

  it('that cannot be made is an error with a code, and the port is free again', async () => {
    const port = await (async () => {
      await using api = await openApi()
      return api.port
    })()
    const path = join(await folder(), 'missing', 'node.sock')
    await expect(openApi({ port, socketPath: path })).rejects.toMatchObject({ code: 'RZ_HTTP_LISTEN_FAILED' })
    await using again = await openApi({ port })
    expect(again.port).toBe(port)
  })

  describe('of a directory', () => {
    let root: string
    const nodes: RhizomeNode[] = []
    const nodeIn = async (directory: string) => {
      await mkdir(directory, { recursive: true })
      const node = await openNode({ topics: ['users'], data: directory, network: false })
      nodes.push(node)
      return node
    }
    beforeAll(async () => {
      root = await mkdtemp(join(tmpdir(), 'rhizome-control-'))
    })
    afterAll(async () => {
      for (const node of nodes) await node.close()
      await rm(root, { recursive: true, force: true })
    })

    it('lies in it, and is gone after closing', async () => {
      const directory = join(root, 'short')
      const node = await nodeIn(directory)
      const face = await openHttp(node, { port: false })
      expect(face.socketPath).toBe(join(directory, 'node.sock'))
      const socketPath = await findControlSocket(directory)
      expect(await ask({ socketPath }, 'GET', '/api/status')).toMatchObject({ status: 200, json: { directory } })
      await face.close()
      await expect(stat(socketPath)).rejects.toMatchObject({ code: 'ENOENT' })
    })

    it('whose path is too long for one lies elsewhere, where it is found, in a folder closed to others', async () => {
      const directory = join(root, 'long'.repeat(40))
      const node = await nodeIn(directory)
      const face = await openHttp(node, { port: false })
      const socketPath = await findControlSocket(directory)
      expect(socketPath).toBe(face.socketPath)
      expect(socketPath.length).toBeLessThan(104)
      expect((await stat(dirname(socketPath))).mode & 0o777).toBe(0o700)
      expect(await ask({ socketPath }, 'GET', '/api/status')).toMatchObject({ status: 200, json: { directory } })
      await face.close()
      await expect(stat(dirname(socketPath))).rejects.toMatchObject({ code: 'ENOENT' })
      expect(await findControlSocket(directory)).toBe(join(directory, 'node.sock'))
    })
  })
})

describe('a keeper', () => {
  it('refuses every write, an import as a whole, and answers reads', async () => {
    await using opening = new AsyncDisposableStack()
    const node = opening.use(await openNode({ topics: ['users'], memory: true, network: false, keep: true }))
    const { port = 0 } = opening.use(await openHttp(node, { port: 0 }))
    const headers = { 'content-type': 'application/x-ndjson' }
    const body = { properties: { a: 1 } }
    // Far more than is read before the refusal: the answer must reach its sender all the same.
    const lines = `${JSON.stringify(body)}\n`.repeat(500_000)
    const refused = { status: 403, json: { code: 'RZ_NODE_KEEPER' } }
    expect(await ask({ port }, 'PUT', '/api/user/x', { body })).toMatchObject(refused)
    expect(
      await ask({ port }, 'POST', '/api/deltas', { body: { pointers: [{ localContext: 'a', target: 1 }] } }),
    ).toMatchObject(refused)
    expect(await ask({ port }, 'POST', '/api/ns/users/collections/c/import', { headers, body: lines })).toMatchObject({
      status: 403,
      json: { code: 'RZ_NODE_KEEPER', imported: { records: 0, failedCount: 0 } },
    })
    expect(await ask({ port }, 'GET', '/api/status')).toMatchObject({ status: 200 })
  })
})

describe('a node that was closed under its API', () => {
  it('fails writes with its code, tells the operator, and how far an import had come', async () => {
    await using api = await openApi()
    await api.ask('PUT', '/api/user/x', { body: { properties: { a: 1 } } })
    await api.node.close()
    const failed = { status: 503, json: { code: 'RZ_STORE_CLOSED' } }
    expect(await api.ask('PUT', '/api/user/x', { body: { properties: { a: 1 } } })).toMatchObject(failed)
    const headers = { 'content-type': 'application/x-ndjson' }
    const path = '/api/ns/users/collections/c/import'
    expect(await api.ask('POST', path, { headers, body: '{"properties":{"a":1}}' })).toMatchObject({
      status: 503,
      json: { code: 'RZ_STORE_CLOSED', imported: { records: 0, failedCount: 0, failed: [] } },
    })
    expect(api.errors).toMatchObject([{ code: 'RZ_STORE_CLOSED' }, { code: 'RZ_STORE_CLOSED' }])
  })
})
