/**
 * Watching a query: its rows, then what comes and goes with every change of the store, learnt from the durable cursor alone
 * and only when the watcher asks: changes since then wait in the log, and are told as one. What is told is always the
 * difference between two states that the store was in, so that a transaction is seen whole.
 *
 * The store is read in slices between which the node does other work. A slice may see a later state than the one before;
 * so before anything is told, whatever was committed meanwhile is read again, until slice and store agree.
 */

import { setImmediate as turn } from 'node:timers/promises'
import { entityIdOf } from '../delta/record.ts'
import { RhizomeError } from '../errors.ts'
import type { NamespaceId } from '../log/namespace.ts'
import { DEFAULT_LIMITS, Meter } from '../query/limits.ts'
import type { LiveQuery } from '../query/live/live-query.ts'
import type { LiveRun } from '../query/live/operator.ts'
import type { ViewOf } from '../query/named-views.ts'
import { readingIn } from '../query/reading.ts'
import type { Row } from '../query/row.ts'
import { StoreSource } from '../query/store-source.ts'
import type { Position, Store } from '../store/store.ts'
import { concernedDeltas, entitiesOf } from './concerned.ts'
import { CONTEXT } from './definitions.ts'
import type { RuleRecords } from './rule-change.ts'
import type { ContextOptions, Frame, Views } from './views.ts'

export interface WatchQueryOptions extends ContextOptions {
  /** Whether each item holds all rows, in order, too: as much work as there are rows. Default false. */
  readonly rows?: boolean
  readonly signal?: AbortSignal
}

/** How the rows of a query changed, at once. The first says how they came to be: all are added. */
export interface LiveRows {
  /** The newest change that is in it. */
  readonly position: Position
  /** In the order of the query, each once. */
  readonly added: readonly Row[]
  readonly removed: readonly Row[]
  /** All rows in the order of the query; absent unless asked for. */
  readonly rows?: readonly Row[]
}

/** A query, and what it follows. */
export interface Followed {
  readonly store: Store
  readonly namespace: NamespaceId
  readonly views: Views
  readonly rules: RuleRecords
  readonly live: LiveQuery
  readonly context: string | false
}

export interface WatchingQuery extends Followed {
  readonly rows: boolean
  readonly signal: AbortSignal
}

export interface FollowingOptions {
  /** Rows read before others have their turn. Default `SLICE_ROWS`. */
  readonly sliceRows?: number
}

/** Rows read, and changes looked through, before others have their turn: some 5 ms each. */
const SLICE_ROWS = 200
const SLICE_CHANGES = { countMax: 256, bytesMax: 1_048_576 }

export async function* watchQuery(watching: WatchingQuery): AsyncGenerator<LiveRows> {
  const { store, live, rows, signal } = watching
  const following = new Following(watching)
  for (let isFirst = true; ; isFirst = false) {
    while (!following.catchUp()) {
      await turn()
      if (signal.aborted) return
    }
    const { position } = following
    const { added, removed } = live.changed(following.run())
    if (isFirst || added.length > 0 || removed.length > 0) {
      yield { position, added, removed, ...(rows && { rows: live.rows() ?? [] }) }
    }
    if (signal.aborted || !(await isChangedAfter(position, store, signal))) return
  }
}

/** How far the query has followed the store. */
export class Following {
  readonly #watching: Followed
  readonly #sliceRows: number
  /** All changes up to here are known to the query, if not yet read. */
  #position: Position
  #frame: Frame
  #rules: Rules
  /** Rows that were to be read, one by one, before the last slice. */
  #concerned = Number.POSITIVE_INFINITY

  constructor(watching: Followed, { sliceRows = SLICE_ROWS }: FollowingOptions = {}) {
    this.#watching = watching
    this.#sliceRows = sliceRows
    this.#position = watching.store.position()
    this.#frame = watching.views.frame({ context: watching.context })
    this.#rules = rulesIn(this.#frame, watching)
  }

