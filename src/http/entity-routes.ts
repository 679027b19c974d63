/** Routes about any entity by its id, record or not: the latest values, and the lossless view. */

import { RhizomeError } from '../errors.ts'
import type { Application, Scope } from './context.ts'
import { writeEntity } from './json.ts'
import { writeLossless } from './lossless-json.ts'
import { ENTITY, LOSSLESS, NO_QUERY, PATH } from './schemas.ts'

export function addEntityRoutes(app: Application, { prefix, namespaceOf }: Scope): void {
  const latest = { params: PATH, querystring: NO_QUERY, response: { 200: ENTITY } }
  app.get(`${prefix}/entities/:entity`, { schema: latest }, ({ params }) => {
    const { entity: id = '' } = params
    const entity = namespaceOf(params).entity(id)
    if (entity === undefined) throw unknown(id)
    return writeEntity(entity)
  })

  const lossless = { params: PATH, querystring: NO_QUERY, response: { 200: LOSSLESS } }
  app.get(`${prefix}/entities/:entity/lossless`, { schema: lossless }, ({ params }) => {
    const { entity: id = '' } = params
    const view = namespaceOf(params).lossless(id)
    if (view === undefined) throw unknown(id)
    return writeLossless(view)
  })
}

function unknown(id: string): RhizomeError {
  return new RhizomeError('RZ_HTTP_NOT_FOUND', `nothing is held about the entity "${id}"`)
}
