/**
 * Which ranges may be placed in a namespace: one that overlaps no other, for which there is room, and in which no record lies.
 * How placements are read is decided in `view/placements`.
 */

import { parseShardRange, rangeHolds, type ShardRange, shardRangeText } from '../delta/shard-range.ts'
import { RhizomeError } from '../errors.ts'
import { staysInParent } from '../view/placements/placement.ts'
import { PLACEMENTS_MAX, type PlacementSet } from '../view/placements/placement-set.ts'
import { IDS_COUNT_MAX } from './listing.ts'
import type { IdsOptions } from './records.ts'
import type { ViewOptions } from './views.ts'

/** What is asked of the namespace in which a range is to be placed. */
export interface PlacingPort {
  readonly name: string
  readonly parent: { readonly name: string } | undefined
  readonly placements: PlacementSet
  readonly collections: (options: ViewOptions) => readonly string[]
  readonly ids: (collection: string, options: IdsOptions) => readonly string[]
}

/** The range, when it may be placed. Throws RZ_PLACEMENT_INVALID, RZ_PLACEMENT_OVERLAP, RZ_PLACEMENT_TAKEN. */
export function placeableRange(text: string, namespace: PlacingPort): ShardRange {
  const range = parseShardRange(text)
  const { name, parent, placements } = namespace
  if (parent !== undefined) {
    throw new RhizomeError('RZ_PLACEMENT_INVALID', `"${name}" is a shard: place in "${parent.name}"`)
  }
  checkPlacement(name, placements, range)
  const taken = placements.has(range) ? undefined : firstIn(range, namespace)
  if (taken === undefined) return range
  const message = `"${name}" holds ${taken} already, which would not be seen in a shard: export it, delete it, place, and import it`
  throw new RhizomeError('RZ_PLACEMENT_TAKEN', message)
}

/** Throws RZ_PLACEMENT_OVERLAP, and RZ_PLACEMENT_INVALID where there is no room for another. */
export function checkPlacement(name: string, placements: PlacementSet, range: ShardRange): void {
  const other = placements.overlapping(range)
  if (other !== undefined) {
    throw new RhizomeError(
      'RZ_PLACEMENT_OVERLAP',
      `"${shardRangeText(range)}" overlaps "${shardRangeText(other)}", which is placed in "${name}" already: placements are ` +
        'never moved; choose a range beside it',
    )
  }
  if (placements.ranges.length >= PLACEMENTS_MAX && !placements.has(range)) {
    throw new RhizomeError('RZ_PLACEMENT_INVALID', `"${name}" has ${PLACEMENTS_MAX} shards, and may have no more`)
  }
}

/** What lies in the range, in words: a record, or the collection of one. */
function firstIn(range: ShardRange, namespace: PlacingPort): string | undefined {
  if (range.collection === undefined) {
    const inRange = (name: string) => !staysInParent(name) && rangeHolds(range, name, '')
    const collection = namespace.collections({ context: false }).find(inRange)
    return collection === undefined ? undefined : `records of "${collection}"`
  }
  if (staysInParent(range.collection)) return undefined
  const id = firstIdIn(range, range.collection, namespace)
  return id === undefined ? undefined : `${range.collection}/${id}`
}

function firstIdIn(range: ShardRange, collection: string, namespace: PlacingPort): string | undefined {
  for (let after: string | undefined; ;) {
    const options = { context: false, countMax: IDS_COUNT_MAX, ...(after !== undefined && { after }) } as const
    const ids = namespace.ids(collection, options)
    const id = ids.find((each) => rangeHolds(range, collection, each))
    if (id !== undefined) return id
    after = ids.at(-1)
    if (after === undefined) return undefined
  }
}
