/**
 * The fastify application: every route, and what holds for all of them: who may ask, how failures are told, which headers
 * answers bear. It listens nowhere; server.ts hands it the requests of TCP and of the control socket.
 */

import type { FastifyReply, FastifyRequest, HTTPMethods, RawServerDefault, RouteOptions } from 'fastify'
import type { IncomingMessage } from 'node:http'
import { RhizomeError } from '../errors.ts'
import { type AccessPolicy, judge } from './access.ts'
import { sendProblem } from './answer.ts'
import { type Application, type Context, firstNamespace, type Scope } from './context.ts'
import { parseBody } from './body.ts'
import { addDefinitionRoutes } from './definition-routes.ts'
import { addDeltaRoutes } from './delta-routes.ts'
import { addDocsRoutes } from './docs-routes.ts'
import { addEntityRoutes } from './entity-routes.ts'
import { addImportRoute } from './import-route.ts'
import { addFunctionRoutes } from './function-routes.ts'
import { addManyRoutes } from './many-routes.ts'
import { addMemberRoutes, addPeerRoutes } from './member-routes.ts'
import { addMessageRoutes } from './message-routes.ts'
import { addNamespaceRoutes, addNodeRoutes } from './node-routes.ts'
import { BODY_BYTES_MAX, PATH_PART_CHARS_MAX } from './options.ts'
import { NAMESPACE_PREFIX, RESERVED, RESERVED_ID, reserved, TOKENLESS } from './paths.ts'
import { ROUTES } from './schemas/node.ts'
import { NO_QUERY } from './schemas/parts.ts'
import { ApiDocument } from './openapi.ts'
import { describe } from './problem.ts'
import { addQueryRoutes } from './query-routes.ts'
import { addProofRoutes } from './proof-routes.ts'
import { addRecordRoutes } from './record-routes.ts'
import type { TokenCheck } from '../node/token.ts'
import { addViewRoutes } from './view-routes.ts'
import { addViolationRoutes } from './violation-routes.ts'
import { Validation } from './validation.ts'

export interface ApplicationOptions extends Context {
  readonly access: AccessPolicy
  readonly token: TokenCheck | undefined
  /** True for what came by the control socket, whose file mode has judged already. */
  readonly isControl: (request: IncomingMessage) => boolean
  readonly closing: AbortSignal
}

export async function makeApplication(options: ApplicationOptions): Promise<Application> {
  // Imported when a server is opened, not when the command starts: half of what fastify costs is reading it.
  const { fastify } = await import('fastify')
  const validation = new Validation()
  const app: Application = fastify<RawServerDefault>({
    bodyLimit: BODY_BYTES_MAX,
    routerOptions: { maxParamLength: PATH_PART_CHARS_MAX },
    schemaController: validation.controller,
    frameworkErrors: (error, request, reply) => fail(options, error, request, reply),
  })
  app.removeContentTypeParser(['text/plain', 'application/json'])
  app.addContentTypeParser<string>('application/json', { parseAs: 'string' }, async (_: FastifyRequest, text: string) =>
    parseBody(text),
  )
  app.addHook('onRequest', (request, reply) => admit(options, request, reply))
  app.addHook('preValidation', () => validation.load())
  app.addHook('onSend', async (_request, reply) => {
    reply.header('cache-control', 'no-store').header('x-content-type-options', 'nosniff')
    if (options.closing.aborted) reply.header('connection', 'close')
  })
  app.setErrorHandler((error, request, reply) => fail(options, error, request, reply))
  app.setNotFoundHandler((request) => {
    throw new RhizomeError('RZ_HTTP_ROUTE_UNKNOWN', `there is nothing at ${pathOf(request)}: GET /api lists the routes`)
  })
  const paths = new Map<string, Set<string>>()
  const document = new ApiDocument()
  let isWhole = false
  app.addHook('onRoute', (route) => {
    if (isWhole) return
    note(paths, route)
    document.add(route)
  })
  addDocsRoutes(app, document, options.node.version)
  await addRoutes(app, options)
  addIndex(app, paths)
  isWhole = true
  for (const [url, methods] of paths) addRefusal(app, url, methods, options)
  await app.ready()
  return app
}

