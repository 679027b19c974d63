/**
 * Joins: rows of both sides by what they are joined by. Of a side whose columns do not appear (the right one of a semi or
 * anti join) only how many there are. A change costs as many steps as rows match it.
 */

import type { JoinKind } from '../algebra.ts'
import { joinKey, merge, type On } from '../join.ts'
import { keyOf, type Row } from '../row.ts'
import type { Ledger } from './ledger.ts'
import { consolidated, type LiveOperator, type LiveRun, type RowChange } from './operator.ts'

export interface JoinSides {
  readonly left: LiveOperator
  readonly right: LiveOperator
  readonly on: On
}

const NO_ROWS: Iterable<Row> = []

/** Inner and left joins. `added` are the columns that the right side brings. */
export class MergingJoin implements LiveOperator {
  readonly #sides: JoinSides
  readonly #keepsLonely: boolean
  readonly #added: readonly string[]
  readonly #left: Buckets
  readonly #right: Buckets

  constructor(sides: JoinSides, kind: 'inner' | 'left', added: readonly string[], ledger: Ledger) {
    this.#sides = sides
    this.#keepsLonely = kind === 'left'
    this.#added = added
    this.#left = new Buckets(ledger)
    this.#right = new Buckets(ledger)
  }

  changed(run: LiveRun): RowChange {
    const { left, right, on } = this.#sides
    const lefts = left.changed(run)
    const rights = right.changed(run)
    const out: { readonly added: Row[]; readonly removed: Row[] } = { added: [], removed: [] }
    // First the left rows that come and go with the right ones that were there, then the other way round.
    for (const row of lefts.removed) this.#leftRow(row, joinKey(row, on, 0), out.removed, run, 'remove')
    for (const row of lefts.added) this.#leftRow(row, joinKey(row, on, 0), out.added, run, 'add')
    const lonely = this.#keepsLonely ? new Map<string, boolean>() : undefined
    for (const row of rights.removed) this.#rightRow(row, out.removed, lonely, run, 'remove')
    for (const row of rights.added) this.#rightRow(row, out.added, lonely, run, 'add')
    for (const [key, wasLonely] of lonely ?? []) {
      const isLonely = !this.#right.has(key)
      if (isLonely === wasLonely) continue
      const changed = isLonely ? out.added : out.removed
      for (const row of this.#left.rows(key)) this.#put(changed, row, undefined, run)
    }
    return consolidated(out)
  }

  /** What comes and goes is remembered until it is told. */
  #put(changed: Row[], left: Row, right: Row | undefined, run: LiveRun): void {
    run.meter.step()
    const row = merge(left, right, this.#added)
    run.meter.hold(row)
    changed.push(row)
  }

  #leftRow(row: Row, key: string | undefined, changed: Row[], run: LiveRun, does: 'add' | 'remove'): void {
    run.meter.step()
    if (key !== undefined) this.#left[does](key, row)
    for (const match of key === undefined ? NO_ROWS : this.#right.rows(key)) this.#put(changed, row, match, run)
    if (this.#keepsLonely && (key === undefined || !this.#right.has(key))) this.#put(changed, row, undefined, run)
  }

  #rightRow(
    row: Row,
    changed: Row[],
    lonely: Map<string, boolean> | undefined,
    run: LiveRun,
    does: 'add' | 'remove',
  ): void {
    run.meter.step()
    const key = joinKey(row, this.#sides.on, 1)
    if (key === undefined) return
    if (lonely !== undefined && !lonely.has(key)) lonely.set(key, !this.#right.has(key))
    this.#right[does](key, row)
    for (const match of this.#left.rows(key)) this.#put(changed, match, row, run)
  }
}

/** Semi and anti joins: left rows that have a match, or that have none. */
export class FilteringJoin implements LiveOperator {
  readonly #sides: JoinSides
  readonly #wantsMatch: boolean
  readonly #ledger: Ledger
  readonly #left: Buckets
  /** How many right rows there are by each key. */
  readonly #counts = new Map<string, number>()

  constructor(sides: JoinSides, kind: 'semi' | 'anti', ledger: Ledger) {
    this.#sides = sides
    this.#wantsMatch = kind === 'semi'
    this.#ledger = ledger
    this.#left = new Buckets(ledger)
  }

  changed(run: LiveRun): RowChange {
    const { left, right, on } = this.#sides
    const lefts = left.changed(run)
    const rights = right.changed(run)
    const out: { readonly added: Row[]; readonly removed: Row[] } = { added: [], removed: [] }
    for (const row of lefts.removed) this.#leftRow(row, joinKey(row, on, 0), out.removed, run, 'remove')
    for (const row of lefts.added) this.#leftRow(row, joinKey(row, on, 0), out.added, run, 'add')
    const had = new Map<string, boolean>()
    for (const row of rights.removed) this.#count(joinKey(row, on, 1), -1, had, run)
    for (const row of rights.added) this.#count(joinKey(row, on, 1), 1, had, run)
    for (const [key, hadMatch] of had) {
      const hasMatch = this.#counts.has(key)
      if (hasMatch === hadMatch) continue
      const changed = hasMatch === this.#wantsMatch ? out.added : out.removed
      for (const row of this.#left.rows(key)) {
        run.meter.step()
        changed.push(row)
      }
    }
    return consolidated(out)
  }

  #leftRow(row: Row, key: string | undefined, changed: Row[], run: LiveRun, does: 'add' | 'remove'): void {
    run.meter.step()
    if (key !== undefined) this.#left[does](key, row)
    if ((key !== undefined && this.#counts.has(key)) === this.#wantsMatch) changed.push(row)
  }

  #count(key: string | undefined, by: 1 | -1, had: Map<string, boolean>, run: LiveRun): void {
    run.meter.step()
    if (key === undefined) return
    const before = this.#counts.get(key) ?? 0
    if (!had.has(key)) had.set(key, before > 0)
    if (before === 0) this.#ledger.holdBytes(bytesOf(key))
    if (before + by > 0) this.#counts.set(key, before + by)
    else {
      this.#counts.delete(key)
      this.#ledger.releaseBytes(bytesOf(key))
    }
  }
}

/** Rows by key. A row alone under its key, as most are in a join by ids, takes no map of its own. */
class Buckets {
  readonly #ledger: Ledger
  readonly #rows = new Map<string, { readonly only: Row } | Map<string, Row>>()

  constructor(ledger: Ledger) {
    this.#ledger = ledger
  }

  has(key: string): boolean {
    return this.#rows.has(key)
  }

  rows(key: string): Iterable<Row> {
    const held = this.#rows.get(key)
    if (held === undefined) return NO_ROWS
    return held instanceof Map ? held.values() : [held.only]
  }

  add(key: string, row: Row): void {
    this.#ledger.hold(row)
    const held = this.#rows.get(key)
    if (held === undefined) this.#rows.set(key, { only: row })
    else if (held instanceof Map) held.set(keyOf(row), row)
    else {
      const both = [held.only, row].map((one) => [keyOf(one), one] as const)
      this.#rows.set(key, new Map(both))
    }
  }

  /** Of a row that was added. */
  remove(key: string, row: Row): void {
    this.#ledger.release(row)
    const held = this.#rows.get(key)
    if (held instanceof Map && held.size > 1) held.delete(keyOf(row))
    else this.#rows.delete(key)
  }
}

function bytesOf(key: string): number {
  return 16 + key.length * 2
}

export function isMerging(kind: JoinKind): kind is 'inner' | 'left' {
  return kind === 'inner' || kind === 'left'
}
