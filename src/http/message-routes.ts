/** The route that sends what is not data: never stored, best-effort, to whoever is there. */

import { fromJson, type Json } from '../delta/json.ts'
import { checkDepth } from '../node/record-json.ts'
import type { Application, Scope } from './context.ts'
import { BROADCAST, MESSAGE } from './schemas/members.ts'
import { NO_QUERY, PATH } from './schemas/parts.ts'

const ACCEPTED = 202

export function addMessageRoutes(app: Application, { prefix, namespaceOf }: Scope): void {
  const schema = {
    operationId: 'broadcast',
    tag: 'node',
    summary: 'Sends a message that is not data to whoever is there; nothing is stored',
    params: PATH,
    querystring: NO_QUERY,
    body: MESSAGE,
    response: { 202: BROADCAST },
  } as const
  app.post(`${prefix}/messages`, { schema }, async (request, reply) => {
    const { message, to } = request.body
    checkDepth(message)
    const options = to === undefined ? {} : { to }
    const sent = await namespaceOf(request.params).broadcast(fromJson(message as Json), options)
    return reply.code(ACCEPTED).send(sent)
  })
}
