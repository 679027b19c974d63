/**
 * Watching a collection wherever its records are held: each part of the namespace in which they may lie is watched by itself, and
 * what they tell comes one after the other. Parts come and go, as ranges are placed and shards are taken over or dropped here; one
 * that comes anew begins with all its records, so that none is missed. src/node/README.md, Shards.
 */

import type { Environment } from '../environment.ts'
import type { Entity } from '../records.ts'
import type { ContextOptions } from '../views.ts'
import { TURN_MS } from './limits.ts'
import type { Part, Places } from './places.ts'
import type { Shards } from './shards.ts'
import { Wake } from './waiting.ts'
import { cursorKey, cursorsText, type StoreCursor, type StoreCursors } from './watch-cursor.ts'
import { type Told, type ToldRecord, type Watched, watchHere } from './watched-part.ts'
import { WatchedShard } from './watched-shard.ts'

export interface WatchEverywhereOptions extends ContextOptions {
  /** The record to watch. Default: all of the collection. */
  readonly id?: string
  /** Starts behind what had this cursor. Default: from now on. */
  readonly after?: string
  readonly signal?: AbortSignal
}

/** A record whose view may have changed, as it is when this is handed out. */
export interface FollowedView {
  readonly id: string
  /** Absent when nothing about it stands any more. */
  readonly view?: Entity
  /** Whoever comes back with it misses nothing, though what came last may come again. */
  readonly cursor: string
}

/** To be iterated once. */
export interface FollowedViews extends AsyncIterable<FollowedView> {
  /**
   * Begins, as iterating does: resolves once whatever happens from now on will be told. It then lasts until the iteration or its
   * signal ends.
   */
  begin(): Promise<void>
}

export interface WatchingParts {
  readonly watched: Watched
  readonly places: Places
  readonly shards: Shards
  readonly environment: Environment
  /** Of this node's store. */
  readonly life: string
  /** Undefined: from now on. */
  readonly start: StoreCursors | undefined
  readonly signal: AbortSignal
}

/** A part while it is watched as it is held now. */
interface Lane {
  readonly part: Part
  readonly stop: AbortController
  /** Up to where its records have been told; undefined where that has to begin anew. */
  cursor: StoreCursor | undefined
}

interface Handed {
  readonly lane: Lane
  readonly told: Told & { readonly record: ToldRecord }
  readonly taken: () => void
}

export class Watching implements FollowedViews {
  readonly #parts: WatchingParts
  readonly #lanes = new Map<string, Lane>()
  readonly #stop = new AbortController()
  readonly #signal: AbortSignal
  /** Where what is held here begins from now on. */
  readonly #now: StoreCursor
  readonly #wake = new Wake()
  /** One of each lane at the most. */
  readonly #handed: Handed[] = []
  #failure: { readonly error: unknown } | undefined
  #begun: Promise<void> | undefined
  #cancelTurn: (() => void) | undefined
  readonly #items = this.#tell()

  constructor(parts: WatchingParts) {
    this.#parts = parts
    this.#now = { life: parts.life, position: parts.places.namespace.position() }
    this.#signal = AbortSignal.any([parts.signal, this.#stop.signal])
    this.#signal.addEventListener('abort', () => this.#wake.ring(), { once: true })
  }

  begin(): Promise<void> {
    this.#begun ??= this.#begin()
    return this.#begun
  }

  [Symbol.asyncIterator](): AsyncIterator<FollowedView> {
    return this.#items
  }

