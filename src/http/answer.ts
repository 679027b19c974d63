/** Answers that are not plain JSON of a route's own: problems and streams. */

import { Readable } from 'node:stream'
import type { FastifyReply } from 'fastify'
import type { AnsweredBy, PartlyAnswered } from '../node/everywhere/answered.ts'
import type { Everywhere } from '../node/everywhere/everywhere.ts'
import type { Namespace } from '../node/namespace.ts'
import type { ViewOptions } from '../node/views.ts'
import { FRONTIER_LOGS_MAX } from './options.ts'
import { EVENT_STREAM } from './paging.ts'
import { type Problem, PROBLEM_TYPE } from './problem.ts'
import { gathered } from './stream.ts'

/** Sends `problem`, with `members` beside it. */
export function sendProblem(reply: FastifyReply, problem: Problem, members: object = {}): FastifyReply {
  return reply
    .code(problem.status)
    .type(PROBLEM_TYPE)
    .send(JSON.stringify({ ...problem, ...members }))
}

/** Sends `chunks` as they come, no faster than they are read. */
export function sendStream(reply: FastifyReply, type: string, chunks: AsyncIterable<string>): FastifyReply {
  return reply.type(type).send(Readable.from(chunks, { objectMode: false }))
}

export interface ServerSentEvent {
  /** What a client comes back with as `Last-Event-ID`. */
  readonly id: string
  readonly name: string
  readonly json: object
}

/** Sends items as server-sent events, with heartbeats between them. */
export function sendEvents<Item>(
  reply: FastifyReply,
  items: AsyncIterable<Item>,
  write: (item: Item) => ServerSentEvent,
): FastifyReply {
  return sendEventTexts(reply, written(items, write))
}

/** As `sendEvents`, of events that are written already (`eventText`). */
export function sendEventTexts(reply: FastifyReply, texts: AsyncIterable<string>): FastifyReply {
  reply.header('x-accel-buffering', 'no')
  return sendStream(reply, `${EVENT_STREAM}; charset=utf-8`, gathered(texts, { heartbeat: ':\n\n' }))
}

/** A server-sent event whose data is JSON. */
export function eventText(id: string, name: string, json: string): string {
  return `id: ${id}\nevent: ${name}\ndata: ${json}\n\n`
}

async function* written<Item>(
  items: AsyncIterable<Item>,
  write: (item: Item) => ServerSentEvent,
): AsyncGenerator<string> {
  for await (const item of items) {
    const { id, name, json } = write(item)
    yield eventText(id, name, JSON.stringify(json))
  }
}

/** Names the moment that an answer is of, to come back to with `?asOf=`; left out where it is too long for a header. */
export function nameFrontier(reply: FastifyReply, namespace: Namespace, asOf?: string): void {
  // Where it is no frontier it is a time, and the answer of what is known now about then.
  if (asOf?.startsWith('f') === true) reply.header('rhizome-frontier', asOf)
  else if (namespace.counts().logs <= FRONTIER_LOGS_MAX) reply.header('rhizome-frontier', namespace.frontier())
}

export function nameAnswerers(reply: FastifyReply, { answeredBy }: AnsweredBy): void {
  reply.header('rhizome-answered-by', answeredBy.join(', '))
}

/** Names the shards that an answer goes without; a comma in a name as ranges may be written, by `%hh`. */
export function nameUnheld(reply: FastifyReply, { unheld }: PartlyAnswered<unknown>): void {
  if (unheld !== undefined) reply.header('rhizome-unheld', unheld.map((name) => name.replaceAll(',', '%2C')).join(', '))
}

/** Names who answered and, where that is one frontier's, the moment. */
export function nameAnswer(
  reply: FastifyReply,
  everywhere: Everywhere,
  answered: AnsweredBy,
  { asOf }: Pick<ViewOptions, 'asOf'> = {},
): void {
  nameAnswerers(reply, answered)
  if (!everywhere.isPlaced) nameFrontier(reply, everywhere.namespace, typeof asOf === 'string' ? asOf : undefined)
}
