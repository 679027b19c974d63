/** Answers that are not plain JSON of a route's own: problems and streams. */

import { Readable } from 'node:stream'
import type { FastifyReply } from 'fastify'
import { type Problem, PROBLEM_TYPE } from './problem.ts'

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
