/**
 * The secondary indexes of a namespace: which are declared (`indexes` of a collection's schemas), and their tables of
 * derived rows, which follow the store's durable cursor. Before a query is planned an index is brought up to the newest
 * change, if that is little work: else the plan does without it, and it is built meanwhile, a slice at a time. So an
 * index changes no result, whatever it lacks. design.md 5 and 6.
 */

import { setImmediate as turn, setTimeout as delay } from 'node:timers/promises'
import { compareUtf8 } from '../delta/order.ts'
import { RhizomeError } from '../errors.ts'
import { deltasOf } from '../log/block-bytes.ts'
import type { NamespaceId } from '../log/namespace.ts'
import { isShown } from '../log/shown.ts'
import { addIndexRows, type IndexedProperty, type IndexRow, indexTable } from '../query/index-rows.ts'
import type { Change, Position, Store } from '../store/store.ts'
import { POSITION_START } from '../store/store.ts'
import { isOfDisk } from './disk-errors.ts'

export interface SecondaryIndexesOptions {
  readonly store: Store
  readonly namespace: NamespaceId
  /** Those that the schemas in force declare. */
  readonly declared: () => readonly IndexedProperty[]
  /** Ends the building. */
  readonly closing: AbortSignal
  /** Default: `INDEXING_DEFAULT`. */
  readonly indexing?: Indexing
}

/** How much is indexed at once, and how much of it a query waits for. */
export interface Indexing {
  readonly slice: { readonly countMax: number; readonly bytesMax: number }
  readonly slicesPerQuery: number
}

/** A slice is some 10 ms, or one block. */
const INDEXING_DEFAULT: Indexing = { slice: { countMax: 512, bytesMax: 262_144 }, slicesPerQuery: 4 }

/** Of a namespace, whoever declares them: each costs every write. Those past it, by name, are passed over. */
const INDEXES_MAX = 64

/** A trickle of writes shares a slice. */
const GATHER_MS = 100
/** After a failure of the disk. */
const RETRY_MS = 5_000

interface Table extends IndexedProperty {
  readonly name: string
}

type RowsByProperty = ReadonlyMap<string, ReadonlyMap<string, IndexRow[]>>

export class SecondaryIndexes {
  readonly #options: SecondaryIndexesOptions
  readonly #indexing: Indexing
  #isFollowing = false

  constructor(options: SecondaryIndexesOptions) {
    this.#options = options
    this.#indexing = options.indexing ?? INDEXING_DEFAULT
  }

  /** Properties of the collection whose indexes know every claim that the store holds now. */
  usableOf(collection: string): readonly string[] {
    const tables = this.#tables()
    if (tables.length === 0) return []
    this.#follow()
    const own = tables.filter((table) => table.collection === collection)
    return own.length > 0 && this.#catchUp(own) ? own.map(({ property }) => property) : []
  }

  /** Resolves once the indexes know every claim that the store holds, giving way between slices; or when the signal is given. */
  async settle(signal: AbortSignal): Promise<void> {
    if (this.#tables().length === 0) return
    this.#follow()
    try {
      while (!signal.aborted && !this.#options.closing.aborted && !this.#advance(this.#tables())) await turn()
    } catch (error) {
      if (!isOfDisk(error)) throw error
    }
  }

  #tables(): readonly Table[] {
    const { namespace, declared } = this.#options
    const named = new Map(declared().map((indexed) => [indexTable(namespace, indexed), indexed]))
    const tables = [...named].map(([name, indexed]) => ({ name, ...indexed }))
    return tables.sort((a, b) => compareUtf8(a.name, b.name)).slice(0, INDEXES_MAX)
  }

  #catchUp(tables: readonly Table[]): boolean {
    try {
      for (let slice = 0; slice < this.#indexing.slicesPerQuery; slice++) if (this.#advance(tables)) return true
      return this.#isCurrent(tables)
    } catch (error) {
      if (isOfDisk(error)) return false
      throw error
    }
  }

  #isCurrent(tables: readonly Table[]): boolean {
    const { store } = this.#options
    const end = store.position()
    return tables.every(({ name }) => (store.derived.position(name) ?? -1) >= end)
  }

