/** The node itself, and this API. */

import { ANY_OBJECT, TEXT } from './parts.ts'

const ROUTE = {
  type: 'object',
  required: ['path', 'methods'],
  properties: { path: TEXT, methods: { type: 'array', items: TEXT } },
} as const

export const ROUTES = {
  title: 'Routes',
  type: 'object',
  required: ['routes'],
  properties: { routes: { type: 'array', items: ROUTE } },
} as const

export const STATUS = ANY_OBJECT

export const STATUSES = { type: 'array', items: STATUS } as const

export const HEALTH = { type: 'object', properties: { status: { const: 'ok' } } } as const

export const READINESS = { type: 'object', properties: { status: { const: 'ready' } } } as const

export const DOCUMENT = { ...ANY_OBJECT, description: 'https://spec.openapis.org/oas/v3.1.1' } as const
