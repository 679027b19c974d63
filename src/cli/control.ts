/**
 * A client of the HTTP API over a node's control socket: the one way in which commands talk to a node.
 * Failures that the node tells keep their codes.
 */

import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Json } from '../delta/json.ts'
import { RhizomeError } from '../errors.ts'
import { linesIn } from './lines.ts'

/** A failure told by the node, with its code there. */
class AnswerError extends Error {
  override readonly name = 'AnswerError'
  readonly code: string
  readonly status: number

  constructor(code: string, status: number, message: string) {
    super(message)
    this.code = code
    this.status = status
  }
}

/** What the node answered. Its shape is the HTTP API's promise: both ends are of one package. */
export interface Answer<Body> {
  readonly status: number
  readonly body: Body
}

export interface Ask {
  readonly method?: 'GET' | 'PUT' | 'POST' | 'DELETE'
  readonly query?: Readonly<Record<string, unknown>>
  readonly body?: Json
  /** NDJSON to send instead of a body, as it comes. */
  readonly lines?: Iterable<string>
  readonly signal?: AbortSignal
}

/** How long a node may take to accept a connection before it is held dead. */
const CONNECT_MS = 2_000
const ANSWER_BYTES_MAX = 64 * 1_048_576

export class Control implements AsyncDisposable {
  readonly socketPath: string
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 8 })

  constructor(socketPath: string) {
    this.socketPath = socketPath
  }

  /** The answer's JSON. Throws AnswerError with the code that the node told. */
  async ask<Body>(path: readonly string[], ask: Ask = {}): Promise<Answer<Body>> {
    const answer = await this.#send(path, ask)
    const text = await readAll(answer)
    return { status: answer.statusCode ?? 0, body: parseAnswer(text === '' ? 'null' : text) as Body }
  }

  /** The answer as it came, where it must be kept byte for byte. Throws as `ask`. */
  async text(path: readonly string[], ask: Ask = {}): Promise<string> {
    return readAll(await this.#send(path, ask))
  }

  /** The lines of an NDJSON answer as they come; empty ones, which keep the connection alive, are left out. */
  async *follow<Item>(path: readonly string[], ask: Ask = {}): AsyncIterable<Item> {
    for await (const line of this.#lines(await this.#send(path, ask, 'application/x-ndjson'), ask.signal)) {
      if (line.trim() !== '') yield parseAnswer(line) as Item
    }
  }

  /** The connection itself, for another protocol on the control socket. Throws RZ_CLI_NO_NODE, also where the node has no such one. */
  upgrade(protocol: string): Promise<Socket> {
    const { promise, resolve, reject } = Promise.withResolvers<Socket>()
    const request = httpRequest({ socketPath: this.socketPath, headers: { connection: 'upgrade', upgrade: protocol } })
    request.on('upgrade', (_response, socket: Socket, head: Buffer) => {
      if (head.length > 0) socket.unshift(head)
      resolve(socket)
    })
    request.on('response', () => {
      request.destroy()
      reject(new RhizomeError('RZ_CLI_NO_NODE', 'the node that runs here is of another version: start it again'))
    })
    request.on('error', (cause) => reject(gone(cause)))
    request.end()
    return promise
  }

  /** The data of server-sent events as they come. */
  async *events<Item>(path: readonly string[], ask: Ask = {}): AsyncIterable<Item> {
    for await (const line of this.#lines(await this.#send(path, ask, 'text/event-stream'), ask.signal)) {
      if (line.startsWith('data: ')) yield parseAnswer(line.slice('data: '.length)) as Item
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#agent.destroy()
    await Promise.resolve()
  }

  /** Ends quietly when the caller ends it, with RZ_CLI_NO_NODE when the node goes away. */
  async *#lines(answer: IncomingMessage, signal: AbortSignal | undefined): AsyncIterable<string> {
    try {
      yield* linesIn(answer)
      if (!answer.complete) throw new Error('the answer broke off')
    } catch (cause) {
      if (signal?.aborted !== true) throw gone(cause)
    } finally {
      answer.destroy()
    }
  }

  async #send(path: readonly string[], ask: Ask, accept = 'application/json'): Promise<IncomingMessage> {
    const answer = await this.#exchange(path, ask, accept)
    const status = answer.statusCode ?? 0
    if (status < 400) return answer
    throw answerError(status, await readAll(answer))
  }

  #exchange(path: readonly string[], ask: Ask, accept: string): Promise<IncomingMessage> {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
    const body = ask.body === undefined ? undefined : JSON.stringify(ask.body)
    const type = ask.lines === undefined ? 'application/json' : 'application/x-ndjson'
    const request = httpRequest({
      socketPath: this.socketPath,
      agent: this.#agent,
      method: ask.method ?? 'GET',
      path: `/${path.map(encodeURIComponent).join('/')}${queryText(ask.query)}`,
      headers: { accept, ...(body === undefined && ask.lines === undefined ? {} : { 'content-type': type }) },
      ...(ask.signal === undefined ? {} : { signal: ask.signal }),
    })
    request.on('response', resolve)
    request.on('error', (cause) => reject(ask.signal?.aborted === true ? cause : gone(cause)))
    // An answer may come, as a refusal does, before all lines are sent: then sending them fails, and the answer says why.
    if (ask.lines !== undefined)
      pipeline(Readable.from(ask.lines), request).catch((cause: unknown) => reject(gone(cause)))
    else request.end(body)
    return promise
  }
}

/** A place for a socket that nobody else finds, and that is gone with the answer. */
export async function privateSocket(): Promise<AsyncDisposable & { readonly path: string }> {
  if (process.platform === 'win32') {
    return { path: `\\\\.\\pipe\\rhizome-${randomUUID()}`, [Symbol.asyncDispose]: () => Promise.resolve() }
  }
  const folder = await mkdtemp(join(tmpdir(), 'rhizome-'))
  return {
    path: join(folder, 'node.sock'),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  }
}

/** True when a process listens on the socket. */
export function answers(socketPath: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const socket = connect(socketPath)
  socket.setTimeout(CONNECT_MS, () => socket.destroy(new Error('no answer')))
  socket.on('connect', () => {
    resolve(true)
    socket.destroy()
  })
  socket.on('error', () => resolve(false))
  return promise
}

async function readAll(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of answer) {
    bytes += (chunk as Buffer).length
    if (bytes > ANSWER_BYTES_MAX) throw new Error(`the node's answer has more than ${ANSWER_BYTES_MAX} bytes`)
    chunks.push(chunk as Buffer)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function parseAnswer(text: string): Json {
  try {
    return JSON.parse(text) as Json
  } catch (cause) {
    throw gone(cause)
  }
}

/** `problem+json` (RFC 9457) with our code in it. */
function answerError(status: number, text: string): Error {
  const problem = parseAnswer(text === '' ? '{}' : text)
  const { code, detail, title } = (problem ?? {}) as { code?: unknown; detail?: unknown; title?: unknown }
  const message = [detail, title, `the node answered ${status}`].find((part) => typeof part === 'string')
  return new AnswerError(typeof code === 'string' ? code : 'RZ_CLI_NO_NODE', status, message ?? '')
}

function queryText(query: Ask['query'] = {}): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined)
  if (given.length === 0) return ''
  const pairs = given.map(([key, value]): [string, string] => [key, String(value)])
  return `?${new URLSearchParams(pairs).toString()}`
}

function gone(cause: unknown): RhizomeError {
  return new RhizomeError('RZ_CLI_NO_NODE', 'the node went away in the middle: see whether it still runs', { cause })
}
