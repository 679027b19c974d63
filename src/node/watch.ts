/**
 * Watching records: their views again whenever something that bears upon them changes, learnt from the store's durable
 * cursor alone. A claim or negation concerns the records that it is about; a resolver those of its collection, a context all,
 * be it the watched namespace's own or, of a shard, its parent's.
 */

import { entityIdOf, parseEntityId } from '../delta/record.ts'
import type { NamespaceId } from '../log/namespace.ts'
import type { Change, Position, Store } from '../store/store.ts'
import { concernedBy } from './concerned.ts'
import { bearsUpon, type RuleRecords, ruleChangesIn } from './rule-change.ts'
import type { ContextOptions, View, Views } from './views.ts'

export interface WatchOptions extends ContextOptions {
  /** The record to watch. Default: all of the collection. */
  readonly id?: string
  /** Starts behind this position. Default: from now on. */
  readonly after?: Position
  readonly signal?: AbortSignal
}

/** A record whose view may have changed, as it is when this is handed out. */
export interface WatchedView {
  /** Whoever comes back with it misses nothing, though what came last may come again. */
  readonly position: Position
  readonly id: string
  /** Absent when nothing about it stands any more. */
  readonly view?: View
}

export interface Watching {
  readonly store: Store
  readonly namespace: NamespaceId
  readonly views: Views
  /** The rules by which it is read. */
  readonly rules: RuleRecords
  readonly collection: string
  readonly id: string | undefined
  readonly context: string | false
  readonly after: Position
  readonly signal: AbortSignal
}

const PAGE_COUNT = 1_000

export async function* watch(watching: Watching): AsyncGenerator<WatchedView> {
  const { store, after, signal } = watching
  let done = after
  for await (const change of store.changes({ after, signal })) {
    // One is held back: with the last of a change, and with no earlier one, the whole change has been dealt with.
    let held: string | undefined
    for (const id of concernedRecords(change, watching)) {
      if (held !== undefined) yield watched(watching, held, done)
      if (signal.aborted) return
      held = id
    }
    if (held !== undefined) yield watched(watching, held, change.position)
    if (signal.aborted) return
    done = change.position
  }
}

function watched({ views, collection, context }: Watching, id: string, position: Position): WatchedView {
  const view = views.view(entityIdOf(collection, id), id, { context })
  return { position, id, ...(view && { view }) }
}

function concernedRecords(change: Change, watching: Watching): Iterable<string> {
  const { store, namespace, rules, collection, id } = watching
  const isOfRules = change.namespace === rules.namespace
  if (!isOfRules && change.namespace !== namespace) return []
  const concerned = concernedBy(change, store, change.namespace)
  if (isOfRules && ruleChangesIn(change, concerned, rules).some((rule) => bearsUpon(rule, watching))) {
    return id === undefined ? knownRecords(store, namespace, collection) : [id]
  }
  if (change.namespace !== namespace) return []
  if (id !== undefined) return concerned.has(entityIdOf(collection, id)) ? [id] : []
  return [...concerned].flatMap((entity) => {
    const record = parseEntityId(entity)
    return record?.collection === collection ? [record.id] : []
  })
}

/** Ids of all records of a collection that deltas were ever about, in order of their UTF-8 bytes. */
export function* knownRecords(store: Store, namespace: NamespaceId, collection: string): Iterable<string> {
  for (let after: string | undefined; ;) {
    const page = knownPage(store, namespace, collection, {
      countMax: PAGE_COUNT,
      ...(after !== undefined && { after }),
    })
    yield* page
    after = page.at(-1)
    if (after === undefined) return
  }
}

/** As `knownRecords`, so many of them, behind an id. */
export function knownPage(
  store: Store,
  namespace: NamespaceId,
  collection: string,
  { after = '', countMax }: { readonly after?: string; readonly countMax: number },
): readonly string[] {
  const prefix = entityIdOf(collection, 'x').slice(0, -1)
  // Behind the prefix itself, which is no record.
  return store
    .entities(namespace, { prefix, after: prefix + after, countMax })
    .map((entity) => entity.slice(prefix.length))
}
