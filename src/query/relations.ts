/**
 * What a query reads of the world: which records it may need, said so that others can find them where they lie. A relation is told
 * with the conditions that stand directly above it, since a record that does not meet them reaches nothing through it.
 */

import type { CollectionQuery, Query, QueryJson, Rule } from './algebra.ts'

/** Records of a collection, those alone whose ids begin with a text. */
export interface Relation {
  readonly collection: string
  readonly prefix: string
  /** A query whose rows have in `id` which of those records are needed; undefined: all. */
  readonly filter?: QueryJson
}

export interface Relations {
  readonly relations: readonly Relation[]
  readonly readsPointers: boolean
}

export function relationsOf(query: Query): Relations {
  const relations: Relation[] = []
  let readsPointers = false
  const walk = (part: Query, rules: readonly Rule[]): void => {
    if (part.kind === 'collection') relations.push(relationOf(part, rules))
    else if (part.kind === 'pointers') readsPointers = true
    else if (part.kind === 'select') walk(part.of, [part.rule, ...rules])
    else if ('of' in part) walk(part.of, [])
    else {
      walk(part.left, [])
      walk(part.right, [])
    }
  }
  walk(query, [])
  return { relations, readsPointers }
}

/** With rules that its rows must meet, the first of them first. */
function relationOf(leaf: CollectionQuery, rules: readonly Rule[]): Relation {
  const { collection, prefix, columns, id, alias } = leaf
  const relation = { collection, prefix }
  // A column more could change what a rule says that reads the row as a whole.
  if (rules.length === 0 || columns?.includes(id) === false) return relation
  const met = rules.reduce<QueryJson>((select, where) => ({ select, where }), leafJson(leaf))
  const path = alias === undefined ? id : `${alias}.${id}`
  return { ...relation, filter: { project: met, columns: { id: { var: path } } } }
}

function leafJson({ collection, alias, columns, id, entity, prefix }: CollectionQuery): QueryJson {
  return {
    collection,
    id,
    ...(alias !== undefined && { as: alias }),
    ...(columns !== undefined && { columns }),
    ...(entity !== undefined && { entity }),
    ...(prefix !== '' && { prefix }),
  }
}
