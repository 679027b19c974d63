/**
 * Lossy views of the current moment, kept until something bears upon them: a change of the entity, of its collection's
 * resolvers, or of the context. Bounded in bytes by a clock (Corbató 1968): a read marks its view, and a hand that goes
 * round takes the first one that is not marked, so a hit moves nothing and an eviction costs the same however many there
 * are. Once there is no room, a view is kept when its entity is read the second time in a while (as 2Q, Johnson and Shasha
 * 1994): whoever reads everything once pushes out nothing. What is kept changes no result, only the time in which it is there.
 *
 * It does not learn of changes itself: whoever owns it calls `concern` and `forget` before it reads (`Freshness` of node).
 * Views are frozen, and byte strings copied each time they are handed out, so nobody can change what is kept.
 */

import type { Value } from '../delta/delta.ts'
import { isList } from '../delta/value.ts'
import type { EntityDeltas } from '../store/store.ts'
import { type Context, type ContextView, viewIn } from '../view/contexts/context.ts'
import { mapOf } from '../view/lossless.ts'
import type { CollectionResolvers, ResolverSet } from '../view/resolvers/resolver-set.ts'
import { sizeOf } from './row.ts'

/** How a view is made: by a context, and by resolvers of the log, in force in it as `resolvers` has them. */
export interface Lens {
  readonly context: Context
  /** The log's own, before the context's take their places. */
  readonly logged: ResolverSet
  readonly resolvers: ResolverSet
}

/** A view without its evidence. */
export interface KeptView extends Pick<ContextView, 'lossy' | 'faults' | 'gasUsed'> {
  /** Deltas and negations that it was made of. */
  readonly deltaCount: number
}

export interface ReadCacheOptions {
  /**
   * About as much memory as the views may take; the garbage collector lets the process take twice as much again. 0 keeps none.
   * Default 16,777,216 (16 MiB): some 17,000 small records.
   */
  readonly bytesMax?: number
}

const BYTES_DEFAULT = 16_777_216
/** A view that takes more than this share of all is not kept: it would push out too many. */
const LARGE_SHARE = 64
/** What an entry takes beside its values: measured, with keys, maps and objects. */
const ENTRY_BYTES = 800
/** Contexts in which one entity is kept. */
const LENSES_MAX = 8
/** Entities that were read when there was no room are remembered by a place each, until another takes it. */
const MISSED_COUNT = 16_384

interface Entry {
  readonly context: Context
  /** Of the entity's collection, among `Lens.logged`. */
  readonly rules: CollectionResolvers | undefined
  readonly view: KeptView
  readonly holdsBytes: boolean
  readonly bytes: number
}

interface Slot {
  readonly entity: string
  entries: readonly Entry[]
  bytes: number
  isUsed: boolean
}

export class ReadCache {
  readonly #bytesMax: number
  readonly #slots = new Map<string, Slot>()
  #hand: Iterator<Slot, undefined> = this.#slots.values()
  #bytes = 0
  readonly #missed = new Uint32Array(MISSED_COUNT)

  constructor({ bytesMax = BYTES_DEFAULT }: ReadCacheOptions = {}) {
    this.#bytesMax = bytesMax
  }

  /** About what is kept takes in memory. */
  get bytes(): number {
    return this.#bytes
  }

  /** The view of `entity`, kept or made of what `read` answers. Frozen. */
  view(entity: string, lens: Lens, read: () => EntityDeltas): KeptView {
    const rules = lens.logged.collections.get(collectionOf(entity))
    const slot = this.#slots.get(entity)
    const entry = slot?.entries.find((each) => each.context === lens.context && each.rules === rules)
    if (slot !== undefined && entry !== undefined) {
      slot.isUsed = true
      return entry.holdsBytes ? copied(entry.view) : entry.view
    }
    const { deltas, negations } = read()
    const { lossy, faults, gasUsed } = viewIn(lens.context, lens.resolvers, entity, deltas, negations)
    const view = { lossy, faults, gasUsed, deltaCount: deltas.length + negations.length }
    freeze(lossy)
    // Whose filter fails on deltas is rare, and the answer holds those deltas: it is made anew each time.
    if (faults.length === 0) this.#keep(entity, lens.context, rules, view)
    return view
  }

