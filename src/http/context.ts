/** What every route works with. Its parts are passed in, so that a route file reads alone. */

import type { FastifyInstance, RawServerDefault } from 'fastify'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Namespace } from '../node/namespace.ts'
import type { RhizomeNode } from '../node/node.ts'
import type { Followers } from './followers.ts'
import type { SchemaTypes } from './validation.ts'

export type Application = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyInstance['log'],
  SchemaTypes
>

export interface Context {
  readonly node: RhizomeNode
  readonly followers: Followers
  /** Those that keep rows in memory: fewer. */
  readonly liveQueries: Followers
  /** Hears of failures that are not the request's. */
  readonly onError: (error: unknown) => void
  /** Who may connect to the node, as its status tells. */
  readonly overlay: string
  /** Where this API is reached, as known by now. */
  readonly urls: () => readonly string[]
}

/** Where a set of routes lies, and which namespace a request to it means. */
export interface Scope {
  readonly prefix: string
  readonly namespaceOf: (params: { readonly ns?: string | undefined }) => Namespace
}

/** The namespace that the shorthand routes mean: that of the first topic. */
export function firstNamespace(node: RhizomeNode): Namespace {
  const [first] = node.namespaces()
  if (first === undefined) throw new Error('bug: a node holds a namespace at least')
  return first
}
