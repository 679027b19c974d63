/**
 * Watching a shard that is held elsewhere. A holder tells which records changes bear upon (following.ts); how they are read then,
 * that same holder is asked, since another may not know of the change yet. Where it cannot be told what happened since the cursor,
 * as when another holder has taken over, all records that there ever were are told: things may come twice, and none is missed.
 */

import type { PeerId } from '../../delta/delta.ts'
import { compareUtf8 } from '../../delta/order.ts'
import { parseEntityId } from '../../delta/record.ts'
import { type ErrorCode, RhizomeError } from '../../errors.ts'
import type { Environment } from '../environment.ts'
import { bearsUpon } from '../rule-change.ts'
import { cursorValue, parseChanges } from './change-words.ts'
import type { Changes } from './changes.ts'
import type { FollowedAt, FollowedShard, Follower } from './following.ts'
import { FOLLOW_AGAIN_MS, PENDING_MAX, READ_AHEAD } from './limits.ts'
import { isOwn } from './own-records.ts'
import { parseEntity } from './record-words.ts'
import type { Shard } from './shard.ts'
import type { Shards } from './shards.ts'
import { Wake } from './waiting.ts'
import type { StoreCursor } from './watch-cursor.ts'
import type { Told, ToldRecord, Watched } from './watched-part.ts'
import { textsIn } from './words.ts'

export interface WatchedShardParts {
  readonly watched: Watched
  readonly shards: Shards
  readonly environment: Environment
  readonly signal: AbortSignal
}

/** What passes: a holder is gone, and another will be there. */
const PASSING: ReadonlySet<ErrorCode> = new Set([
  'RZ_SHARD_UNHELD',
  'RZ_SHARD_UNANSWERED',
  'RZ_SHARD_TAKING',
  'RZ_NODE_BUSY',
  'RZ_SYNC_QUESTION_INVALID',
])

export class WatchedShard implements Follower {
  readonly #shard: Shard
  readonly #parts: WatchedShardParts
  readonly #common: { readonly reading: ReturnType<Watched['reading']> }
  readonly #followed: FollowedShard
  readonly #leave: () => void
  readonly #wake = new Wake()
  /** Ids that were told and not read yet. */
  readonly #pending = new Set<string>()
  /** Whether all records have to be told. */
  #isAnew = false
  #isBegun: boolean

