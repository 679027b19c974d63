/** Definitions, and what is told about them: those that cannot be read, functions at work, records that break a schema. */

import { ANY_OBJECT, FAULT, LIMIT, MOMENT, TEXT } from './parts.ts'

/** Of definitions, which are read in no context. */
export const MOMENT_QUERY = { type: 'object', additionalProperties: false, properties: { asOf: MOMENT } } as const

/** A page of definitions, which are read in no context. */
export const LIST_QUERY = {
  type: 'object',
  additionalProperties: false,
  properties: { asOf: MOMENT, after: { ...TEXT, description: 'Begins behind this id.' }, limit: LIMIT },
} as const

/** `PUT` of a resolver, context, schema, stored query or function: its fields are told in view/README.md. */
export const DEFINITION = ANY_OBJECT

export const DEFINITIONS = {
  title: 'Definitions',
  type: 'object',
  required: ['definitions'],
  properties: {
    definitions: {
      type: 'array',
      items: { type: 'object', required: ['id', 'definition'], properties: { id: { type: 'string' }, definition: {} } },
    },
    next: { type: 'string' },
  },
} as const

export const DEFINED = {
  title: 'Defined',
  type: 'object',
  required: ['id', 'definition'],
  properties: { id: { type: 'string' }, definition: {}, problems: { type: 'array', items: FAULT } },
} as const

export const PROBLEMS = { type: 'array', items: FAULT } as const

export const FUNCTIONS = {
  title: 'Functions',
  type: 'object',
  required: ['functions'],
  properties: {
    functions: {
      type: 'array',
      items: {
        type: 'object',
        required: ['name', 'state', 'cursor', 'lag', 'handledCount', 'emittedCount', 'failedCount', 'failures'],
        properties: {
          name: { type: 'string' },
          state: { type: 'string', enum: ['running', 'retrying', 'stopped', 'closed'] },
          cursor: { type: 'string', description: 'Deltas up to there are dealt with.' },
          lag: { type: 'integer', description: 'How far that is behind the newest; 0 when all is dealt with.' },
          handledCount: { type: 'integer' },
          emittedCount: { type: 'integer' },
          failedCount: { type: 'integer', description: 'Deltas that were given up.' },
          failures: {
            type: 'array',
            items: {
              type: 'object',
              required: ['delta', 'told', 'code', 'message', 'attempts', 'atMs'],
              properties: {
                delta: { type: 'string' },
                told: { type: 'string', enum: ['delta', 'hidden', 'restored', 'voided'] },
                code: { type: 'string' },
                message: { type: 'string' },
                attempts: { type: 'integer' },
                atMs: { type: 'integer' },
              },
            },
          },
        },
      },
    },
  },
} as const

export const VIOLATIONS_QUERY = {
  type: 'object',
  additionalProperties: false,
  properties: {
    collection: { ...TEXT, description: 'All that have a schema when absent.' },
    after: { ...TEXT, description: 'Begins behind this record: `<collection>/<id>`.' },
    limit: { type: 'integer', minimum: 1, maximum: 1_000, description: 'Records on a page; 100 when absent.' },
  },
} as const

export const VIOLATIONS = {
  title: 'Violations',
  type: 'object',
  required: ['violations'],
  properties: {
    violations: {
      type: 'array',
      items: {
        type: 'object',
        required: ['collection', 'id', 'version', 'faults'],
        properties: {
          collection: { type: 'string' },
          id: { type: 'string' },
          version: { type: 'integer', description: 'Of the schema that it breaks.' },
          faults: {
            type: 'array',
            items: {
              type: 'object',
              required: ['path', 'keyword', 'code', 'message', 'deltas'],
              properties: {
                path: { type: 'string', description: 'JSON pointer into the record.' },
                keyword: { type: 'string' },
                code: { type: 'string' },
                message: { type: 'string' },
                deltas: {
                  type: 'array',
                  items: {
                    type: 'object',
                    required: ['id', 'creator'],
                    properties: { id: { type: 'string' }, creator: { type: 'string' } },
                  },
                },
              },
            },
          },
        },
      },
    },
    isCut: { type: 'boolean', description: 'That a collection has more than 100,000, of which these are the first.' },
    next: { type: 'string', description: 'Path of the next page.' },
  },
} as const
