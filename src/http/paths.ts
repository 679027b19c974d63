/**
 * The canonical paths, and what the shorthand `/api/<collection>/…` of the first topic leaves out. The router decodes each
 * part of a path once; here they are encoded once.
 */

import { RhizomeError } from '../errors.ts'

export const NAMESPACE_PREFIX = '/api/ns/:ns'

/** What follows `/api/` and is no collection: some names wait for routes to come, so that no data gets in their way. */
export const RESERVED: ReadonlySet<string> = new Set([
  'contexts',
  'deltas',
  'docs',
  'events',
  'functions',
  'metrics',
  'ns',
  'peers',
  'queries',
  'query',
  'resolvers',
  'schemas',
  'status',
])

/** What anybody may ask without a token: what a supervisor asks, and it tells nothing of the data. */
export const TOKENLESS: ReadonlySet<string> = new Set(['/health', '/health/ready'])

/** The id that is the list of ids in the shorthand. */
export const RESERVED_ID = 'ids'

function collectionPath(namespace: string, collection: string): string {
  return `/api/ns/${encodeURIComponent(namespace)}/collections/${encodeURIComponent(collection)}/entities`
}

export function recordPath(namespace: string, collection: string, id: string): string {
  return `${collectionPath(namespace, collection)}/${encodeURIComponent(id)}`
}

/** That a record cannot be reached by shorthand, and by which path it can. */
export function reserved(namespace: string, collection: string, id: string | undefined): RhizomeError {
  const name = RESERVED.has(collection) ? `"${collection}"` : `the id "${id ?? ''}"`
  const path = id === undefined ? collectionPath(namespace, collection) : recordPath(namespace, collection, id)
  if (collection === 'ns' && id !== undefined) {
    const status = `/api/ns/${encodeURIComponent(id)}/status`
    return new RhizomeError(
      'RZ_HTTP_RESERVED',
      `of a namespace ask ${status}; a record of a collection "ns" is ${path}`,
    )
  }
  return new RhizomeError('RZ_HTTP_RESERVED', `${name} means something else in the shorthand: use ${path}`)
}
