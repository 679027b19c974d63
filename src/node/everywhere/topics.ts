/**
 * What a node is told to hold, as topics: `shop` is all of it, with whatever shards it has or will have; `shop:*:a-g` and
 * `shop:orders:a-g` are its rules and those shards; `shop:none` is its rules alone. Several of one name add up.
 */

import { parseShardRange, type ShardRange, shardRangeText } from '../../delta/shard-range.ts'
import { RhizomeError } from '../../errors.ts'
import { openNamespaceId } from '../../log/namespace.ts'
import { PLACEMENTS_MAX } from '../../view/placements/placement-set.ts'
import { TOPICS_MAX } from '../options.ts'

export interface Topic {
  readonly name: string
  /** Every shard, or these. */
  readonly shards: 'all' | readonly ShardRange[]
}

const NONE = 'none'

/** By name, in the order given. Throws RZ_NAMESPACE_NAME, RZ_PLACEMENT_INVALID. */
export function parseTopics(texts: readonly string[]): readonly [Topic, ...Topic[]] {
  const topics = new Map<string, Topic>()
  for (const { name, shards } of texts.map(parseTopic)) {
    const before = topics.get(name)?.shards ?? []
    topics.set(name, { name, shards: before === 'all' || shards === 'all' ? 'all' : distinct([...before, ...shards]) })
  }
  const [first, ...rest] = topics.values()
  if (first === undefined) throw new RhizomeError('RZ_NAMESPACE_NAME', 'a node needs a topic at least: --topic users')
  if (topics.size > TOPICS_MAX) throw new RhizomeError('RZ_NAMESPACE_NAME', `a node holds at most ${TOPICS_MAX} topics`)
  return [first, ...rest]
}

/** Throws RZ_NAMESPACE_NAME, RZ_PLACEMENT_INVALID. */
export function parseTopic(text: string): Topic {
  const colon = text.indexOf(':')
  const name = colon < 0 ? text : text.slice(0, colon)
  openNamespaceId(name)
  if (colon < 0) return { name, shards: 'all' }
  const held = text.slice(colon + 1)
  return { name, shards: held === NONE ? [] : [parseShardRange(held)] }
}

function distinct(ranges: readonly ShardRange[]): readonly ShardRange[] {
  const unique = [...new Map(ranges.map((range) => [shardRangeText(range), range])).values()]
  if (unique.length <= PLACEMENTS_MAX) return unique
  throw new RhizomeError('RZ_PLACEMENT_INVALID', `a namespace has at most ${PLACEMENTS_MAX} shards`)
}