async function addRoutes(app: Application, context: Context): Promise<void> {
  const { node } = context
  const first = () => firstNamespace(node)
  const canonical: Scope = { prefix: NAMESPACE_PREFIX, namespaceOf: ({ ns = '' }) => node.namespace(ns) }
  addNodeRoutes(app, context)
  addPeerRoutes(app, context)
  addNamespaceRoutes(app, context, canonical)
  addMemberRoutes(app, canonical)
  addMessageRoutes(app, canonical)
  for (const scope of [canonical, { prefix: '/api', namespaceOf: first }]) {
    addDeltaRoutes(app, context, scope)
    addDefinitionRoutes(app, scope)
    addQueryRoutes(app, context, scope)
    addFunctionRoutes(app, context, scope)
  }
  addViewRoutes(app, context, canonical)
  addEntityRoutes(app, context, canonical)
  addViolationRoutes(app, context, canonical)
  addManyRoutes(app, context, canonical)
  addProofRoutes(app, context, canonical, first)
  await addImportRoute(app, context, canonical)
  const collection = `${NAMESPACE_PREFIX}/collections/:collection`
  addRecordRoutes(app, {
    ids: `${collection}/ids`,
    collection: `${collection}/entities`,
    record: `${collection}/entities/:id`,
    locate: ({ ns = '', collection: name = '', id = '' }) => ({
      everywhere: node.everywhere(ns),
      collection: name,
      id,
    }),
  })
  addRecordRoutes(app, {
    ids: '/api/:collection/ids',
    collection: '/api/:collection',
    record: '/api/:collection/:id',
    locate: ({ collection: name = '', id }) => {
      if (RESERVED.has(name)) throw reserved(first().name, name, id)
      return { everywhere: node.everywhere(first().name), collection: name, id: id ?? '' }
    },
  })
}

/** Host, Origin and token, in this order; then what a browser must hear before it lets a page read the answer. */
async function admit(options: ApplicationOptions, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  if (options.isControl(request.raw)) return
  const { headers, method } = request
  // A whole URL as target would name a second host (RFC 9112, 3.2.2); only proxies are sent such.
  if (!request.url.startsWith('/')) throw new RhizomeError('RZ_HTTP_INPUT', 'this node is no proxy: ask for a path')
  const verdict = judge(
    {
      method,
      host: headers.host,
      origin: headers.origin,
      fetchSite: textOf(headers['sec-fetch-site']),
      fetchMode: textOf(headers['sec-fetch-mode']),
      localAddress: request.socket.localAddress,
    },
    options.access,
  )
  if (verdict.kind === 'refuse') throw new RhizomeError(verdict.code, verdict.why)
  if (options.access.allowOrigins.length > 0) reply.header('vary', 'origin')
  if (verdict.corsOrigin !== undefined) {
    reply
      .header('access-control-allow-origin', verdict.corsOrigin)
      .header('access-control-expose-headers', 'link, location, rhizome-frontier, rhizome-answered-by, rhizome-unheld')
  }
  if (options.token === undefined || method === 'OPTIONS' || TOKENLESS.has(pathOf(request))) return
  const bearer = /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1]
  if (bearer !== undefined && (await passes(options.token, bearer))) return
  reply.header('www-authenticate', 'Bearer')
  const what = bearer === undefined ? 'this node wants a token' : 'this is not the token'
  throw new RhizomeError(
    'RZ_HTTP_TOKEN',
    `${what}: send "Authorization: Bearer <token>"; where none was given, rhizome-node token makes a new one`,
  )
}

/** What is wrong with the token's file is for the operator: who asks has shown nothing yet. */
async function passes(token: TokenCheck, bearer: string): Promise<boolean> {
  try {
    return await token(bearer)
  } catch (cause) {
    throw new Error('the token could not be checked', { cause })
  }
}

