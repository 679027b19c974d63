/**
 * The text face of a node: the line protocol on TCP, many connections at once, none of which another can touch. Opens or
 * throws; closes within two seconds, whoever is still reading.
 */

import { createServer, isIPv6, type AddressInfo, type Server, type Socket } from 'node:net'
import { RhizomeError } from '../errors.ts'
import { isLoopback } from '../node/loopback.ts'
import type { RhizomeNode } from '../node/node.ts'
import { portHolder } from '../node/port-holder.ts'
import { errorLine } from './answer.ts'
import { CLOSE_GRACE_MS, DEFAULT_LIMITS, HOST_DEFAULT, type TextLimits, type TextOptions } from './options.ts'
import { Session } from './session.ts'
import { Watches } from './watches.ts'

/** An open line protocol. */
export interface TextFace extends AsyncDisposable {
  readonly port: number
  /** `host:port`, as `nc` and `telnet` are told it. */
  readonly address: string
  /** Idempotent. What is being answered has `CLOSE_GRACE_MS`. The node stays open. */
  close(): Promise<void>
}

/** Opens the line protocol of `node`. Throws RZ_TEXT_PORT_TAKEN, RZ_TEXT_LISTEN_FAILED, RZ_TEXT_TOKEN_MISSING. */
export async function openText(node: RhizomeNode, options: TextOptions): Promise<TextFace> {
  const { host = HOST_DEFAULT, port, token, onError = () => {} } = options
  if (token === undefined && !isLoopback(host)) {
    throw new RhizomeError(
      'RZ_TEXT_TOKEN_MISSING',
      `${host} is reachable beyond this machine: make a token with rhizome-node token, or listen on ${HOST_DEFAULT}`,
    )
  }
  const limits = { ...DEFAULT_LIMITS, ...options.limits }
  const sessions = new Sessions(node, limits, onError)
  // A client that has sent all it has, as `nc -N` does, still waits for answers.
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: false }, (socket) =>
    sessions.open(socket, { token }),
  )
  await listen(server, host, port)
  // Accepting may fail, as when the process has no more files: others go on.
  server.on('error', onError)
  let closed: Promise<void> | undefined
  const close = () => (closed ??= shut(server, sessions))
  const bound = (server.address() as AddressInfo).port
  return {
    port: bound,
    address: `${isIPv6(host) ? `[${host}]` : host}:${bound}`,
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** The connections of one face, or of the shell. */
export class Sessions implements AsyncDisposable {
  readonly #node: RhizomeNode
  readonly #limits: TextLimits
  readonly #onError: (error: unknown) => void
  readonly #watches: Watches
  readonly #open = new Map<Socket, Session>()
  #isClosed = false

  constructor(node: RhizomeNode, limits: TextLimits = DEFAULT_LIMITS, onError: (error: unknown) => void = () => {}) {
    this.#node = node
    this.#limits = limits
    this.#onError = onError
    this.#watches = new Watches(limits.watchesMax)
  }

  open(
    socket: Socket,
    { token, isMarked = false }: Pick<ConstructorParameters<typeof Session>[0], 'token' | 'isMarked'>,
  ): void {
    const { connectionsMax } = this.#limits
    if (this.#isClosed) return void socket.destroy()
    if (this.#open.size >= connectionsMax) {
      refuse(socket, errorLine('RZ_TEXT_BUSY', 1, `${connectionsMax} connections are open already: close one first`))
      return
    }
    const session = new Session({
      node: this.#node,
      limits: this.#limits,
      watches: this.#watches,
      onError: this.#onError,
      socket,
      token,
      isMarked,
    })
    this.#open.set(socket, session)
    socket.once('close', () => this.#open.delete(socket))
  }

  async close(): Promise<void> {
    this.#isClosed = true
    const timer = setTimeout(() => {
      for (const socket of this.#open.keys()) socket.destroy()
    }, CLOSE_GRACE_MS)
    await Promise.all([...this.#open.values()].map((session) => session.close()))
    clearTimeout(timer)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

function refuse(socket: Socket, line: string): void {
  socket.on('error', () => undefined)
  socket.setTimeout(CLOSE_GRACE_MS, () => socket.destroy())
  socket.resume()
  socket.end(`${line}\r\n`)
}

async function listen(server: Server, host: string, port: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject)
  server.listen({ host, port }, resolve)
  try {
    await promise
  } catch (cause) {
    throw await refused(host, port, cause as NodeJS.ErrnoException)
  } finally {
    server.removeListener('error', reject)
    server.removeListener('listening', resolve)
  }
}

async function refused(host: string, port: number, cause: NodeJS.ErrnoException): Promise<RhizomeError> {
  if (cause.code === 'EADDRINUSE') {
    const holder = (await portHolder(port)) ?? 'another process'
    const message = `port ${port} on ${host} is taken by ${holder}: stop it, or give another --text-port`
    return new RhizomeError('RZ_TEXT_PORT_TAKEN', message, { cause })
  }
  const message = `cannot listen on ${host} port ${port} (${cause.message}): give another --text-host or --text-port`
  return new RhizomeError('RZ_TEXT_LISTEN_FAILED', message, { cause })
}

async function shut(server: Server, sessions: Sessions): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  server.close(() => resolve())
  await sessions.close()
  await promise
}
