/**
 * Queries written in TypeScript: each call wraps the query so far into one more operator of the JSON form, which `json`
 * holds. Types follow the columns; what they cannot tell (rules, paths into columns) is checked when the query is run.
 *
 * ```ts
 * from<Country>('country', { as: 'c' }).where({ '>': [{ var: 'c.area' }, 1e6] }).make({ name: { var: 'c.name' } })
 * ```
 */

import type { AggregateJson, ByJson, JoinKind, OnJson, PatternJson, QueryJson, Rule } from './algebra.ts'
import type { Json } from '../delta/json.ts'

/** A record as a row: its properties and its id. */
export type RecordOf<Properties> = Properties & { readonly id: string }

type Name<Columns> = keyof Columns & string
/** A column, or a path into one. */
type Path<Columns> = Name<Columns> | `${Name<Columns>}.${string}`
type On<Left, Right> = (Path<Left> & Path<Right>) | readonly [left: Path<Left>, right: Path<Right>]
type OrderBy<Columns> = Path<Columns> | { readonly descending: Path<Columns> }

type CollectionOptions = Omit<Extract<QueryJson, { readonly collection: string }>, 'collection' | 'as'>
type PointersOptions = Omit<Extract<QueryJson, { readonly pointers: unknown }>, 'pointers'>

/** The records of a collection; with `as`, each as one column that holds it. */
export function from<Properties>(
  collection: string,
  options?: CollectionOptions & { readonly as?: never },
): Fluent<RecordOf<Properties>>
export function from<Properties, As extends string>(
  collection: string,
  options: CollectionOptions & { readonly as: As },
): Fluent<{ readonly [column in As]: RecordOf<Properties> }>
export function from(collection: string, options: CollectionOptions & { readonly as?: string } = {}): Fluent<unknown> {
  return new Fluent({ collection, ...options })
}

/** The deltas whose pointers fit, a column for each localContext. */
export function fromPointers<Contexts extends string>(
  pointers: { readonly [context in Contexts]: PatternJson },
  options: PointersOptions = {},
): Fluent<{ readonly [column in Contexts | 'id']: unknown }> {
  return new Fluent({ pointers, ...options })
}

/** What is stored as a named view. */
export function fromView<Columns>(id: string): Fluent<Columns> {
  return new Fluent({ view: id })
}

export class Fluent<Columns> {
  readonly json: QueryJson

  constructor(json: QueryJson) {
    this.json = json
  }

  /** Rows for which the rule is true. */
  where(rule: Rule): Fluent<Columns> {
    return new Fluent({ select: this.json, where: rule })
  }

  /** These columns alone. */
  select<Kept extends Name<Columns>>(...columns: readonly Kept[]): Fluent<Pick<Columns, Kept>> {
    return new Fluent({ project: this.json, columns })
  }

  /** Columns made by rules. */
  make<Made extends string>(columns: { readonly [column in Made]: Rule }): Fluent<{
    readonly [column in Made]: unknown
  }> {
    return new Fluent({ project: this.json, columns })
  }

  rename<Old extends Name<Columns>, New extends string>(
    old: Old,
    name: New,
  ): Fluent<Omit<Columns, Old> & { readonly [column in New]: Columns[Old] }> {
    return new Fluent({ rename: this.json, columns: { [old]: name } })
  }

  /** A row for each item of a list. */
  unnest<As extends string>(
    column: Path<Columns>,
    as: As,
  ): Fluent<Omit<Columns, As> & { readonly [column in As]: unknown }> {
    return new Fluent({ unnest: this.json, column, as })
  }

  join<Other>(other: Fluent<Other>, ...on: readonly On<Columns, Other>[]): Fluent<Columns & Other> {
    return this.#join('inner', other, on)
  }

  /** Rows without a match too, with null in the other's columns. */
  leftJoin<Other>(other: Fluent<Other>, ...on: readonly On<Columns, Other>[]): Fluent<Columns & Partial<Other>> {
    return this.#join('left', other, on)
  }

  /** Rows that have a match. */
  having<Other>(other: Fluent<Other>, ...on: readonly On<Columns, Other>[]): Fluent<Columns> {
    return this.#join('semi', other, on)
  }

  /** Rows that have none. */
  lacking<Other>(other: Fluent<Other>, ...on: readonly On<Columns, Other>[]): Fluent<Columns> {
    return this.#join('anti', other, on)
  }

  union(other: Fluent<Columns>): Fluent<Columns> {
    return new Fluent({ union: [this.json, other.json] })
  }

  intersect(other: Fluent<Columns>): Fluent<Columns> {
    return new Fluent({ intersect: [this.json, other.json] })
  }

  minus(other: Fluent<Columns>): Fluent<Columns> {
    return new Fluent({ minus: [this.json, other.json] })
  }

  group<By extends Name<Columns>, Made extends string>(
    by: readonly By[],
    aggregates: { readonly [column in Made]: AggregateJson },
  ): Fluent<Pick<Columns, By> & { readonly [column in Made]: unknown }> {
    return new Fluent({ group: this.json, by, aggregates })
  }

  order(...by: readonly OrderBy<Columns>[]): Fluent<Columns> {
    const terms: readonly ByJson[] = by
    return new Fluent({ order: this.json, by: terms })
  }

  /** The first `count` rows; as the last call, pages of so many rows, of which the next begins behind `after`. */
  limit(count: number, after?: string): Fluent<Columns> {
    return new Fluent({ limit: this.json, count, ...(after === undefined ? {} : { after }) })
  }

  /** Every pair that a chain of such pairs connects. */
  closure<From extends Name<Columns>, To extends Name<Columns>>(
    begin: From,
    end: To,
    options: { readonly start?: readonly Json[]; readonly depthMax?: number; readonly depth?: string } = {},
  ): Fluent<Pick<Columns, From | To>> {
    return new Fluent({ closure: this.json, from: begin, to: end, ...options })
  }

  #join<Result>(kind: JoinKind, other: { readonly json: QueryJson }, on: readonly OnJson[]): Fluent<Result> {
    return new Fluent({ join: [this.json, other.json], on, kind })
  }
}
