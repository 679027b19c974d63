/**
 * A namespace as faces use it: records are read and written wherever they are held, and each answer says who gave it. What
 * this node holds is read here, at once; for the rest a holder of the shard is asked, and another where that one does not
 * answer. What a record means is `Namespace`'s, here and there. src/node/README.md, Shards.
 */

import { encodePointers } from '../../delta/bytes.ts'
import type { PeerId, Pointer, Value } from '../../delta/delta.ts'
import { compareUtf8 } from '../../delta/order.ts'
import { entityIdOf, parseEntityId, type PropertyInput, recordPointers } from '../../delta/record.ts'
import type { ShardRange } from '../../delta/shard-range.ts'
import { RhizomeError } from '../../errors.ts'
import { GatheredSource, type Relations, relationsOf } from '../../query/gathered-source.ts'
import { DEFAULT_LIMITS, Meter } from '../../query/limits.ts'
import { type Catalogue, NO_CATALOGUE } from '../../query/plan.ts'
import { prepare, type QueryPage, runOver } from '../../query/run.ts'
import type { RecordRow } from '../../query/source.ts'
import { parseDeadline, type HeldResult, type UntilOptions } from '../delivery/until.ts'
import type { HybridClock } from '../hybrid-clock.ts'
import type { LocalContexts } from '../local-contexts.ts'
import { buildTransaction, type Namespace, negateAll } from '../namespace.ts'
import { jsonOf, type QueryInput, type RowsOptions } from '../queries.ts'
import type { Entity, GetOptions, IdsOptions, PutOptions, PutResult, WriteOptions } from '../records.ts'
import type { Transaction } from '../transaction.ts'
import type { ViewOptions } from '../views.ts'
import type { WatchedView, WatchOptions } from '../watch.ts'
import type { Written } from '../writer.ts'
import type { Answer, Answered, AnsweredBy } from './answered.ts'
import { ACROSS_RECORDS_MAX, RECEIPT_MS } from './limits.ts'
import { ownCollections, ownIds, ownRecords, tooMany } from './own-records.ts'
import type { Shard } from './shard.ts'
import type { Shards } from './shards.ts'
import {
  faultIn,
  fieldsIn,
  intendedValue,
  listIn,
  parseDeltaIds,
  parseEntity,
  parseTime,
  readingValue,
  textIn,
  textsIn,
} from './words.ts'

export interface EverywhereParts {
  readonly self: PeerId
  readonly namespace: Namespace
  readonly shards: Shards
  readonly contexts: LocalContexts
  readonly clock: HybridClock
  /** Throws RZ_IDENTITY_UNKNOWN. */
  readonly creatorOf: (identity: string | undefined) => PeerId
}

/** A part of the namespace: the parent, or a shard that is held here or not. */
type Part = { readonly here: Namespace } | { readonly elsewhere: Shard }

