/**
 * The one failure class and the table of its codes. Every room may import this file; it imports nothing.
 * Codes are API: each has a line in `src/ERRORS.md`, and `test/errors.test.ts` compares the two both ways.
 */

/** Every code that this package raises, by the room that raises it. */
export const ERROR_CODES = [
  // delta
  'RZ_DELTA_INVALID',
  'RZ_DELTA_TOO_LARGE',
  'RZ_BYTES_INVALID',
  'RZ_BYTES_TOO_LARGE',
  'RZ_RECORD_INVALID',
  'RZ_PLACEMENT_INVALID',
  // log
  'RZ_NAMESPACE_NAME',
  'RZ_BLOCK_INVALID',
  'RZ_BLOCK_TOO_LARGE',
  'RZ_BLOCK_VERSION',
  'RZ_SIGNATURE_INVALID',
  'RZ_FORK_PROOF_INVALID',
  'RZ_PROOF_FORMAT',
  'RZ_PROOF_VERSION',
  'RZ_PROOF_INVALID',
  'RZ_PROOF_TOO_LARGE',
  // view
  'RZ_RULE_INVALID',
  'RZ_RULE_OPERATOR',
  'RZ_RULE_GAS',
  'RZ_VIEW_GAS',
  'RZ_RULE_DEPTH',
  'RZ_RULE_TOO_LARGE',
  'RZ_RULE_PROPERTY',
  'RZ_RULE_CYCLE',
  'RZ_RULE_SEMANTICS',
  'RZ_DEFINITION_INVALID',
  'RZ_SCHEMA_INVALID',
  'RZ_SCHEMA_REF',
  'RZ_SCHEMA_PATTERN',
  'RZ_SCHEMA_TOO_LARGE',
  'RZ_SCHEMA_GAS',
  'RZ_SCHEMA_VIOLATION',
  'RZ_SCHEMA_PROPERTY',
  'RZ_REFERENCE_MISSING',
  'RZ_REFERENCE_CYCLE',
  'RZ_REFERENCE_LIMIT',
  // net
  'RZ_NET_CLOSED',
  'RZ_NET_ADDRESS_INVALID',
  'RZ_NET_PORT_TAKEN',
  'RZ_NET_DIAL_FAILED',
  'RZ_NET_STREAM_CLOSED',
  'RZ_NET_FRAME_TOO_LARGE',
  'RZ_NET_MESSAGE_TOO_LARGE',
  'RZ_NET_SECRET_MISMATCH',
  'RZ_NET_RELAY_SECRET',
  // store
  'RZ_STORE_CLOSED',
  'RZ_STORE_LOCKED',
  'RZ_STORE_UNWRITABLE',
  'RZ_STORE_MISSING',
  'RZ_STORE_NEWER',
  'RZ_STORE_DAMAGED',
  'RZ_STORE_FULL',
  'RZ_STORE_FAILED',
  // query
  'RZ_QUERY_INVALID',
  'RZ_QUERY_OPERATOR',
  'RZ_QUERY_COLUMN',
  'RZ_QUERY_TOO_LARGE',
  'RZ_QUERY_LIMIT',
  'RZ_QUERY_CURSOR',
  'RZ_QUERY_CYCLE',
  'RZ_QUERY_UNKNOWN',
  'RZ_QUERY_CHANGED',
  // cli
  'RZ_CLI_USAGE',
  'RZ_CLI_AMBIGUOUS',
  'RZ_CLI_CONFIG',
  'RZ_CLI_NO_NODE',
  'RZ_CLI_INVITE_INVALID',
  'RZ_CLI_INPUT',
  // node
  'RZ_NAMESPACE_UNKNOWN',
  'RZ_IDENTITY_INVALID',
  'RZ_IDENTITY_EXISTS',
  'RZ_IDENTITY_UNKNOWN',
  'RZ_TRANSACTION_OVER',
  'RZ_NODE_BUSY',
  'RZ_OPTION_UNKNOWN',
  'RZ_BACKUP_TARGET',
  'RZ_NODE_OFFLINE',
  'RZ_NODE_KEEPER',
  'RZ_NODE_SECRET_DIFFERS',
  'RZ_CONTEXT_UNKNOWN',
  'RZ_FUNCTION_INVALID',
  'RZ_FUNCTION_RUNNING',
  'RZ_FUNCTION_FAILED',
  'RZ_FUNCTION_DEPTH',
  'RZ_FUNCTION_EMIT',
  'RZ_CAUSALITY_UNKNOWN',
  'RZ_SUBSCRIPTION_INVALID',
  'RZ_SUBSCRIPTION_RUNNING',
  'RZ_DELIVERY_INVALID',
  'RZ_DELIVERY_MEMBERS',
  'RZ_DELIVERY_DETECTOR',
  'RZ_DELIVERY_DEADLINE',
  'RZ_AS_OF_INVALID',
  'RZ_AS_OF_AHEAD',
  'RZ_PLACEMENT_OVERLAP',
  'RZ_PLACEMENT_TAKEN',
  'RZ_PLACEMENT_ELSEWHERE',
  'RZ_PLACEMENT_TRANSACTION',
  'RZ_SHARD_UNKNOWN',
  'RZ_SHARD_UNHELD',
  'RZ_SHARD_UNANSWERED',
  'RZ_SHARD_TAKING',
  'RZ_SHARD_LAST_COPY',
  'RZ_SHARD_ACROSS',
  'RZ_WATCH_CURSOR',
  // sync
  'RZ_SYNC_CLOSED',
  'RZ_SYNC_FRAME_INVALID',
  'RZ_SYNC_GOSSIP_INVALID',
  'RZ_SYNC_MEMBER_INVALID',
  'RZ_SYNC_RECEIPT_INVALID',
  'RZ_SYNC_MESSAGE_INVALID',
  'RZ_SYNC_QUESTION_INVALID',
  'RZ_MESSAGE_INVALID',
  'RZ_MESSAGE_TOO_LARGE',
  'RZ_MESSAGE_RATE',
  'RZ_DETECTOR_INVALID',
  'RZ_SYNC_VERSION',
  'RZ_SYNC_REFUSED',
  'RZ_SYNC_STALLED',
  // testing
  'RZ_CLUSTER_INVALID',
  'RZ_CLUSTER_NODE_DOWN',
  'RZ_CLUSTER_UNSETTLED',
  // http
  'RZ_HTTP_INPUT',
  'RZ_HTTP_RESERVED',
  'RZ_HTTP_TOKEN',
  'RZ_HTTP_HOST',
  'RZ_HTTP_ORIGIN',
  'RZ_HTTP_ROUTE_UNKNOWN',
  'RZ_HTTP_NOT_FOUND',
  'RZ_HTTP_METHOD',
  'RZ_HTTP_TOO_LARGE',
  'RZ_HTTP_ANSWER_TOO_LARGE',
  'RZ_HTTP_CURSOR',
  'RZ_HTTP_MEDIA_TYPE',
  'RZ_HTTP_BUSY',
  'RZ_HTTP_NOT_READY',
  'RZ_HTTP_FAILED',
  'RZ_HTTP_PORT_TAKEN',
  'RZ_HTTP_LISTEN_FAILED',
  'RZ_HTTP_SOCKET_TAKEN',
  'RZ_HTTP_TOKEN_MISSING',
  'RZ_HTTP_TOKEN_DAMAGED',
  // text
  'RZ_TEXT_SYNTAX',
  'RZ_TEXT_TOO_LONG',
  'RZ_TEXT_TOKEN',
  'RZ_TEXT_BUSY',
  'RZ_TEXT_IDLE',
  'RZ_TEXT_FAILED',
  'RZ_TEXT_PORT_TAKEN',
  'RZ_TEXT_LISTEN_FAILED',
  'RZ_TEXT_TOKEN_MISSING',
] as const

export type ErrorCode = (typeof ERROR_CODES)[number]

/** A failure that a caller can tell apart by `code`. The message says what to do about it. */
export class RhizomeError extends Error {
  override readonly name = 'RhizomeError'
  readonly code: ErrorCode

  constructor(code: ErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options)
    this.code = code
  }
}

/** States what must hold if the code is right; a failure is a bug of ours, never of the caller's input. */
export function assert(condition: unknown, why: string): asserts condition {
  if (!condition) throw new Error(`bug: ${why}`)
}
