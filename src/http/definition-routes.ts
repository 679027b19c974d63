/**
 * Routes about definitions, which are records of the types `resolver`, `context`, `schema`, `query` and `function`: writing,
 * reading and deleting one.
 */

import { RhizomeError } from '../errors.ts'
import { fromJson, type Json, toJson } from '../delta/json.ts'
import type { FunctionInput, ResolverInput, SchemaInput } from '../node/definition-input.ts'
import type { Namespace } from '../node/namespace.ts'
import type { StoredQueryInput } from '../node/queries.ts'
import type { WriteOptions } from '../node/records.ts'
import { checkDepth } from '../node/record-json.ts'
import { nameFrontier } from './answer.ts'
import type { Application, Scope } from './context.ts'
import { PAGE_COUNT_DEFAULT } from './options.ts'
import { linkNext } from './paging.ts'
import { recordPath } from './paths.ts'
import { DEFINED, DEFINITION, DEFINITIONS, LIST_QUERY, MOMENT_QUERY } from './schemas/definitions.ts'
import { PATH } from './schemas/parts.ts'
import { WRITE_QUERY, WRITTEN } from './schemas/writing.ts'

interface Kind {
  /** In the names of operations. */
  readonly name: 'Resolver' | 'Context' | 'Schema' | 'StoredQuery' | 'Function'
  readonly collection: 'resolver' | 'context' | 'schema' | 'query' | 'function'
  /** Below the scope. */
  readonly path: string
  /** Throws for what is no definition. */
  readonly write: (namespace: Namespace, id: string, definition: object, options: WriteOptions) => Promise<unknown>
}

const KINDS: readonly Kind[] = [
  {
    name: 'Resolver',
    collection: 'resolver',
    path: 'resolvers',
    write: (namespace, id, definition, options) => namespace.resolver(id, definition as ResolverInput, options),
  },
  {
    name: 'Context',
    collection: 'context',
    path: 'contexts',
    write: (namespace, id, definition, options) => namespace.context(id, definition, options),
  },
  {
    name: 'Schema',
    collection: 'schema',
    path: 'schemas',
    write: (namespace, id, definition, options) => namespace.schema(id, definition as SchemaInput, options),
  },
  {
    name: 'StoredQuery',
    collection: 'query',
    path: 'queries',
    write: (namespace, id, definition, options) => namespace.storeQuery(id, definition as StoredQueryInput, options),
  },
  {
    name: 'Function',
    collection: 'function',
    path: 'functions',
    write: (namespace, id, definition, options) => namespace.storeFunction(id, definition as FunctionInput, options),
  },
]

export function addDefinitionRoutes(app: Application, { prefix, namespaceOf }: Scope): void {
  for (const { name, collection, path, write } of KINDS) {
    const url = `${prefix}/${path}/:id`

    const written = {
      operationId: `put${name}`,
      tag: 'definitions',
      summary: `Writes the definition of a ${collection}`,
      params: PATH,
      querystring: WRITE_QUERY,
      body: DEFINITION,
      response: { 200: DEFINED, 201: DEFINED },
    } as const
    app.put(url, { schema: written }, async ({ params, query, body }, reply) => {
      const namespace = namespaceOf(params)
      const { id = '' } = params
      checkDepth(body)
      const isNew = namespace.get(collection, id, OPEN) === undefined
      await write(namespace, id, fromJson(body as { readonly [key: string]: Json }) as object, query)
      if (isNew) reply.code(201).header('location', recordPath(namespace.name, collection, id))
      return definedBy(namespace, collection, id)
    })

    const read = {
      operationId: `get${name}`,
      tag: 'definitions',
      summary: `The latest definition of a ${collection}, with what keeps it from being used`,
      params: PATH,
      querystring: MOMENT_QUERY,
      response: { 200: DEFINED },
    } as const
    app.get(url, { schema: read }, ({ params, query }, reply) => {
      const namespace = namespaceOf(params)
      const defined = definedBy(namespace, collection, params.id ?? '', query.asOf)
      nameFrontier(reply, namespace, query.asOf)
      return defined
    })

    // Below `functions` are those at work, whether they are records or not.
    if (collection !== 'function') addList(app, { url: `${prefix}/${path}`, name, collection }, namespaceOf)

    const deleted = {
      operationId: `delete${name}`,
      tag: 'definitions',
      summary: `Negates the definition of a ${collection}`,
      params: PATH,
      querystring: WRITE_QUERY,
      response: { 200: WRITTEN },
    } as const
    app.delete(url, { schema: deleted }, async ({ params, query }) => {
      const { id = '' } = params
      const { deltas, block } = await namespaceOf(params).delete(collection, id, query)
      if (deltas.length === 0) throw nothingDefined(collection, id)
      return { deltas, block }
    })
  }
}

function addList(
  app: Application,
  { url, name, collection }: Pick<Kind, 'name' | 'collection'> & { readonly url: string },
  namespaceOf: Scope['namespaceOf'],
): void {
  const listed = {
    operationId: `list${name === 'StoredQuery' ? 'StoredQueries' : `${name}s`}`,
    tag: 'definitions',
    summary: `A page of the definitions of kind ${collection}, by id`,
    params: PATH,
    querystring: LIST_QUERY,
    response: { 200: DEFINITIONS },
  } as const
  app.get(url, { schema: listed }, (request, reply) => {
    const namespace = namespaceOf(request.params)
    const { asOf, after, limit = PAGE_COUNT_DEFAULT } = request.query
    const reading = { ...OPEN, ...(asOf !== undefined && { asOf }) }
    const found = namespace.ids(collection, { ...reading, ...(after !== undefined && { after }), countMax: limit + 1 })
    const ids = found.slice(0, limit)
    const last = ids.at(-1)
    nameFrontier(reply, namespace, asOf)
    const definitions = ids.map((id) => {
      const definition = namespace.get(collection, id, reading)?.properties['definition']
      return { id, definition: definition === undefined ? null : toJson(definition) }
    })
    return found.length > limit && last !== undefined
      ? { definitions, next: linkNext(request, reply, last) }
      : { definitions }
  })
}

/** Definitions are read in no context, whatever the node's own is. */
const OPEN = { context: false } as const

/** The record's latest definition, with what keeps it from being used if something does. */
function definedBy(namespace: Namespace, collection: Kind['collection'], id: string, asOf?: string): object {
  const reading = { ...OPEN, ...(asOf !== undefined && { asOf }) }
  const definition = namespace.get(collection, id, reading)?.properties['definition']
  if (definition === undefined) throw nothingDefined(collection, id)
  const problems =
    asOf !== undefined ? [] : namespace.problems().filter(({ record }) => record === `${collection}/${id}`)
  return { id, definition: toJson(definition), ...(problems.length > 0 && { problems }) }
}

function nothingDefined(collection: string, id: string): RhizomeError {
  return new RhizomeError(
    'RZ_HTTP_NOT_FOUND',
    `there is no ${collection} "${id}": the ids of "${collection}" tell what there is`,
  )
}
