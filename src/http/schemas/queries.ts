/** Queries and their rows. */

import { ANY_OBJECT, CONTEXT, LIMIT, TEXT, VIEW_QUERY } from './parts.ts'

/** The JSON form of a query; src/query/README.md has its grammar, and its one reader checks it. */
export const QUERY = { ...ANY_OBJECT, description: 'A query: see src/query/README.md.' } as const

/** Of a page of a stored query. */
export const ROWS_QUERY = {
  type: 'object',
  additionalProperties: false,
  properties: {
    ...VIEW_QUERY.properties,
    after: { ...TEXT, description: '`next` of the page before.' },
    limit: LIMIT,
  },
} as const

export const ROWS = {
  title: 'Rows',
  type: 'object',
  required: ['rows'],
  properties: {
    rows: { type: 'array', items: ANY_OBJECT },
    next: {
      type: 'string',
      description: 'The `after` for the rows that follow: of the outermost `limit`, or of a stored query.',
    },
  },
} as const

export const PLAN = {
  title: 'Plan',
  type: 'object',
  required: ['does', 'of'],
  properties: { does: { type: 'string' }, of: { type: 'array', items: ANY_OBJECT } },
} as const

export const QUERY_EVENTS_QUERY = {
  type: 'object',
  additionalProperties: false,
  required: ['query'],
  properties: {
    query: { ...TEXT, description: 'A query as JSON: see src/query/README.md.' },
    context: CONTEXT,
    rows: { type: 'boolean', description: 'Each change holds all rows, in order, too.' },
  },
} as const

/** What an event of a followed query holds: `rows` the first time, then what came and went. */
export const LIVE_ROWS = {
  title: 'LiveRows',
  type: 'object',
  properties: {
    rows: { type: 'array', items: ANY_OBJECT },
    added: { type: 'array', items: ANY_OBJECT },
    removed: { type: 'array', items: ANY_OBJECT },
  },
} as const
