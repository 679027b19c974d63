/**
 * Routes about records: ids of a collection, and reading, merging and deleting one. They lie twice, under the canonical
 * paths and under the shorthand of the first topic, which reserves some names for other things.
 */

import { randomUUID } from 'node:crypto'
import type { FastifyReply } from 'fastify'
import type { Value } from '../delta/delta.ts'
import { EntityReference, type PropertyInput } from '../delta/record.ts'
import { RhizomeError } from '../errors.ts'
import { type Answer, whenAnswered } from '../node/everywhere/answered.ts'
import type { Everywhere } from '../node/everywhere/everywhere.ts'
import { isAbsent } from '../node/everywhere/shard.ts'
import type { Entity } from '../node/records.ts'
import { readProperties } from '../node/record-json.ts'
import { nameAnswer, sendStream } from './answer.ts'
import type { Application } from './context.ts'
import { writeEntity } from './json.ts'
import { PAGE_COUNT_DEFAULT } from './options.ts'
import { linkNext, NDJSON, wantsLines } from './paging.ts'
import { recordPath } from './paths.ts'
import { readingOf } from './reading.ts'
import { PATH } from './schemas/parts.ts'
import { ENTITY, IDS, IDS_QUERY, PUT_ENTITY, RECORD, RECORD_QUERY } from './schemas/records.ts'
import { HELD_QUERY, WRITTEN } from './schemas/writing.ts'
import { gathered } from './stream.ts'
import { heldOf, type WriteQuery, writingOf } from './writing.ts'

/** Where the routes lie, and what a path's parts mean. */
export interface RecordScope {
  readonly ids: string
  readonly collection: string
  readonly record: string
  /** Throws RZ_HTTP_RESERVED for what means something else there. */
  readonly locate: (params: RecordPath) => Location
}

export interface RecordPath {
  readonly ns?: string | undefined
  readonly collection?: string | undefined
  readonly id?: string | undefined
}

export interface Location {
  readonly everywhere: Everywhere
  readonly collection: string
  /** Empty where the path names none. */
  readonly id: string
}

export function addRecordRoutes(app: Application, { ids, collection, record, locate }: RecordScope): void {
  const listed = {
    operationId: 'listIds',
    tag: 'records',
    summary: 'Ids of the records of a collection, by page or as lines',
    streams: { [NDJSON]: { type: 'string' } },
    params: PATH,
    querystring: IDS_QUERY,
    response: { 200: IDS },
  } as const
  app.get(ids, { schema: listed }, async (request, reply) => {
    const where = locate(request.params)
    const { after, limit } = request.query
    const reading = readingOf(request.query)
    if (wantsLines(request) && request.method !== 'HEAD') {
      // What is wrong with the question is told before an answer begins.
      nameAnswer(reply, where.everywhere, await idsAfter(where, reading, after, 1), reading)
      const lines = gathered(idLines(where, reading, after, limit ?? Infinity))
      return sendStream(reply, `${NDJSON}; charset=utf-8`, lines)
    }
    const found = await idsAfter(where, reading, after, limit ?? PAGE_COUNT_DEFAULT)
    nameAnswer(reply, where.everywhere, found, reading)
    const last = found.value.at(-1)
    const isLast = last === undefined || (await idsAfter(where, reading, last, 1)).value.length === 0
    return isLast ? { ids: found.value } : { ids: found.value, next: linkNext(request, reply, last) }
  })

  const written = {
    tag: 'records',
    params: PATH,
    querystring: HELD_QUERY,
    body: RECORD,
    response: { 200: PUT_ENTITY, 201: PUT_ENTITY },
  } as const
  const made = { ...written, operationId: 'putNewRecord', summary: 'Merges a record; an id is made when none is given' }
  app.put(collection, { schema: made }, (request, reply) => {
    const { id = randomUUID() } = request.body
    return merge({ ...locate(request.params), id }, request.body, request.query, reply)
  })
  const merged = { ...written, operationId: 'putRecord', summary: 'Merges properties into a record' }
  app.put(record, { schema: merged }, (request, reply) => {
    const where = locate(request.params)
    const { id = where.id } = request.body
    if (id !== where.id)
      throw new RhizomeError('RZ_HTTP_INPUT', `the body's id "${id}" is not the path's "${where.id}"`)
    return merge(where, request.body, request.query, reply)
  })

  const read = {
    operationId: 'getRecord',
    tag: 'records',
    summary: 'A record as its resolvers show it',
    params: PATH,
    querystring: RECORD_QUERY,
    response: { 200: ENTITY },
  } as const
  app.get(record, { schema: read }, ({ params, query }, reply) => {
    const where = locate(params)
    const reading = readingOf(query)
    const asked = { ...reading, ...(query.expand !== undefined && { expand: query.expand }) }
    return whenAnswered(where.everywhere.get(where.collection, where.id, asked), (answered) => {
      nameAnswer(reply, where.everywhere, answered, reading)
      if (answered.value === undefined) throw nothingStands(where)
      return writeEntity(answered.value)
    })
  })

  const deleted = {
    operationId: 'deleteRecord',
    tag: 'records',
    summary: 'Negates every standing claim about a record',
    params: PATH,
    querystring: HELD_QUERY,
    response: { 200: WRITTEN },
  } as const
  app.delete(record, { schema: deleted }, (request, reply) => remove(locate(request.params), request.query, reply))
}