  /** Lets go of what is kept about these entities. */
  concern(entities: ReadonlySet<string>): void {
    for (const entity of entities) {
      const slot = this.#slots.get(entity)
      if (slot !== undefined) this.#drop(slot)
    }
  }

  /** Lets go of everything. */
  forget(): void {
    this.#slots.clear()
    this.#hand = this.#slots.values()
    this.#bytes = 0
  }

  #keep(entity: string, context: Context, rules: Entry['rules'], view: KeptView): void {
    const bytes = ENTRY_BYTES + entity.length + sizeOf(view.lossy.properties) + sizeOf(errorTexts(view))
    const isSmall = bytes * LARGE_SHARE <= this.#bytesMax
    if (!isSmall) return
    if (this.#bytes + bytes > this.#bytesMax && !this.#wasMissed(entity)) return
    this.#makeRoom(bytes)
    const holdsBytes = hasBytes(view.lossy.properties)
    const entry = { context, rules, view: holdsBytes ? copied(view) : view, holdsBytes, bytes }
    const slot = this.#slots.get(entity) ?? { entity, entries: [], bytes: 0, isUsed: false }
    // The same context by rules that are no longer in force is of no use to anybody.
    const others = slot.entries.filter((each) => each.context !== context).slice(1 - LENSES_MAX)
    slot.entries = [...others, entry]
    const bytesNow = slot.entries.reduce((sum, each) => sum + each.bytes, 0)
    this.#bytes += bytesNow - slot.bytes
    slot.bytes = bytesNow
    this.#slots.set(entity, slot)
  }

  /** Takes note of it, too. */
  #wasMissed(entity: string): boolean {
    const hash = hashOf(entity)
    const place = hash % MISSED_COUNT
    const wasMissed = this.#missed[place] === hash
    this.#missed[place] = hash
    return wasMissed
  }

  #makeRoom(bytes: number): void {
    while (this.#bytes + bytes > this.#bytesMax) {
      const next = this.#hand.next()
      if (next.done === true) this.#hand = this.#slots.values()
      else if (next.value.isUsed) next.value.isUsed = false
      else this.#drop(next.value)
    }
  }

  #drop(slot: Slot): void {
    this.#slots.delete(slot.entity)
    this.#bytes -= slot.bytes
  }
}

function collectionOf(entity: string): string {
  return entity.slice(0, Math.max(0, entity.indexOf('/')))
}

/** FNV-1a. Two entities with the same hash are told apart nowhere: one is kept a little early. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  return hash >>> 0
}

function errorTexts({ lossy: { errors } }: KeptView): Value {
  return Object.entries(errors).flatMap(([property, { code, message }]) => [property, code, message])
}

/** With all that it holds, but for byte strings, which cannot be. */
function freeze(part: unknown): void {
  if (typeof part !== 'object' || part === null || part instanceof Uint8Array || Object.isFrozen(part)) return
  Object.freeze(part)
  for (const each of Object.values(part)) freeze(each)
}

function hasBytes(value: Value): boolean {
  if (typeof value !== 'object' || value === null) return false
  return value instanceof Uint8Array || Object.values(value).some(hasBytes)
}

function copied(view: KeptView): KeptView {
  const properties = copyOf(view.lossy.properties) as KeptView['lossy']['properties']
  return { ...view, lossy: Object.freeze({ ...view.lossy, properties }) }
}

/** Frozen, with byte strings of its own. */
function copyOf(value: Value): Value {
  if (value instanceof Uint8Array) return Uint8Array.prototype.slice.call(value)
  if (!hasBytes(value)) return value
  if (isList(value)) return Object.freeze(value.map(copyOf))
  const entries = Object.entries(value as { readonly [key: string]: Value }).map(
    ([key, item]) => [key, copyOf(item)] as const,
  )
  return Object.freeze(Object.getPrototypeOf(value) === null ? mapOf(entries) : Object.fromEntries(entries))
}
