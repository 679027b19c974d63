/**
 * Watching records: their views again whenever something that bears upon them changes, learnt from the store's durable
 * cursor alone. A claim or negation concerns the records that it is about; a resolver those of its collection, a context all.
 */

import { entityIdOf, parseEntityId } from '../delta/record.ts'
import type { Value } from '../delta/delta.ts'
import { isList } from '../delta/value.ts'
import type { NamespaceId } from '../log/namespace.ts'
import type { Change, Position, Store } from '../store/store.ts'
import { concernedBy } from './concerned.ts'
import { CONTEXT, RESOLVER } from './definitions.ts'
import type { ContextOptions, View, Views } from './views.ts'

export interface WatchOptions extends ContextOptions {
  /** The record to watch. Default: all of the collection. */
  readonly id?: string
  /** Starts behind this position. Default: from now on. */
  readonly after?: Position
  readonly signal?: AbortSignal
}

/** A record whose view may have changed, as it is when this is handed out. */
export interface WatchedView {
  /** Whoever comes back with it misses nothing, though what came last may come again. */
  readonly position: Position
  readonly id: string
  /** Absent when nothing about it stands any more. */
  readonly view?: View
}

export interface Watching {
  readonly store: Store
  readonly namespace: NamespaceId
  readonly views: Views
  readonly collection: string
  readonly id: string | undefined
  readonly context: string | false
  readonly after: Position
  readonly signal: AbortSignal
}

const PAGE_COUNT = 1_000

export async function* watch(watching: Watching): AsyncGenerator<WatchedView> {
  const { store, namespace, after, signal } = watching
  let done = after
  for await (const change of store.changes({ after, signal })) {
    if (change.namespace === namespace) {
      const ids = concernedRecords(change, watching)
      // One is held back: with the last of a change, and with no earlier one, the whole change has been dealt with.
      let held: string | undefined
      for (const id of ids) {
        if (held !== undefined) yield watched(watching, held, done)
        if (signal.aborted) return
        held = id
      }
      if (held !== undefined) yield watched(watching, held, change.position)
    }
    if (signal.aborted) return
    done = change.position
  }
}

function watched({ views, collection, context }: Watching, id: string, position: Position): WatchedView {
  const view = views.view(entityIdOf(collection, id), id, { context })
  return { position, id, ...(view && { view }) }
}

function concernedRecords(change: Change, watching: Watching): Iterable<string> {
  const { store, namespace, collection, id } = watching
  const concerned = concernedBy(change, store, namespace)
  for (const entity of concerned) {
    if (definesFor(entity, change, watching)) return id === undefined ? recordsOf(watching) : [id]
  }
  if (id !== undefined) return concerned.has(entityIdOf(collection, id)) ? [id] : []
  return [...concerned].flatMap((entity) => {
    const record = parseEntityId(entity)
    return record?.collection === collection ? [record.id] : []
  })
}

/** Whether the record says, or said, how the watched ones are read. What it said in voided blocks is not known any more. */
function definesFor(entity: string, change: Change, { views, collection, context }: Watching): boolean {
  const record = parseEntityId(entity)
  if (record?.collection === CONTEXT) return record.id === context
  if (record?.collection !== RESOLVER) return false
  if (change.kind === 'voided') return true
  const claims = Object.values(views.lossless(entity, {})?.properties ?? {}).flat()
  return claims.some(({ value }) => collectionIn(value) === collection)
}

function collectionIn(definition: Value): Value | undefined {
  if (typeof definition !== 'object' || definition === null || isList(definition)) return undefined
  return definition instanceof Uint8Array ? undefined : definition['collection']
}

function* recordsOf({ store, namespace, collection }: Watching): Iterable<string> {
  const prefix = entityIdOf(collection, 'x').slice(0, -1)
  let after: string | undefined
  do {
    const page = store.entities(namespace, { prefix, countMax: PAGE_COUNT, ...(after === undefined ? {} : { after }) })
    for (const entity of page) if (entity !== prefix) yield entity.slice(prefix.length)
    after = page.at(-1)
  } while (after !== undefined)
}
