/**
 * A namespace as faces use it: records are read and written wherever they are held, and each answer says who gave it. What
 * this node holds is read here, at once; it adds no rule of its own to what `Namespace` does.
 */

import type { PeerId } from '../../delta/delta.ts'
import type { PropertyInput } from '../../delta/record.ts'
import type { QueryPage } from '../../query/run.ts'
import type { Namespace } from '../namespace.ts'
import type { QueryInput, RowsOptions } from '../queries.ts'
import type { Entity, GetOptions, IdsOptions, PutOptions, PutResult, WriteOptions } from '../records.ts'
import type { Transaction } from '../transaction.ts'
import type { ViewOptions } from '../views.ts'
import type { WatchedView, WatchOptions } from '../watch.ts'
import type { Written } from '../writer.ts'
import type { Answer, Answered, AnsweredBy } from './answered.ts'

export interface EverywhereParts {
  readonly self: PeerId
  readonly namespace: Namespace
}

/** Made by `RhizomeNode.everywhere`. */
export class Everywhere {
  readonly name: string
  /** Rules, schemas and placement, and the records that no placement covers: every node that takes part holds it. */
  readonly namespace: Namespace
  readonly #parts: EverywhereParts

  constructor(parts: EverywhereParts) {
    this.name = parts.namespace.name
    this.namespace = parts.namespace
    this.#parts = parts
  }

  /** Whether some of its records lie in shards. */
  get isPlaced(): boolean {
    return false
  }

  /** Whether this node holds the record, or all that there may be of the collection, itself. */
  isHere(_collection: string, _id?: string): boolean {
    return true
  }

  /** As `Namespace.get`. */
  get(collection: string, id: string, options: GetOptions = {}): Answer<Entity | undefined> {
    return this.#here(this.#parts.namespace.get(collection, id, options))
  }

  /** As `Namespace.ids`. */
  ids(collection: string, options: IdsOptions = {}): Answer<readonly string[]> {
    return this.#here(this.#parts.namespace.ids(collection, options))
  }

  /** As `Namespace.collections`. */
  collections(options: ViewOptions = {}): Answer<readonly string[]> {
    return this.#here(this.#parts.namespace.collections(options))
  }

  /** As `Namespace.query`. */
  query<Columns>(query: QueryInput<Columns>, options: ViewOptions = {}): Answer<QueryPage> {
    return this.#here(this.#parts.namespace.query(query, options))
  }

  /** As `Namespace.rows`. */
  rows(id: string, options: RowsOptions = {}): Answer<QueryPage> {
    return this.#here(this.#parts.namespace.rows(id, options))
  }

  /** As `Namespace.watch` of a collection. */
  watch(collection: string, options: WatchOptions = {}): AsyncIterable<WatchedView> {
    return this.#parts.namespace.watch(collection, options)
  }

  /** As `Namespace.put`. */
  async put(
    collection: string,
    id: string,
    properties: Readonly<Record<string, PropertyInput>>,
    options: PutOptions = {},
  ): Promise<PutResult & AnsweredBy> {
    return this.#by(await this.#parts.namespace.put(collection, id, properties, options))
  }

  /** As `Namespace.delete`. */
  async delete(collection: string, id: string, options: WriteOptions = {}): Promise<Written & AnsweredBy> {
    return this.#by(await this.#parts.namespace.delete(collection, id, options))
  }

  /** As `Namespace.transaction`. */
  async transaction(
    build: (transaction: Transaction) => void,
    options: Omit<PutOptions, 'onlyChanged'> = {},
  ): Promise<Written & AnsweredBy> {
    return this.#by(await this.#parts.namespace.transaction(build, options))
  }

  #here<Value>(value: Value): Answered<Value> {
    return { value, answeredBy: [this.#parts.self] }
  }

  #by<Result extends object>(result: Result): Result & AnsweredBy {
    return { ...result, answeredBy: [this.#parts.self] }
  }
}
