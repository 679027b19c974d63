/** Routes about deltas: reading them by page, as lines or as events, writing raw ones, negating. */

import { RhizomeError } from '../errors.ts'
import type { DeltasOptions, PlacedDelta } from '../node/delta-stream.ts'
import { whenAnswered } from '../node/everywhere/answered.ts'
import type { Everywhere } from '../node/everywhere/everywhere.ts'
import type { Namespace } from '../node/namespace.ts'
import { nameAnswerers, sendEvents, sendStream } from './answer.ts'
import type { Application, Context, Scope } from './context.ts'
import { CURSOR_START, Cursors, lastEventId } from './cursor.ts'
import { readPointer, writeDelta } from './json.ts'
import { PAGE_CHARS_MAX, PAGE_COUNT_DEFAULT } from './options.ts'
import { EVENT_STREAM, linkNext, NDJSON, wantsLines } from './paging.ts'
import { readingOf } from './reading.ts'
import { DELTA, DELTAS, DELTAS_QUERY, EVENTS_QUERY, LOG_QUERY, RAW_DELTAS } from './schemas/deltas.ts'
import { COUNT, PATH } from './schemas/parts.ts'
import { HELD_QUERY, WRITTEN } from './schemas/writing.ts'
import { gathered } from './stream.ts'
import { heldOf, writingOf } from './writing.ts'

export function addDeltaRoutes(app: Application, { node, followers }: Context, { prefix, namespaceOf }: Scope): void {
  const everywhereOf = (params: Parameters<Scope['namespaceOf']>[0]) => node.everywhere(namespaceOf(params).name)
  const cursors = new Cursors(node.instance)
  const listed = {
    operationId: 'listDeltas',
    tag: 'deltas',
    summary: 'Deltas in the order in which this node took them in',
    streams: { [NDJSON]: DELTA },
    params: PATH,
    querystring: DELTAS_QUERY,
    response: { 200: DELTAS },
  } as const
  app.get(`${prefix}/deltas`, { schema: listed }, (request, reply) => {
    const namespace = namespaceOf(request.params)
    const { after = CURSOR_START, limit, follow = false } = request.query
    const reading = readingOf(request.query)
    if (request.method === 'HEAD' || !(follow || wantsLines(request))) {
      return page(
        following(cursors, namespace, after, { ...reading, live: false }),
        cursors,
        limit ?? PAGE_COUNT_DEFAULT,
        (next) => linkNext(request, reply, next),
      )
    }
    const lines = following(cursors, namespace, after, {
      ...reading,
      live: follow,
      signal: followers.enter(reply.raw),
    })
    const json = mapped(lines, (placed) => `${JSON.stringify(placedJson(cursors, placed))}\n`)
    const text = gathered(limit === undefined ? json : atMost(json, limit), follow ? { heartbeat: '\n' } : {})
    return sendStream(reply, `${NDJSON}; charset=utf-8`, text)
  })

  const followed = {
    operationId: 'followDeltas',
    tag: 'deltas',
    summary: 'Server-sent events of type `delta`, resumed behind `Last-Event-ID`',
    streams: { [EVENT_STREAM]: DELTA },
    params: PATH,
    querystring: EVENTS_QUERY,
  } as const
  // No HEAD: it would follow for ever.
  app.get(`${prefix}/events`, { schema: followed, exposeHeadRoute: false }, (request, reply) => {
    const namespace = namespaceOf(request.params)
    const after = lastEventId(request) ?? request.query.after ?? cursors.at(namespace.position())
    const deltas = following(cursors, namespace, after, { live: true, signal: followers.enter(reply.raw) })
    return sendEvents(reply, deltas, (placed) => ({
      id: cursors.behind(placed),
      name: 'delta',
      json: placedJson(cursors, placed),
    }))
  })

  const counted = {
    operationId: 'countDeltas',
    tag: 'deltas',
    summary: 'How many deltas are held',
    params: PATH,
    querystring: LOG_QUERY,
    response: { 200: COUNT },
  } as const
  app.get(`${prefix}/deltas/count`, { schema: counted }, async ({ params, query }) => {
    const namespace = namespaceOf(params)
    if (query.context === undefined && query.asOf === undefined) return namespace.counts().deltas
    let count = 0
    for await (const _ of namespace.deltas({ ...readingOf(query), live: false })) count++
    return count
  })

  const written = {
    operationId: 'writeDeltas',
    tag: 'deltas',
    summary: 'Writes a delta, or several that are visible together',
    params: PATH,
    querystring: HELD_QUERY,
    body: RAW_DELTAS,
    response: { 201: WRITTEN },
  } as const
  app.post(`${prefix}/deltas`, { schema: written }, async (request, reply) => {
    const raw = [request.body].flat().map(({ pointers }) => pointers.map(readPointer))
    const result = await everywhereOf(request.params).transaction((transaction) => {
      for (const pointers of raw) transaction.append(pointers)
    }, writingOf(request.query))
    nameAnswerers(reply, result)
    reply.code(201)
    return { deltas: result.deltas, block: result.block, ...heldOf(result) }
  })

  const one = {
    operationId: 'getDelta',
    tag: 'deltas',
    summary: 'One delta',
    params: PATH,
    querystring: LOG_QUERY,
    response: { 200: DELTA },
  } as const
  app.get(`${prefix}/deltas/:block/:index`, { schema: one }, ({ params, query }, reply) => {
    const everywhere = everywhereOf(params)
    const id = idOf(params)
    return whenAnswered(everywhere.delta(id, readingOf(query)), (answered) => {
      nameAnswerers(reply, answered)
      if (answered.value === undefined) throw notHeld(id, everywhere)
      return writeDelta(answered.value)
    })
  })

  const negated = {
    operationId: 'negateDelta',
    tag: 'deltas',
    summary: 'Negates a delta',
    params: PATH,
    querystring: HELD_QUERY,
    response: { 200: WRITTEN },
  } as const
  app.delete(`${prefix}/deltas/:block/:index`, { schema: negated }, async ({ params, query }, reply) => {
    const everywhere = everywhereOf(params)
    const id = idOf(params)
    if ((await everywhere.delta(id)).value === undefined) throw notHeld(id, everywhere)
    const result = await everywhere.negate(id, writingOf(query))
    nameAnswerers(reply, result)
    return { deltas: result.deltas, block: result.block, ...heldOf(result) }
  })
}

