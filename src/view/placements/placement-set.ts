/**
 * The placements in force in a namespace, and which of them a record belongs to: a pure function of the placement records.
 * Whoever writes refuses ranges that overlap; where two nodes have written such all the same, the range that was placed first
 * has the record, so that what comes later never takes anything away from it. design.md 4.
 */

import { compareDeltas } from '../../delta/order.ts'
import type { Delta } from '../../delta/delta.ts'
import { firstByteOf, rangeHolds, rangesOverlap, type ShardRange, shardRangeText } from '../../delta/shard-range.ts'
import type { DefinitionRecord } from '../definition.ts'
import { type Placement, staysInParent } from './placement.ts'

export const PLACEMENTS_MAX = 64
/** Collections whose ranges are remembered; more are looked up anew. */
const COLLECTIONS_KEPT = 1_024
const BYTES = 256

interface Placed {
  readonly range: ShardRange
  readonly since: Delta
}

/** By the first byte of an id the range that has the record; undefined for the parent. */
type Owners = readonly (ShardRange | undefined)[]

export class PlacementSet {
  /** Those in force, the first placed first. */
  readonly ranges: readonly ShardRange[]
  /** Past the limit: passed over. */
  readonly surplus: readonly ShardRange[]
  readonly #owners = new Map<string, Owners>()

  constructor(ranges: readonly ShardRange[], surplus: readonly ShardRange[] = []) {
    this.ranges = ranges
    this.surplus = surplus
  }

  get isEmpty(): boolean {
    return this.ranges.length === 0
  }

  /** The range that a record lies in; undefined for the parent. */
  rangeOf(collection: string, id: string): ShardRange | undefined {
    return this.isEmpty ? undefined : this.#ownersOf(collection)[firstByteOf(id)]
  }

  /** Where records of a collection may lie, each once; undefined is the parent. */
  rangesOf(collection: string): readonly (ShardRange | undefined)[] {
    return this.isEmpty ? [undefined] : [...new Set(this.#ownersOf(collection))]
  }

  /** A range in force that some record of `range` may lie in. */
  overlapping(range: ShardRange): ShardRange | undefined {
    const text = shardRangeText(range)
    return this.ranges.find((other) => rangesOverlap(range, other) && shardRangeText(other) !== text)
  }

  has(range: ShardRange): boolean {
    const text = shardRangeText(range)
    return this.ranges.some((other) => shardRangeText(other) === text)
  }

  #ownersOf(collection: string): Owners {
    const known = this.#owners.get(collection)
    if (known !== undefined) return known
    const owners = staysInParent(collection) ? EMPTY : this.#look(collection)
    if (this.#owners.size >= COLLECTIONS_KEPT) this.#owners.clear()
    this.#owners.set(collection, owners)
    return owners
  }

  #look(collection: string): Owners {
    return Array.from({ length: BYTES }, (_, byte) =>
      this.ranges.find((range) =>
        range.collection === undefined
          ? rangeHolds(range, collection, '')
          : range.collection === collection && range.from <= byte && byte <= range.to,
      ),
    )
  }
}

const EMPTY: Owners = Array.from({ length: BYTES }, () => undefined)

export function placementSet(records: Iterable<DefinitionRecord<Placement>>): PlacementSet {
  const placed = new Map<string, Placed>()
  for (const { definition, since } of records) {
    if (definition === undefined || since === undefined) continue
    const text = shardRangeText(definition.range)
    const before = placed.get(text)
    if (before === undefined || compareDeltas(since, before.since) < 0)
      placed.set(text, { range: definition.range, since })
  }
  const ordered = [...placed.values()].sort((a, b) => compareDeltas(a.since, b.since)).map(({ range }) => range)
  return new PlacementSet(ordered.slice(0, PLACEMENTS_MAX), ordered.slice(PLACEMENTS_MAX))
}
