/**
 * The OpenAPI 3.1 document of this API, made of the schemas by which its routes check what comes: what a route takes is
 * written once. Gathers routes as they are added; the document is made when it is first asked for. A route that does not say
 * what it is for is in it all the same, and named by test/http/openapi.test.ts. https://spec.openapis.org/oas/v3.1.1
 */

import type { FastifySchema, RouteOptions } from 'fastify'
import { STATUS_CODES } from 'node:http'
import { EVENT_STREAM, NDJSON } from './paging.ts'
import { TOKENLESS } from './paths.ts'

declare module 'fastify' {
  /** What a route's schema says beside what is checked. */
  interface FastifySchema {
    /** Names the operation to generated clients; the shorthand of the same route gets one of its own. */
    readonly operationId?: string
    /** One line, without a full stop. */
    readonly summary?: string
    /** What else there is to know. */
    readonly description?: string
    readonly tag?: keyof typeof TAGS
    /** Media types that are answered beside JSON, or alone where there is no `response`; of streams, the schema of an item. */
    readonly streams?: { readonly [mediaType: string]: object }
    /** Media types of the body. Default: JSON. */
    readonly consumes?: readonly string[]
  }
}

const TAGS = {
  node: 'The node itself',
  views: 'Views: what the claims about entities amount to, now or at another moment, in a context or another',
  records: 'Records of collections',
  deltas: 'Deltas: the claims as they were signed',
  definitions: 'Resolvers, contexts and what else says how records are read',
  queries: 'Relations over records and deltas',
  functions: 'Functions: what is done when deltas come',
  proofs: 'Proofs for a third party',
} as const

type Json = { readonly [key: string]: unknown }
type Entry = readonly [key: string, value: unknown]

interface Route {
  readonly method: string
  readonly url: string
  readonly schema: FastifySchema
}

const PROBLEM = {
  title: 'Problem',
  type: 'object',
  required: ['type', 'title', 'status', 'detail', 'code'],
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string', description: 'What to do about it.' },
    code: { type: 'string', pattern: '^RZ_', description: 'Stable; told in src/ERRORS.md.' },
  },
} as const

const JSON_TYPE = 'application/json'
const STREAM_TYPES: ReadonlySet<string> = new Set([NDJSON, EVENT_STREAM])
const COMPONENTS = '#/components'

export class ApiDocument {
  readonly #routes: Route[] = []
  #document: Json | undefined

  /** For fastify's hook `onRoute`. HEAD goes with every GET, and is not told apart. */
  add({ method, url, schema }: RouteOptions): void {
    for (const one of [method].flat()) {
      if (one === 'HEAD') continue
      this.#routes.push({ method: one, url, schema: schema ?? {} })
    }
  }

  /** The document, as JSON. */
  json(version: string): Json {
    return (this.#document ??= documentOf(this.#routes, version))
  }
}

function documentOf(routes: readonly Route[], version: string): Json {
  const schemas = new Map<string, unknown>()
  const paths: Record<string, Record<string, unknown>> = {}
  const used = new Set<string>()
  for (const route of routes) {
    const path = templateOf(route.url)
    ;(paths[path] ??= {})[route.method.toLowerCase()] = operationOf(route, used, schemas)
  }
  const problem = {
    description: 'What went wrong and what to do (RFC 9457); `code` is one of src/ERRORS.md',
    content: { 'application/problem+json': { schema: named(PROBLEM, schemas) } },
  }
  return {
    openapi: '3.1.1',
    info: {
      title: 'rhizome-node',
      version,
      description:
        'The HTTP API of a node: a database without a server. The paths below `/api` without `ns` are a shorthand for the ' +
        'first topic. `HEAD` goes with every `GET` but those that follow for ever.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/', description: 'This node' }],
    security: [{}, { token: [] }],
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
    paths,
    components: {
      schemas: Object.fromEntries([...schemas].sort(([a], [b]) => (a < b ? -1 : 1))),
      responses: { Problem: problem },
      securitySchemes: {
        token: {
          type: 'http',
          scheme: 'bearer',
          description: 'Wanted where the node listens beyond loopback, or was given one.',
        },
      },
    },
  }
}

