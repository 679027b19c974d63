/**
 * Rows from a store: records by the ranges of their entity ids, claims by the entities that they point at, or else by a
 * walk over the log. Reads alone. All of a run is read without a pause, so it sees one state.
 */

import { type Delta, isReference, type Pointer, type Value } from '../delta/delta.ts'
import { compareUtf8 } from '../delta/order.ts'
import { entityIdOf } from '../delta/record.ts'
import { sameValue } from '../delta/value.ts'
import { deltasOf } from '../log/block-bytes.ts'
import type { NamespaceId } from '../log/namespace.ts'
import { type EntityDeltas, POSITION_START, type Store } from '../store/store.ts'
import type { Pattern } from './algebra.ts'
import type { KeyRange } from './index-key.ts'
import { type IndexedProperty, type IndexRow, indexTable } from './index-rows.ts'
import { type Meter, READ_STEPS } from './limits.ts'
import type { Reading } from './reading.ts'
import type { ClaimRow, LiveSource, RecordRow } from './source.ts'

/** Entities asked for at once, at first and at the most: a first page needs few. */
const PAGE_COUNT = { first: 8, most: 256 }
/** Rows of an index read at once. */
const INDEX_COUNT = 256
const LOG_PAGE = { countMax: 1_024, bytesMax: 4_194_304 }

export interface StoreRows {
  readonly store: Store
  readonly namespace: NamespaceId
  readonly reading: Reading
  readonly meter: Meter
  /** Deltas that count at all: time travel leaves later ones out. */
  readonly admits?: (delta: Delta) => boolean
}

interface Held {
  readonly delta: Delta
  readonly negations: readonly Delta[]
}

export class StoreSource implements LiveSource {
  readonly #rows: StoreRows

  constructor(rows: StoreRows) {
    this.#rows = rows
  }

  record(collection: string, id: string): RecordRow | undefined {
    return this.#record(entityIdOf(collection, id), id)
  }

  ids(collection: string, prefix: string, after: string | undefined, countMax: number): readonly string[] {
    const { store, namespace, meter } = this.#rows
    const start = entityIdOf(collection, 'x').slice(0, -1)
    const page = store.entities(namespace, {
      prefix: `${start}${prefix}`,
      countMax,
      ...(after === undefined ? {} : { after: `${start}${after}` }),
    })
    meter.step(page.length)
    return page.map((entity) => entity.slice(start.length))
  }

  *records(collection: string, range: { readonly prefix: string; readonly from?: string }): Iterable<RecordRow> {
    const start = entityIdOf(collection, 'x').slice(0, -1)
    for (const entity of this.#entities(`${start}${range.prefix}`, range.from && `${start}${range.from}`)) {
      const id = entity.slice(start.length)
      const record = id === '' ? undefined : this.#record(entity, id)
      if (record !== undefined) yield record
    }
  }

  *indexed(property: IndexedProperty, range: KeyRange): Iterable<IndexRow> {
    const { store, namespace, meter } = this.#rows
    const table = indexTable(namespace, property)
    for (let after: IndexRow | undefined; ;) {
      const page = store.derived.read(table, { ...range, countMax: INDEX_COUNT, ...(after && { after }) })
      meter.step(page.length)
      yield* page
      after = page.at(-1)
      if (page.length < INDEX_COUNT) return
    }
  }

  *claims(patterns: readonly Pattern[], about?: string): Iterable<ClaimRow> {
    const { meter } = this.#rows
    const found = new Map<string, ClaimRow>()
    for (const { delta, negations } of this.#candidates(patterns, about)) {
      if (found.has(delta.id)) continue
      const claim = this.#claim(patterns, delta, negations)
      if (claim === undefined) continue
      meter.hold({ values: claim.values })
      found.set(delta.id, claim)
    }
    yield* [...found.values()].sort((a, b) => compareUtf8(a.id, b.id))
  }

  claim(patterns: readonly Pattern[], id: string): ClaimRow | undefined {
    const { store, namespace, meter } = this.#rows
    meter.step(READ_STEPS)
    const held = store.delta(namespace, id, this.#rows.admits)
    return held === undefined ? undefined : this.#claim(patterns, held.delta, held.negations)
  }

  #claim(patterns: readonly Pattern[], delta: Delta, negations: readonly Delta[]): ClaimRow | undefined {
    const values = claimValues(delta, patterns)
    const { reading, meter } = this.#rows
    const stands = values !== undefined && reading.stands(delta, negations, (gas) => meter.spendGas(gas))
    return stands ? { id: delta.id, values } : undefined
  }

