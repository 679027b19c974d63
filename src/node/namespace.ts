/**
 * One namespace as its users see it: writing, reading and following deltas and records. What a write means is decided
 * in `delta` and `log`, what is stored in `store`, what a reader sees in `view`: here they are put together.
 */

import { type Delta, type DeltaId, negationPointers, type PeerId, type Pointer, type Value } from '../delta/delta.ts'
import { isDeltaId, parseDeltaId } from '../delta/identifiers.ts'
import { entityIdOf, type PropertyInput } from '../delta/record.ts'
import { shardRangeText } from '../delta/shard-range.ts'
import { frontierText } from '../log/frontier-text.ts'
import type { NamespaceId } from '../log/namespace.ts'
import type { Signer } from '../log/signature.ts'
import { LiveQuery } from '../query/live/live-query.ts'
import type { Explanation as QueryExplanation, QueryPage } from '../query/run.ts'
import type { NamespaceCounts, Position, Store } from '../store/store.ts'
import type { SyncStatus } from '../sync/status.ts'
import type { Member } from '../sync/members/member.ts'
import type { Change } from '../view/diff.ts'
import type { FromSchema, JsonSchemaInput } from '../view/schemas/infer.ts'
import type { Explanation } from '../view/explain.ts'
import type { History } from '../view/history.ts'
import type { LosslessView } from '../view/lossless.ts'
import type { PlacementSet } from '../view/placements/placement-set.ts'
import { concurrentIn, happenedBeforeIn } from './causality.ts'
import { Collection, type CollectionOptions } from './collection.ts'
import {
  type ContextInput,
  contextValue,
  type FunctionInput,
  functionValue,
  placementValue,
  type ResolverInput,
  resolverValue,
  type SchemaInput,
  schemaValue,
} from './definition-input.ts'
import {
  CONTEXT,
  type DefinitionRecords,
  type Definitions,
  FUNCTION,
  PLACEMENT,
  QUERY,
  RESOLVER,
  SCHEMA,
} from './definitions.ts'
import { type DeltasOptions, deltaStream, type PlacedDelta } from './delta-stream.ts'
import { expand } from './expand.ts'
import type { DeliveryHandler, SubscribeOptions } from './delivery/options.ts'
import type { Subscription, SubscriptionStatus } from './delivery/subscription.ts'
import { Subscriptions } from './delivery/subscriptions.ts'
import type { DeliveryParts } from './delivery/until.ts'
import type { Environment } from './environment.ts'
import type { NodeEvent } from './events.ts'
import type { DeltaFunction, FunctionStatus } from './functions/function.ts'
import { Functions } from './functions/functions.ts'
import type { FunctionOptions, Handler } from './functions/options.ts'
import { runRecordFunctions } from './functions/record-functions.ts'
import { Freshness } from './freshness.ts'
import type { MemberListener, NamespaceMembers, Pinged, PingOptions } from './members.ts'
import type { BroadcastOptions, BroadcastResult, MessageListener, NamespaceMessages } from './messages.ts'
import type { AsOfInput } from './moment.ts'
import { checkOptions, checkSubscribeOptions } from './known-options.ts'
import { collectionsIn, idsIn } from './listing.ts'
import type { LocalContexts } from './local-contexts.ts'
import { placeableRange } from './placing.ts'
import { makeProof, type ProofOptions } from './proof.ts'
import {
  jsonOf,
  Queries,
  type QueryInput,
  type RowsOptions,
  type StoredQueryInput,
  storedQueryValue,
} from './queries.ts'
import {
  type Entity,
  entityOf,
  type GetOptions,
  type IdsOptions,
  type PutOptions,
  type PutResult,
  type WriteOptions,
} from './records.ts'
import type { RuleRecords } from './rule-change.ts'
import type { Transaction } from './transaction.ts'
import { type ViolationPage, Violations, type ViolationsOptions } from './violations.ts'
import { type ManyOptions, type ViewSequence, viewSequence, entityPage } from './view-sequence.ts'
import {
  type DefinitionProblem,
  type DiffOptions,
  type HistoryOptions,
  type View,
  type ViewOptions,
  Views,
} from './views.ts'
import { knownRecords, watch, type WatchedView, type WatchOptions } from './watch.ts'
import { type LiveRows, watchQuery, type WatchQueryOptions } from './watch-query.ts'
import type { LogWriter, Written } from './writer.ts'
import { Writing } from './writing.ts'

