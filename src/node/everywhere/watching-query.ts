/**
 * Watching a query wherever its records lie. In one place that is held here it is a live query (node/watch-query.ts), as long as
 * they lie there. Else the collections that it reads are watched, and when some of them has changed it is run again, over all
 * parts, and told is the difference: of what came in between, and of parts that are apart in time, as every query over several is.
 */

import { RhizomeError } from '../../errors.ts'
import { PAGE_ROWS_MAX } from '../../query/limits.ts'
import { consolidated } from '../../query/live/operator.ts'
import type { Row } from '../../query/row.ts'
import { QUERY } from '../definitions.ts'
import type { Environment } from '../environment.ts'
import type { Namespace } from '../namespace.ts'
import type { jsonOf } from '../queries.ts'
import type { ContextOptions } from '../views.ts'
import type { LiveRows } from '../watch-query.ts'
import { ROWS_WATCHED_MAX, RUN_AGAIN_MS, TURN_MS } from './limits.ts'
import type { Places } from './places.ts'
import type { QueryOutline, Querying } from './querying.ts'
import { waitFor, Wake } from './waiting.ts'
import type { FollowedViews } from './watching.ts'

export interface WatchingQueryParts {
  readonly namespace: Namespace
  readonly places: Places
  readonly querying: Querying
  readonly watch: (collection: string, signal: AbortSignal) => FollowedViews
  readonly environment: Environment
  readonly options: ContextOptions
  /** Whether each item holds all rows, too. */
  readonly rows: boolean
  readonly signal: AbortSignal
}

type Json = ReturnType<typeof jsonOf>

export async function* watchQueryWherever(json: Json, parts: WatchingQueryParts): AsyncGenerator<LiveRows> {
  const { places, querying, signal } = parts
  if (!places.isSettled) await places.untilSettled()
  const stop = new AbortController()
  const ended = AbortSignal.any([signal, stop.signal])
  const outline = querying.outline(json)
  const [only] = outline.parts
  try {
    if (outline.parts.length === 1 && only !== undefined && 'here' in only) {
      yield* watchHere(json, only.here, outline, { ...parts, signal: ended }, stop)
    } else {
      yield* watchAcross(json, outline, { ...parts, signal: ended })
    }
  } finally {
    stop.abort()
  }
}

// ------------------------------------------------------------------------------------------------------ in one place

async function* watchHere(
  json: Json,
  here: Namespace,
  outline: QueryOutline,
  { querying, environment, options, rows, signal }: WatchingQueryParts,
  stop: AbortController,
): AsyncGenerator<LiveRows> {
  let moved: RhizomeError | undefined
  const look = (): void => {
    moved = movedFrom(outline, json, querying)
    if (moved === undefined) cancel = environment.schedule(TURN_MS, look)
    else stop.abort()
  }
  let cancel = environment.schedule(TURN_MS, look)
  try {
    yield* here.watch(json, { ...options, rows, signal })
  } finally {
    cancel()
  }
  if (moved !== undefined) throw moved
}

/** Why it can not be followed on where it was; undefined where it can. */
function movedFrom(before: QueryOutline, json: Json, querying: Querying): RhizomeError | undefined {
  try {
    const isSame = placesOf(querying.outline(json)) === placesOf(before)
    return isSame ? undefined : changed('what it reads lies elsewhere by now')
  } catch (error) {
    // Raw deltas cannot be asked for any more once the namespace is placed, say.
    if (error instanceof RhizomeError) return error
    throw error
  }
}

function placesOf({ parts }: QueryOutline): string {
  return parts.map((part) => ('here' in part ? part.here.name : '')).join()
}

// ------------------------------------------------------------------------------------------------------ over several

async function* watchAcross(json: Json, first: QueryOutline, parts: WatchingQueryParts): AsyncGenerator<LiveRows> {
  const { namespace, querying, environment, rows: isWhole, signal } = parts
  const changes = new Changed(first, parts)
  await changes.begin()
  let before: readonly Row[] | undefined
  while (!signal.aborted) {
    const startMs = environment.steadyMs()
    const position = namespace.position()
    if (querying.outline(json).views !== first.views) throw changed('a stored query that it names has changed')
    const rows = await allRows(json, parts, before !== undefined)
    const tookMs = environment.steadyMs() - startMs
    const againMs = environment.steadyMs() + Math.max(RUN_AGAIN_MS, tookMs)
    if (rows !== undefined) {
      const { added, removed } = consolidated({ added: rows, removed: before ?? [] })
      if (before === undefined || added.length > 0 || removed.length > 0) {
        yield { position, added, removed, ...(isWhole && { rows }) }
      }
      before = rows
      await changes.next()
    }
    const pauseMs = Math.max(0, againMs - environment.steadyMs())
    // It ends with its signal, which is no failure.
    if (!signal.aborted) await waitFor(pauseMs, environment, signal).catch(() => undefined)
  }
}

/** Of the page, where the query is one. Undefined where that does not succeed now and `mayPass`. */
async function allRows(
  json: Json,
  { querying, options, signal }: WatchingQueryParts,
  mayPass: boolean,
): Promise<readonly Row[] | undefined> {
  const page = 'limit' in json ? json : { limit: json }
  const countMax = 'count' in page ? page.count : ROWS_WATCHED_MAX + 1
  const rows: Row[] = []
  try {
    let { after } = page as { readonly after?: string }
    do {
      const count = Math.min(PAGE_ROWS_MAX, countMax - rows.length)
      const paged = { ...page, count, ...(after !== undefined && { after }) } as Json
      const { value } = await querying.query(paged, options)
      rows.push(...value.rows)
      after = value.next
    } while (after !== undefined && rows.length < countMax)
  } catch (error) {
    if (signal.aborted || (mayPass && isPassing(error))) return undefined
    throw error
  }
  if (rows.length <= ROWS_WATCHED_MAX) return rows
  throw new RhizomeError('RZ_QUERY_LIMIT', `at most ${ROWS_WATCHED_MAX} rows are watched over several shards: limit it`)
}

function isPassing(error: unknown): boolean {
  return error instanceof RhizomeError && (error.code.startsWith('RZ_SHARD_UN') || error.code === 'RZ_NODE_BUSY')
}

function changed(why: string): RhizomeError {
  return new RhizomeError('RZ_QUERY_CHANGED', `the query that is watched: ${why}: watch it again`)
}

/** Tells that something has changed in what a query reads. */
class Changed {
  readonly #watches: readonly FollowedViews[]
  readonly #wake = new Wake()
  #failure: { readonly error: unknown } | undefined

  constructor({ collections, views }: QueryOutline, { watch, signal }: WatchingQueryParts) {
    const followed = views === '[]' ? [...collections] : [...collections, QUERY]
    this.#watches = followed.map((collection) => watch(collection, signal))
    signal.addEventListener('abort', () => this.#wake.ring(), { once: true })
  }

  async begin(): Promise<void> {
    await Promise.all(this.#watches.map((views) => views.begin()))
    for (const views of this.#watches) void this.#follow(views)
  }

  /** Resolves when something has changed since it did last. */
  async next(): Promise<void> {
    await this.#wake.wait()
    if (this.#failure !== undefined) throw this.#failure.error
  }

  async #follow(views: FollowedViews): Promise<void> {
    try {
      for await (const _ of views) this.#wake.ring()
    } catch (error) {
      this.#failure = { error }
      this.#wake.ring()
    }
  }
}
