/** What writes take beside what is written, and what they answer. */

import { FAULT, TEXT } from './parts.ts'

const AS = { ...TEXT, description: 'Name of the identity that asserts; the node itself when absent.' } as const

export const WRITE_QUERY = { type: 'object', additionalProperties: false, properties: { as: AS } } as const

/** Of writes that may be waited for. */
export const HELD_QUERY = {
  type: 'object',
  additionalProperties: false,
  properties: {
    as: AS,
    until: {
      type: 'string',
      pattern: '^(local|uniform|alive|copies:[1-9][0-9]?)$',
      description: 'Waits until so many hold it: `local`, `uniform`, `alive` or `copies:<n>`. Not at all when absent.',
    },
    deadlineMs: {
      type: 'integer',
      minimum: 1,
      maximum: 3_600_000,
      description: 'Waits no longer. 10,000 when absent.',
    },
  },
} as const

/** Where `until` asked for it. */
export const HELD = {
  achieved: { type: 'boolean', description: 'Whether what `until` asked for came about; the write stays either way.' },
  holders: {
    type: 'array',
    items: {
      type: 'object',
      required: ['peer', 'durability'],
      properties: { peer: { type: 'string' }, durability: { enum: ['memory', 'process', 'disk'] } },
    },
    description: 'Who holds it by signed word, this node among them.',
  },
  fault: { ...FAULT, description: 'Why it was not achieved: RZ_DELIVERY_DEADLINE.' },
} as const

export const WRITTEN = {
  title: 'Written',
  type: 'object',
  required: ['deltas'],
  properties: { deltas: { type: 'array', items: { type: 'string' } }, block: { type: 'string' }, ...HELD },
} as const
