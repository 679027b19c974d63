/** Routes that answer queries: a page of rows for the JSON form of one, and how it would be run. */

import { RhizomeError } from '../errors.ts'
import { toJson } from '../delta/json.ts'
import type { Namespace } from '../node/namespace.ts'
import { nameFrontier } from './answer.ts'
import type { Application, Scope } from './context.ts'
import { checkDepth } from './json.ts'
import { readingOf } from './reading.ts'
import { NO_QUERY, PATH, PLAN, QUERY, ROWS, VIEW_QUERY } from './schemas.ts'

type Query = Parameters<Namespace['query']>[0]

export function addQueryRoutes(app: Application, { prefix, namespaceOf }: Scope): void {
  const asked = {
    operationId: 'query',
    tag: 'queries',
    summary: 'A page of the rows that a query asks for',
    params: PATH,
    querystring: VIEW_QUERY,
    body: QUERY,
    response: { 200: ROWS },
  } as const
  app.post(`${prefix}/query`, { schema: asked }, ({ params, query: options, body }, reply) => {
    const namespace = namespaceOf(params)
    const { rows, next } = namespace.query(queryIn(body), readingOf(options))
    nameFrontier(reply, namespace, options.asOf)
    // Written here: rows may have columns of any name, which no schema lists.
    reply.type('application/json; charset=utf-8')
    return JSON.stringify({ rows: rows.map(toJson), ...(next === undefined ? {} : { next }) })
  })

  const explained = {
    operationId: 'planQuery',
    tag: 'queries',
    summary: 'How a query would be run',
    params: PATH,
    querystring: NO_QUERY,
    body: QUERY,
    response: { 200: PLAN },
  } as const
  app.post(`${prefix}/query/plan`, { schema: explained }, ({ params, body }, reply) => {
    reply.type('application/json; charset=utf-8')
    return JSON.stringify(namespaceOf(params).explainQuery(queryIn(body)))
  })
}

/** What is no query is refused by its one reader, with a code of its own. */
function queryIn(body: unknown): Query {
  if (typeof body !== 'object' || body === null) throw new RhizomeError('RZ_HTTP_INPUT', 'the body is no query')
  checkDepth(body)
  return body as Query
}
