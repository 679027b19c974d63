/**
 * A namespace as faces use it: records are read and written wherever they are held, and each answer says who gave it. What
 * this node holds is read here, at once; for the rest a holder of the shard is asked, and another where that one does not
 * answer. What a record means is `Namespace`'s, here and there. src/node/README.md, Shards.
 */

import type { Delta, PeerId } from '../../delta/delta.ts'
import type { PropertyInput } from '../../delta/record.ts'
import type { Explanation as QueryExplanation, QueryPage } from '../../query/run.ts'
import type { Change } from '../../view/diff.ts'
import type { Explanation } from '../../view/explain.ts'
import type { History } from '../../view/history.ts'
import type { LosslessView } from '../../view/lossless.ts'
import type { Environment } from '../environment.ts'
import type { HybridClock } from '../hybrid-clock.ts'
import { checkOptions } from '../known-options.ts'
import type { LocalContexts } from '../local-contexts.ts'
import type { Namespace } from '../namespace.ts'
import type { ProofOptions } from '../proof.ts'
import { jsonOf, type QueryInput, type RowsOptions } from '../queries.ts'
import type { Entity, GetOptions, IdsOptions, PutOptions, PutResult, WriteOptions } from '../records.ts'
import type { Transaction } from '../transaction.ts'
import type { ManyOptions } from '../view-sequence.ts'
import type { ViolationPage, ViolationsOptions } from '../violations.ts'
import type { DiffOptions, HistoryOptions, ViewOptions } from '../views.ts'
import type { LiveRows, WatchQueryOptions } from '../watch-query.ts'
import type { Written } from '../writer.ts'
import type { Answer, AnsweredBy, PartlyAnswered } from './answered.ts'
import { Finding } from './finding.ts'
import { Places } from './places.ts'
import { Querying } from './querying.ts'
import { Reading } from './reading.ts'
import type { Shards } from './shards.ts'
import { Viewing } from './viewing.ts'
import { Walking } from './walking.ts'
import { lifeOf, parseCursors } from './watch-cursor.ts'
import { type FollowedViews, type WatchEverywhereOptions, Watching } from './watching.ts'
import { watchQueryWherever } from './watching-query.ts'
import { Writing } from './writing.ts'

export interface EverywhereParts {
  readonly self: PeerId
  readonly namespace: Namespace
  readonly shards: Shards
  readonly contexts: LocalContexts
  readonly clock: HybridClock
  /** Throws RZ_IDENTITY_UNKNOWN. */
  readonly creatorOf: (identity: string | undefined) => PeerId
  readonly environment: Environment
  /** Of the store. */
  readonly instance: string
  readonly closing: AbortSignal
}

/** Made by `RhizomeNode.everywhere`. */
export class Everywhere {
  readonly name: string
  /** Rules, schemas and placement, and the records that no placement covers: every node that takes part holds it. */
  readonly namespace: Namespace
  readonly #parts: EverywhereParts
  readonly #places: Places
  readonly #reading: Reading
  readonly #querying: Querying
  readonly #viewing: Viewing
  readonly #walking: Walking
  readonly #writing: Writing

