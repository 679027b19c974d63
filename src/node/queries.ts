/**
 * Queries over one namespace: what a plan may rely on is found here, which indexes and which stored queries; what a query
 * means is decided in `query`, and how deltas are read in `views.ts`.
 */

import type { Value } from '../delta/delta.ts'
import { fromJson } from '../delta/json.ts'
import { RhizomeError } from '../errors.ts'
import type { NamespaceId } from '../log/namespace.ts'
import type { QueryJson } from '../query/algebra.ts'
import { Fluent } from '../query/from.ts'
import { PAGE_ROWS_DEFAULT } from '../query/limits.ts'
import type { Catalogue } from '../query/plan.ts'
import { type Explanation, explainPlan, type QueryPage } from '../query/run.ts'
import { readJson } from '../query/shape.ts'
import { compileStoredQuery, QUERY_SEMANTICS } from '../query/stored-query.ts'
import type { Store } from '../store/store.ts'
import { selects } from '../view/resolvers/selecting.ts'
import { type Indexing, SecondaryIndexes } from './indexes.ts'
import type { AskedFrame, ViewOptions, Views } from './views.ts'

/** A query in its JSON form, or as `from` builds it. */
export type QueryInput<Columns> = QueryJson | Fluent<Columns>

/** A named view: a query, and what it is for, for people. query/README.md, Stored queries. */
export interface StoredQueryInput<Columns = unknown> {
  readonly query: QueryInput<Columns>
  readonly description?: string
  /** Default: the version of query definitions that this release writes. */
  readonly semantics?: number
}

export interface RowsOptions extends ViewOptions {
  /** Rows of a page: 1 to 10,000. Default 1,000. */
  readonly limit?: number
  /** `next` of the page before. */
  readonly after?: string
}

export interface QueriesOptions {
  readonly store: Store
  readonly namespace: NamespaceId
  readonly views: Views
  readonly closing: AbortSignal
  readonly indexing?: Indexing
}

export class Queries {
  readonly #options: QueriesOptions
  readonly #indexes: SecondaryIndexes

  constructor(options: QueriesOptions) {
    const { store, namespace, views, closing, indexing } = options
    this.#options = options
    const declared = () =>
      [...views.definitions().schemas.collections.values()]
        .flat()
        .flatMap(({ definition: { collection, indexes } }) => indexes.map((property) => ({ collection, property })))
    this.#indexes = new SecondaryIndexes({ store, namespace, declared, closing, ...(indexing && { indexing }) })
  }

  query<Columns>(query: QueryInput<Columns>, options: ViewOptions): QueryPage {
    const { views } = this.#options
    const json = jsonOf(query)
    try {
      return views.query(json, options, (frame) => this.#catalogue(frame))
    } catch (error) {
      // An index that turns out damaged changes no answer.
      if (!(error instanceof RhizomeError) || !error.code.startsWith('RZ_STORE_')) throw error
      return views.query(json, options)
    }
  }

  explain<Columns>(query: QueryInput<Columns>, options: ViewOptions): Explanation {
    return explainPlan(jsonOf(query), this.#catalogue(this.#options.views.frame(options)))
  }

  settleIndexes(signal: AbortSignal): Promise<void> {
    return this.#indexes.settle(signal)
  }

  /** A page of a named view. */
  rows(id: string, { limit = PAGE_ROWS_DEFAULT, after, ...options }: RowsOptions): QueryPage {
    return this.query({ limit: { view: id }, count: limit, ...(after !== undefined && { after }) }, options)
  }

  #catalogue({ resolvers, viewOf }: AskedFrame): Catalogue {
    return {
      viewOf,
      indexesOf: (collection) => {
        const resolvedBy = resolvers.collections.get(collection)?.byProperty
        return this.#indexes.usableOf(collection).filter((property) => selects(resolvedBy?.get(property)))
      },
    }
  }
}

export function jsonOf<Columns>(query: QueryInput<Columns>): QueryJson {
  return query instanceof Fluent ? query.json : query
}

/** The definition that a stored query's record holds. Throws as `compileStoredQuery`. */
export function storedQueryValue<Columns>(input: StoredQueryInput<Columns>): Value {
  const value = fromJson(readJson({ semantics: QUERY_SEMANTICS, ...input, query: jsonOf(input.query) }))
  compileStoredQuery(value)
  return value
}
