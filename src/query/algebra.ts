/**
 * The operators of a query: as JSON (`QueryJson`, what users write and store) and as parsed (`Query`, what a plan is made
 * of). The grammar with examples is in README.md; `parse.ts` leads from the one to the other.
 */

import type { Value } from '../delta/delta.ts'
import type { Json } from '../delta/json.ts'

export type Rule = Json

/** Columns by name, or made by rules over the row. */
export type ColumnsJson = readonly string[] | { readonly [column: string]: Rule }

/** Which pointers of a delta make a column; `{}` is any. */
export interface PatternJson {
  /** A reference to this entity. */
  readonly entity?: string
  /** A reference to a record of this collection. */
  readonly in?: string
  /** A reference to this property of whatever entity. */
  readonly property?: string
  /** This very value, not a reference. */
  readonly value?: Json
  /** The delta is a row without it too, and the column null. Default false. */
  readonly optional?: boolean
}

export type JoinKind = 'inner' | 'left' | 'semi' | 'anti'

/** A path that both sides have, or one of the left and one of the right. */
export type OnJson = string | readonly [left: string, right: string]

export type AggregateJson =
  | { readonly count: true | string }
  | { readonly sum: string }
  | { readonly min: string }
  | { readonly max: string }
  | { readonly average: string }
  | { readonly collect: string }

export type ByJson = string | { readonly descending: string }

export type QueryJson =
  | { readonly view: string }
  | {
      readonly collection: string
      readonly as?: string
      readonly columns?: readonly string[]
      readonly id?: string
      readonly entity?: string
      readonly prefix?: string
    }
  | { readonly pointers: { readonly [localContext: string]: PatternJson }; readonly as?: string; readonly id?: string }
  | { readonly select: QueryJson; readonly where: Rule }
  | { readonly project: QueryJson; readonly columns: ColumnsJson }
  | { readonly rename: QueryJson; readonly columns: { readonly [column: string]: string } }
  | { readonly unnest: QueryJson; readonly column: string; readonly as?: string }
  | {
      readonly join: readonly [left: QueryJson, right: QueryJson]
      readonly on: readonly OnJson[]
      readonly kind?: JoinKind
    }
  | { readonly union: readonly [QueryJson, QueryJson] }
  | { readonly intersect: readonly [QueryJson, QueryJson] }
  | { readonly minus: readonly [QueryJson, QueryJson] }
  | {
      readonly group: QueryJson
      readonly by: ColumnsJson
      readonly aggregates: { readonly [column: string]: AggregateJson }
    }
  | { readonly order: QueryJson; readonly by: readonly ByJson[] }
  | { readonly limit: QueryJson; readonly count: number; readonly after?: string }
  | {
      readonly closure: QueryJson
      readonly from: string
      readonly to: string
      readonly start?: readonly Json[]
      readonly depthMax?: number
      readonly depth?: string
    }

/** A column of the answer: one of the input, or what a rule makes of the row. */
export type Column =
  | { readonly kind: 'column'; readonly name: string }
  | { readonly kind: 'rule'; readonly name: string; readonly rule: Rule }

export type AggregateName = 'count' | 'sum' | 'min' | 'max' | 'average' | 'collect'

export interface Aggregate {
  readonly name: string
  readonly aggregate: AggregateName
  /** Undefined counts rows. */
  readonly path?: string
}

export interface Pattern {
  readonly localContext: string
  readonly entity?: string
  readonly collection?: string
  readonly property?: string
  readonly value?: Value
  readonly optional: boolean
}

export interface CollectionQuery {
  readonly kind: 'collection'
  readonly collection: string
  readonly alias?: string
  readonly columns?: readonly string[]
  /** Columns of the record's id, and of its entity's. */
  readonly id: string
  readonly entity?: string
  readonly prefix: string
}

export interface PointersQuery {
  readonly kind: 'pointers'
  readonly patterns: readonly Pattern[]
  readonly alias?: string
  /** Column of the delta's id. */
  readonly id: string
}

export interface ClosureQuery {
  readonly kind: 'closure'
  readonly of: Query
  readonly from: string
  readonly to: string
  readonly start?: readonly Value[]
  readonly depthMax: number
  readonly depth?: string
}

export type Query =
  | CollectionQuery
  | PointersQuery
  | ClosureQuery
  | { readonly kind: 'select'; readonly of: Query; readonly rule: Rule }
  | { readonly kind: 'project'; readonly of: Query; readonly columns: readonly Column[] }
  | { readonly kind: 'rename'; readonly of: Query; readonly names: ReadonlyMap<string, string> }
  | { readonly kind: 'unnest'; readonly of: Query; readonly path: string; readonly name: string }
  | {
      readonly kind: 'join'
      readonly join: JoinKind
      readonly left: Query
      readonly right: Query
      readonly on: readonly (readonly [left: string, right: string])[]
    }
  | { readonly kind: 'union' | 'intersect' | 'minus'; readonly left: Query; readonly right: Query }
  | {
      readonly kind: 'group'
      readonly of: Query
      readonly by: readonly Column[]
      readonly aggregates: readonly Aggregate[]
    }
  | {
      readonly kind: 'order'
      readonly of: Query
      readonly by: readonly { readonly path: string; readonly descending: boolean }[]
    }
  | { readonly kind: 'limit'; readonly of: Query; readonly count: number; readonly after?: string }