  constructor(parts: EverywhereParts) {
    this.name = parts.namespace.name
    this.namespace = parts.namespace
    this.#parts = parts
    this.#places = new Places(parts.namespace, parts.shards)
    this.#reading = new Reading({ ...parts, places: this.#places })
    this.#querying = new Querying({ ...parts, places: this.#places, reading: this.#reading })
    const finding = new Finding({ ...parts, places: this.#places })
    this.#viewing = new Viewing({ ...parts, places: this.#places, reading: this.#reading, finding })
    this.#walking = new Walking({ ...parts, places: this.#places, viewing: this.#viewing })
    this.#writing = new Writing({ ...parts, places: this.#places, finding, reading: this.#reading })
  }

  /** Whether some of its records lie in shards. */
  get isPlaced(): boolean {
    return this.#places.isPlaced
  }

  /** Whether this node answers itself for the record, or for all that there may be of the collection. */
  isHere(collection: string, id?: string): boolean {
    const parts = id === undefined ? this.#places.ofCollection(collection) : [this.#places.of(collection, id)]
    return parts.every((part) => 'here' in part)
  }

  // ---------------------------------------------------------------------------------------------------- reading

  /** As `Namespace.get`. Throws RZ_SHARD_UNHELD, RZ_SHARD_UNANSWERED, RZ_SHARD_ACROSS as well. */
  get(collection: string, id: string, options: GetOptions = {}): Answer<Entity | undefined> {
    return this.#settled(() => this.#reading.get(collection, id, options))
  }

  /**
   * As `Namespace.ids`; of a collection that lies in several shards, those of all of them. One that nobody holds is an error, since
   * whoever goes on behind the last id would pass over it. Throws as `get`.
   */
  ids(collection: string, options: IdsOptions = {}): Answer<readonly string[]> {
    return this.#settled(() => this.#reading.ids(collection, options))
  }

  /**
   * As `Namespace.collections`, of all shards. Those that nobody who is there holds are told as `unheld`, and what their collections
   * are is not known. Throws RZ_SHARD_ACROSS as well.
   */
  collections(
    options: ViewOptions = {},
  ): PartlyAnswered<readonly string[]> | Promise<PartlyAnswered<readonly string[]>> {
    return this.#settled(() => this.#reading.collections(options))
  }

  /** As `Namespace.entity`: a record in its shard, a delta where its log is, any other entity in the parent. Throws as `get`. */
  entity(id: string, options: ViewOptions = {}): Answer<Entity | undefined> {
    return this.#settled(() => this.#viewing.entity(id, options))
  }

  /** As `Namespace.lossless`, of the entities that `entity` reads. Throws as `get`. */
  lossless(entity: string, options: ViewOptions = {}): Answer<LosslessView | undefined> {
    return this.#settled(() => this.#viewing.lossless(entity, options))
  }

  /** As `Namespace.viewAll`, in the order of their ids, wherever each is held. Throws as `get`, while it is walked. */
  viewAll(options: ManyOptions = {}): AsyncIterable<Entity> {
    const isWhole = this.#places.isSettled && !this.isPlaced
    return isWhole ? this.namespace.viewAll(options) : this.#walking.entities(options)
  }

  /** As `Namespace.losslessAll`; of deltas those that are held where their log is. Throws as `get`, while it is walked. */
  losslessAll(options: ManyOptions = {}): AsyncIterable<LosslessView> {
    const isWhole = this.#places.isSettled && !this.isPlaced
    return isWhole ? this.namespace.losslessAll(options) : this.#walking.lossless(options)
  }

  /** As `Namespace.explain`. Throws as `get`. */
  explain(
    collection: string,
    id: string,
    property: string,
    options: ViewOptions = {},
  ): Answer<Explanation | undefined> {
    return this.#settled(() => this.#viewing.explain(collection, id, property, options))
  }

  /** As `Namespace.history`. Throws as `get`. */
  history(collection: string, id: string, property: string, options: HistoryOptions = {}): Answer<History> {
    return this.#settled(() => this.#viewing.history(collection, id, property, options))
  }

  /** As `Namespace.diff`. Throws as `get`. */
  diff(collection: string, id: string, options: DiffOptions): Answer<readonly Change[]> {
    return this.#settled(() => this.#viewing.diff(collection, id, options))
  }

  /**
   * As `Namespace.proof`: stated and signed by the node that answers, about the namespace that has the entity. Throws as `get`,
   * RZ_PROOF_TOO_LARGE, and RZ_SHARD_ACROSS where a rule of the parent bears upon a record of a shard: a proof is of one namespace.
   */
  proof(entity: string, options: ProofOptions = {}): Answer<string | undefined> {
    return this.#settled(() => this.#viewing.proof(entity, options))
  }

  /** As `Namespace.delta`, wherever it lies: its id does not tell, so every shard is asked. Throws as `get`. */
  delta(id: string, options: ViewOptions = {}): Answer<Delta | undefined> {
    return this.#settled(() => this.#viewing.delta(id, options))
  }

  /**
   * As `Namespace.query`. Where one shard has all that it reads, it runs there; where several have, their records are brought
   * together here, 50,000 at most (RZ_QUERY_LIMIT). Raw deltas are of one namespace: RZ_SHARD_ACROSS. Throws as `get`, too.
   */
  query<Columns>(query: QueryInput<Columns>, options: ViewOptions = {}): Answer<QueryPage> {
    return this.#settled(() => this.#querying.query(query, options))
  }

  /** As `Namespace.explainQuery`. Throws RZ_SHARD_ACROSS where no one part of the namespace that is held here has all that it reads. */
  explainQuery<Columns>(query: QueryInput<Columns>, options: ViewOptions = {}): QueryExplanation {
    return this.#querying.explain(query, options)
  }

  /** As `Namespace.violations`. Throws RZ_SHARD_ACROSS where records may break schemas elsewhere: ask where they are held. */
  async violations(options: ViolationsOptions = {}): Promise<ViolationPage> {
    await this.#places.untilSettled()
    return this.#places.here(options.collection, 'violations').violations(options)
  }

  /** As `Namespace.rows`. Throws as `query`. */
  rows(id: string, options: RowsOptions = {}): Answer<QueryPage> {
    return this.#settled(() => this.#querying.rows(id, options))
  }

  /**
   * As `Namespace.watch` of a collection. Parts of it that are held elsewhere are followed by their holders, however these change;
   * what this node has written itself is told once a holder has it. Where nobody holds a part at the beginning it throws as `get`,
   * unless it goes on from a cursor: from then on it waits until somebody does. Throws RZ_WATCH_CURSOR at once.
   */
  watch(collection: string, options: WatchEverywhereOptions = {}): FollowedViews {
    checkOptions('watch', options)
    const { context: asked, id, after, signal } = options
    const { namespace, closing, environment, shards, instance, contexts } = this.#parts
    const context = asked ?? contexts.standard ?? false
    // Only checks: it is not iterated.
    const checkContext = () => void namespace.watch(collection, { context, ...(id !== undefined && { id }) })
    checkContext()
    return new Watching({
      watched: { collection, id, context, checkContext, reading: () => this.#reading.asked({ context }) },
      places: this.#places,
      shards,
      environment,
      life: lifeOf(instance),
      start: after === undefined ? undefined : parseCursors(after),
      signal: signal === undefined ? closing : AbortSignal.any([signal, closing]),
    })
  }

  /**
   * As `Namespace.watch` of a query. Where what it reads does not lie in one place that is held here, it is run again when some of
   * that has changed, each 0.5 s at the most, over 100,000 rows at the most (RZ_QUERY_LIMIT); while nobody holds a part it waits.
   * Throws as `query`, at once or with the first item, and ends with RZ_QUERY_CHANGED where what it reads comes to lie elsewhere.
   */
  watchQuery<Columns>(query: QueryInput<Columns>, options: WatchQueryOptions = {}): AsyncIterable<LiveRows> {
    const { namespace, closing, environment } = this.#parts
    const { context, rows = false, signal } = options
    // Only checks: it is not iterated.
    namespace.watch(query, options)
    return watchQueryWherever(jsonOf(query), {
      namespace,
      places: this.#places,
      querying: this.#querying,
      watch: (collection, ended) =>
        this.watch(collection, { ...(context !== undefined && { context }), signal: ended }),
      environment,
      options: context === undefined ? {} : { context },
      rows,
      signal: signal === undefined ? closing : AbortSignal.any([signal, closing]),
    })
  }

  // ---------------------------------------------------------------------------------------------------- writing

  /**
   * As `Namespace.put`. What lies in a shard that is not held here is checked by a holder, written to this node's own log, and
   * carried to a holder; it resolves when that has given a receipt, or when none is there or none has in time (`deadlineMs`,
   * 5 s): then `achieved` is false, and the write waits here until one has. `until` is `local` or `{ copies: 2 }` there.
   */
  put(
    collection: string,
    id: string,
    properties: Readonly<Record<string, PropertyInput>>,
    options: PutOptions = {},
  ): Promise<PutResult & AnsweredBy> {
    return this.#writing.put(collection, id, properties, options)
  }

  /**
   * @internal As `put`, of those properties alone that the record lacks, with its holder and in what this node has written itself
   * and is on its way there; waits for nobody to have it. Throws as `put`, and as `get`.
   */
  putLacking(collection: string, id: string, properties: Readonly<Record<string, PropertyInput>>): Promise<void> {
    return this.#writing.putLacking(collection, id, properties)
  }

  /** As `Namespace.delete`. Throws as `get` where no holder can say what stands. */
  delete(collection: string, id: string, options: WriteOptions = {}): Promise<Written & AnsweredBy> {
    return this.#writing.delete(collection, id, options)
  }

  /**
   * As `Namespace.transaction`. A raw delta belongs with the first entity that it points at, a negation with the others or, alone, with
   * its delta. Throws RZ_PLACEMENT_TRANSACTION, before anything is signed, for what belongs to several shards.
   */
  transaction(
    build: (transaction: Transaction) => void,
    options: Omit<PutOptions, 'onlyChanged'> = {},
  ): Promise<Written & AnsweredBy> {
    return this.#writing.transaction(build, options)
  }

  /**
   * As `Namespace.negate`, where the delta lies. Throws RZ_SHARD_ACROSS for one that nobody has where records lie in shards: it is
   * not known into whose log the negation belongs.
   */
  negate(delta: string, options: WriteOptions = {}): Promise<Written & AnsweredBy> {
    return this.#writing.negate(delta, options)
  }

  #settled<Told>(ask: () => Told | Promise<Told>): Told | Promise<Told> {
    return this.#places.isSettled ? ask() : this.#places.settled(ask)
  }
}
