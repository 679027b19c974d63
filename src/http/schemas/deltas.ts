/** Deltas: raw ones as they are written, and as the log shows them. */

import { AFTER, ANY_OBJECT, CONTEXT, LIMIT, MOMENT } from './parts.ts'

/** How the log is looked at: the node's own context does not count. */
export const LOG_QUERY = {
  type: 'object',
  additionalProperties: false,
  properties: { context: { ...CONTEXT, description: 'Id of the context whose filter must see it.' }, asOf: MOMENT },
} as const

export const DELTAS_QUERY = {
  type: 'object',
  additionalProperties: false,
  properties: {
    ...LOG_QUERY.properties,
    after: AFTER,
    limit: LIMIT,
    follow: { type: 'boolean', description: 'Streams NDJSON, and goes on with what is written later.' },
  },
} as const

export const EVENTS_QUERY = {
  type: 'object',
  additionalProperties: false,
  properties: { after: { ...AFTER, description: 'Begins behind this `cursor`; from now on when absent.' } },
} as const

const RAW_DELTA = {
  title: 'DeltaInput',
  type: 'object',
  additionalProperties: false,
  required: ['pointers'],
  properties: {
    pointers: {
      type: 'array',
      minItems: 1,
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['localContext', 'target'],
        properties: { localContext: { type: 'string' }, target: {}, targetContext: { type: 'string' } },
      },
    },
  },
} as const

/** `POST` of deltas: one, or a list that becomes visible together. */
export const RAW_DELTAS = { anyOf: [RAW_DELTA, { type: 'array', minItems: 1, items: RAW_DELTA }] } as const

export const DELTA = {
  title: 'Delta',
  type: 'object',
  required: ['id', 'time', 'creator', 'host', 'log', 'seq', 'index', 'pointers'],
  properties: {
    cursor: { type: 'string', description: 'Where it stands in this node; in lists alone.' },
    id: { type: 'string' },
    time: { type: 'object', properties: { ms: { type: 'integer' }, counter: { type: 'integer' } } },
    creator: { type: 'string' },
    host: { type: 'string' },
    log: { type: 'string' },
    seq: { type: 'integer' },
    index: { type: 'integer' },
    pointers: { type: 'array', items: ANY_OBJECT },
  },
} as const

export const DELTAS = { type: 'array', items: DELTA } as const
