/** The schemas in force, by collection. design.md 5. */

import { compareDeltas } from '../../delta/order.ts'
import type { DefinitionRecord } from '../definition.ts'
import type { Schema } from './schema.ts'

/** The schemas of one collection, one of each version, the latest version last; at most 16, and never empty. */
export type CollectionSchemas = readonly [Schema, ...Schema[]]

export interface SchemaSet {
  readonly collections: ReadonlyMap<string, CollectionSchemas>
}

/** All records' definitions of one version of a collection's schema compete, and the one claimed last is in force. */
export function schemaSet(records: readonly DefinitionRecord<Schema>[]): SchemaSet {
  const byCollection = new Map<string, Map<number, Schema>>()
  for (const schema of records.flatMap(({ definition }) => definition ?? []).sort(byClaim)) {
    const { collection, version } = schema.definition
    const versions = byCollection.get(collection) ?? new Map<number, Schema>()
    byCollection.set(collection, versions.set(version, schema))
  }
  return {
    collections: new Map([...byCollection].map(([collection, versions]) => [collection, inOrder(versions)])),
  }
}

/** Versions of one collection's schema that count: the latest. Each costs every record that breaks it a validation. */
const VERSIONS_MAX = 16

function inOrder(versions: ReadonlyMap<number, Schema>): CollectionSchemas {
  const sorted: readonly Schema[] = [...versions.values()].sort((a, b) => a.definition.version - b.definition.version)
  return sorted.slice(-VERSIONS_MAX) as readonly Schema[] as CollectionSchemas
}

function byClaim(a: Schema, b: Schema): number {
  if (a.source === undefined || b.source === undefined) {
    return Number(a.source !== undefined) - Number(b.source !== undefined)
  }
  return compareDeltas(a.source.delta, b.source.delta)
}
