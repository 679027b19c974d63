/** Failures as RFC 9457 problem details: one table from our codes to HTTP's. Never a stack, never the text of a bug. */

import { STATUS_CODES } from 'node:http'
import { type ErrorCode, RhizomeError } from '../errors.ts'
import { BODY_BYTES_MAX } from './options.ts'

export interface Problem {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly code: ErrorCode
}

export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8'

/** Codes that a request can meet. Whatever is not listed is no fault of the request: 500. */
const STATUS: { readonly [code in ErrorCode]?: number } = {
  RZ_DELTA_INVALID: 400,
  RZ_DELTA_TOO_LARGE: 413,
  RZ_BYTES_INVALID: 400,
  RZ_BYTES_TOO_LARGE: 422,
  RZ_RECORD_INVALID: 400,
  RZ_BLOCK_TOO_LARGE: 413,
  RZ_NAMESPACE_NAME: 400,
  RZ_NAMESPACE_UNKNOWN: 404,
  RZ_IDENTITY_UNKNOWN: 404,
  RZ_RULE_INVALID: 400,
  RZ_RULE_OPERATOR: 400,
  RZ_RULE_DEPTH: 400,
  RZ_RULE_TOO_LARGE: 400,
  RZ_RULE_SEMANTICS: 400,
  RZ_DEFINITION_INVALID: 400,
  RZ_SCHEMA_INVALID: 400,
  RZ_SCHEMA_REF: 400,
  RZ_SCHEMA_PATTERN: 400,
  RZ_SCHEMA_TOO_LARGE: 400,
  RZ_SCHEMA_GAS: 422,
  RZ_SCHEMA_VIOLATION: 422,
  RZ_SCHEMA_PROPERTY: 422,
  RZ_REFERENCE_MISSING: 422,
  RZ_REFERENCE_LIMIT: 400,
  RZ_CONTEXT_UNKNOWN: 404,
  RZ_AS_OF_INVALID: 400,
  RZ_AS_OF_AHEAD: 409,
  RZ_PROOF_TOO_LARGE: 422,
  RZ_QUERY_INVALID: 400,
  RZ_QUERY_OPERATOR: 400,
  RZ_QUERY_COLUMN: 400,
  RZ_QUERY_CURSOR: 400,
  RZ_QUERY_CYCLE: 400,
  RZ_QUERY_UNKNOWN: 404,
  RZ_QUERY_TOO_LARGE: 413,
  RZ_QUERY_LIMIT: 422,
  RZ_RULE_GAS: 422,
  RZ_PLACEMENT_INVALID: 400,
  RZ_PLACEMENT_OVERLAP: 409,
  RZ_PLACEMENT_TAKEN: 409,
  RZ_PLACEMENT_ELSEWHERE: 409,
  RZ_PLACEMENT_TRANSACTION: 409,
  RZ_SHARD_UNKNOWN: 404,
  RZ_SHARD_ACROSS: 422,
  RZ_WATCH_CURSOR: 400,
  RZ_SHARD_LAST_COPY: 409,
  RZ_SHARD_UNHELD: 503,
  RZ_SHARD_TAKING: 503,
  RZ_SHARD_UNANSWERED: 504,
  RZ_DELIVERY_INVALID: 400,
  RZ_DELIVERY_MEMBERS: 409,
  RZ_DELIVERY_DETECTOR: 409,
  RZ_NODE_OFFLINE: 409,
  RZ_NODE_BUSY: 503,
  RZ_NODE_KEEPER: 403,
  RZ_MESSAGE_INVALID: 400,
  RZ_MESSAGE_TOO_LARGE: 413,
  RZ_MESSAGE_RATE: 429,
  RZ_STORE_CLOSED: 503,
  RZ_STORE_FULL: 507,
  RZ_HTTP_INPUT: 400,
  RZ_HTTP_RESERVED: 400,
  RZ_HTTP_TOKEN: 401,
  RZ_HTTP_HOST: 403,
  RZ_HTTP_ORIGIN: 403,
  RZ_HTTP_ROUTE_UNKNOWN: 404,
  RZ_HTTP_NOT_FOUND: 404,
  RZ_HTTP_METHOD: 405,
  RZ_HTTP_TOO_LARGE: 413,
  RZ_HTTP_MEDIA_TYPE: 415,
  RZ_HTTP_ANSWER_TOO_LARGE: 422,
  RZ_HTTP_CURSOR: 410,
  RZ_HTTP_BUSY: 503,
  RZ_HTTP_NOT_READY: 503,
}

const FAILED = 500
/** That a shard is held by nobody who answers is the operator's matter, and told by the node itself. */
const TOLD: ReadonlySet<ErrorCode> = new Set(['RZ_SHARD_UNHELD', 'RZ_SHARD_UNANSWERED', 'RZ_SHARD_TAKING'])

export function problemOf(code: ErrorCode, detail: string): Problem {
  const status = STATUS[code] ?? FAILED
  return { type: `urn:rhizome-node:error:${code}`, title: STATUS_CODES[status] ?? 'Error', status, detail, code }
}

/** What a request is told about `error`. `isOurs` is false for what the operator, not the caller, must hear of. */
export function describe(error: unknown): { readonly problem: Problem; readonly isOurs: boolean } {
  if (error instanceof RhizomeError) {
    const problem = problemOf(error.code, error.message)
    return { problem, isOurs: problem.status >= FAILED && !TOLD.has(error.code) }
  }
  const { code, statusCode, message } = shapeOf(error)
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE')
    return theirs('RZ_HTTP_TOO_LARGE', `a body has at most ${BODY_BYTES_MAX} bytes; an import has no limit in all`)
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') {
    return theirs('RZ_HTTP_MEDIA_TYPE', 'bodies are application/json, or application/x-ndjson where it says so')
  }
  if (statusCode !== undefined && statusCode >= 400 && statusCode < FAILED) return theirs('RZ_HTTP_INPUT', message)
  return { problem: problemOf('RZ_HTTP_FAILED', 'the node failed to answer; its own output says more'), isOurs: true }
}

function theirs(code: ErrorCode, detail: string): { readonly problem: Problem; readonly isOurs: boolean } {
  return { problem: problemOf(code, detail), isOurs: false }
}

/** What fastify and Node put on the errors that they raise about a request. */
function shapeOf(error: unknown): { code?: string; statusCode?: number; message: string } {
  return error instanceof Error ? error : { message: '' }
}