  get position(): Position {
    return this.#position
  }

  /** One slice. True when the query has read the store as it is now. Throws RZ_QUERY_LIMIT, RZ_RULE_GAS, RZ_CONTEXT_UNKNOWN. */
  catchUp(): boolean {
    const { live } = this.#watching
    if (!this.#note()) return false
    this.#noteRules()
    // When more comes than is read meanwhile, what there is is read at once: so this ends.
    const concerned = live.concernedCount
    const isFalling = concerned < this.#concerned || concerned === Number.POSITIVE_INFINITY
    let isDone = live.read(this.run(), this.#sliceRows)
    while (!isDone && !isFalling) isDone = live.read(this.run(), this.#sliceRows)
    this.#concerned = isDone ? Number.POSITIVE_INFINITY : concerned
    return isDone
  }

  /** The store as it is now, read as the definitions of now say. */
  run(): LiveRun {
    const { store, namespace } = this.#watching
    const meter = new Meter(DEFAULT_LIMITS)
    const reading = readingIn(this.#frame.context, this.#frame.resolvers)
    return { source: new StoreSource({ store, namespace, reading, meter }), meter }
  }

  /** Tells the query what some more changes concern. True when there are no others. */
  #note(): boolean {
    const { store, namespace, live } = this.#watching
    const end = store.position()
    if (end === this.#position) return true
    const changes = store.changesNow({ after: this.#position, ...SLICE_CHANGES })
    for (const change of changes) {
      if (change.namespace !== namespace) continue
      const deltas = concernedDeltas(change, store, namespace)
      live.concern(entitiesOf(deltas), deltas)
    }
    // What is left out at the end is void, and what voided it comes later.
    this.#position = changes.at(-1)?.position ?? end
    return this.#position >= end
  }

  #noteRules(): void {
    const { views, context, live } = this.#watching
    const frame = views.frame({ context })
    checkViews(live.views, frame.viewOf)
    if (frame.context === this.#frame.context && frame.resolvers === this.#frame.resolvers) return
    const rules = rulesIn(frame, this.#watching)
    if (rules.context !== this.#rules.context) live.concernAll()
    for (const [collection, text] of rules.resolvers) {
      if (text !== this.#rules.resolvers.get(collection)) live.concernAll(collection)
    }
    this.#frame = frame
    this.#rules = rules
  }
}

/** Throws RZ_QUERY_CHANGED when a view that the query names says something else than when it was begun. */
function checkViews(views: LiveQuery['views'], viewOf: ViewOf): void {
  for (const [id, json] of views) {
    const now = viewOf(id)
    if (now === json || JSON.stringify(now) === JSON.stringify(json)) continue
    throw new RhizomeError(
      'RZ_QUERY_CHANGED',
      `the stored query "${id}", which is watched, has changed: watch it again`,
    )
  }
}

/** Texts that differ whenever the definitions do by which the query is read. */
interface Rules {
  readonly context: string
  readonly resolvers: ReadonlyMap<string, string>
}

/** By the deltas that say them: deltas never change, and what is compiled of them may be compiled again. */
function rulesIn({ resolvers }: Frame, { store, rules, live, context }: Followed): Rules {
  const record = context === false ? undefined : store.entity(rules.namespace, entityIdOf(CONTEXT, context))
  const textOf = (collection: string): string => {
    const properties = resolvers.collections.get(collection)?.byProperty ?? []
    return JSON.stringify([...properties].map(([property, { source }]) => [property, source?.delta.id]))
  }
  return {
    context: [...(record?.deltas ?? []), ...(record?.negations ?? [])].map(({ id }) => id).join(),
    resolvers: new Map([...live.collections].map((collection) => [collection, textOf(collection)])),
  }
}

/** Waits for a change after `after`. False when `signal` or the store's end came first. */
async function isChangedAfter(after: Position, store: Store, signal: AbortSignal): Promise<boolean> {
  for await (const _ of store.changes({ after, signal })) return true
  return false
}
