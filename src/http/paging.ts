/** How lists are asked for and continued: a page as JSON with a `Link` to the next (RFC 8288), or all of it as NDJSON. */

import type { FastifyReply, FastifyRequest } from 'fastify'

export const NDJSON = 'application/x-ndjson'
export const EVENT_STREAM = 'text/event-stream'

/** True when the request asks for lines instead of a page. */
export function wantsLines(request: FastifyRequest): boolean {
  return (request.headers.accept ?? '').includes(NDJSON)
}

/** True when the request asks for events instead of an answer. */
export function wantsEvents(request: FastifyRequest): boolean {
  return (request.headers.accept ?? '').includes(EVENT_STREAM)
}

/** Names the page after this one in the `Link` header, and returns its path. */
export function linkNext(request: FastifyRequest, reply: FastifyReply, after: string): string {
  const [path = '', query = ''] = request.url.split('?', 2)
  const parameters = new URLSearchParams(query)
  parameters.set('after', after)
  const next = `${path}?${parameters.toString()}`
  reply.header('link', `<${next}>; rel="next"`)
  return next
}