  /** Every delta that may fit, some of them more than once. */
  *#candidates(patterns: readonly Pattern[], about: string | undefined): Iterable<Held> {
    const needed = patterns.filter(({ optional }) => !optional)
    const entity = about ?? needed.find((pattern) => pattern.entity !== undefined)?.entity
    const collection = needed.find((pattern) => pattern.collection !== undefined)?.collection
    if (entity !== undefined) yield* this.#about(entity)
    else if (collection === undefined) yield* this.#log()
    else for (const one of this.#entities(entityIdOf(collection, 'x').slice(0, -1))) yield* this.#about(one)
  }

  *#about(entity: string): Iterable<Held> {
    const { deltas, negations } = this.#held(entity)
    for (const delta of deltas) yield { delta, negations }
  }

  /** Whatever is admitted, without the void. */
  *#log(): Iterable<Held> {
    const { store, namespace, meter } = this.#rows
    for (let after = POSITION_START; ;) {
      const changes = store.changesNow({ after, ...LOG_PAGE })
      for (const change of changes) {
        if (change.kind !== 'committed' || change.namespace !== namespace) continue
        for (const { id } of deltasOf(change.block)) {
          meter.step()
          const held = store.delta(namespace, id, this.#rows.admits)
          if (held !== undefined) yield held
        }
      }
      const last = changes.at(-1)
      if (last === undefined) return
      after = last.position
    }
  }

  /** From `from` on, in order of the UTF-8 bytes. */
  *#entities(prefix: string, from?: string): Iterable<string> {
    const { store, namespace, meter } = this.#rows
    if (from?.startsWith(prefix) === true) yield from
    let after = from
    for (let countMax = PAGE_COUNT.first; ; countMax = Math.min(countMax * 2, PAGE_COUNT.most)) {
      const page = store.entities(namespace, {
        prefix,
        countMax,
        ...(after === undefined ? {} : { after }),
      })
      meter.step(page.length)
      yield* page
      after = page.at(-1)
      if (after === undefined) return
    }
  }

  #record(entity: string, id: string): RecordRow | undefined {
    const { reading, meter } = this.#rows
    let isRead = false
    const held = () => {
      isRead = true
      return this.#held(entity)
    }
    const { properties, deltaCount, gasUsed } = reading.properties(entity, held)
    // As if it had been read: whether a query keeps to its limits does not depend on what is kept.
    if (!isRead) meter.step(READ_STEPS + deltaCount)
    meter.spendGas(gasUsed)
    return properties === undefined ? undefined : { id, entity, properties }
  }

  #held(entity: string): EntityDeltas {
    const { store, namespace, meter, admits } = this.#rows
    const held = store.entity(namespace, entity, admits)
    meter.step(READ_STEPS + held.deltas.length + held.negations.length)
    return held
  }
}

/** A value per pattern; undefined when the delta lacks one that it needs, or points at no entity. */
export function claimValues(delta: Delta, patterns: readonly Pattern[]): readonly Value[] | undefined {
  if (!delta.pointers.some(isReference)) return undefined
  const values: Value[] = []
  for (const pattern of patterns) {
    const targets = delta.pointers.filter((pointer) => fits(pointer, pattern)).map(({ target }) => target)
    const [first] = targets
    if (first === undefined && !pattern.optional) return undefined
    values.push(targets.length > 1 ? targets : (first ?? null))
  }
  return values
}

function fits(pointer: Pointer, { localContext, entity, collection, property, value }: Pattern): boolean {
  if (pointer.localContext !== localContext) return false
  if (!isReference(pointer)) {
    if (entity !== undefined || collection !== undefined || property !== undefined) return false
    return value === undefined || sameValue(pointer.target, value)
  }
  if (value !== undefined || (property !== undefined && pointer.targetContext !== property)) return false
  if (entity !== undefined) return pointer.target === entity
  return collection === undefined || pointer.target.startsWith(`${collection}/`)
}
