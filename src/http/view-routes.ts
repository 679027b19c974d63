/**
 * Routes about how views come to be: explanation and history of a property, differences between moments, the frontier to
 * come back to, definitions that were passed over, and views as they change.
 */

import { RhizomeError } from '../errors.ts'
import { whenAnswered } from '../node/everywhere/answered.ts'
import type { FollowedView } from '../node/everywhere/watching.ts'
import { nameAnswer, nameUnheld, sendEvents } from './answer.ts'
import type { Application, Context, Scope } from './context.ts'
import { Cursors, lastEventId } from './cursor.ts'
import { writeEntity } from './json.ts'
import { EVENT_STREAM } from './paging.ts'
import { readingOf } from './reading.ts'
import { PROBLEMS } from './schemas/definitions.ts'
import { NAMES, NO_QUERY, PATH, VIEW_QUERY } from './schemas/parts.ts'
import { ENTITY } from './schemas/records.ts'
import {
  CHANGES,
  DIFF_QUERY,
  EXPLANATION,
  FRONTIER,
  HISTORY,
  HISTORY_QUERY,
  VIEW_EVENTS_QUERY,
} from './schemas/views.ts'
import { writeChange, writeExplanation, writeHistory } from './view-json.ts'

export function addViewRoutes(app: Application, { node, followers }: Context, { prefix, namespaceOf }: Scope): void {
  const everywhereOf = (params: Parameters<Scope['namespaceOf']>[0]) => node.everywhere(namespaceOf(params).name)
  const cursors = new Cursors(node.instance)
  const record = `${prefix}/collections/:collection/entities/:id`

  const explained = {
    operationId: 'explain',
    tag: 'views',
    summary: 'Why a property has its value: candidates, losers, rule, signers',
    params: PATH,
    querystring: VIEW_QUERY,
    response: { 200: EXPLANATION },
  } as const
  app.get(`${record}/explain/:property`, { schema: explained }, ({ params, query }, reply) => {
    const everywhere = everywhereOf(params)
    const { collection = '', id = '', property = '' } = params
    return whenAnswered(everywhere.explain(collection, id, property, readingOf(query)), (answered) => {
      nameAnswer(reply, everywhere, answered, query)
      if (answered.value === undefined) {
        throw new RhizomeError(
          'RZ_HTTP_NOT_FOUND',
          `nothing is held about "${property}" of ${collection}/${id}: its GET lists the properties that it has`,
        )
      }
      return writeExplanation(answered.value)
    })
  })

  const told = {
    operationId: 'history',
    tag: 'views',
    summary: 'How a property came to have its value, oldest first',
    params: PATH,
    querystring: HISTORY_QUERY,
    response: { 200: HISTORY },
  } as const
  app.get(`${record}/history/:property`, { schema: told }, ({ params, query }, reply) => {
    const everywhere = everywhereOf(params)
    const { collection = '', id = '', property = '' } = params
    const { limit: deltasMax } = query
    const asked = { ...readingOf(query), ...(deltasMax && { deltasMax }) }
    return whenAnswered(everywhere.history(collection, id, property, asked), (answered) => {
      nameAnswer(reply, everywhere, answered, query)
      return writeHistory(answered.value)
    })
  })

  const compared = {
    operationId: 'diff',
    tag: 'views',
    summary: 'What differs between two moments of a record',
    params: PATH,
    querystring: DIFF_QUERY,
    response: { 200: CHANGES },
  } as const
  app.get(`${record}/diff`, { schema: compared }, ({ params, query }, reply) => {
    const everywhere = everywhereOf(params)
    const { collection = '', id = '' } = params
    const { from, to } = query
    const asked = { ...readingOf(query), from, ...(to !== undefined && { to }) }
    return whenAnswered(everywhere.diff(collection, id, asked), (answered) => {
      nameAnswer(reply, everywhere, answered, to === undefined ? {} : { asOf: to })
      return answered.value.map(writeChange)
    })
  })

  const collections = {
    operationId: 'listCollections',
    tag: 'records',
    summary: 'Names of the collections that have records',
    params: PATH,
    querystring: VIEW_QUERY,
    response: { 200: NAMES },
  } as const
  app.get(`${prefix}/collections`, { schema: collections }, ({ params, query }, reply) => {
    const everywhere = everywhereOf(params)
    const reading = readingOf(query)
    return whenAnswered(everywhere.collections(reading), (answered) => {
      nameAnswer(reply, everywhere, answered, reading)
      nameUnheld(reply, answered)
      return answered.value
    })
  })

  const named = {
    operationId: 'getFrontier',
    tag: 'views',
    summary: 'This moment, to be handed in as `asOf`',
    params: PATH,
    querystring: NO_QUERY,
    response: { 200: FRONTIER },
  } as const
  app.get(`${prefix}/frontier`, { schema: named }, ({ params }) => ({ frontier: namespaceOf(params).frontier() }))

  const passedOver = {
    operationId: 'listProblems',
    tag: 'definitions',
    summary: 'Definitions that were passed over, and why',
    params: PATH,
    querystring: NO_QUERY,
    response: { 200: PROBLEMS },
  } as const
  app.get(`${prefix}/problems`, { schema: passedOver }, ({ params }) => namespaceOf(params).problems())

  const followed = {
    operationId: 'followCollection',
    tag: 'views',
    summary: 'Server-sent events `view` and `gone` of a collection or of one record',
    streams: { [EVENT_STREAM]: ENTITY },
    params: PATH,
    querystring: VIEW_EVENTS_QUERY,
  } as const
  // No HEAD: it would follow for ever.
  app.get(
    `${prefix}/collections/:collection/events`,
    { schema: followed, exposeHeadRoute: false },
    async (request, reply) => {
      const namespace = namespaceOf(request.params)
      const { collection = '' } = request.params
      const { after: start, id } = request.query
      const options = { ...readingOf(request.query), ...(id !== undefined && { id }) }
      const after = lastEventId(request) ?? start
      // One of shards names what it does not know anew; one of this node's log alone is known here, or refused.
      if (after !== undefined && !after.includes('~')) cursors.open(namespace, after)
      const from = { ...options, ...(after !== undefined && { after }) }
      const everywhere = node.everywhere(namespace.name)
      // What is wrong with the request is told before the stream is counted.
      everywhere.watch(collection, from)
      const views = everywhere.watch(collection, { ...from, signal: followers.enter(reply.raw) })
      await views.begin()
      return sendEvents(reply, views, eventOf)
    },
  )
}

/** `view` with what stands, or `gone` where nothing does. */
function eventOf({ id, view, cursor }: FollowedView) {
  return view === undefined
    ? { id: cursor, name: 'gone', json: { id } }
    : { id: cursor, name: 'view', json: writeEntity(view) }
}
