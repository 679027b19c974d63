/**
 * Where changes enter: rows of one relation of the source, each with what it makes (`RowMap`: the operators above it that
 * look at one row at a time run here, so that only what they let through is remembered). What may have changed is marked,
 * then read, a little at a time if wanted; when all is read, `changed` tells what differs. Reading again is harmless.
 */

import { keyOf, type Row } from '../row.ts'
import type { Ledger } from './ledger.ts'
import { consolidated, type LiveOperator, type LiveRun, type RowChange } from './operator.ts'

/** What a row makes: one row, none, or several. */
export type RowMap = (row: Row, run: LiveRun) => readonly Row[]

/** A relation of the source, by the names of its rows. */
export interface Relation {
  /** The row of that name; undefined when there is none. */
  row(name: string, run: LiveRun): Row | undefined
  /** Some rows with their names, those behind `after`; about `countMax` are read. */
  page(after: string | undefined, countMax: number, run: LiveRun): RelationPage
}

export interface RelationPage {
  readonly rows: readonly (readonly [name: string, row: Row])[]
  /** Where the next page begins; absent when this is the last. */
  readonly next?: string
}

/** How far the walk over the whole relation is, and the names that it has not met. */
interface Walk {
  after: string | undefined
  readonly unmet: Set<string>
}

const NO_ROWS: readonly Row[] = []

export class Leaf implements LiveOperator {
  readonly #relation: Relation
  readonly #map: RowMap
  readonly #ledger: Ledger
  /** What each row made when `changed` was last asked. */
  readonly #told = new Map<string, readonly Row[]>()
  /** What each makes now, where that differs. */
  readonly #found = new Map<string, readonly Row[]>()
  readonly #marked = new Set<string>()
  #walk: Walk | undefined

  constructor(relation: Relation, map: RowMap, ledger: Ledger) {
    this.#relation = relation
    this.#map = map
    this.#ledger = ledger
    this.markAll()
  }

  mark(name: string): void {
    this.#marked.add(name)
  }

  /** All is to be read anew. */
  markAll(): void {
    this.#walk = { after: undefined, unmet: new Set([...this.#told.keys(), ...this.#found.keys()]) }
  }

  /** How many rows are marked one by one. */
  get markedCount(): number {
    return this.#marked.size
  }

  /** Whether it has still all to read. */
  get isWalking(): boolean {
    return this.#walk !== undefined
  }

  /** Reads at most about `countMax` of what is marked. */
  read(countMax: number, run: LiveRun): void {
    if (this.#walk === undefined) this.#readMarked(countMax, run)
    else this.#goOn(this.#walk, countMax, run)
  }

  changed(): RowChange {
    const added: Row[] = []
    const removed: Row[] = []
    for (const [name, rows] of this.#found) {
      for (const row of this.#told.get(name) ?? NO_ROWS) {
        this.#ledger.release(row)
        removed.push(row)
      }
      for (const row of rows) added.push(row)
      if (rows.length === 0) this.#told.delete(name)
      else this.#told.set(name, rows)
    }
    this.#found.clear()
    return consolidated({ added, removed })
  }

  #readMarked(countMax: number, run: LiveRun): void {
    let left = countMax
    for (const name of this.#marked) {
      if (left-- === 0) return
      this.#marked.delete(name)
      this.#note(name, this.#relation.row(name, run), run)
    }
  }

  #goOn(walk: Walk, countMax: number, run: LiveRun): void {
    const { rows, next } = this.#relation.page(walk.after, countMax, run)
    for (const [name, row] of rows) {
      walk.unmet.delete(name)
      this.#note(name, row, run)
    }
    walk.after = next
    if (next !== undefined) return
    for (const name of walk.unmet) this.#note(name, undefined, run)
    this.#walk = undefined
  }

  #note(name: string, row: Row | undefined, run: LiveRun): void {
    run.meter.step()
    for (const before of this.#found.get(name) ?? NO_ROWS) this.#ledger.release(before)
    this.#found.delete(name)
    const rows = row === undefined ? NO_ROWS : this.#map(row, run)
    const told = this.#told.get(name) ?? NO_ROWS
    if (rows.length === told.length && rows.every((one, index) => same(one, told[index]))) return
    for (const one of rows) this.#ledger.hold(one)
    this.#found.set(name, rows)
  }
}

function same(a: Row, b: Row | undefined): boolean {
  return b !== undefined && keyOf(a) === keyOf(b)
}