  async #begin(): Promise<void> {
    const { places, start } = this.#parts
    try {
      if (!places.isSettled) await places.untilSettled()
      const wanted = [...this.#wanted()]
      if (start === undefined) await Promise.all(wanted.map(([key, part]) => this.#startNow(key, part)))
      else for (const [key, part] of wanted) this.#startFrom(key, part, start.get(key))
      if (this.#failure !== undefined) throw this.#failure.error
    } catch (error) {
      this.#end()
      throw error
    }
    this.#turn()
  }

  async *#tell(): AsyncGenerator<FollowedView> {
    try {
      await this.begin()
      while (!this.#signal.aborted) {
        const [first] = this.#handed
        if (first === undefined) {
          if (this.#failure !== undefined) throw this.#failure.error
          await this.#wake.wait()
          continue
        }
        this.#handed.shift()
        const { lane, told, taken } = first
        if (!lane.stop.signal.aborted) {
          lane.cursor = told.cursor ?? lane.cursor
          const { id, view } = told.record
          yield { id, cursor: this.#cursor(), ...(view && { view }) }
        }
        taken()
      }
    } finally {
      this.#end()
    }
  }

  #cursor(): string {
    return cursorsText(
      new Map([...this.#lanes].flatMap(([key, { cursor }]) => (cursor === undefined ? [] : [[key, cursor] as const]))),
    )
  }

  #end(): void {
    this.#cancelTurn?.()
    this.#stop.abort()
    for (const { taken } of this.#handed.splice(0)) taken()
  }

  // ---------------------------------------------------------------------------------------------------------- parts

  /** Where the records may lie, by the key of the part. */
  #wanted(): ReadonlyMap<string, Part> {
    const { watched, places } = this.#parts
    const { collection, id } = watched
    const parts = id === undefined ? places.ofCollection(collection) : [places.of(collection, id)]
    return new Map(parts.map((part) => [keyOf(part), part]))
  }

  /** Looks again which parts there are, and where they are held. */
  #turn(): void {
    if (this.#signal.aborted) return
    const wanted = this.#wanted()
    for (const [key, lane] of this.#lanes) {
      const part = wanted.get(key)
      if (part !== undefined && isSame(part, lane.part)) continue
      lane.stop.abort()
      this.#lanes.delete(key)
      if (part !== undefined) this.#startFrom(key, part, lane.cursor)
    }
    for (const [key, part] of wanted) if (!this.#lanes.has(key)) this.#startFrom(key, part, undefined)
    this.#cancelTurn = this.#parts.environment.schedule(TURN_MS, () => this.#turn())
  }

  async #startNow(key: string, part: Part): Promise<void> {
    if ('here' in part) return this.#startFrom(key, part, this.#now)
    const lane = this.#enter(key, part, undefined)
    const shard = new WatchedShard(part.elsewhere, { ...this.#parts, signal: this.#signalOf(lane) })
    try {
      lane.cursor = await shard.untilBegun()
    } catch (error) {
      shard.close()
      throw error
    }
    void this.#pump(lane, shard.tell(false))
  }

  #startFrom(key: string, part: Part, cursor: StoreCursor | undefined): void {
    const lane = this.#enter(key, part, cursor)
    const parts = { ...this.#parts, signal: this.#signalOf(lane) }
    try {
      const told =
        'here' in part ? watchHere(part.here, cursor, parts) : new WatchedShard(part.elsewhere, parts).tell(cursor)
      void this.#pump(lane, told)
    } catch (error) {
      this.#fail(error)
    }
  }

  #enter(key: string, part: Part, cursor: StoreCursor | undefined): Lane {
    const lane = { part, stop: new AbortController(), cursor }
    this.#lanes.set(key, lane)
    return lane
  }

  #signalOf({ stop }: Lane): AbortSignal {
    return AbortSignal.any([this.#signal, stop.signal])
  }

  /** Hands on what a part tells, one by one. Never rejects. */
  async #pump(lane: Lane, items: AsyncIterable<Told>): Promise<void> {
    try {
      for await (const { record, cursor } of items) {
        if (this.#signal.aborted || lane.stop.signal.aborted) return
        if (record === undefined) {
          lane.cursor = cursor
          continue
        }
        const { promise, resolve } = Promise.withResolvers<void>()
        this.#handed.push({ lane, told: { record, ...(cursor && { cursor }) }, taken: resolve })
        this.#wake.ring()
        await promise
      }
    } catch (error) {
      if (!lane.stop.signal.aborted) this.#fail(error)
    }
  }

  #fail(error: unknown): void {
    this.#failure ??= { error }
    this.#wake.ring()
  }
}

function keyOf(part: Part): string {
  if ('elsewhere' in part) return cursorKey(part.elsewhere.id)
  return cursorKey(part.here.parent === undefined ? undefined : part.here.id)
}

function isSame(a: Part, b: Part): boolean {
  return 'here' in a ? 'here' in b && a.here === b.here : 'elsewhere' in b && a.elsewhere === b.elsewhere
}
