/** What histories of shards place, hold and write: ranges of which some overlap, and records that lie in them and in none. */

import { NAMESPACE_NAME } from '../../support/blocks.ts'
import type { Random } from '../../../src/testing/seeded-random.ts'

export const RANGES = ['*:a-g', '*:e-m', 'pear:0-4', 'pear:3-9'] as const
/** `fig` lies in two of the ranges, and so do the pears from 3 to 4. */
export const COLLECTIONS = ['apple', 'fig', 'kiwi', 'pear'] as const

/** What a node is told to hold, as the rest of a topic: all, nothing, a part or two. */
const HELD = [[''], [':none'], [':*:a-g'], [':*:e-m'], [':pear:0-4'], [':*:a-g', ':pear:3-9']] as const
const FIRST = ['1', '4', '7'] as const

export function someTopics(random: Random): readonly string[] {
  return random.pick(HELD).map((held) => `${NAMESPACE_NAME}${held}`)
}

export function someShard(random: Random): string {
  return `${NAMESPACE_NAME}:${random.pick(RANGES)}`
}

export function someCollection(random: Random): string {
  return random.pick(COLLECTIONS)
}

/** Of a record that one node alone writes, and nobody deletes. */
export function ownId(random: Random, index: number): string {
  return `${random.pick(FIRST)}-by-${index}`
}

/** Of a record that anybody writes and deletes. */
export function sharedId(random: Random): string {
  return `${random.pick(FIRST)}-of-all`
}

/** Of two records of one shard that are written together, by anybody, and never otherwise. */
export function pairIds(random: Random): readonly [string, string] {
  const first = random.pick(FIRST)
  return [`${first}-left`, `${first}-right`]
}