function operationOf({ url, schema }: Route, used: Set<string>, schemas: Map<string, unknown>): Json {
  const { operationId = '', summary, description, tag, body, consumes = [JSON_TYPE] } = schema
  const name = used.has(operationId) ? `${operationId}ByShorthand` : operationId
  used.add(name)
  const content = Object.fromEntries(consumes.map((type) => [type, { schema: named(body ?? {}, schemas) }]))
  return {
    operationId: name,
    summary,
    ...(description !== undefined && { description }),
    tags: tag === undefined ? [] : [tag],
    ...(TOKENLESS.has(url) && { security: [] }),
    parameters: [...pathParameters(url, schema.params, schemas), ...queryParameters(schema.querystring, schemas)],
    ...((body !== undefined || schema.consumes !== undefined) && { requestBody: { required: true, content } }),
    responses: { ...answersOf(schema, schemas), default: { $ref: `${COMPONENTS}/responses/Problem` } },
  }
}

function pathParameters(url: string, params: unknown, schemas: Map<string, unknown>): readonly Json[] {
  return [...url.matchAll(/:(\w+)/g)].map(([, name = '']) => {
    return { name, in: 'path', required: true, ...described(propertiesOf(params)[name], schemas) }
  })
}

function queryParameters(querystring: unknown, schemas: Map<string, unknown>): readonly Json[] {
  const required = (isObject(querystring) ? querystring['required'] : undefined) ?? []
  return Object.entries(propertiesOf(querystring)).map(([name, schema]) => ({
    name,
    in: 'query',
    ...(Array.isArray(required) && required.includes(name) && { required: true }),
    ...described(schema, schemas),
  }))
}

function described(schema: unknown, schemas: Map<string, unknown>): Json {
  const { description, ...rest } = isObject(schema) ? schema : {}
  return { ...(description !== undefined && { description }), schema: named(rest, schemas) }
}

function answersOf({ response, streams = {} }: FastifySchema, schemas: Map<string, unknown>): Json {
  const streamed = Object.entries(streams).map(([type, item]): Entry => [type, streamOf(type, named(item, schemas))])
  const statuses = Object.entries(isObject(response) ? response : streamed.length > 0 ? { 200: undefined } : {})
  return Object.fromEntries(
    statuses.map(([status, schema]) => {
      const json: readonly Entry[] = schema === undefined ? [] : [[JSON_TYPE, { schema: named(schema, schemas) }]]
      const content: Json = Object.fromEntries([...json, ...(status === '200' ? streamed : [])])
      return [status, { description: STATUS_CODES[status] ?? status, content }]
    }),
  )
}

/** OpenAPI 3.1 has no word for what a stream is made of. */
function streamOf(type: string, item: unknown): Json {
  if (!STREAM_TYPES.has(type)) return { schema: item }
  return { schema: { type: 'string', description: 'Items one after the other.' }, 'x-item-schema': item }
}

/** The schema with every part that has a title moved to the components, under that name. */
function named(schema: unknown, schemas: Map<string, unknown>): unknown {
  if (Array.isArray(schema)) return schema.map((item) => named(item, schemas))
  if (!isObject(schema)) return schema
  const { title, ...rest } = schema
  const parts = () => Object.fromEntries(Object.entries(rest).map(([key, part]) => [key, named(part, schemas)]))
  if (typeof title !== 'string') return { ...parts(), ...(title !== undefined && { title: named(title, schemas) }) }
  if (!schemas.has(title)) schemas.set(title, parts())
  return { $ref: `${COMPONENTS}/schemas/${title}` }
}

/** `/a/:b` as `/a/{b}`. */
export function templateOf(url: string): string {
  return url.replaceAll(/:(\w+)/g, '{$1}')
}

function propertiesOf(schema: unknown): Json {
  const properties = isObject(schema) ? schema['properties'] : undefined
  return isObject(properties) ? properties : {}
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
