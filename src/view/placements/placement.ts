/**
 * Placements: records of the parent namespace that say which of its records lie in a shard. The shard of a range follows from
 * parent and range alone, so a placement redirects nobody's records to another place than its own. design.md 4 and 5.
 */

import { CONTAINER } from '../../delta/container.ts'
import type { Value } from '../../delta/delta.ts'
import { parseShardRange, type ShardRange } from '../../delta/shard-range.ts'
import { fieldsOf, invalid, refuseOthers, RESERVED_COLLECTIONS } from '../definition.ts'

/** Of placement definitions: a later one is passed over, and reported. */
export const PLACEMENT_SEMANTICS = 1

/** What says how others are read, and which containers there are: every node has it, whatever is placed. */
export function staysInParent(collection: string): boolean {
  return collection === CONTAINER || RESERVED_COLLECTIONS.has(collection)
}

export interface Placement {
  readonly range: ShardRange
}

/** Throws RZ_DEFINITION_INVALID, RZ_PLACEMENT_INVALID. */
export function compilePlacement(value: Value): Placement {
  const fields = fieldsOf(value)
  refuseOthers(fields, ['semantics', 'range'])
  if (fields['semantics'] !== PLACEMENT_SEMANTICS) {
    throw invalid(`"semantics" is the version of placements, here ${PLACEMENT_SEMANTICS}`)
  }
  if (typeof fields['range'] !== 'string') throw invalid('"range" is a text such as "*:a-g"')
  const range = parseShardRange(fields['range'])
  if (range.collection !== undefined && staysInParent(range.collection)) {
    throw invalid(`records of "${range.collection}" are for everybody, and stay in the parent`)
  }
  return { range }
}
