/** What schemas of several subjects are made of. */

import { CURSOR_PATTERN } from '../cursor.ts'
import { PAGE_COUNT_DEFAULT, PAGE_COUNT_MAX } from '../options.ts'

export const TEXT = { type: 'string', minLength: 1 } as const

export const ANY_OBJECT = { type: 'object', additionalProperties: true } as const

export const COUNT = { type: 'integer', minimum: 0 } as const

export const FAULT = {
  title: 'Fault',
  type: 'object',
  required: ['code', 'message'],
  properties: { code: { type: 'string' }, message: { type: 'string' } },
} as const

export const LIMIT = {
  type: 'integer',
  minimum: 1,
  maximum: PAGE_COUNT_MAX,
  description: `Items on a page; ${PAGE_COUNT_DEFAULT} when absent.`,
} as const

export const AFTER = {
  type: 'string',
  pattern: CURSOR_PATTERN,
  description: 'Begins behind this `cursor` of a delta.',
} as const

export const CONTEXT = {
  type: 'string',
  description: "Id of the context to see it in; empty for none at all. The node's own when absent.",
} as const

export const MOMENT = {
  ...TEXT,
  description: 'A `Rhizome-Frontier`, or a time: ISO 8601 with its zone, or milliseconds since 1970.',
} as const

export const NO_QUERY = { type: 'object', additionalProperties: false, properties: {} } as const

/** How an entity is looked at: now and in the open when neither is given. */
export const VIEW_QUERY = {
  type: 'object',
  additionalProperties: false,
  properties: { context: CONTEXT, asOf: MOMENT },
} as const

/** The parts of a path; each route has some of them. */
export const PATH = {
  type: 'object',
  properties: {
    ns: { ...TEXT, description: 'Name of a namespace that the node holds.' },
    collection: { ...TEXT, description: 'Name of a collection.' },
    id: { ...TEXT, description: 'Id in its collection, percent-encoded: `a%2Fb` is `a/b`.' },
    entity: { ...TEXT, description: 'Id of an entity; that of a record is `<collection>%2F<id>`.' },
    property: { ...TEXT, description: 'Name of a property.' },
    block: { type: 'string', pattern: '^[a-z2-7]{52}$', description: 'Hash of the block, as in ids of deltas.' },
    index: { type: 'string', pattern: '^(0|[1-9][0-9]{0,3})$', description: 'Place in the block, from 0.' },
  },
} as const

export const NAMES = { type: 'array', items: { type: 'string' } } as const
