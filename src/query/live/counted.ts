/**
 * Relations made of rows as wholes: each row once, whatever how often it is made (`Distinct`); and the sets of two sides
 * (`Sides`: union, intersection, difference), which remember on which side a row is.
 */

import { keyOf, type Row } from '../row.ts'
import type { Ledger } from './ledger.ts'
import { consolidated, type LiveOperator, type LiveRun, type RowChange } from './operator.ts'

export class Distinct implements LiveOperator {
  readonly #input: LiveOperator
  readonly #ledger: Ledger
  readonly #counts = new Map<string, { readonly row: Row; count: number }>()

  constructor(input: LiveOperator, ledger: Ledger) {
    this.#input = input
    this.#ledger = ledger
  }

  changed(run: LiveRun): RowChange {
    const change = this.#input.changed(run)
    const added: Row[] = []
    const removed: Row[] = []
    for (const row of change.added) {
      run.meter.step()
      const key = keyOf(row)
      const counted = this.#counts.get(key)
      if (counted !== undefined) counted.count++
      else {
        this.#ledger.hold(row)
        this.#counts.set(key, { row, count: 1 })
        added.push(row)
      }
    }
    for (const row of change.removed) {
      run.meter.step()
      const key = keyOf(row)
      const counted = this.#counts.get(key)
      if (counted === undefined || --counted.count > 0) continue
      this.#counts.delete(key)
      this.#ledger.release(counted.row)
      removed.push(counted.row)
    }
    return consolidated({ added, removed })
  }
}

interface Sided {
  readonly row: Row
  isLeft: boolean
  isRight: boolean
}

/** Rows of which `keeps` says so, by the sides on which they are. */
export class Sides implements LiveOperator {
  readonly #left: LiveOperator
  readonly #right: LiveOperator
  readonly #keeps: (isLeft: boolean, isRight: boolean) => boolean
  readonly #ledger: Ledger
  readonly #rows = new Map<string, Sided>()

  constructor(
    left: LiveOperator,
    right: LiveOperator,
    keeps: (isLeft: boolean, isRight: boolean) => boolean,
    ledger: Ledger,
  ) {
    this.#left = left
    this.#right = right
    this.#keeps = keeps
    this.#ledger = ledger
  }

  changed(run: LiveRun): RowChange {
    const before = new Map<string, { readonly sided: Sided; readonly wasKept: boolean }>()
    const touch = (row: Row): Sided => {
      run.meter.step()
      const key = keyOf(row)
      const sided = this.#rows.get(key) ?? { row, isLeft: false, isRight: false }
      if (!before.has(key)) before.set(key, { sided, wasKept: this.#isKept(sided) })
      if (!this.#rows.has(key)) {
        this.#ledger.hold(row)
        this.#rows.set(key, sided)
      }
      return sided
    }
    const left = this.#left.changed(run)
    const right = this.#right.changed(run)
    for (const row of left.removed) touch(row).isLeft = false
    for (const row of left.added) touch(row).isLeft = true
    for (const row of right.removed) touch(row).isRight = false
    for (const row of right.added) touch(row).isRight = true

    const added: Row[] = []
    const removed: Row[] = []
    for (const [key, { sided, wasKept }] of before) {
      const isKept = this.#isKept(sided)
      if (isKept && !wasKept) added.push(sided.row)
      if (wasKept && !isKept) removed.push(sided.row)
      if (sided.isLeft || sided.isRight) continue
      this.#rows.delete(key)
      this.#ledger.release(sided.row)
    }
    return { added, removed }
  }

  #isKept({ isLeft, isRight }: Sided): boolean {
    return this.#keeps(isLeft, isRight)
  }
}
