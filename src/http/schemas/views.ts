/** Views: how they come to be, proven, of many entities, and as they change. */

import { WATCH_CURSOR_PATTERN } from '../../node/everywhere/watch-cursor.ts'
import { DELTA } from './deltas.ts'
import { ANY_OBJECT, CONTEXT, FAULT, LIMIT, MOMENT, TEXT, VIEW_QUERY } from './parts.ts'

export const EXPLANATION = ANY_OBJECT

export const HISTORY_QUERY = {
  type: 'object',
  additionalProperties: false,
  properties: {
    ...VIEW_QUERY.properties,
    limit: {
      type: 'integer',
      minimum: 1,
      maximum: 1_000,
      description: 'The newest deltas to look at; 100 when absent.',
    },
  },
} as const

export const HISTORY = ANY_OBJECT

export const DIFF_QUERY = {
  type: 'object',
  additionalProperties: false,
  required: ['from'],
  properties: { context: CONTEXT, from: MOMENT, to: { ...MOMENT, description: 'Now when absent.' } },
} as const

export const CHANGES = { type: 'array', items: ANY_OBJECT } as const

export const FRONTIER = {
  title: 'Frontier',
  type: 'object',
  required: ['frontier'],
  properties: { frontier: { type: 'string' } },
} as const

/** Which claims are proven: in the open unless a context's record is named. */
export const PROOF_QUERY = {
  type: 'object',
  additionalProperties: false,
  properties: {
    property: { ...TEXT, description: 'Of this property alone, and of those that its rule reads.' },
    context: { ...TEXT, description: 'Id of the record of a context; one that is pinned on the node is none.' },
    asOf: MOMENT,
  },
} as const

export const PROOF = { ...ANY_OBJECT, title: 'Proof', description: 'src/log/README.md, Proofs.' } as const

export const LOSSLESS = {
  title: 'LosslessView',
  type: 'object',
  required: ['id'],
  properties: {
    id: { type: 'string' },
    referencedAs: { type: 'array', items: { type: 'string' } },
    properties: { ...ANY_OBJECT, description: 'Per property its claims, which name their deltas by id.' },
    negations: { type: 'array', items: ANY_OBJECT },
    deltas: { type: 'object', additionalProperties: DELTA, description: 'Each once, by id.' },
    error: { ...FAULT, description: 'In lists, instead of the rest, for one that is too large.' },
  },
} as const

export const LOSSLESS_LIST = { type: 'array', items: LOSSLESS } as const

/** Which entities, and how they are looked at. */
export const MANY_QUERY = {
  type: 'object',
  additionalProperties: false,
  properties: {
    ...VIEW_QUERY.properties,
    prefix: {
      type: 'string',
      description: 'Those alone whose id begins with it: `user/` for records of a collection.',
    },
    after: { ...TEXT, description: 'Begins behind this id.' },
    limit: LIMIT,
  },
} as const

export const SOME_QUERY = {
  ...MANY_QUERY,
  properties: {
    ...MANY_QUERY.properties,
    id: {
      anyOf: [TEXT, { type: 'array', minItems: 1, items: TEXT }],
      description: 'The entities, in this order: `id=` may be repeated. All of the namespace when absent.',
    },
  },
} as const

const IDS_MAX = 10_000

/** `POST` for views of several entities. */
export const MANY = {
  title: 'Selection',
  type: 'object',
  additionalProperties: false,
  properties: {
    ids: { type: 'array', maxItems: IDS_MAX, items: TEXT, description: 'All of the namespace when absent.' },
    filter: { description: 'A rule over a delta, as that of a context: what it says no to is not seen.' },
  },
} as const

export const VIEW_EVENTS_QUERY = {
  type: 'object',
  additionalProperties: false,
  properties: {
    after: {
      type: 'string',
      pattern: WATCH_CURSOR_PATTERN,
      description: 'Begins behind the event of this id; from now on when absent.',
    },
    id: { ...TEXT, description: 'The record to follow; all of the collection when absent.' },
    context: CONTEXT,
  },
} as const