/** What was written is answered as it was written, also by a node with a context of its own. */
const OPEN = { context: false } as const

/** Writes the properties beside those that the record has; 201 when it had none. */
async function merge(
  where: Location,
  body: { readonly properties: { readonly [property: string]: unknown } },
  query: WriteQuery,
  reply: FastifyReply,
): Promise<object> {
  const { everywhere, collection, id } = where
  const properties = readProperties(body.properties)
  const isNew = (await shownIn(where)) === null
  const written = await everywhere.put(collection, id, properties, writingOf(query))
  if (isNew) reply.code(201).header('location', recordPath(everywhere.name, collection, id))
  nameAnswer(reply, everywhere, written)
  const shown = await shownIn(where)
  return { ...writeEntity(shown ?? { id, properties: shownOf(properties) }), ...heldOf(written) }
}

/** The record as it is; null where there is none, undefined where nobody who holds it answers: it is written all the same. */
async function shownIn({ everywhere, collection, id }: Location): Promise<Entity | null | undefined> {
  try {
    return (await everywhere.get(collection, id, OPEN)).value ?? null
  } catch (error) {
    if (isAbsent(error)) return undefined
    throw error
  }
}

/** As a view shows them: a reference as the id that it points at. */
function shownOf(properties: Readonly<Record<string, PropertyInput>>): Record<string, Value> {
  return Object.fromEntries(
    Object.entries(properties).map(([name, input]) => [name, input instanceof EntityReference ? input.target : input]),
  )
}

/** Negates what stands about the record. */
async function remove(where: Location, query: WriteQuery, reply: FastifyReply): Promise<object> {
  const written = await where.everywhere.delete(where.collection, where.id, writingOf(query))
  const { deltas, block } = written
  nameAnswer(reply, where.everywhere, written)
  if (deltas.length === 0) throw nothingStands(where)
  return { deltas, block, ...heldOf(written) }
}

function nothingStands({ everywhere, collection, id }: Location): RhizomeError {
  return new RhizomeError(
    'RZ_HTTP_NOT_FOUND',
    `"${everywhere.name}" holds nothing about ${collection}/${id}: the ids of "${collection}" tell what there is`,
  )
}

function idsAfter(
  { everywhere, collection }: Location,
  reading: ReturnType<typeof readingOf>,
  after: string | undefined,
  countMax: number,
): Answer<readonly string[]> {
  return everywhere.ids(collection, { ...reading, countMax, ...(after === undefined ? {} : { after }) })
}

async function* idLines(
  where: Location,
  reading: ReturnType<typeof readingOf>,
  start: string | undefined,
  countMax: number,
): AsyncGenerator<string> {
  let after = start
  for (let left = countMax; left > 0;) {
    const { value: ids } = await idsAfter(where, reading, after, Math.min(left, PAGE_COUNT_DEFAULT))
    for (const id of ids) yield `${JSON.stringify(id)}\n`
    after = ids.at(-1)
    if (after === undefined) return
    left -= ids.length
  }
}