  /** Follows from now on. Throws RZ_SHARD_ACROSS. */
  constructor(shard: Shard, parts: WatchedShardParts) {
    this.#shard = shard
    this.#parts = parts
    this.#common = { reading: parts.watched.reading() }
    const { followed, leave } = parts.shards.following.follow(shard, this)
    this.#followed = followed
    this.#leave = leave
    this.#isBegun = followed.at !== undefined
    parts.signal.addEventListener('abort', () => this.#wake.ring(), { once: true })
  }

  onBegun(): void {
    if (this.#isBegun) this.#beginAnew()
    this.#isBegun = true
    this.#wake.ring()
  }

  onChanges({ records, rules }: Changes): void {
    const { watched } = this.#parts
    if (rules.some((rule) => bearsUpon(rule, watched))) this.#beginAnew()
    for (const entity of this.#isAnew ? [] : records) {
      const { collection, id = '' } = parseEntityId(entity) ?? {}
      if (collection === watched.collection && this.#isWatched(id)) this.#pending.add(id)
    }
    if (this.#pending.size > PENDING_MAX) this.#beginAnew()
    this.#wake.ring()
  }

  onFailed(): void {
    this.#wake.ring()
  }

  /** Resolves once whatever happens from now on will be told. Throws what asking a holder throws. */
  async untilBegun(): Promise<StoreCursor | undefined> {
    while (!this.#parts.signal.aborted) {
      if (this.#followed.failure !== undefined) throw this.#followed.failure
      if (this.#isBegun) break
      await this.#wake.wait()
    }
    return this.#followed.at?.cursor
  }

  /** `start`: undefined for all records, false where nothing has happened since it began that was not told. */
  async *tell(start: StoreCursor | undefined | false): AsyncGenerator<Told> {
    const { signal } = this.#parts
    try {
      while (!this.#isBegun && !signal.aborted) await this.#wake.wait()
      if (start !== false && !signal.aborted && !(await this.#catchUp(start))) this.#beginAnew()
      while (!signal.aborted) {
        // It has begun, so it is followed by somebody.
        const at = this.#followed.at as FollowedAt
        if (this.#isAnew) yield* this.#tellAll(at)
        else if (this.#pending.size > 0) yield* this.#tellPending(at)
        else {
          yield { cursor: at.cursor }
          await this.#wake.wait()
        }
      }
    } finally {
      this.close()
    }
  }

  close(): void {
    this.#leave()
  }

  #isWatched(id: string): boolean {
    const { collection, id: only } = this.#parts.watched
    return (only === undefined || only === id) && isOwn(this.#shard.namespace, collection, id)
  }

  #beginAnew(): void {
    this.#isAnew = true
    this.#pending.clear()
  }

  /** What happened between `start` and the beginning of following, of its holder. False where that cannot be told. */
  async #catchUp(start: StoreCursor | undefined): Promise<boolean> {
    const { holder, cursor: until } = this.#followed.at as FollowedAt
    if (start?.life !== until.life) return false
    try {
      for (let after = start; after.position < until.position;) {
        const content = { after: cursorValue(after), waitMs: 0 }
        const { items, end } = await this.#parts.shards.holders.ask(this.#shard, 'changes', content, holder)
        const changes = parseChanges(items, end)
        if (!changes.isKnown || changes.cursor.position <= after.position) return false
        this.onChanges(changes)
        after = changes.cursor
      }
      return true
    } catch (error) {
      return this.#passes(error) ? false : raise(error)
    }
  }

  async *#tellPending({ holder, cursor }: FollowedAt): AsyncGenerator<Told> {
    const ids = [...this.#pending.values().take(READ_AHEAD)]
    for (const id of ids) this.#pending.delete(id)
    const isAll = this.#pending.size === 0
    const records = await this.#read(ids, holder)
    if (records === undefined) {
      for (const id of ids) this.#pending.add(id)
      return this.#pause()
    }
    for (const [index, record] of records.entries()) {
      yield { record, ...(isAll && index === records.length - 1 && { cursor }) }
    }
  }

  /** The last with the cursor behind all of them. Begins once more if that does not come to its end. */
  async *#tellAll({ holder, cursor }: FollowedAt): AsyncGenerator<Told> {
    this.#isAnew = false
    let held: ToldRecord | undefined
    for await (const records of this.#everything(holder)) {
      if (records === undefined) {
        this.#beginAnew()
        await this.#pause()
      }
      for (const record of records ?? []) {
        if (held !== undefined) yield { record: held }
        held = record
      }
      // Another holder has taken over, say.
      if (this.#isAnew) break
    }
    yield { ...(held && { record: held }), ...(!this.#isAnew && { cursor }) }
  }

  /** Undefined where the holder does not answer. */
  async *#everything(holder: PeerId): AsyncGenerator<readonly ToldRecord[] | undefined> {
    const { id } = this.#parts.watched
    if (id !== undefined) {
      yield await this.#read([id], holder)
      return
    }
    for (let after: string | undefined; ;) {
      const page = await this.#known(holder, after)
      if (page === undefined) yield undefined
      if (page === undefined || page.length === 0) return
      const ids = page.filter((each) => this.#isWatched(each))
      for (let start = 0; start < ids.length; start += READ_AHEAD) {
        yield await this.#read(ids.slice(start, start + READ_AHEAD), holder)
      }
      after = page.at(-1)
    }
  }

  /** A page of the ids that there ever were; undefined where the holder does not answer. */
  async #known(holder: PeerId, after: string | undefined): Promise<readonly string[] | undefined> {
    const { collection } = this.#parts.watched
    const content = { collection, ...(after !== undefined && { after }) }
    try {
      const ids = textsIn((await this.#parts.shards.holders.ask(this.#shard, 'known', content, holder)).items)
      const isAscending = ids.every((id, index) => compareUtf8(ids[index - 1] ?? after ?? '', id) < 0)
      return isAscending ? ids : undefined
    } catch (error) {
      return this.#passes(error) ? undefined : raise(error)
    }
  }

  /** Undefined where the holder does not answer. */
  async #read(ids: readonly string[], holder: PeerId): Promise<readonly ToldRecord[] | undefined> {
    const { gathering } = this.#parts.shards
    const { collection } = this.#parts.watched
    try {
      return await Promise.all(
        ids.map(async (id) => {
          const bytes = collection.length + id.length
          const { value } = await gathering.ask(this.#shard, 'get', this.#common, [collection, id], bytes, holder)
          return { id, view: parseEntity(value) }
        }),
      )
    } catch (error) {
      return this.#passes(error) ? undefined : raise(error)
    }
  }

  #passes(error: unknown): boolean {
    if (this.#parts.signal.aborted) return true
    if (!(error instanceof RhizomeError)) return false
    // The holder may not have heard of it yet.
    if (error.code === 'RZ_CONTEXT_UNKNOWN') this.#parts.watched.checkContext()
    return error.code === 'RZ_CONTEXT_UNKNOWN' || PASSING.has(error.code)
  }

  /** Until something happens, or it is worth another try. */
  async #pause(): Promise<void> {
    const cancel = this.#parts.environment.schedule(FOLLOW_AGAIN_MS, () => this.#wake.ring())
    await this.#wake.wait()
    cancel()
  }
}

function raise(error: unknown): never {
  throw error
}
