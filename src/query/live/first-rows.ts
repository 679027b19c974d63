/** The first rows in an order: all of the input is kept in that order, so that whoever leaves makes room for the next. */

import { comparePlaces, type Ordering, placeOf } from '../order.ts'
import type { Row } from '../row.ts'
import type { Value } from '../../delta/delta.ts'
import type { Ledger } from './ledger.ts'
import { type LiveOperator, type LiveRun, NO_CHANGE, type RowChange } from './operator.ts'
import { SortedList } from './sorted-list.ts'

interface Placed {
  readonly row: Row
  readonly place: readonly Value[]
}

export class FirstRows implements LiveOperator {
  readonly #input: LiveOperator
  readonly #ordering: Ordering
  readonly #count: number
  readonly #ledger: Ledger
  readonly #all: SortedList<Placed>
  #shown: readonly Placed[] = []

  /** Of no two rows that come is the place in `ordering` the same. */
  constructor(input: LiveOperator, ordering: Ordering, count: number, ledger: Ledger) {
    this.#input = input
    this.#ordering = ordering
    this.#count = count
    this.#ledger = ledger
    this.#all = new SortedList((a, b) => comparePlaces(a.place, b.place, ordering))
  }

  changed(run: LiveRun): RowChange {
    const { added, removed } = this.#input.changed(run)
    if (added.length === 0 && removed.length === 0) return NO_CHANGE
    for (const row of removed) {
      run.meter.step()
      this.#ledger.release(row)
      this.#all.remove(this.#placed(row))
    }
    for (const row of added) this.#ledger.hold(row)
    run.meter.step(added.length * Math.ceil(Math.log2(this.#all.count + added.length + 1)))
    this.#all.add(added.map((row) => this.#placed(row)))
    const before = this.#shown
    const now = this.#all.take(this.#count)
    this.#shown = now
    return { added: rowsMissingIn(before, now), removed: rowsMissingIn(now, before) }
  }

  /** All that are shown, in order. */
  rows(): readonly Row[] {
    return this.#shown.map(({ row }) => row)
  }

  #placed(row: Row): Placed {
    return { row, place: placeOf(row, this.#ordering) }
  }
}

/** Rows of `all` that are not among `some`; neither has a row of the other made anew, for what stays is not told again. */
function rowsMissingIn(some: readonly Placed[], all: readonly Placed[]): readonly Row[] {
  const known = new Set(some)
  return all.filter((placed) => !known.has(placed)).map(({ row }) => row)
}