/** What a namespace needs of its node. */
export interface NamespaceParts {
  readonly store: Store
  /** The writer of an identity's log. Throws RZ_IDENTITY_UNKNOWN. */
  readonly writer: (identity: string | undefined) => LogWriter
  readonly status: () => SyncStatus
  readonly waitForSync: (signal: AbortSignal) => Promise<SyncStatus>
  readonly members: NamespaceMembers
  readonly messages: NamespaceMessages
  readonly delivery: DeliveryParts
  /** Refuses writing. */
  readonly keep: boolean
  /** The node's own identity, in whose name proofs are stated. */
  readonly signer: Signer
  /** Ends when the node closes. */
  readonly closing: AbortSignal
  /** Contexts of this node alone. */
  readonly contexts: LocalContexts
  readonly environment: Environment
  readonly tell: (event: NodeEvent) => void
  /** Has the node wait for the end of work that uses the store, before it closes it. */
  readonly awaitEnd: (ended: Promise<void>) => void
  /** Whose functions that are records run here; true for everyone's, false for none. */
  readonly functions: boolean | readonly PeerId[]
  /** Of a shard: the namespace whose rules, schemas and placement hold here. */
  readonly parent?: Namespace
}

export class Namespace {
  readonly name: string
  readonly id: NamespaceId
  /** Of a shard: the namespace whose rules, schemas and placement hold here. */
  readonly parent: Namespace | undefined
  readonly #parts: NamespaceParts
  readonly #views: Views
  readonly #queries: Queries
  readonly #writing: Writing
  readonly #violations: Violations
  readonly #functions: Functions
  readonly #subscriptions: Subscriptions

