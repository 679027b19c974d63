/** The names of collections, and the ids of their records: those that hold for the asker, by their UTF-8 bytes. */

import { CONTAINER, CONTAINER_PREFIX, markedContainer } from '../delta/container.ts'
import { isDeltaId } from '../delta/identifiers.ts'
import { compareUtf8 } from '../delta/order.ts'
import { entityIdOf, parseEntityId } from '../delta/record.ts'
import type { NamespaceId } from '../log/namespace.ts'
import type { Store } from '../store/store.ts'
import type { IdsOptions } from './records.ts'
import { entitiesIn, entityPage } from './view-sequence.ts'

/** Whether anything stands about an entity. */
type Holds = (entity: string) => boolean

export const IDS_COUNT_MAX = 10_000
const IDS_COUNT_DEFAULT = 1_000

/** How many ids are listed, by how many are asked for. */
export function idsCount(asked: number = IDS_COUNT_DEFAULT): number {
  return Math.min(asked, IDS_COUNT_MAX)
}

/** Of a collection's records, without its name. */
export function idsIn(
  store: Store,
  namespace: NamespaceId,
  collection: string,
  options: Pick<IdsOptions, 'after' | 'countMax'>,
  holds: Holds,
): readonly string[] {
  const countMax = idsCount(options.countMax)
  const prefix = entityIdOf(collection, 'x').slice(0, -1)
  const ids: string[] = []
  let after = options.after === undefined ? undefined : prefix + options.after
  while (ids.length < countMax) {
    const page = store.entities(namespace, {
      prefix,
      countMax: countMax - ids.length,
      ...(after === undefined ? {} : { after }),
    })
    const last = page.at(-1)
    if (last === undefined) break
    after = last
    for (const entity of page) if (holds(entity)) ids.push(entity.slice(prefix.length))
  }
  return ids
}

/**
 * The names of collections of which a record `holds`, and of containers whose mark does, by their UTF-8 bytes; marks
 * themselves are of none. Skips from one collection to the next, so beside entities that are no records, and marks, it costs a
 * page or two for each.
 */
export function collectionsIn(store: Store, namespace: NamespaceId, holds: Holds): readonly string[] {
  const names = new Set(withRecords(store, namespace, holds))
  if (!names.delete(CONTAINER)) return [...names]
  for (const mark of entitiesIn(store, namespace, { prefix: CONTAINER_PREFIX })) {
    const name = markedContainer(mark)
    if (name !== undefined && !names.has(name) && holds(mark)) names.add(name)
  }
  return [...names].sort(compareUtf8)
}

function* withRecords(store: Store, namespace: NamespaceId, holds: Holds): Generator<string> {
  for (let last: string | undefined; ;) {
    const page = entityPage(store, namespace, '', last)
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
