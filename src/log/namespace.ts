/** Namespaces: a name for people, 32 bytes in every header, a topic on the wire. design.md 2 and 4. */

import { hash as digest } from 'node:crypto'
import type { Brand } from '../delta/brand.ts'
import { parseShardRange, type ShardRange, shardRangeText } from '../delta/shard-range.ts'
import { RhizomeError } from '../errors.ts'

/** The 32 bytes of a namespace in 64 hex digits. */
export type NamespaceId = Brand<string, 'NamespaceId'>

const NAMESPACE_NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/

/** Throws RZ_NAMESPACE_NAME for a name that is neither `[a-z0-9][a-z0-9._-]{0,63}` nor that of a shard of such. */
export function openNamespaceId(name: string): NamespaceId {
  if (!NAMESPACE_NAME.test(name) && shardNamed(name) === undefined) {
    throw new RhizomeError(
      'RZ_NAMESPACE_NAME',
      `"${name}" is not a namespace name: 1 to 64 of a–z, 0–9, ".", "_", "-", the first a letter or digit`,
    )
  }
  return digest('sha256', `rhizome/namespace/open/${name}`, 'hex') as NamespaceId
}

/** The namespace in which the records of a range lie: `shop:*:a-g`. A function of parent and range alone. */
export function shardNameOf(parent: string, range: ShardRange): string {
  return `${parent}:${shardRangeText(range)}`
}

/** What the name of a shard says; undefined for another name, and for one that is not in its one form. */
export function shardNamed(name: string): { readonly parent: string; readonly range: ShardRange } | undefined {
  const colon = name.indexOf(':')
  const parent = name.slice(0, Math.max(0, colon))
  if (!NAMESPACE_NAME.test(parent)) return undefined
  try {
    const range = parseShardRange(name.slice(colon + 1))
    return shardNameOf(parent, range) === name ? { parent, range } : undefined
  } catch (error) {
    if (error instanceof RhizomeError) return undefined
    throw error
  }
}

/** The GossipSub topic of an open namespace. */
export function topicOf(name: string): string {
  return `/rhizome/1/${name}`
}
