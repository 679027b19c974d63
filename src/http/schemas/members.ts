/** Peers, members, and what is said to them. */

import { COUNT, TEXT } from './parts.ts'

export const PEERS_QUERY = {
  type: 'object',
  additionalProperties: false,
  properties: {
    all: { type: 'boolean', description: 'Members too that are not connected: suspect, down, left, or only heard of.' },
  },
} as const

export const PING_QUERY = {
  type: 'object',
  additionalProperties: false,
  properties: {
    timeoutMs: {
      type: 'integer',
      minimum: 1,
      maximum: 60_000,
      description: 'How long answers are waited for; 3000 when absent.',
    },
  },
} as const

const MEMBER = {
  title: 'Member',
  type: 'object',
  required: ['peer', 'name', 'state', 'addresses', 'namespaces', 'tags', 'tagsCut', 'version', 'connected'],
  properties: {
    peer: { type: 'string' },
    name: { type: 'string' },
    state: { enum: ['alive', 'suspect', 'down', 'left'] },
    addresses: { type: 'array', items: { type: 'string' } },
    namespaces: { type: 'array', items: { type: 'string' } },
    tags: { type: 'array', items: { type: 'string' }, description: 'Collections that it holds, the first 64.' },
    tagsCut: { type: 'boolean', description: 'It holds more.' },
    version: { type: 'string' },
    connected: { type: 'boolean' },
    lastHeardMs: { type: 'integer' },
    incarnation: { type: 'integer' },
    clockOffsetMs: { type: 'number' },
    roundTripMs: { type: 'number' },
    behindBlocks: { type: 'integer' },
  },
} as const

export const MEMBERS = { type: 'array', items: MEMBER } as const

export const MEMBER_CHANGE = {
  title: 'MemberChange',
  type: 'object',
  required: ['namespace', 'change', 'member'],
  properties: {
    namespace: { type: 'string' },
    change: { enum: ['appeared', 'state', 'tags', 'details'] },
    before: { type: 'string', description: 'The state in which it was; absent for one that is new.' },
    member: MEMBER,
  },
} as const

export const PINGED = {
  type: 'array',
  items: {
    title: 'Pinged',
    type: 'object',
    required: ['member'],
    properties: { member: MEMBER, roundTripMs: { type: 'number', description: 'Absent: it did not answer in time.' } },
  },
} as const

export const MESSAGE = {
  title: 'MessageInput',
  type: 'object',
  additionalProperties: false,
  required: ['message'],
  properties: {
    message: { description: 'JSON; bytes are `{ "$bytes": "<base64>" }`. At most 16 KiB.' },
    to: { ...TEXT, description: 'Peer id of the one who is meant; it is not secret. Absent: everybody.' },
  },
} as const

export const BROADCAST = {
  title: 'Broadcast',
  type: 'object',
  required: ['neighbours'],
  properties: { neighbours: { ...COUNT, description: 'How many it was handed to, who pass it on.' } },
} as const
