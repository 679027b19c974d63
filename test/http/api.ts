/** A real node with its API on an ephemeral port and on a socket, and a client that sends exactly what it is told. */
import { mkdtemp, rm } from 'node:fs/promises'
import { request as send, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import type { HttpOptions } from '../../src/http/options.ts'
import { type HttpFace, openHttp } from '../../src/http/server.ts'
import { openNode, type RhizomeNode } from '../../src/node/node.ts'

export interface Api extends AsyncDisposable {
  readonly node: RhizomeNode
  readonly face: HttpFace
  readonly port: number
  readonly socketPath: string
  /** What the API told its operator. */
  readonly errors: readonly unknown[]
  /** Asks over TCP. */
  readonly ask: (method: string, path: string, more?: More) => Promise<Answer>
}

export interface More {
  readonly headers?: Readonly<Record<string, string>>
  /** Sent as JSON, unless it is text: that is sent as it is. */
  readonly body?: unknown
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
  /** The body as JSON; undefined when it is none. */
  readonly json: unknown
}

/** The topics of the node: the first is the one of the shorthand. */
const TOPICS = ['users', 'other'] as const

export async function openApi(options: HttpOptions = {}): Promise<Api> {
  await using opening = new AsyncDisposableStack()
  const folder = await mkdtemp(join(tmpdir(), 'rhizome-http-'))
  opening.defer(() => rm(folder, { recursive: true, force: true }))
  const node = opening.use(await openNode({ topics: TOPICS, memory: true, network: false, name: 'tester' }))
  const socketPath = join(folder, 'node.sock')
  const errors: unknown[] = []
  const face = opening.use(
    await openHttp(node, { port: 0, socketPath, onError: (error) => errors.push(error), ...options }),
  )
  const port = face.port ?? 0
  const opened = opening.move()
  return {
    node,
    face,
    port,
    socketPath,
    errors,
    ask: (method, path, more) => ask({ port }, method, path, more),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

export type Target = { readonly port: number; readonly host?: string } | { readonly socketPath: string }

/** One request with `path` as it stands: no client rewrites its dots or escapes. */
export async function ask(target: Target, method: string, path: string, more: More = {}): Promise<Answer> {
  const response = await open(target, method, path, more)
  let text = ''
  for await (const chunk of response.setEncoding('utf8')) text += chunk as string
  return { status: response.statusCode ?? 0, headers: response.headers, text, json: parse(text) }
}

/** The same, but the body is left to be read. */
export function open(
  target: Target,
  method: string,
  path: string,
  { headers = {}, body }: More = {},
): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  const type = body === undefined ? {} : { 'content-type': 'application/json' }
  const where = 'port' in target ? { host: '127.0.0.1', ...target } : target
  const request = send({ ...where, method, path, headers: { ...type, ...headers }, agent: false })
  request.on('response', resolve)
  request.on('error', reject)
  request.end(body === undefined || typeof body === 'string' ? body : JSON.stringify(body))
  return promise
}

/** The lines of a stream as they come, those that are empty left out. */
export async function* linesOf(response: IncomingMessage): AsyncGenerator<string> {
  let rest = ''
  for await (const chunk of response.setEncoding('utf8')) {
    const lines = (rest + (chunk as string)).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) if (line !== '') yield line
  }
}

/** The next `count` items. */
export async function take<Item>(items: AsyncIterator<Item>, count: number): Promise<Item[]> {
  const taken: Item[] = []
  while (taken.length < count) {
    const next = await items.next()
    if (next.done === true) break
    taken.push(next.value)
  }
  return taken
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
