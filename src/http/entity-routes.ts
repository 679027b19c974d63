/** Routes about any entity by its id, record or not: its lossy and its lossless view. */

import { RhizomeError } from '../errors.ts'
import { whenAnswered } from '../node/everywhere/answered.ts'
import { nameAnswer } from './answer.ts'
import type { Application, Context, Scope } from './context.ts'
import { writeEntity } from './json.ts'
import { writeLossless } from './lossless-json.ts'
import { readingOf } from './reading.ts'
import { PATH, VIEW_QUERY } from './schemas/parts.ts'
import { ENTITY } from './schemas/records.ts'
import { LOSSLESS } from './schemas/views.ts'

export function addEntityRoutes(app: Application, { node }: Context, { prefix, namespaceOf }: Scope): void {
  const resolved = {
    operationId: 'getEntity',
    tag: 'views',
    summary: 'Any entity as its resolvers show it',
    params: PATH,
    querystring: VIEW_QUERY,
    response: { 200: ENTITY },
  } as const
  app.get(`${prefix}/entities/:entity`, { schema: resolved }, ({ params, query }, reply) => {
    const { entity: id = '' } = params
    const everywhere = node.everywhere(namespaceOf(params).name)
    return whenAnswered(everywhere.entity(id, readingOf(query)), (answered) => {
      nameAnswer(reply, everywhere, answered, query)
      if (answered.value === undefined) throw unknown(id)
      return writeEntity(answered.value)
    })
  })

  const lossless = {
    operationId: 'getLossless',
    tag: 'views',
    summary: 'Every claim about an entity and every negation, with their authors',
    params: PATH,
    querystring: VIEW_QUERY,
    response: { 200: LOSSLESS },
  } as const
  app.get(`${prefix}/entities/:entity/lossless`, { schema: lossless }, ({ params, query }, reply) => {
    const { entity: id = '' } = params
    const everywhere = node.everywhere(namespaceOf(params).name)
    return whenAnswered(everywhere.lossless(id, readingOf(query)), (answered) => {
      nameAnswer(reply, everywhere, answered, query)
      if (answered.value === undefined) throw unknown(id)
      return writeLossless(answered.value)
    })
  })
}

function unknown(id: string): RhizomeError {
  return new RhizomeError(
    'RZ_HTTP_NOT_FOUND',
    `nothing is held about the entity "${id}": that of a record is "<collection>/<id>", here "<collection>%2F<id>"`,
  )
}
