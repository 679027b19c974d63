/**
 * A query as server-sent events: `rows` with all rows there are, then `change` with what came and what went, each change
 * whole. What a client missed while it was away is in the `rows` with which it begins anew, so none has to be told from
 * where. Events are made when the one before has left: changes meanwhile are told as one.
 */

import type { FastifyReply } from 'fastify'
import { toJson } from '../delta/json.ts'
import { RhizomeError } from '../errors.ts'
import type { Everywhere } from '../node/everywhere/everywhere.ts'
import type { LiveRows, WatchQueryOptions } from '../node/watch-query.ts'
import { eventText, sendEventTexts } from './answer.ts'
import type { Cursors } from './cursor.ts'
import type { Followers } from './followers.ts'
import { ANSWER_CHARS_MAX } from './options.ts'
import { describe } from './problem.ts'

type Query = Parameters<Everywhere['query']>[0]

export interface LiveAnswer {
  readonly everywhere: Everywhere
  readonly cursors: Cursors
  readonly followers: Followers
}

/**
 * Answers once the rows are read, so that the status tells whether they could be: a browser comes back to a stream that broke
 * off, and not to a refusal. Throws as `Everywhere.watchQuery`, RZ_HTTP_BUSY, RZ_HTTP_ANSWER_TOO_LARGE.
 */
export async function sendLiveQuery(
  reply: FastifyReply,
  query: Query,
  options: Pick<WatchQueryOptions, 'context' | 'rows'>,
  { everywhere, cursors, followers }: LiveAnswer,
): Promise<FastifyReply> {
  // What is wrong with the request is told before the stream is counted.
  everywhere.watchQuery(query, options)
  const items = everywhere.watchQuery(query, { ...options, signal: followers.enter(reply.raw) })[Symbol.asyncIterator]()
  const first = await items.next()
  if (first.done === true) throw new RhizomeError('RZ_STORE_CLOSED', 'the node is closing: ask again when it is open')
  const { position, added } = first.value
  const begin = eventText(cursors.at(position), 'rows', `{"rows":${listText(added)}}`)
  return sendEventTexts(reply, eventsOf(begin, items, cursors))
}

async function* eventsOf(begin: string, items: AsyncIterator<LiveRows>, cursors: Cursors): AsyncGenerator<string> {
  try {
    yield begin
    for (;;) {
      const next = await items.next()
      if (next.done === true) return
      yield changeText(next.value, cursors)
    }
  } catch (error) {
    const { problem, isOurs } = describe(error)
    if (isOurs) throw error
    yield `event: problem\ndata: ${JSON.stringify(problem)}\n\n`
  } finally {
    await items.return?.()
  }
}

function changeText({ position, added, removed, rows }: LiveRows, cursors: Cursors): string {
  const all = rows === undefined ? '' : `,"rows":${listText(rows)}`
  return eventText(cursors.at(position), 'change', `{"added":${listText(added)},"removed":${listText(removed)}${all}}`)
}

function listText(rows: LiveRows['added']): string {
  let chars = 0
  const texts = rows.map((row) => {
    const text = JSON.stringify(toJson(row))
    chars += text.length
    if (chars <= ANSWER_CHARS_MAX) return text
    const message = `these rows have more than ${ANSWER_CHARS_MAX} characters: watch fewer, or fewer columns of them`
    throw new RhizomeError('RZ_HTTP_ANSWER_TOO_LARGE', message)
  })
  return `[${texts.join()}]`
}
