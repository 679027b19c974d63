/** Routes that answer queries: a page of rows for the JSON form of one, and how it would be run. */

import type { FastifyReply } from 'fastify'
import { RhizomeError } from '../errors.ts'
import { toJson } from '../delta/json.ts'
import type { Namespace } from '../node/namespace.ts'
import { checkDepth } from '../node/record-json.ts'
import { nameAnswer } from './answer.ts'
import { parseBody } from './body.ts'
import type { Application, Context, Scope } from './context.ts'
import { Cursors } from './cursor.ts'
import { sendLiveQuery } from './live-query.ts'
import { EVENT_STREAM, wantsEvents } from './paging.ts'
import { readingOf } from './reading.ts'
import { PATH, VIEW_QUERY } from './schemas/parts.ts'
import { LIVE_ROWS, PLAN, QUERY, QUERY_EVENTS_QUERY, ROWS, ROWS_QUERY } from './schemas/queries.ts'

type Query = Parameters<Namespace['query']>[0]

export function addQueryRoutes(app: Application, context: Context, { prefix, namespaceOf }: Scope): void {
  const cursors = new Cursors(context.node.instance)
  const asked = {
    operationId: 'query',
    tag: 'queries',
    summary: 'A page of the rows that a query asks for; as server-sent events, all of them and what changes',
    streams: { [EVENT_STREAM]: LIVE_ROWS },
    params: PATH,
    querystring: VIEW_QUERY,
    body: QUERY,
    response: { 200: ROWS },
  } as const
  app.post(`${prefix}/query`, { schema: asked }, async (request, reply) => {
    const { params, query: options, body } = request
    const namespace = namespaceOf(params)
    const everywhere = context.node.everywhere(namespace.name)
    if (wantsEvents(request)) {
      const { asOf, ...live } = readingOf(options)
      if (asOf !== undefined)
        throw new RhizomeError('RZ_HTTP_INPUT', 'a query that is followed is of now: leave out "asOf"')
      return sendLiveQuery(reply, queryIn(body), live, { everywhere, cursors, followers: context.liveQueries })
    }
    await settleIndexes(namespace)
    const answered = await everywhere.query(queryIn(body), readingOf(options))
    nameAnswer(reply, everywhere, answered, readingOf(options))
    return textOf(answered.value, reply)
  })

  const stored = {
    operationId: 'storedRows',
    tag: 'queries',
    summary: 'A page of the rows of a stored query, by its definition as of then',
    params: PATH,
    querystring: ROWS_QUERY,
    response: { 200: ROWS },
  } as const
  app.get(`${prefix}/queries/:id/rows`, { schema: stored }, async ({ params, query }, reply) => {
    const namespace = namespaceOf(params)
    const { limit, after } = query
    await settleIndexes(namespace)
    const paging = { ...(limit !== undefined && { limit }), ...(after !== undefined && { after }) }
    const everywhere = context.node.everywhere(namespace.name)
    const answered = await everywhere.rows(params.id ?? '', { ...readingOf(query), ...paging })
    nameAnswer(reply, everywhere, answered, readingOf(query))
    return textOf(answered.value, reply)
  })

  const followed = {
    operationId: 'followQuery',
    tag: 'queries',
    summary: 'Server-sent events `rows`, all that there are, then `change` whenever that alters',
    description: 'For what has no body to send, as `EventSource`. Whoever comes back begins with `rows` anew.',
    streams: { [EVENT_STREAM]: LIVE_ROWS },
    params: PATH,
    querystring: QUERY_EVENTS_QUERY,
  } as const
  // No HEAD: it would follow for ever.
  app.get(`${prefix}/query/events`, { schema: followed, exposeHeadRoute: false }, ({ params, query }, reply) => {
    const { query: text, rows = false, ...options } = query
    const live = { ...readingOf(options), rows }
    const everywhere = context.node.everywhere(namespaceOf(params).name)
    const answer = { everywhere, cursors, followers: context.liveQueries }
    return sendLiveQuery(reply, queryIn(parseBody(text)), live, answer)
  })

  const explained = {
    operationId: 'planQuery',
    tag: 'queries',
    summary: 'How a query would be run',
    params: PATH,
    querystring: VIEW_QUERY,
    body: QUERY,
    response: { 200: PLAN },
  } as const
  app.post(`${prefix}/query/plan`, { schema: explained }, async ({ params, query, body }, reply) => {
    const namespace = namespaceOf(params)
    await settleIndexes(namespace)
    reply.type('application/json; charset=utf-8')
    return JSON.stringify(context.node.everywhere(namespace.name).explainQuery(queryIn(body), readingOf(query)))
  })
}

/** A query that comes right behind an import would read whole collections; past this time it does. */
const SETTLE_MS_MAX = 15_000

function settleIndexes(namespace: Namespace): Promise<void> {
  return namespace.settleIndexes({ signal: AbortSignal.timeout(SETTLE_MS_MAX) })
}

/** Written here: rows may have columns of any name, which no schema lists. */
function textOf({ rows, next }: ReturnType<Namespace['query']>, reply: FastifyReply): string {
  reply.type('application/json; charset=utf-8')
  return JSON.stringify({ rows: rows.map(toJson), ...(next === undefined ? {} : { next }) })
}

/** What is no query is refused by its one reader, with a code of its own. */
function queryIn(body: unknown): Query {
  if (typeof body !== 'object' || body === null) throw new RhizomeError('RZ_HTTP_INPUT', 'the body is no query')
  checkDepth(body)
  return body as Query
}
