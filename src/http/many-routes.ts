/**
 * Routes about several entities or all of a namespace: their lossy and their lossless views, by page or as lines that come
 * no faster than they are read. Which entities is told by prefix or by id; a list too long for a path comes as a body.
 */

import type { FastifyReply, FastifyRequest } from 'fastify'
import { fromJson, type Json } from '../delta/json.ts'
import { RhizomeError } from '../errors.ts'
import type { Everywhere } from '../node/everywhere/everywhere.ts'
import type { Namespace } from '../node/namespace.ts'
import type { ManyOptions } from '../node/view-sequence.ts'
import { checkDepth } from '../node/record-json.ts'
import { nameFrontier, sendStream } from './answer.ts'
import type { Application, Context, Scope } from './context.ts'
import { writeEntity } from './json.ts'
import { writeLossless } from './lossless-json.ts'
import { PAGE_CHARS_MAX, PAGE_COUNT_DEFAULT } from './options.ts'
import { linkNext, NDJSON, wantsLines } from './paging.ts'
import { type ReadQuery, readingOf } from './reading.ts'
import { PATH } from './schemas/parts.ts'
import { ENTITIES, ENTITY } from './schemas/records.ts'
import { LOSSLESS, LOSSLESS_LIST, MANY, MANY_QUERY, SOME_QUERY } from './schemas/views.ts'
import { gathered } from './stream.ts'

interface Item {
  readonly id: string
  readonly json: object
}

type Read = (everywhere: Everywhere, options: ManyOptions) => AsyncIterable<Item>

export function addManyRoutes(app: Application, { node, followers }: Context, { prefix, namespaceOf }: Scope): void {
  const answer = (read: Read, request: FastifyRequest, reply: FastifyReply, { namespace, query, ...which }: Asked) => {
    const { ids, ...filter } = which
    const seen = { ...readingOf(query), ...filter }
    // What is wrong with the question is told before an answer begins.
    namespace.lossless('any', seen)
    const reading = { ...seen, ...(ids !== undefined && { ids }) }
    const everywhere = node.everywhere(namespace.name)
    if (query.asOf !== undefined && !everywhere.isPlaced) nameFrontier(reply, namespace, query.asOf)
    const { limit, prefix: begin, after } = query
    const options = { ...reading, ...(begin !== undefined && { prefix: begin }), ...(after !== undefined && { after }) }
    if (request.method === 'HEAD' || !wantsLines(request)) {
      return page(read(everywhere, options), limit ?? PAGE_COUNT_DEFAULT, (last) => linkNext(request, reply, last))
    }
    const lines = gathered(linesOf(read(everywhere, options), limit ?? Infinity, followers.enter(reply.raw)))
    return sendStream(reply, `${NDJSON}; charset=utf-8`, lines)
  }

  for (const { path, name, what, read, item, list } of [
    { path: 'entities', name: 'Entities', what: 'Lossy views', read: lossy, item: ENTITY, list: ENTITIES },
    {
      path: 'lossless',
      name: 'LosslessViews',
      what: 'Lossless views',
      read: lossless,
      item: LOSSLESS,
      list: LOSSLESS_LIST,
    },
  ] as const) {
    const common = { tag: 'views', params: PATH, response: { 200: list }, streams: { [NDJSON]: item } } as const
    const listed = {
      ...common,
      operationId: `list${name}`,
      summary: `${what} of several entities or of all, by page or as lines`,
      querystring: SOME_QUERY,
    } as const
    app.get(`${prefix}/${path}`, { schema: listed }, (request, reply) => {
      const { id, ...query } = request.query
      const ids = id === undefined ? {} : { ids: [id].flat() }
      return answer(read, request, reply, { namespace: namespaceOf(request.params), query, ...ids })
    })

    const asked = {
      ...common,
      operationId: `select${name}`,
      summary: `${what} of entities whose ids would not fit a path, or of deltas that a rule selects`,
      querystring: MANY_QUERY,
      body: MANY,
    } as const
    app.post(`${prefix}/${path}`, { schema: asked }, (request, reply) => {
      const { ids, filter } = request.body
      checkDepth(filter)
      const which = { ...(ids && { ids }), ...(filter !== undefined && { filter: fromJson(filter as Json) }) }
      return answer(read, request, reply, { namespace: namespaceOf(request.params), query: request.query, ...which })
    })
  }
}

interface Asked extends Pick<ManyOptions, 'ids' | 'filter'> {
  readonly namespace: Namespace
  readonly query: ReadQuery & { readonly prefix?: string; readonly after?: string; readonly limit?: number }
}

async function* lossy(everywhere: Everywhere, options: ManyOptions): AsyncGenerator<Item> {
  for await (const view of everywhere.viewAll(options)) yield { id: view.id, json: writeEntity(view) }
}

async function* lossless(everywhere: Everywhere, options: ManyOptions): AsyncGenerator<Item> {
  for await (const view of everywhere.losslessAll(options)) yield { id: view.id, json: boundedLossless(view) }
}

/** One that is too large does not keep the others from being told. */
function boundedLossless(view: Parameters<typeof writeLossless>[0]): object {
  try {
    return writeLossless(view)
  } catch (error) {
    if (!(error instanceof RhizomeError) || error.code !== 'RZ_HTTP_ANSWER_TOO_LARGE') throw error
    return { id: view.id, error: { code: error.code, message: error.message } }
  }
}

/** At most `countMax`, and not many more than `PAGE_CHARS_MAX` characters; `onMore` if there are others. */
async function page(items: AsyncIterable<Item>, countMax: number, onMore: (last: string) => void): Promise<object[]> {
  const answer: object[] = []
  let last: string | undefined
  let chars = 0
  for await (const { id, json } of items) {
    if (last !== undefined && (answer.length >= countMax || chars >= PAGE_CHARS_MAX)) {
      onMore(last)
      break
    }
    chars += JSON.stringify(json).length
    answer.push(json)
    last = id
  }
  return answer
}

async function* linesOf(items: AsyncIterable<Item>, countMax: number, signal: AbortSignal): AsyncGenerator<string> {
  let count = 0
  for await (const { json } of items) {
    if (signal.aborted) return
    yield `${JSON.stringify(json)}\n`
    if (++count >= countMax) return
  }
}
