/**
 * What deltas mean to secondary indexes: for each claim about an indexed property, the key of its value and the record
 * that it is about, whether it stands or not. What a view shows is among what was claimed, so an index knows every
 * record that may have a value, and some that have it no more. Derived from deltas alone. design.md 5.
 */

import { type Delta, isReference } from '../delta/delta.ts'
import { namesTransaction } from '../delta/gathered.ts'
import type { NamespaceId } from '../log/namespace.ts'
import { INDEX_KEYS_VERSION, indexKeyOf, OBJECT_KEY } from './index-key.ts'

/** A property of a collection's records by whose values they are to be found. */
export interface IndexedProperty {
  readonly collection: string
  readonly property: string
}

/** A claim: the record that it is about, under the key of its value. */
export interface IndexRow {
  readonly key: string
  /** The record's id in its collection. */
  readonly row: string
}

/** The table of an index: a name that no other index has, and none of another release that makes other keys. */
export function indexTable(namespace: NamespaceId, { collection, property }: IndexedProperty): string {
  return `index ${INDEX_KEYS_VERSION} ${namespace} ${collection}/${property}`
}

/** Adds a delta's rows to those of `tables`, which are listed by collection and property. Linear in its pointers. */
export function addIndexRows(delta: Delta, tables: ReadonlyMap<string, ReadonlyMap<string, IndexRow[]>>): void {
  const pointers = delta.pointers.filter((pointer) => !namesTransaction(pointer))
  for (const pointer of pointers) {
    if (!isReference(pointer)) continue
    const slash = pointer.target.indexOf('/')
    const rows = slash < 1 ? undefined : tables.get(pointer.target.slice(0, slash))?.get(pointer.targetContext)
    const row = pointer.target.slice(slash + 1)
    if (rows === undefined || row === '') continue
    const other = pointers[0] === pointer ? pointers[1] : pointers[0]
    const key = pointers.length > 2 ? OBJECT_KEY : other === undefined ? undefined : indexKeyOf(other.target)
    if (key !== undefined) rows.push({ key, row })
  }
}
