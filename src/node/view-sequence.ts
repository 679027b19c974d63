/**
 * Views of several entities or of all, one after the other, read in pages: a million entities take no more memory than a
 * page. Walked with `for await` it gives way to whatever else the node does; walked with `for` it does not. Each view is of
 * the moment in which it is handed out, unless the question names one.
 */

import { setImmediate as turn } from 'node:timers/promises'
import { CONTAINER, CONTAINER_PREFIX, markedContainer } from '../delta/container.ts'
import { isDeltaId } from '../delta/identifiers.ts'
import { compareUtf8 } from '../delta/order.ts'
import { parseEntityId } from '../delta/record.ts'
import type { NamespaceId } from '../log/namespace.ts'
import type { Store } from '../store/store.ts'
import type { ViewOptions } from './views.ts'

/** Which entities a question is about. */
export interface EntityRange {
  /** These, each once, in this order. Default: all that deltas point at, in order of their UTF-8 bytes. */
  readonly ids?: readonly string[]
  /** Those alone whose id begins with it: `user/` for the records of a collection. */
  readonly prefix?: string
  /** Starts behind this one. */
  readonly after?: string
}

export interface ManyOptions extends EntityRange, ViewOptions {}

/** To be walked with `for` or `for await`, as often as wanted: each walk begins anew. */
export type ViewSequence<Item> = Iterable<Item> & AsyncIterable<Item>

/** Entities asked for at once. */
const PAGE_COUNT = 256
/** How long a walk may keep everybody else waiting. */
const TURN_MS = 5

/** `read` answers undefined for an entity of which nothing is seen. */
export function viewSequence<Item>(
  store: Store,
  namespace: NamespaceId,
  range: EntityRange,
  read: (entity: string) => Item | undefined,
): ViewSequence<Item> {
  return {
    *[Symbol.iterator]() {
      for (const entity of entitiesIn(store, namespace, range)) {
        const item = read(entity)
        if (item !== undefined) yield item
      }
    },
    async *[Symbol.asyncIterator]() {
      let sinceMs = performance.now()
      for (const entity of entitiesIn(store, namespace, range)) {
        const item = read(entity)
        if (item !== undefined) yield item
        if (performance.now() - sinceMs < TURN_MS) continue
        await turn()
        sinceMs = performance.now()
      }
    },
  }
}

/** The ids of the entities, whether or not anything is seen of them. */
function* entitiesIn(
  store: Store,
  namespace: NamespaceId,
  { ids, prefix = '', after }: EntityRange,
): Generator<string> {
  if (ids !== undefined) {
    const listed = [...new Set(ids)]
    const start = after === undefined ? 0 : listed.indexOf(after) + 1
    for (const id of listed.slice(start)) if (id.startsWith(prefix)) yield id
    return
  }
  for (let last = after; ;) {
    const page = pageAfter(store, namespace, prefix, last)
    yield* page
    last = page.at(-1)
    if (last === undefined) return
  }
}

/**
 * The names of collections of which a record `holds`, and of containers whose mark does, by their UTF-8 bytes; marks
 * themselves are of none. Skips from one collection to the next, so beside entities that are no records, and marks, it costs a
 * page or two for each.
 */
export function collectionsIn(
  store: Store,
  namespace: NamespaceId,
  holds: (entity: string) => boolean,
): readonly string[] {
  const names = new Set(withRecords(store, namespace, holds))
  if (!names.delete(CONTAINER)) return [...names]
  for (const mark of entitiesIn(store, namespace, { prefix: CONTAINER_PREFIX })) {
    const name = markedContainer(mark)
    if (name !== undefined && !names.has(name) && holds(mark)) names.add(name)
  }
  return [...names].sort(compareUtf8)
}

function* withRecords(store: Store, namespace: NamespaceId, holds: (entity: string) => boolean): Generator<string> {
  for (let last: string | undefined; ;) {
    const page = pageAfter(store, namespace, '', last)
    const collection = page.map(collectionIn).find((name) => name !== undefined)
    last = collection === undefined ? page.at(-1) : `${collection}${BEHIND_SLASH}`
    if (last === undefined) return
    if (collection === undefined) continue
    for (const entity of entitiesIn(store, namespace, { prefix: `${collection}/` })) {
      if (parseEntityId(entity) === undefined || !holds(entity)) continue
      yield collection
      break
    }
  }
}

/** Of a record's id; negated deltas are entities as well, and only look like records. */
function collectionIn(entity: string): string | undefined {
  return isDeltaId(entity) ? undefined : parseEntityId(entity)?.collection
}

/** The character after the slash: whatever begins with `name/` comes before `name0`, and no record is called so. */
const BEHIND_SLASH = '0'

function pageAfter(store: Store, namespace: NamespaceId, prefix: string, after: string | undefined): readonly string[] {
  return store.entities(namespace, { prefix, countMax: PAGE_COUNT, ...(after === undefined ? {} : { after }) })
}