function idOf({
  block = '',
  index = '',
}: {
  readonly block?: string | undefined
  readonly index?: string | undefined
}) {
  return `${block}/${index}`
}

function notHeld(id: string, { name }: Everywhere): RhizomeError {
  return new RhizomeError('RZ_HTTP_NOT_FOUND', `the delta ${id} is not held in "${name}"`)
}

/** Of these deltas at most `countMax` and not many more than `PAGE_CHARS_MAX` characters; `onMore` if there are others. */
async function page(
  deltas: AsyncIterable<PlacedDelta>,
  cursors: Cursors,
  countMax: number,
  onMore: (after: string) => void,
): Promise<object[]> {
  const items: object[] = []
  let last: PlacedDelta | undefined
  let chars = 0
  for await (const placed of deltas) {
    if (last !== undefined && (items.length >= countMax || chars >= PAGE_CHARS_MAX)) {
      onMore(cursors.behind(last))
      break
    }
    const json = placedJson(cursors, placed)
    chars += JSON.stringify(json).length
    items.push(json)
    last = placed
  }
  return items
}

/** The cursor is checked at once, so that a bad one is answered as a problem. */
function following(
  cursors: Cursors,
  namespace: Namespace,
  cursor: string,
  options: Omit<DeltasOptions, 'after'>,
): AsyncIterable<PlacedDelta> {
  const { after, isNew } = cursors.open(namespace, cursor)
  return filtered(namespace.deltas({ ...options, after }), isNew)
}

function placedJson(cursors: Cursors, placed: PlacedDelta): object {
  return { cursor: cursors.behind(placed), ...writeDelta(placed.delta) }
}

async function* filtered<Item>(items: AsyncIterable<Item>, keeps: (item: Item) => boolean): AsyncGenerator<Item> {
  for await (const item of items) if (keeps(item)) yield item
}

async function* mapped<Item>(items: AsyncIterable<Item>, write: (item: Item) => string): AsyncGenerator<string> {
  for await (const item of items) yield write(item)
}

async function* atMost<Item>(items: AsyncIterable<Item>, countMax: number): AsyncGenerator<Item> {
  let count = 0
  for await (const item of items) {
    yield item
    if (++count >= countMax) return
  }
}
