/**
 * The HTTP face of a node: one application, on TCP and on the control socket. Opens both or throws; closes both within two
 * seconds, whoever still listens to a stream.
 */

import { createServer, type Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { RhizomeError } from '../errors.ts'
import { isLoopback } from '../node/loopback.ts'
import type { RhizomeNode } from '../node/node.ts'
import { isOrigin } from './access.ts'
import { makeApplication } from './application.ts'
import { listenAt, makeControlPath, removeElsewhere } from './control-socket.ts'
import { Followers } from './followers.ts'
import {
  CLOSE_GRACE_MS,
  CONNECTIONS_MAX,
  HEADER_BYTES_MAX,
  HEADERS_MS,
  HOST_DEFAULT,
  type HttpOptions,
  IDLE_MS,
  LIVE_QUERIES_MAX,
  PORT_DEFAULT,
  PORT_FALLBACK_COUNT,
} from './options.ts'
import { problemOf, PROBLEM_TYPE } from './problem.ts'
import { listenOnTcp, urlsOf } from './tcp.ts'
import { handOver } from './upgrade.ts'

/** An open HTTP API. */
export interface HttpFace extends AsyncDisposable {
  /** Empty without TCP. */
  readonly urls: readonly string[]
  /** Undefined without TCP. */
  readonly port: number | undefined
  /** Undefined without a control socket. */
  readonly socketPath: string | undefined
  /** Idempotent. Ends streams; what is being answered has `CLOSE_GRACE_MS`. The node stays open. */
  close(): Promise<void>
}

/**
 * Opens the HTTP API of `node`. Throws RZ_HTTP_PORT_TAKEN, RZ_HTTP_LISTEN_FAILED, RZ_HTTP_SOCKET_TAKEN,
 * RZ_HTTP_TOKEN_MISSING, and RZ_HTTP_ORIGIN for an allowed origin that is none; then nothing stays open.
 */
export async function openHttp(node: RhizomeNode, options: HttpOptions = {}): Promise<HttpFace> {
  const { host = HOST_DEFAULT, allowHosts = [], allowOrigins = [], token } = options
  check(options, host, allowOrigins)
  const closing = new AbortController()
  const control = new WeakSet<Duplex>()
  let urls: readonly string[] = []
  const app = await makeApplication({
    node,
    followers: new Followers(closing.signal),
    liveQueries: new Followers(closing.signal, LIVE_QUERIES_MAX),
    overlay: options.overlay ?? 'open',
    urls: () => urls,
    access: { allowHosts, allowOrigins },
    token,
    isControl: (request) => control.has(request.socket),
    closing: closing.signal,
    onError: options.onError ?? (() => {}),
  })
  await using opening = new AsyncDisposableStack()
  const servers: Server[] = []
  const open = (): Server => {
    const server = makeServer((request, response) => app.routing(request, response))
    servers.push(server)
    return server
  }
  opening.defer(() => app.close())
  opening.defer(async () => {
    closing.abort()
    // Together, so that their graces do not add up.
    await Promise.all(servers.map(shut))
  })
  let port: number | undefined
  if (options.port !== false) {
    const fallbackCount = options.portFallbackCount ?? (options.port === undefined ? PORT_FALLBACK_COUNT : 0)
    port = await listenOnTcp(open(), host, options.port ?? PORT_DEFAULT, fallbackCount)
    urls = urlsOf(host, port)
  }
  const socketPath = await pathOf(node, options.socketPath)
  if (socketPath !== undefined) {
    const { directory } = node
    if (directory !== undefined && options.socketPath === undefined) {
      opening.defer(() => removeElsewhere(socketPath, directory))
    }
    const server = open()
    server.on('connection', (socket) => control.add(socket))
    handOver(server, options.upgrades ?? {})
    await listenAt(socketPath, server)
  }
  const opened = opening.move()
  const close = () => opened.disposeAsync()
  return { urls, port, socketPath, close, [Symbol.asyncDispose]: close }
}

function check({ port, token }: HttpOptions, host: string, allowOrigins: readonly string[]): void {
  const wrong = allowOrigins.find((origin) => !isOrigin(origin))
  if (wrong !== undefined) {
    throw new RhizomeError(
      'RZ_HTTP_ORIGIN',
      `"${wrong}" is no origin: write scheme and host alone, as https://example.org`,
    )
  }
  if (port !== false && token === undefined && !isLoopback(host)) {
    throw new RhizomeError(
      'RZ_HTTP_TOKEN_MISSING',
      `${host} is reachable beyond this machine: make a token with rhizome-node token, or listen on ${HOST_DEFAULT}`,
    )
  }
}

async function pathOf(node: RhizomeNode, wanted: string | false | undefined): Promise<string | undefined> {
  if (wanted === false) return undefined
  if (wanted !== undefined) return wanted
  return node.directory === undefined ? undefined : makeControlPath(node.directory)
}

function makeServer(listener: Parameters<typeof createServer>[1]): Server {
  const server = createServer(
    {
      maxHeaderSize: HEADER_BYTES_MAX,
      headersTimeout: HEADERS_MS,
      // An import may last for hours; `timeout` cuts what stands still.
      requestTimeout: 0,
    },
    listener,
  )
  server.timeout = IDLE_MS
  server.maxConnections = CONNECTIONS_MAX
  server.on('clientError', (_error, socket) => refuse(socket))
  return server
}

/** Answers what is not even HTTP. */
function refuse(socket: Duplex): void {
  if (!socket.writable) {
    socket.destroy()
    return
  }
  const problem = problemOf('RZ_HTTP_INPUT', 'this is not an HTTP request, or its headers are too long or too slow')
  const body = JSON.stringify(problem)
  socket.end(
    `HTTP/1.1 400 Bad Request\r\ncontent-type: ${PROBLEM_TYPE}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n` +
      `connection: close\r\n\r\n${body}`,
  )
}

async function shut(server: Server): Promise<void> {
  if (!server.listening) return
  const { promise, resolve } = Promise.withResolvers<void>()
  server.close(() => resolve())
  const timer = setTimeout(() => server.closeAllConnections(), CLOSE_GRACE_MS)
  await promise
  clearTimeout(timer)
}