const IDS_COUNT_MAX = 10_000
const IDS_COUNT_DEFAULT = 1_000

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
    return !this.namespace.placements.isEmpty
  }

  /** Whether this node answers itself for the record, or for all that there may be of the collection. */
  isHere(collection: string, id?: string): boolean {
    if (id !== undefined) return 'here' in this.#partOf(collection, id)
    return this.#partsOf(collection).every((part) => 'here' in part)
  }

  // ---------------------------------------------------------------------------------------------------- reading

  /** As `Namespace.get`. Throws RZ_SHARD_UNHELD, RZ_SHARD_UNANSWERED, RZ_SHARD_ACROSS as well. */
  get(collection: string, id: string, options: GetOptions = {}): Answer<Entity | undefined> {
    if (!this.#isSettled) return this.#settled(() => this.get(collection, id, options))
    const part = this.#partOf(collection, id)
    if ('here' in part) return this.#here(part.here.get(collection, id, options))
    return this.#getElsewhere(part.elsewhere, collection, id, options)
  }

  /** As `Namespace.ids`; of a collection that lies in several shards, those of all of them. Throws as `get`. */
  ids(collection: string, options: IdsOptions = {}): Answer<readonly string[]> {
    if (!this.#isSettled) return this.#settled(() => this.ids(collection, options))
    const parts = this.#partsOf(collection)
    const [only] = parts
    if (parts.length === 1 && only !== undefined) return this.#idsOf(only, collection, options)
    const countMax = Math.min(options.countMax ?? IDS_COUNT_DEFAULT, IDS_COUNT_MAX)
    return this.#together(
      parts.map((part) => this.#idsOf(part, collection, { ...options, countMax })),
      (ids) => ids.flat().sort(compareUtf8).slice(0, countMax),
    )
  }

  /** As `Namespace.collections`, of all shards. Throws as `get`. */
  collections(options: ViewOptions = {}): Answer<readonly string[]> {
    if (!this.#isSettled) return this.#settled(() => this.collections(options))
    if (!this.isPlaced) return this.#here(this.namespace.collections(options))
    return this.#together(
      [undefined, ...this.namespace.placements.ranges].map((range) => this.#collectionsOf(this.#part(range), options)),
      (names) => [...new Set(names.flat())].sort(compareUtf8),
    )
  }

  /**
   * As `Namespace.query`. Where one shard has all that it reads, it runs there; where several have, their records are brought
   * together here, 50,000 at most (RZ_QUERY_LIMIT). Raw deltas are of one namespace: RZ_SHARD_ACROSS. Throws as `get`, too.
   */
  query<Columns>(query: QueryInput<Columns>, options: ViewOptions = {}): Answer<QueryPage> {
    if (!this.#isSettled) return this.#settled(() => this.query(query, options))
    if (!this.isPlaced) return this.#here(this.namespace.query(query, options))
    const json = jsonOf(query)
    const relations = this.#relationsOf(json, options)
    const parts = this.#partsFor(relations)
    const [only] = parts
    if (parts.length > 1 || only === undefined) return this.#queryAcross(json, relations, options)
    if ('here' in only) return this.#here(only.here.query(json, options))
    return this.#page(only.elsewhere, 'query', { query: JSON.stringify(json), reading: this.#reading(options) })
  }

  /** As `Namespace.rows`. Throws as `query`. */
  rows(id: string, { limit, after, ...options }: RowsOptions = {}): Answer<QueryPage> {
    if (!this.#isSettled)
      return this.#settled(() =>
        this.rows(id, { ...options, ...(limit !== undefined && { limit }), ...(after !== undefined && { after }) }),
      )
    const paging = { ...(limit !== undefined && { limit }), ...(after !== undefined && { after }) }
    if (!this.isPlaced) return this.#here(this.namespace.rows(id, { ...options, ...paging }))
    return this.query(
      { limit: { view: id }, count: limit ?? IDS_COUNT_DEFAULT, ...(after !== undefined && { after }) },
      options,
    )
  }

  /** As `Namespace.watch` of a collection. Throws RZ_SHARD_ACROSS where it does not lie in one place that is held here. */
  watch(collection: string, options: WatchOptions = {}): AsyncIterable<WatchedView> {
    const parts = options.id === undefined ? this.#partsOf(collection) : [this.#partOf(collection, options.id)]
    const [only] = parts
    if (parts.length === 1 && only !== undefined && 'here' in only) return only.here.watch(collection, options)
    const where = parts.map((part) => ('here' in part ? part.here.name : part.elsewhere.name)).join(', ')
    throw new RhizomeError(
      'RZ_SHARD_ACROSS',
      `"${collection}" lies in ${where}: what is followed must lie in one place, on a node that holds it`,
    )
  }

  // ---------------------------------------------------------------------------------------------------- writing

  /**
   * As `Namespace.put`. What lies in a shard that is not held here is checked by a holder, written to this node's own log, and
   * carried to a holder; it resolves when that has given a receipt, or when none is there or none has in time (`deadlineMs`,
   * 5 s): then `achieved` is false, and the write waits here until one has. `until` is `local` or `{ copies: 2 }` there.
   */
  async put(
    collection: string,
    id: string,
    properties: Readonly<Record<string, PropertyInput>>,
    options: PutOptions = {},
  ): Promise<PutResult & AnsweredBy> {
    await this.#parts.shards.untilSettled(this.namespace)
    const part = this.#partOf(collection, id)
    if ('here' in part) return this.#by(await part.here.put(collection, id, properties, options))
    const records = new Set([entityIdOf(collection, id)])
    return {
      id,
      ...(await this.#writeElsewhere(part.elsewhere, recordPointers(collection, id, properties), records, options)),
    }
  }

  /** As `Namespace.delete`. Throws as `get` where no holder can say what stands. */
  async delete(collection: string, id: string, options: WriteOptions = {}): Promise<Written & AnsweredBy> {
    await this.#parts.shards.untilSettled(this.namespace)
    const part = this.#partOf(collection, id)
    if ('here' in part) return this.#by(await part.here.delete(collection, id, options))
    const { elsewhere: shard } = part
    const { shards } = this.#parts
    checkUntil(options)
    return this.#inTurn(
      shard,
      async (before) => {
        await before
        const heard = await shards.ask(shard, 'standing', { collection, id })
        await this.#observe(shard)
        // What this node has written itself may not have come to the holder yet.
        const standing = new Set([...parseDeltaIds(heard.items), ...shard.namespace.standingOf(collection, id)])
        const written = await negateAll([...standing], (deltas) => shard.namespace.writeChecked(deltas, options))
        const answeredBy = [heard.by as PeerId]
        return standing.size === 0 ? { done: { ...written, answeredBy } } : { written }
      },
      options,
    )
  }

  /** As `Namespace.transaction`. Throws RZ_PLACEMENT_TRANSACTION, before anything is signed, for records of several shards. */
  async transaction(
    build: (transaction: Transaction) => void,
    options: Omit<PutOptions, 'onlyChanged'> = {},
  ): Promise<Written & AnsweredBy> {
    await this.#parts.shards.untilSettled(this.namespace)
    if (!this.isPlaced) return this.#by(await this.namespace.transaction(build, options))
    const { deltas, records } = buildTransaction(build)
    const ranges = new Set(
      [...records].map((entity) => {
        const { collection = '', id = '' } = parseEntityId(entity) ?? {}
        return this.namespace.placements.rangeOf(collection, id)
      }),
    )
    const [range, ...others] = ranges
    if (others.length > 0) {
      const names = [...ranges].map((each) =>
        each === undefined ? this.name : this.#parts.shards.of(this.namespace, each).name,
      )
      throw new RhizomeError(
        'RZ_PLACEMENT_TRANSACTION',
        `a transaction stays in one shard, and this one has records of ${names.join(', ')}: write one for each`,
      )
    }
    const part = this.#part(range)
    if ('here' in part) return this.#by(await part.here.transaction(build, options))
    return this.#writeElsewhere(part.elsewhere, deltas, records, options)
  }

  async #writeElsewhere(
    shard: Shard,
    deltas: readonly (readonly Pointer[])[],
    records: ReadonlySet<string>,
    options: PutOptions,
  ): Promise<Written & AnsweredBy> {
    checkUntil(options)
    return this.#inTurn(
      shard,
      async (before, entered) => {
        const kept = await this.#prepare(shard, deltas, records, options)
        const wanted = kept === undefined ? deltas : deltas.filter((_, index) => kept.has(index))
        await before
        const writing = shard.namespace.writeChecked(wanted, options)
        entered()
        const written = await writing
        return wanted.length === 0 ? { done: this.#by(written) } : { written }
      },
      options,
    )
  }

  /** What is written to a shard from here comes into the log in the order in which it was asked for, and is carried then. */
  async #inTurn(
    shard: Shard,
    write: (
      before: Promise<void>,
      entered: () => void,
    ) => Promise<{ readonly done: Written & AnsweredBy } | { readonly written: Written }>,
    options: WriteOptions,
  ): Promise<Written & AnsweredBy> {
    const before = shard.writing
    const { promise, resolve } = Promise.withResolvers<void>()
    shard.writing = promise
    let result
    try {
      // Entered, not committed: what enters in one turn shares a block.
      result = await write(before, resolve)
    } finally {
      void before.then(resolve)
    }
    return 'done' in result ? result.done : this.#carried(shard, result.written, options)
  }

  /**
   * Has a holder hold what is to be written against the schemas, and brings this node's clock past what it has. Where nobody
   * holds the shard, this node goes by what it has itself, which is its own log. Answers which deltas say something new,
   * where that is asked.
   */
  async #prepare(
    shard: Shard,
    deltas: readonly (readonly Pointer[])[],
    records: ReadonlySet<string>,
    { as, checkReferences = false, onlyChanged = false }: PutOptions,
  ): Promise<ReadonlySet<number> | undefined> {
    const { shards, clock, creatorOf } = this.#parts
    const intent = { records, deltas, checkReferences, creator: creatorOf(as) }
    try {
      const intended = intendedValue(intent)
      const bytes = deltas.reduce((sum, pointers) => sum + encodePointers(pointers).length, 0)
      const { value } = await shards.gathering.ask(shard, 'prepare', null, [intended, onlyChanged], bytes)
      const [time, kept] = listIn(value)
      clock.observe(parseTime(time))
      return kept === null || kept === undefined ? undefined : new Set(listIn(kept).map(Number))
    } catch (error) {
      if (!isAbsent(error)) throw error
      shard.namespace.checkIntent(intent)
      return undefined
    }
  }

  async #observe(shard: Shard): Promise<void> {
    await this.#prepare(shard, [], new Set(), {})
  }

  async #carried(shard: Shard, written: Written, options: WriteOptions): Promise<Written & AnsweredBy> {
    const { shards, self } = this.#parts
    const { until, deadlineMs = RECEIPT_MS } = options
    if (written.block === undefined || until === 'local') {
      void shards.carrying.carry(shard)
      return { ...this.#by(written), ...(until === 'local' && { achieved: true, holders: [shards.self] }) }
    }
    const held = await shards.carrying.until(shard, written.block, deadlineMs)
    const holders = held.holders?.map(({ peer }) => peer).filter((peer) => peer !== self) ?? []
    // As everywhere, the result names holders where that was asked for; and where something is amiss.
    const told: HeldResult = held.achieved === true && until === undefined ? {} : held
    return { ...written, ...told, answeredBy: holders.length > 0 ? holders : [self] }
  }

  // ---------------------------------------------------------------------------------------------------- elsewhere

  async #getElsewhere(
    shard: Shard,
    collection: string,
    id: string,
    { expand, ...options }: GetOptions,
  ): Promise<Answered<Entity | undefined>> {
    entityIdOf(collection, id)
    const common = { reading: this.#reading(options), ...(expand !== undefined && { expand }) }
    const { shards } = this.#parts
    if (expand !== undefined) {
      const { items, by } = await shards.ask(shard, 'get', { items: [[collection, id]], common })
      const [entity, fault] = listIn(items[0])
      if (fault !== undefined) throw faultIn(fault)
      return { value: parseEntity(entity ?? null), answeredBy: [by as PeerId] }
    }
    const { value, by } = await shards.gathering.ask(
      shard,
      'get',
      common,
      [collection, id],
      collection.length + id.length,
    )
    return { value: parseEntity(value), answeredBy: [by] }
  }

  #idsOf(part: Part, collection: string, options: IdsOptions): Answer<readonly string[]> {
    if ('here' in part) {
      const ids = this.isPlaced ? ownIds(part.here, collection, options) : part.here.ids(collection, options)
      return this.#here(ids)
    }
    const { countMax = IDS_COUNT_DEFAULT, after, ...reading } = options
    const content = { collection, countMax, ...(after !== undefined && { after }), reading: this.#reading(reading) }
    return this.#parts.shards
      .ask(part.elsewhere, 'ids', content)
      .then(({ items, by }) => ({ value: textsIn(items), answeredBy: [by as PeerId] }))
  }

  #collectionsOf(part: Part, options: ViewOptions): Answer<readonly string[]> {
    if ('here' in part) return this.#here(ownCollections(part.here, options))
    return this.#parts.shards
      .ask(part.elsewhere, 'collections', this.#reading(options))
      .then(({ items, by }) => ({ value: textsIn(items), answeredBy: [by as PeerId] }))
  }

  async #page(shard: Shard, word: 'query', content: Value): Promise<Answered<QueryPage>> {
    const { items, end, by } = await this.#parts.shards.ask(shard, word, content)
    const rows = items.map((item) => fieldsIn(item))
    return { value: { rows, ...(end !== null && { next: textIn(end) }) }, answeredBy: [by as PeerId] }
  }

  /** How a view is read elsewhere: in the context that would hold here. */
  #reading({ context, ...options }: ViewOptions): Value {
    const { standard, pinned } = this.#parts.contexts
    return readingValue({ ...options, context: context ?? standard ?? false }, (id) => pinned.has(id))
  }

  // ---------------------------------------------------------------------------------------------------- across shards

  /** The stored queries of that moment. */
  #catalogue({ asOf }: ViewOptions): Catalogue {
    const { records } = this.namespace.definitionsAt(asOf)
    return { ...NO_CATALOGUE, viewOf: (id) => records.query.get(id)?.definition?.query }
  }

  #relationsOf(json: unknown, options: ViewOptions): Relations {
    const { asOf } = options
    if (asOf !== undefined && typeof asOf === 'string' && asOf.startsWith('f')) {
      throw new RhizomeError(
        'RZ_AS_OF_INVALID',
        `a frontier is one namespace's, and "${this.name}" lies in several: name a time`,
      )
    }
    return relationsOf(prepare(json, this.#catalogue(options)).query)
  }

  /** Where a query's records lie. */
  #partsFor({ collections, readsPointers }: Relations): readonly Part[] {
    if (readsPointers) {
      throw new RhizomeError(
        'RZ_SHARD_ACROSS',
        `raw deltas are of one namespace, and "${this.name}" lies in several: ask one of them, such as ` +
          `node.namespace("${this.#parts.shards.of(this.namespace, this.namespace.placements.ranges[0] as ShardRange).name}")`,
      )
    }
    const ranges = new Set(collections.flatMap((relation) => this.#rangesFor(relation)))
    return [...ranges].map((range) => this.#part(range))
  }

  #rangesFor({ collection, prefix }: Relations['collections'][number]): readonly (ShardRange | undefined)[] {
    const { placements } = this.namespace
    return prefix === '' ? placements.rangesOf(collection) : [placements.rangeOf(collection, prefix)]
  }

  #queryAcross(json: unknown, { collections }: Relations, options: ViewOptions): Answer<QueryPage> {
    const names = [...new Set(collections.map(({ collection }) => collection))]
    const asked = names.flatMap((name) =>
      this.#partsOf(name).map((part) => ({ name, answer: this.#recordsOf(part, name, options) })),
    )
    const run = (answers: readonly Answered<readonly RecordRow[]>[]): Answered<QueryPage> => {
      const gathered = new Map<string, RecordRow[]>(names.map((name) => [name, []]))
      for (const [index, { value }] of answers.entries()) gathered.get(asked[index]?.name ?? '')?.push(...value)
      if (answers.reduce((sum, { value }) => sum + value.length, 0) > ACROSS_RECORDS_MAX)
        throw tooMany(ACROSS_RECORDS_MAX)
      const meter = new Meter(DEFAULT_LIMITS)
      return {
        value: runOver(json, new GatheredSource(gathered, meter), meter, this.#catalogue(options)),
        answeredBy: [...new Set(answers.flatMap(({ answeredBy }) => answeredBy))],
      }
    }
    const answers = asked.map(({ answer }) => answer)
    return areHere(answers) ? run(answers) : whole(answers).then(run)
  }

  #recordsOf(part: Part, collection: string, options: ViewOptions): Answer<readonly RecordRow[]> {
    if ('here' in part) return this.#here([...ownRecords(part.here, collection, options, ACROSS_RECORDS_MAX)])
    const content = { collection, reading: this.#reading(options) }
    return this.#parts.shards.ask(part.elsewhere, 'records', content).then(({ items, by }) => {
      const value = items.map((item): RecordRow => {
        const [id, properties] = listIn(item)
        return { id: textIn(id), entity: entityIdOf(collection, textIn(id)), properties: fieldsIn(properties) }
      })
      return { value, answeredBy: [by as PeerId] }
    })
  }

  #together<Found>(
    answers: readonly Answer<readonly Found[]>[],
    join: (values: readonly (readonly Found[])[]) => readonly Found[],
  ): Answer<readonly Found[]> {
    const joined = (all: readonly Answered<readonly Found[]>[]): Answered<readonly Found[]> => ({
      value: join(all.map(({ value }) => value)),
      answeredBy: [...new Set(all.flatMap(({ answeredBy }) => answeredBy))],
    })
    return areHere(answers) ? joined(answers) : whole(answers).then(joined)
  }

  // ---------------------------------------------------------------------------------------------------- where

  get #isSettled(): boolean {
    return this.#parts.shards.isSettled(this.namespace)
  }

  /** A node that has just started learns first how the namespace is placed. */
  async #settled<Found>(ask: () => Answer<Found>): Promise<Answered<Found>> {
    await this.#parts.shards.untilSettled(this.namespace)
    return ask()
  }

  #partOf(collection: string, id: string): Part {
    return this.#part(this.namespace.placements.rangeOf(collection, id))
  }

  #partsOf(collection: string): readonly Part[] {
    return this.namespace.placements.rangesOf(collection).map((range) => this.#part(range))
  }

  #part(range: ShardRange | undefined): Part {
    if (range === undefined) return { here: this.namespace }
    const { shards } = this.#parts
    const shard = shards.of(this.namespace, range)
    return shards.isHere(shard) ? { here: shard.namespace } : { elsewhere: shard }
  }

  #here<Found>(value: Found): Answered<Found> {
    return { value, answeredBy: [this.#parts.self] }
  }

  #by<Result extends object>(result: Result): Result & AnsweredBy {
    return { ...result, answeredBy: [this.#parts.self] }
  }
}

function areHere<Found>(answers: readonly Answer<Found>[]): answers is readonly Answered<Found>[] {
  return answers.every((answer) => !(answer instanceof Promise))
}

/** Those that are here already among them. */
function whole<Found>(answers: readonly Answer<Found>[]): Promise<readonly Answered<Found>[]> {
  return Promise.all(answers.map(async (answer) => answer))
}

/** What a write to a shard that is held elsewhere can wait for. */
function checkUntil({ until, deadlineMs, members }: UntilOptions): void {
  if (deadlineMs !== undefined) parseDeadline(deadlineMs)
  const copies = typeof until === 'object' ? until.copies : 2
  if (members === undefined && until !== 'uniform' && until !== 'alive' && (copies === 1 || copies === 2)) return
  throw new RhizomeError(
    'RZ_DELIVERY_INVALID',
    'the shard is not held here: a write to it waits for a holder ("until": { copies: 2 }) or for nobody ("local"); for more write on a node that holds it',
  )
}

function isAbsent(error: unknown): boolean {
  return error instanceof RhizomeError && (error.code === 'RZ_SHARD_UNHELD' || error.code === 'RZ_SHARD_UNANSWERED')
}
