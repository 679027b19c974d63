/**
 * What is told of one part of a namespace that is watched: its records, when something bears upon them. A part that is held here
 * is watched as any namespace is (node/watch.ts); watched-shard.ts watches those that are held elsewhere.
 */

import type { Value } from '../../delta/delta.ts'
import type { Environment } from '../environment.ts'
import type { Namespace } from '../namespace.ts'
import { type Entity, entityOf } from '../records.ts'
import { Turn } from '../turn.ts'
import { isOwn } from './own-records.ts'
import type { StoreCursor } from './watch-cursor.ts'

/** What is watched. */
export interface Watched {
  readonly collection: string
  readonly id: string | undefined
  readonly context: string | false
  /** As others are asked. Throws RZ_SHARD_ACROSS for a context that is pinned here. */
  readonly reading: () => Value
  /** Throws RZ_CONTEXT_UNKNOWN. */
  readonly checkContext: () => void
}

export interface ToldRecord {
  readonly id: string
  /** Undefined where nothing about it stands. */
  readonly view: Entity | undefined
}

export interface Told {
  /** Absent where only the cursor has moved. */
  readonly record?: ToldRecord
  /** Whoever goes on from here misses nothing. Absent in the middle of what has to be told together. */
  readonly cursor?: StoreCursor
}

export interface HereParts {
  readonly watched: Watched
  readonly environment: Environment
  /** Of the store. */
  readonly life: string
  readonly signal: AbortSignal
}

/** From `start` on; all records, if that is no place in this store. */
export async function* watchHere(
  namespace: Namespace,
  start: StoreCursor | undefined,
  { watched, environment, life, signal }: HereParts,
): AsyncGenerator<Told> {
  const { collection, id, context } = watched
  const now = namespace.position()
  const isKnown = start !== undefined && start.life === life && start.position <= now
  if (!isKnown) yield* all(namespace, watched, { life, position: now }, environment)
  const after = isKnown ? start.position : now
  const options = { after, context, signal, ...(id !== undefined && { id }) }
  for await (const { position, id: changed, view } of namespace.watch(collection, options)) {
    if (!isOwn(namespace, collection, changed)) continue
    yield { record: { id: changed, view: entityOf(view) }, cursor: { life, position } }
  }
}

/** The last with the cursor behind all of them. */
async function* all(
  namespace: Namespace,
  { collection, id, context }: Watched,
  cursor: StoreCursor,
  environment: Environment,
): AsyncGenerator<Told> {
  const turn = new Turn(environment)
  let held: ToldRecord | undefined
  for (const known of id === undefined ? namespace.knownIds(collection) : [id]) {
    if (!isOwn(namespace, collection, known)) continue
    if (held !== undefined) yield { record: held }
    await turn.breathe()
    held = { id: known, view: namespace.get(collection, known, { context }) }
  }
  yield { cursor, ...(held && { record: held }) }
}