  /** Adds a slice to those tables that lag most. True when none does. */
  #advance(tables: readonly Table[]): boolean {
    const { store } = this.#options
    const end = store.position()
    const positions = tables.map(({ name }) => store.derived.position(name) ?? POSITION_START)
    const after = Math.min(end, ...positions) as Position
    const behind = tables.filter((_, index) => positions[index] === after)
    if (after >= end || behind.length === 0) {
      for (const { name } of tables) if (store.derived.position(name) === undefined) store.derived.apply(name, end, [])
      return true
    }
    // Not past the others, which know what comes then.
    const until = Math.min(end, ...positions.filter((position) => position > after)) as Position
    const changes = store.changesNow({ after, ...this.#indexing.slice }).filter(({ position }) => position <= until)
    const reached = changes.at(-1)?.position ?? until
    const rows = this.#rowsIn(changes, behind)
    for (const { name, collection, property } of behind) {
      store.derived.apply(name, reached, (rows.get(collection)?.get(property) ?? []).sort(byKey))
    }
    return reached >= end && behind.length === tables.length
  }

  #rowsIn(changes: readonly Change[], tables: readonly Table[]): RowsByProperty {
    const rows = new Map<string, Map<string, IndexRow[]>>()
    for (const { collection, property } of tables) {
      rows.set(collection, (rows.get(collection) ?? new Map<string, IndexRow[]>()).set(property, []))
    }
    for (const change of changes) {
      if (change.kind !== 'committed' || change.namespace !== this.#options.namespace) continue
      if (isShown(change.block.header)) for (const delta of deltasOf(change.block)) addIndexRows(delta, rows)
    }
    return rows
  }

  /** Keeps the tables near the newest change from the first question on, until the node closes. */
  #follow(): void {
    if (this.#isFollowing || this.#options.closing.aborted) return
    this.#isFollowing = true
    void this.#build()
  }

  async #build(): Promise<void> {
    const { store, closing } = this.#options
    try {
      while (!closing.aborted) {
        const built = await this.#buildSlices()
        if (built !== undefined && !(await isChangedAfter(built, store, closing))) return
        await delay(built === undefined ? RETRY_MS : GATHER_MS, undefined, { signal: closing, ref: false })
      }
    } catch (error) {
      if (!closing.aborted && !(error instanceof RhizomeError && error.code === 'RZ_STORE_CLOSED')) throw error
    }
  }

  /** Until nothing is left to index: answers up to where. Undefined when the disk refuses. */
  async #buildSlices(): Promise<Position | undefined> {
    const { store, closing } = this.#options
    try {
      this.#dropOthers()
      while (!closing.aborted && !this.#advance(this.#tables())) await turn()
      return store.position()
    } catch (error) {
      if (isOfDisk(error)) return undefined
      throw error
    }
  }

  /** Tables of indexes that nobody declares any more, or that another release has made. */
  #dropOthers(): void {
    const { store, namespace } = this.#options
    const names = new Set(this.#tables().map(({ name }) => name))
    for (const name of store.derived.tables()) {
      const [kind, , of] = name.split(' ', 3)
      if (kind === 'index' && of === namespace && !names.has(name)) store.derived.drop(name)
    }
  }
}

function byKey(a: IndexRow, b: IndexRow): number {
  return compareUtf8(a.key, b.key) || compareUtf8(a.row, b.row)
}

/** Queries go on without an index that cannot be kept. */
async function isChangedAfter(after: Position, store: Store, signal: AbortSignal): Promise<boolean> {
  for await (const _ of store.changes({ after, signal })) return true
  return false
}
