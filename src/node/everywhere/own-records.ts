/** The records of a collection that belong to one namespace, a shard or a parent: what lies there beside them is left out. */

import { CONTAINER_PREFIX } from '../../delta/container.ts'
import { isDeltaId } from '../../delta/identifiers.ts'
import { entityIdOf, parseEntityId } from '../../delta/record.ts'
import { RhizomeError } from '../../errors.ts'
import { shardNameOf } from '../../log/namespace.ts'
import type { QueryJson } from '../../query/algebra.ts'
import { PAGE_ROWS_MAX } from '../../query/limits.ts'
import type { Relation } from '../../query/relations.ts'
import type { RecordRow } from '../../query/source.ts'
import type { Namespace } from '../namespace.ts'
import type { IdsOptions } from '../records.ts'
import type { ViewOptions } from '../views.ts'

/** Those of the relation, as they are walked. Throws RZ_QUERY_LIMIT past `countMax`, and as `query` and `view`. */
export function* ownRecords(
  namespace: Namespace,
  { collection, prefix, filter }: Relation,
  options: ViewOptions,
  countMax: number,
): Iterable<RecordRow> {
  const start = entityIdOf(collection, 'x').slice(0, -1)
  const ids = filter && [...wantedIds(namespace, filter, options, countMax)].map((id) => entityIdOf(collection, id))
  let count = 0
  for (const { id: entity, properties } of namespace.viewAll({
    ...options,
    prefix: start + prefix,
    ...(ids !== undefined && { ids }),
  })) {
    const id = entity.slice(start.length)
    if (!isOwn(namespace, collection, id) || Object.keys(properties).length === 0) continue
    if (++count > countMax) throw tooMany(countMax)
    yield { id, entity, properties }
  }
}

/** The ids in the rows of a filter. */
function* wantedIds(namespace: Namespace, filter: QueryJson, options: ViewOptions, countMax: number): Iterable<string> {
  let after: string | undefined
  let count = 0
  do {
    const page = namespace.query(
      { limit: filter, count: PAGE_ROWS_MAX, ...(after !== undefined && { after }) },
      options,
    )
    for (const { id } of page.rows) if (typeof id === 'string') yield id
    count += page.rows.length
    if (count > countMax) throw tooMany(countMax)
    after = page.next
  } while (after !== undefined)
}

/** As `Namespace.ids`. */
export function ownIds(namespace: Namespace, collection: string, options: IdsOptions): readonly string[] {
  const found = namespace.ids(collection, options)
  const own = found.filter((id) => isOwn(namespace, collection, id))
  const last = found.at(-1)
  // Most lie where they belong: then this is the page.
  if (own.length === found.length || last === undefined) return own
  const more = ownIds(namespace, collection, { ...options, after: last })
  return [...own, ...more].slice(0, found.length)
}

/** As `Namespace.collections`. */
export function ownCollections(namespace: Namespace, options: ViewOptions): readonly string[] {
  const { ranges } = namespace.placements
  const names = namespace.collections(options)
  if (ranges.length === 0) return names
  const isMarked = (name: string) => namespace.entity(`${CONTAINER_PREFIX}${name}`, options) !== undefined
  return names.filter((name) => ownIds(namespace, name, { ...options, countMax: 1 }).length > 0 || isMarked(name))
}

/** Ids of entities, and behind which the next page begins; no `next` at the end. */
export interface EntityPage {
  readonly entities: readonly string[]
  readonly next: string | undefined
}

/** Records that belong here, deltas whose log is this one's, and in the parent all other entities. */
export function ownEntities(namespace: Namespace, prefix: string, after: string | undefined): EntityPage {
  const page = namespace.entityPage(prefix, after)
  const entities = page.filter((entity) => {
    if (isDeltaId(entity)) return namespace.delta(entity) !== undefined
    const { collection, id } = parseEntityId(entity) ?? {}
    if (collection === undefined || id === undefined) return namespace.parent === undefined
    return isOwn(namespace, collection, id)
  })
  return { entities, next: page.at(-1) }
}

/** Whether a record belongs to this namespace, by the placements in force. */
export function isOwn(namespace: Namespace, collection: string, id: string): boolean {
  const range = namespace.placements.rangeOf(collection, id)
  const parent = namespace.parent?.name ?? namespace.name
  return namespace.name === (range === undefined ? parent : shardNameOf(parent, range))
}

export function tooMany(countMax: number): RhizomeError {
  return new RhizomeError(
    'RZ_QUERY_LIMIT',
    `a query over several shards brings together at most ${countMax} records: ask for fewer, by a condition on the records themselves or a prefix of their ids`,
  )
}
