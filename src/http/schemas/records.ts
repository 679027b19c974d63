/** Records and entities: put, shown, listed, imported. */

import { ANY_OBJECT, FAULT, LIMIT, TEXT, VIEW_QUERY } from './parts.ts'
import { HELD } from './writing.ts'

/** As `VIEW_QUERY`, of a record with those that it refers to. */
export const RECORD_QUERY = {
  type: 'object',
  additionalProperties: false,
  properties: {
    ...VIEW_QUERY.properties,
    expand: {
      type: 'integer',
      minimum: 0,
      maximum: 8,
      description: 'Shows the records that it refers to, and theirs, so many levels deep.',
    },
  },
} as const

const PROPERTIES = { type: 'object', minProperties: 1, additionalProperties: {} } as const

/** `PUT` of a record. */
export const RECORD = {
  title: 'RecordInput',
  type: 'object',
  additionalProperties: false,
  required: ['properties'],
  properties: {
    id: { ...TEXT, description: 'Made at random when neither it nor the path says it.' },
    properties: PROPERTIES,
  },
} as const

export const ENTITY = {
  title: 'Entity',
  type: 'object',
  required: ['id', 'properties'],
  properties: {
    id: { type: 'string' },
    properties: ANY_OBJECT,
    errors: {
      type: 'object',
      additionalProperties: FAULT,
      description: 'Per property that has no value because its rule failed; absent when there is none.',
    },
    unseen: {
      type: 'array',
      items: ANY_OBJECT,
      description: 'Deltas on which the filter of the context failed; absent when there is none.',
    },
    references: {
      ...ANY_OBJECT,
      description: 'Where `expand` asks for them: per property the record that it refers to, or a list of such.',
    },
  },
} as const

export const ENTITIES = { type: 'array', items: ENTITY } as const

/** A record that was written. */
export const PUT_ENTITY = { ...ENTITY, title: 'WrittenEntity', properties: { ...ENTITY.properties, ...HELD } } as const

export const IDS_QUERY = {
  type: 'object',
  additionalProperties: false,
  properties: { ...VIEW_QUERY.properties, after: { ...TEXT, description: 'Begins behind this id.' }, limit: LIMIT },
} as const

export const IDS = {
  title: 'Ids',
  type: 'object',
  required: ['ids'],
  properties: { ids: { type: 'array', items: { type: 'string' } }, next: { type: 'string' } },
} as const

export const IMPORTED = {
  title: 'Imported',
  type: 'object',
  required: ['records', 'deltas', 'unchanged', 'failedCount', 'failed'],
  properties: {
    records: { type: 'integer' },
    deltas: { type: 'integer' },
    unchanged: { type: 'integer' },
    failedCount: { type: 'integer' },
    failed: {
      type: 'array',
      items: {
        type: 'object',
        properties: { line: { type: 'integer' }, code: { type: 'string' }, message: { type: 'string' } },
      },
    },
  },
} as const