function fail({ onError }: ApplicationOptions, error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const { problem, isOurs } = describe(error)
  // Somebody who hung up is no failure, and hears no answer.
  if (isOurs && !reply.raw.destroyed) onError(error)
  const came = request.headers['content-type'] ?? 'nothing in particular'
  const more = problem.code === 'RZ_HTTP_MEDIA_TYPE' ? `; this one came as ${came}: ${SAY_JSON}` : ''
  sendProblem(reply, { ...problem, detail: problem.detail + more })
}

const SAY_JSON = "send it with -H 'content-type: application/json'"

/** What there is, for one who comes without a path. */
function addIndex(app: Application, paths: ReadonlyMap<string, ReadonlySet<string>>): void {
  const routes = [...paths].map(([path, methods]) => ({ path, methods: [...methods].sort() }))
  const schema = {
    operationId: 'listRoutes',
    tag: 'node',
    summary: 'The routes',
    querystring: NO_QUERY,
    response: { 200: ROUTES },
  } as const
  app.get('/api', { schema }, () => ({ routes }))
}

function note(paths: Map<string, Set<string>>, { url, method }: RouteOptions): void {
  const methods = paths.get(url) ?? new Set()
  for (const one of [method].flat()) methods.add(one.toUpperCase())
  paths.set(url, methods)
}

const METHODS: readonly HTTPMethods[] = ['GET', 'HEAD', 'PUT', 'POST', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE']

/** Answers the methods that a path does not have, and tells those that it has. */
function addRefusal(app: Application, url: string, has: ReadonlySet<string>, { node }: Context): void {
  const allow = [...has, 'OPTIONS'].sort().join(', ')
  app.route({
    method: METHODS.filter((method) => !has.has(method)),
    url,
    handler: async (request, reply) => {
      reply.header('allow', allow)
      if (request.method === 'OPTIONS') return answerOptions(request, reply, allow)
      const clash = shorthandClash(request)
      if (clash !== undefined) throw reserved(firstNamespace(node).name, clash.collection, clash.id)
      const path = pathOf(request)
      if (url === '/api/:collection' && RESERVED.has(lastOf(path))) throw nothingYet(path)
      const list = url === '/api/:collection' ? `; ${path}/ids lists the ids of its records` : ''
      throw new RhizomeError('RZ_HTTP_METHOD', `${request.method} is not for ${path}, which takes ${allow}${list}`)
    },
  })
}

function nothingYet(path: string): RhizomeError {
  return new RhizomeError(
    'RZ_HTTP_ROUTE_UNKNOWN',
    `there is nothing at ${path}: the name is no collection's (GET /api)`,
  )
}

function lastOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

function answerOptions(request: FastifyRequest, reply: FastifyReply, allow: string): FastifyReply {
  if (reply.hasHeader('access-control-allow-origin')) {
    reply
      .header('access-control-allow-methods', allow)
      .header('access-control-allow-headers', 'authorization, content-type, last-event-id')
      .header('access-control-max-age', '600')
    if (request.headers['access-control-request-private-network'] === 'true') {
      reply.header('access-control-allow-private-network', 'true')
    }
  }
  return reply.code(204).send()
}

/** A write by shorthand that met another route of the same path: of `/api/peers`, of `/api/user/ids`. */
function shorthandClash(
  request: FastifyRequest,
): { readonly collection: string; readonly id: string | undefined } | undefined {
  if (request.method !== 'PUT' && request.method !== 'DELETE') return undefined
  const [root, collection = '', id, ...rest] = pathOf(request).slice(1).split('/').map(decodeURIComponent)
  if (root !== 'api' || rest.length > 0) return undefined
  return RESERVED.has(collection) || id === RESERVED_ID ? { collection, id } : undefined
}

function pathOf({ url }: FastifyRequest): string {
  return url.split('?', 1)[0] ?? url
}

function textOf(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' ? header : undefined
}
