/**
 * Rules that changed: from then on all records that they are for are read otherwise. Of a shard, they lie in its parent. A
 * resolver bears upon the records of its collection, a context upon all that are read in it.
 */

import type { Value } from '../delta/delta.ts'
import { parseEntityId } from '../delta/record.ts'
import { isList } from '../delta/value.ts'
import type { NamespaceId } from '../log/namespace.ts'
import type { Change } from '../store/store.ts'
import { CONTEXT, RESOLVER } from './definitions.ts'
import type { Views } from './views.ts'

export type RuleChange =
  /** Without a collection it may be any: what a resolver said in voided blocks is not known any more. */
  { readonly kind: 'resolver'; readonly collection?: string } | { readonly kind: 'context'; readonly id: string }

/** Where rules lie. */
export interface RuleRecords {
  readonly namespace: NamespaceId
  readonly views: Views
}

/** `concerned`: the entities that the change, which is one of the namespace of the rules, bears upon. */
export function ruleChangesIn(
  change: Change,
  concerned: ReadonlySet<string>,
  { views }: RuleRecords,
): readonly RuleChange[] {
  return [...concerned].flatMap((entity): readonly RuleChange[] => {
    const { collection, id } = parseEntityId(entity) ?? {}
    if (collection === CONTEXT && id !== undefined) return [{ kind: 'context', id }]
    if (collection !== RESOLVER) return []
    if (change.kind === 'voided') return [{ kind: 'resolver' }]
    const claims = Object.values(views.lossless(entity, {})?.properties ?? {}).flat()
    const named = new Set(claims.map(({ value }) => collectionIn(value)))
    return [...named].flatMap((name) => (typeof name === 'string' ? [{ kind: 'resolver', collection: name }] : []))
  })
}

/** Whether the records of a collection, as read in a context, have to be read anew. */
export function bearsUpon(
  rule: RuleChange,
  read: { readonly collection: string; readonly context: string | false },
): boolean {
  if (rule.kind === 'context') return rule.id === read.context
  return rule.collection === undefined || rule.collection === read.collection
}

function collectionIn(definition: Value): Value | undefined {
  if (typeof definition !== 'object' || definition === null || isList(definition)) return undefined
  return definition instanceof Uint8Array ? undefined : definition['collection']
}