  constructor(name: string, id: NamespaceId, parts: NamespaceParts) {
    this.name = name
    this.id = id
    this.parent = parts.parent
    this.#parts = parts
    const { store, contexts } = parts
    const freshness = new Freshness(store, id)
    const definitions = parts.parent === undefined ? {} : { definitions: parts.parent.definitionRecords }
    this.#views = new Views({ store, namespace: id, name, contexts, freshness, ...definitions })
    const views = this.#views
    this.#queries = new Queries({ store, namespace: id, views, closing: parts.closing })
    this.#violations = new Violations(store, id, views)
    freshness.add(this.#violations)
    this.#writing = new Writing({ ...parts, namespace: id, name, parentName: parts.parent?.name, views })
    this.#functions = new Functions({
      ...parts,
      namespace: id,
      creator: (identity) => parts.writer(identity).creator,
      write: (deltas, notes, records, as) =>
        this.#writing.writeRecords(records, deltas, as === undefined ? {} : { as }, notes),
      tell: (of, event) => parts.tell({ kind: 'function', namespace: name, name: of, event }),
    })
    this.#subscriptions = new Subscriptions({
      ...parts.delivery,
      tell: (of, event) => parts.tell({ kind: 'subscription', namespace: name, name: of, event }),
      awaitEnd: parts.awaitEnd,
    })
    if (parts.functions !== false) parts.awaitEnd(this.#runRecordFunctions(parts.functions))
  }

  // ------------------------------------------------------------------------------------------------------------ writing

  /** Asserts one delta. Throws RZ_DELTA_INVALID, RZ_DELTA_TOO_LARGE, RZ_STORE_FULL, RZ_STORE_FAILED, RZ_NODE_BUSY. */
  async append(pointers: readonly Pointer[], options: WriteOptions = {}): Promise<Written> {
    checkOptions('append', options)
    return this.#writing.write([pointers], options)
  }

  /**
   * Asserts a value for each given property of record `id`; other properties stay as they are. `null` is a value.
   * Throws RZ_RECORD_INVALID for a bad collection, id or property, and what `append` throws; before anything is signed,
   * RZ_SCHEMA_VIOLATION, RZ_SCHEMA_PROPERTY or RZ_SCHEMA_GAS where the record as it would be breaks the schema in force.
   */
  async put(
    collection: string,
    id: string,
    properties: Readonly<Record<string, PropertyInput>>,
    options: PutOptions = {},
  ): Promise<PutResult> {
    checkOptions('put', options)
    return this.#writing.put(collection, id, properties, options)
  }

  /**
   * Negates every standing claim about the record that this node has seen: a concurrent `put` elsewhere survives.
   * Writes nothing when nothing stands. More claims than a block holds are negated in several: the answer names the last.
   */
  async delete(collection: string, id: string, options: WriteOptions = {}): Promise<Written> {
    checkOptions('delete', options)
    return this.#writing.delete(collection, id, options)
  }

  /** Negates one delta, which need not be here yet. Throws RZ_BYTES_INVALID for what is no delta id. */
  async negate(delta: string, options: WriteOptions = {}): Promise<Written> {
    checkOptions('negate', options)
    return this.#writing.write([negationPointers(parseDeltaId(delta).id)], options)
  }

  /**
   * Writes what `build` gathers as one block: visible together, on every node, or not at all.
   * Throws RZ_BLOCK_TOO_LARGE, before anything is signed, when it does not fit one block of 1 MiB and 4,096 deltas, and
   * RZ_SCHEMA_… as `put` does, for its records as they would be after all of it. `build` may not be asynchronous: then nothing
   * is written, and RZ_TRANSACTION_OVER is thrown.
   */
  async transaction(
    build: (transaction: Transaction) => void,
    options: Omit<PutOptions, 'onlyChanged'> = {},
  ): Promise<Written> {
    checkOptions('transaction', options)
    return this.#writing.transaction(build, options)
  }

  // --------------------------------------------------------------------------------------- reading records and entities

  /**
   * The record as its resolvers show it, each property without one by its latest claim; undefined when nothing about it
   * stands. The same as `view`, with `errors` and `unseen` left out when there are none, and the records that it refers to
   * where `expand` asks for them. Throws as `view` does, and RZ_REFERENCE_LIMIT for a bad depth.
   */
  get(collection: string, id: string, options: GetOptions = {}): Entity | undefined {
    checkOptions('get', options)
    const { expand: depth = 0 } = options
    const view = this.#views.view(entityIdOf(collection, id), id, options)
    if (view === undefined || depth === 0) return entityOf(view)
    return entityOf(view, expand(this.#views, { collection, id }, view, depth, options))
  }

  /** As `get`, for the id of any entity. */
  entity(id: string, options: ViewOptions = {}): Entity | undefined {
    checkOptions('entity', options)
    return entityOf(this.#views.view(id, id, options))
  }

  /**
   * The lossy view of a record, in a context and as of a moment; undefined when nothing about it stands there. A rule that
   * fails gives its property an error instead of a value. Throws RZ_CONTEXT_UNKNOWN, RZ_AS_OF_INVALID, RZ_AS_OF_AHEAD.
   */
  view(collection: string, id: string, options: ViewOptions = {}): View | undefined {
    checkOptions('view', options)
    return this.#views.view(entityIdOf(collection, id), id, options)
  }

  /** Every claim about an entity, with its author and what negates it; undefined when none is seen. Throws as `view`. */
  lossless(entity: string, options: ViewOptions = {}): LosslessView | undefined {
    checkOptions('lossless', options)
    return this.#views.lossless(entity, options)
  }

  /** As `losslessAll`, the lossy ones, of negated deltas only where `ids` names them: records are called by their entities' ids. */
  viewAll(options: ManyOptions = {}): ViewSequence<View> {
    checkOptions('viewAll', options)
    return viewSequence(this.#parts.store, this.id, options, (entity) =>
      options.ids === undefined && isDeltaId(entity) ? undefined : this.#views.view(entity, entity, options),
    )
  }

  /**
   * The lossless views of several entities or of all, as they are walked: by `for`, or by `for await`, which lets the node do
   * other things between them. Throws as `view`, while it is walked.
   */
  losslessAll(options: ManyOptions = {}): ViewSequence<LosslessView> {
    checkOptions('losslessAll', options)
    return viewSequence(this.#parts.store, this.id, options, (entity) => this.#views.lossless(entity, options))
  }

  /**
   * Names of the collections that have records about which something stands, and of containers, which were made before they
   * have any (delta/container.ts), by their UTF-8 bytes. Throws as `view`.
   */
  collections(options: ViewOptions = {}): readonly string[] {
    checkOptions('collections', options)
    return collectionsIn(this.#parts.store, this.id, (entity) => this.#views.stands(entity, options))
  }

  /** Ids of the collection's records about which something stands, by their UTF-8 bytes. Throws as `view`. */
  ids(collection: string, options: IdsOptions = {}): readonly string[] {
    checkOptions('ids', options)
    const { store } = this.#parts
    return idsIn(store, this.id, collection, options, (entity) => this.#views.stands(entity, options))
  }

  /** What is held, without the void. */
  counts(): NamespaceCounts {
    return this.#parts.store.counts(this.id)
  }

  // ------------------------------------------------------------------------------------------------ how they came to be

  /** Why a property has its value; undefined when nothing was ever claimed about it. Throws as `view`. */
  explain(collection: string, id: string, property: string, options: ViewOptions = {}): Explanation | undefined {
    checkOptions('explain', options)
    return this.#views.explain(collection, id, property, options)
  }

  /** How a property came to have its value, oldest first, by the rules in force at `asOf`. Throws as `view`. */
  history(collection: string, id: string, property: string, options: HistoryOptions = {}): History {
    checkOptions('history', options)
    return this.#views.history(collection, id, property, options)
  }

  /** The properties that differ between two moments, each read by the rules of its time. Throws as `view`. */
  diff(collection: string, id: string, options: DiffOptions): readonly Change[] {
    checkOptions('diff', options)
    return this.#views.diff(collection, id, options)
  }

  /**
   * A text with which anybody can check, by `verifyProof` or `rhizome-node verify`, who claimed what about an entity, and that
   * its values follow; that there is nothing else is this node's signed word. Undefined when nothing is claimed. Throws as
   * `view`, RZ_PROOF_TOO_LARGE past 4,096 deltas or 16 MiB, and RZ_SHARD_ACROSS in a shard where a rule of the parent counts.
   */
  proof(entity: string, options: ProofOptions = {}): string | undefined {
    checkOptions('proof', options)
    const { store, signer, environment } = this.#parts
    const { nowMs } = environment
    const prover = { store, namespace: this.id, name: this.name, signer, nowMs, parent: this.parent?.name }
    return makeProof(prover, entity, options, this.#views.sharedFrame(options.context, options.asOf))
  }

  // ------------------------------------------------------------------------------------------------------------ queries

  /**
   * A page of the rows that a query asks for: its JSON form, or what `from` built (src/query/README.md). It runs in one go,
   * over one state of the store. Throws RZ_QUERY_INVALID, RZ_QUERY_OPERATOR, RZ_QUERY_COLUMN, RZ_QUERY_TOO_LARGE,
   * RZ_QUERY_CURSOR and RZ_RULE_… for a query that cannot be read, RZ_QUERY_LIMIT and RZ_RULE_GAS for one that takes too
   * much, and as `view`.
   */
  query<Columns>(query: QueryInput<Columns>, options: ViewOptions = {}): QueryPage {
    checkOptions('query', options)
    return this.#queries.query(query, options)
  }

  /**
   * How a query would be run: each step with the steps it asks for rows, and the indexes that are of use now. Throws as
   * `query` does before it reads.
   */
  explainQuery<Columns>(query: QueryInput<Columns>, options: ViewOptions = {}): QueryExplanation {
    checkOptions('explainQuery', options)
    return this.#queries.explain(query, options)
  }

  /**
   * A page of the rows of a stored query, by its definition as of then. Throws RZ_QUERY_UNKNOWN, and as `query`.
   */
  rows(id: string, options: RowsOptions = {}): QueryPage {
    checkOptions('rows', options)
    return this.#queries.rows(id, options)
  }

  /**
   * Resolves once the secondary indexes that schemas declare know all that this node holds; at once when there are none. Before
   * that, after an import say, queries read whole collections and may end with RZ_QUERY_LIMIT. A signal ends the waiting.
   */
  async settleIndexes(options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    checkOptions('settleIndexes', options)
    return this.#queries.settleIndexes(options.signal ?? this.#parts.closing)
  }

  // ------------------------------------------------------------------------------------------------------------ the log

  /**
   * The delta; undefined when it is not here, void, or not seen in the context or at the moment that is named. Throws
   * RZ_BYTES_INVALID for what is no delta id, and as `view`.
   */
  delta(id: string, options: ViewOptions = {}): Delta | undefined {
    checkOptions('delta', options)
    const delta = this.#parts.store.delta(this.id, parseDeltaId(id).id)?.delta
    return delta !== undefined && this.#views.seeing(options)(delta) ? delta : undefined
  }

  /**
   * Deltas in the order in which this node took them in, each with a position to come back to: whoever returns with the
   * last position it has dealt with misses nothing, across restarts. Deltas of one block share a position. In a context
   * those alone that its filter sees, negated ones and negations among them; the node's own context does not count here,
   * since this is the log. Throws as `view`, at once.
   */
  deltas(options: DeltasOptions = {}): AsyncIterable<PlacedDelta> {
    checkOptions('deltas', options)
    const { store } = this.#parts
    const { after, live = true } = options
    const sees = this.#views.seeing(options)
    return deltaStream({ store, namespace: this.id, after, live, sees, signal: this.#until(options.signal) })
  }

  /** Of the newest change: whoever follows from here sees only what is written from now on. */
  position(): Position {
    return this.#parts.store.position()
  }

  /**
   * This moment, as text to be handed in as `asOf` later, here or on another node: exactly what this node holds now.
   * It grows with the logs, by 70 characters each. Throws RZ_BYTES_TOO_LARGE past some 75,000 logs.
   */
  frontier(): string {
    return frontierText(this.#parts.store.frontier(this.id))
  }

  /**
   * Whether the author of delta `b` had seen delta `a`, itself or by what others had seen: by the dependencies that blocks
   * state. Of two frontiers, whether all of `a` is in `b`, and not the other way round. A delta's `time` cannot tell: what
   * happened before has an earlier time, but an earlier time may be anybody's. Throws RZ_BYTES_INVALID, RZ_CAUSALITY_UNKNOWN
   * for a delta that is not here.
   */
  happenedBefore(a: string, b: string): boolean {
    return happenedBeforeIn({ store: this.#parts.store, namespace: this.id }, a, b)
  }

  /** Whether neither happened before the other: nobody had seen both when they were written. Throws as `happenedBefore`. */
  concurrent(a: string, b: string): boolean {
    return concurrentIn({ store: this.#parts.store, namespace: this.id }, a, b)
  }

  // ---------------------------------------------------------------------------------------------------------- following

  /**
   * The rows of a query, then what comes and goes with every change: first an item that adds all rows there are, then one
   * for each change that alters them, a transaction as a whole. Changes that come while nobody asks for the next item wait
   * in the log and are told as one. An outermost limit is how many rows are watched; without one, all. Throws what `query`
   * throws before it reads, at once; RZ_QUERY_LIMIT, RZ_RULE_GAS and RZ_CONTEXT_UNKNOWN end it.
   */
  watch<Columns>(query: QueryInput<Columns>, options?: WatchQueryOptions): AsyncIterable<LiveRows>
  /**
   * The views of a record, or of all of a collection, again whenever something that bears upon them changes: claims,
   * negations, resolvers, the context. Each at least once for what changed it last; a view may come though it is the same.
   * Throws RZ_CONTEXT_UNKNOWN, at once or when the context goes.
   */
  watch(collection: string, options?: WatchOptions): AsyncIterable<WatchedView>
  watch<Columns>(
    what: string | QueryInput<Columns>,
    options: WatchOptions & WatchQueryOptions = {},
  ): AsyncIterable<WatchedView | LiveRows> {
    checkOptions('watch', options)
    return typeof what === 'string' ? this.#watchViews(what, options) : this.#watchQuery(what, options)
  }

  #watchQuery<Columns>(query: QueryInput<Columns>, options: WatchQueryOptions): AsyncIterable<LiveRows> {
    const { rows = false, signal } = options
    const context = this.#views.contextId(options.context)
    this.#views.checkContext(context)
    const { viewOf } = this.#views.frame({ context })
    const live = new LiveQuery(jsonOf(query), { rows, viewOf })
    return watchQuery({ ...this.#following(signal), live, context, rows })
  }

  #watchViews(collection: string, options: WatchOptions): AsyncIterable<WatchedView> {
    const { id, after = this.position(), signal } = options
    const context = this.#views.contextId(options.context)
    entityIdOf(collection, id ?? 'any')
    this.#views.checkContext(context)
    return watch({ ...this.#following(signal), collection, id, context, after })
  }

  /**
   * Hands each delta to `handler`, one at a time, in the order in which this node took them in, from a cursor that survives
   * restarts: each at least once. What the handler emits is committed together with the cursor, so it is in the log exactly
   * once, however often this node is killed meanwhile. src/node/README.md, Functions, says what becomes of a handler that
   * throws and of loops. Throws RZ_FUNCTION_INVALID, RZ_FUNCTION_RUNNING, RZ_IDENTITY_UNKNOWN, RZ_RULE_… for a filter.
   */
  on(options: FunctionOptions, handler: Handler): DeltaFunction {
    checkOptions('on', options)
    return this.#functions.start(options, handler)
  }

  /** The functions at work, and those that were stopped, with how far each is and what it failed on. */
  functions(): readonly FunctionStatus[] {
    return this.#functions.list()
  }

  /**
   * Hands each delta to `handler`, one at a time, when its kind of delivery allows it (`Delivery`): from now on as it comes, or
   * from a cursor that survives restarts, each at least once. A handler that throws is called again, and the delta listed as a
   * failure in the end. src/node/README.md, Delivery. Throws RZ_SUBSCRIPTION_INVALID, RZ_SUBSCRIPTION_RUNNING,
   * RZ_DELIVERY_INVALID, RZ_DELIVERY_MEMBERS, RZ_NODE_OFFLINE, RZ_RULE_… for a filter.
   */
  subscribe(options: SubscribeOptions, handler: DeliveryHandler): Subscription {
    checkSubscribeOptions(options)
    return this.#subscriptions.begin(options, handler)
  }

  /** The subscriptions at work, and those that were stopped, with what they failed on. */
  subscriptions(): readonly SubscriptionStatus[] {
    return this.#subscriptions.list()
  }

  // --------------------------------------------------------------------------- definitions: records that all nodes heed

  /**
   * Writes a resolver: how one property of a collection is read on every node that gets it, from then on. Throws
   * RZ_DEFINITION_INVALID, RZ_RULE_* for what could not be read, and what `append` throws.
   */
  async resolver(id: string, definition: ResolverInput, options: WriteOptions = {}): Promise<PutResult> {
    return this.put(RESOLVER, id, { definition: resolverValue(definition) }, options)
  }

  /** Writes a context: which deltas it sees, whose negations count in it, its own resolvers. Throws as `resolver`. */
  async context(id: string, definition: ContextInput, options: WriteOptions = {}): Promise<PutResult> {
    return this.put(CONTEXT, id, { definition: contextValue(definition) }, options)
  }

  /** Writes a schema: what the records of a collection are to be like, by every node. Throws as `resolver`, and RZ_SCHEMA_…. */
  async schema(id: string, definition: SchemaInput, options: WriteOptions = {}): Promise<PutResult> {
    return this.put(SCHEMA, id, { definition: schemaValue(definition) }, options)
  }

  /**
   * Stores a query: every node that gets it reads it as a named view, by `rows` or as `{ "view": id }` in other queries, from
   * then on. Throws RZ_DEFINITION_INVALID, RZ_QUERY_…, and what `append` throws.
   */
  async storeQuery<Columns>(
    id: string,
    definition: StoredQueryInput<Columns>,
    options: WriteOptions = {},
  ): Promise<PutResult> {
    return this.put(QUERY, id, { definition: storedQueryValue(definition) }, options)
  }

  /**
   * Writes a function as a record: what the nodes that it names and that have opted in (`functions` of `openNode`) emit when a
   * delta comes, each in its own name. Throws as `resolver`.
   */
  async storeFunction(id: string, definition: FunctionInput, options: WriteOptions = {}): Promise<PutResult> {
    return this.put(FUNCTION, id, { definition: functionValue(definition) }, options)
  }

  /**
   * Has records of a range lie in a shard of their own, on every node from then on: `*:a-g` are collections by the first byte of
   * their names, `orders:a-g` the records of one by that of their ids. Records that lie in the range already stay where they are
   * and are not seen in the shard, so they are refused. Throws RZ_PLACEMENT_INVALID, RZ_PLACEMENT_OVERLAP, RZ_PLACEMENT_TAKEN.
   */
  async place(range: string, options: WriteOptions = {}): Promise<PutResult> {
    const placeable = placeableRange(range, this)
    return this.put(PLACEMENT, shardRangeText(placeable), { definition: placementValue(placeable) }, options)
  }

  /** Definitions that were passed over because they cannot be read, by record. */
  problems(): readonly DefinitionProblem[] {
    return this.#views.problems()
  }

  /**
   * A page of the records that break the schemas in force, with the deltas at fault: written elsewhere, by raw deltas, or
   * before the schema was. The first time it looks at every record of the collections asked about, 5 ms at a time; after
   * that at those that have changed since, unless there are more than 1,024 blocks of such changes, or a new schema.
   */
  async violations(options: ViolationsOptions = {}): Promise<ViolationPage> {
    checkOptions('violations', options)
    return this.#violations.list(options)
  }

  /**
   * A collection with a type: inferred from the schema, or the one that is named. With a schema, that is put in force for all
   * nodes, unless it is already; see `Collection.ready`. Throws RZ_RECORD_INVALID, RZ_DEFINITION_INVALID, RZ_SCHEMA_….
   */
  collection<const Schema extends JsonSchemaInput>(
    name: string,
    options: CollectionOptions<Schema>,
  ): Collection<FromSchema<Schema>>
  collection<Properties>(name: string, options?: CollectionOptions<unknown>): Collection<Properties>
  collection(name: string, options?: CollectionOptions<unknown>): Collection<unknown> {
    if (options !== undefined) checkOptions('collection', options)
    const schemas = () => this.#views.definitions().schemas.collections.get(name) ?? []
    const collection = new Collection<unknown>(
      this,
      name,
      options,
      (version) => schemas().find(({ definition }) => definition.version === version)?.definition,
    )
    // Whoever writes hears of what went wrong.
    collection.ready().catch(() => undefined)
    return collection
  }

  // ------------------------------------------------------------------------------------------------ those who take part

  status(): SyncStatus {
    return this.#parts.status()
  }

  /** Resolves once everything that a peer has shown to hold is here. Rejects with the signal's reason when it is aborted. */
  async waitForSync(options: { readonly signal?: AbortSignal } = {}): Promise<SyncStatus> {
    checkOptions('waitForSync', options)
    return this.#parts.waitForSync(this.#until(options.signal))
  }

  /**
   * Who takes part, or has taken part and is remembered, by peer id, without this node: connected or only heard of. Empty
   * without a network.
   */
  members(): readonly Member[] {
    return this.#parts.members.all()
  }

  /**
   * Calls `listener` with a member and what became different of it; answers the function that stops that. Nobody is told of
   * those known already: `members()` has them. A listener that throws is a bug of its owner, and is not caught.
   */
  onMember(listener: MemberListener): () => void {
    return this.#parts.members.onMember(listener)
  }

  /**
   * Asks every member to answer, those not connected too, by gossip. Resolves when all have, or when the time is up: each with
   * its round trip, milliseconds, or without one. Empty without a network.
   */
  async ping(options: PingOptions = {}): Promise<readonly Pinged[]> {
    checkOptions('ping', options)
    return this.#parts.members.ping(options)
  }

  /**
   * Sends JSON or bytes to whoever is there, signed and never stored: a cursor, a word. Best-effort broadcast
   * (src/sync/messages): once, at most, in no order, and to nobody who comes later. Throws RZ_MESSAGE_INVALID,
   * RZ_MESSAGE_TOO_LARGE over 16 KiB, RZ_MESSAGE_RATE past 32 at once and 16 a second, RZ_NODE_OFFLINE without a network.
   */
  async broadcast(message: Value, options: BroadcastOptions = {}): Promise<BroadcastResult> {
    checkOptions('broadcast', options)
    return this.#parts.messages.broadcast(message, options)
  }

  /**
   * Calls `listener` with messages of others from now on; answers the function that stops that. What others send is theirs:
   * its form is to be checked. A listener that throws is a bug of its owner, and is not caught.
   */
  onMessage(listener: MessageListener): () => void {
    return this.#parts.messages.onMessage(listener)
  }

  // ------------------------------------------------------------------------------------------------ for the node itself

  /** @internal What is defined here, for the shards. */
  get definitionRecords(): DefinitionRecords {
    return this.#views.definitionRecords
  }

  /** @internal The rules by which its records are read. */
  get rules(): RuleRecords {
    return this.parent?.rules ?? { namespace: this.id, views: this.#views }
  }

  /** @internal Throws RZ_AS_OF_INVALID, RZ_AS_OF_AHEAD. */
  definitionsAt(asOf?: AsOfInput): Definitions {
    return this.#views.definitions(asOf)
  }

  /** @internal Which records lie in which shard; of a shard, as its parent has it. */
  get placements(): PlacementSet {
    return this.#views.definitions().placements
  }

  /** @internal Writes deltas that were checked where the records are held. */
  async writeChecked(deltas: readonly (readonly Pointer[])[], { as }: WriteOptions): Promise<Written> {
    return this.#writing.write(deltas, as === undefined ? {} : { as })
  }

  /** @internal Holds what another node is about to write against the schemas in force. Throws as `put`. */
  checkIntent(intent: Parameters<Writing['checkIntent']>[0]): void {
    this.#writing.checkIntent(intent)
  }

  /** @internal Which of `properties` the record has otherwise. */
  changedOf(collection: string, id: string, properties: Readonly<Record<string, PropertyInput>>): ReadonlySet<string> {
    return new Set(Object.keys(this.#writing.changed(collection, id, properties)))
  }

  /** @internal Ids of all records of a collection that deltas were ever about. */
  knownIds(collection: string): Iterable<string> {
    return knownRecords(this.#parts.store, this.id, collection)
  }

  /** @internal The next ids of entities that begin with `prefix`, behind `after`; none at the end. */
  entityPage(prefix: string, after: string | undefined): readonly string[] {
    return entityPage(this.#parts.store, this.id, prefix, after)
  }

  /** @internal The standing claims about a record. */
  standingOf(collection: string, id: string): readonly DeltaId[] {
    return this.#writing.standingOf(collection, id)
  }

  #following(signal: AbortSignal | undefined) {
    const { store } = this.#parts
    return { store, namespace: this.id, views: this.#views, rules: this.rules, signal: this.#until(signal) }
  }

  /** Whatever waits ends when the node closes. */
  #until(signal: AbortSignal | undefined): AbortSignal {
    const { closing } = this.#parts
    return signal === undefined ? closing : AbortSignal.any([signal, closing])
  }

  #runRecordFunctions(heeded: true | readonly PeerId[]): Promise<void> {
    const { store, signer, closing, tell } = this.#parts
    return runRecordFunctions({
      store,
      namespace: this.id,
      peerId: signer.id,
      records: () => this.#views.definitions().records[FUNCTION],
      heeded,
      start: (settings, handler) => this.#functions.begin(settings, handler),
      onFault: (name, fault) => {
        tell({ kind: 'function', namespace: this.name, name, event: { kind: 'stopped', ...fault } })
      },
      closing,
    })
  }
}
