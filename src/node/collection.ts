/**
 * One collection of a namespace, typed: its records as values of a TypeScript type, and the schema that every node holds
 * them against. A thin layer: what it does is the namespace's own doing.
 */

import { type EntityReference, entityIdOf, type PropertyInput, ref } from '../delta/record.ts'
import { sameValue } from '../delta/value.ts'
import { type Fluent, from, type RecordOf } from '../query/from.ts'
import { compileSchema, type SchemaDefinition } from '../view/schemas/schema.ts'
import { type SchemaInput, schemaValue } from './definition-input.ts'
import {
  type Entity,
  entityOf,
  type GetOptions,
  type IdsOptions,
  type PutOptions,
  type PutResult,
  type WriteOptions,
} from './records.ts'
import type { ViolationPage, ViolationsOptions } from './violations.ts'
import type { ManyOptions, ViewSequence } from './view-sequence.ts'
import type { View, ViewOptions } from './views.ts'
import type { WatchedView, WatchOptions } from './watch.ts'
import type { Written } from './writer.ts'

/** The schema of a collection, as its definition has it, but for the name. */
export interface CollectionOptions<Schema> extends Omit<SchemaInput, 'collection' | 'schema'> {
  readonly schema: Schema
}

/** A record of a collection. Its type is what the schema says: what broke it elsewhere is in `violations()`. */
export interface TypedEntity<Properties> extends Omit<Entity, 'properties'> {
  readonly properties: Properties
}

/** What `put` takes: some of the properties, references to other records instead of their ids. */
export type PropertiesInput<Properties> = {
  readonly [Name in keyof Properties]?: Properties[Name] | EntityReference
}

export interface WatchedEntity<Properties> extends Omit<WatchedView, 'view'> {
  /** Absent when nothing about it stands any more. */
  readonly view?: TypedEntity<Properties>
}

/** What a collection asks of its namespace. */
export interface CollectionPort {
  readonly put: (
    collection: string,
    id: string,
    properties: Readonly<Record<string, PropertyInput>>,
    options: PutOptions,
  ) => Promise<PutResult>
  readonly get: (collection: string, id: string, options: GetOptions) => Entity | undefined
  readonly delete: (collection: string, id: string, options: WriteOptions) => Promise<Written>
  readonly ids: (collection: string, options: IdsOptions) => readonly string[]
  readonly viewAll: (options: ManyOptions) => ViewSequence<View>
  readonly watch: (collection: string, options: WatchOptions) => AsyncIterable<WatchedView>
  readonly violations: (options: ViolationsOptions) => Promise<ViolationPage>
  readonly schema: (id: string, definition: SchemaInput) => Promise<PutResult>
}

export class Collection<Properties> {
  readonly name: string
  readonly #namespace: CollectionPort
  readonly #definition: SchemaDefinition | undefined
  readonly #inForce: (version: number) => SchemaDefinition | undefined
  #ready: Promise<void> | undefined

  /** Throws RZ_RECORD_INVALID, RZ_DEFINITION_INVALID, RZ_SCHEMA_…; `inForce` tells the definition in force of a version. */
  constructor(
    namespace: CollectionPort,
    name: string,
    options: CollectionOptions<unknown> | undefined,
    inForce: (version: number) => SchemaDefinition | undefined,
  ) {
    entityIdOf(name, 'any')
    this.name = name
    this.#namespace = namespace
    this.#inForce = inForce
    this.#definition = options && compileSchema(schemaValue({ ...options, collection: name })).definition
  }

  /**
   * Resolves once the schema is in force on this node: written, unless it was so already. Awaited by `put`. It is written once:
   * who puts another in force later is not overruled. Throws what `Namespace.put` throws, RZ_NODE_KEEPER among it.
   */
  async ready(): Promise<void> {
    this.#ready ??= this.#writeSchema().catch((error: unknown) => {
      this.#ready = undefined
      throw error
    })
    await this.#ready
  }

  /** Merges properties into a record. Throws as `Namespace.put`. */
  async put(id: string, properties: PropertiesInput<Properties>, options: PutOptions = {}): Promise<PutResult> {
    await this.ready()
    return this.#namespace.put(this.name, id, properties as Readonly<Record<string, PropertyInput>>, options)
  }

  /** The record; undefined when nothing about it stands. Throws as `Namespace.get`. */
  get(id: string, options: GetOptions = {}): TypedEntity<Properties> | undefined {
    return this.#namespace.get(this.name, id, options) as TypedEntity<Properties> | undefined
  }

  async delete(id: string, options: WriteOptions = {}): Promise<Written> {
    return this.#namespace.delete(this.name, id, options)
  }

  /** Ids of its records, by their UTF-8 bytes. */
  ids(options: IdsOptions = {}): readonly string[] {
    return this.#namespace.ids(this.name, options)
  }

  /** All its records, to be walked with `for` or `for await`. Throws as `view`, while it is walked. */
  all(options: ViewOptions = {}): ViewSequence<TypedEntity<Properties>> {
    const prefix = entityIdOf(this.name, 'x').slice(0, -1)
    const views = this.#namespace.viewAll({ ...options, prefix })
    const typed = (view: View) => ({ ...entityOf(view), id: view.id.slice(prefix.length) }) as TypedEntity<Properties>
    return {
      *[Symbol.iterator]() {
        for (const view of views) yield typed(view)
      },
      async *[Symbol.asyncIterator]() {
        for await (const view of views) yield typed(view)
      },
    }
  }

  [Symbol.iterator](): Iterator<TypedEntity<Properties>> {
    return this.all()[Symbol.iterator]()
  }

  [Symbol.asyncIterator](): AsyncIterator<TypedEntity<Properties>> {
    return this.all()[Symbol.asyncIterator]()
  }

  /** Records again whenever something that bears upon them changes. Throws as `Namespace.watch`. */
  watch(options: WatchOptions = {}): AsyncIterable<WatchedEntity<Properties>> {
    return this.#namespace.watch(this.name, options) as unknown as AsyncIterable<WatchedEntity<Properties>>
  }

  /** The beginning of a query over its records, for `Namespace.query`; with `as`, each record as one column of that name. */
  query(): Fluent<RecordOf<Properties>>
  query<As extends string>(as: As): Fluent<{ readonly [column in As]: RecordOf<Properties> }>
  query(as?: string): Fluent<unknown> {
    return as === undefined ? from<Properties>(this.name) : from<Properties, string>(this.name, { as })
  }

  /** A reference to one of its records, seen from there under the property `as`. */
  ref(id: string, as: string): EntityReference {
    return ref(entityIdOf(this.name, id), as)
  }

  /** Its records that break the schema. Costs what `Namespace.violations` does. */
  violations(options: Omit<ViolationsOptions, 'collection'> = {}): Promise<ViolationPage> {
    return this.#namespace.violations({ ...options, collection: this.name })
  }

  async #writeSchema(): Promise<void> {
    if (this.#definition === undefined) return
    const { collection, version } = this.#definition
    const now = this.#inForce(version)
    if (now !== undefined && sameValue(now, this.#definition)) return
    await this.#namespace.schema(version === 1 ? collection : `${collection}@${version}`, this.#definition)
  }
}
