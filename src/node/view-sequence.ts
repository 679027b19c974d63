/**
 * Views of several entities or of all, one after the other, read in pages: a million entities take no more memory than a
 * page. Walked with `for await` it gives way to whatever else the node does; walked with `for` it does not. Each view is of
 * the moment in which it is handed out, unless the question names one.
 */

import { setImmediate as turn } from 'node:timers/promises'
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

/** Those that the range names, each once. */
export function* namedEntities({ ids = [], prefix = '', after }: EntityRange): Generator<string> {
  const listed = [...new Set(ids)]
  const start = after === undefined ? 0 : listed.indexOf(after) + 1
  for (const id of listed.slice(start)) if (id.startsWith(prefix)) yield id
}

/** The ids of the entities, whether or not anything is seen of them. */
export function* entitiesIn(
  store: Store,
  namespace: NamespaceId,
  { ids, prefix = '', after }: EntityRange,
): Generator<string> {
  if (ids !== undefined) {
    yield* namedEntities({ ids, prefix, ...(after !== undefined && { after }) })
    return
  }
  for (let last = after; ;) {
    const page = entityPage(store, namespace, prefix, last)
    yield* page
    last = page.at(-1)
    if (last === undefined) return
  }
}

/** The next ids behind `after`; none at the end. */
export function entityPage(
  store: Store,
  namespace: NamespaceId,
  prefix: string,
  after: string | undefined,
): readonly string[] {
  return store.entities(namespace, { prefix, countMax: PAGE_COUNT, ...(after === undefined ? {} : { after }) })
}
