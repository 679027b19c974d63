/** Groups: of each its tallies, and the row that was told last. Rows themselves are not kept. As `group.ts` says them. */

import type { Aggregate } from '../algebra.ts'
import { keyOf, type Row, rowOf, valueAt } from '../row.ts'
import type { Ledger } from './ledger.ts'
import { type LiveOperator, type LiveRun, NO_CHANGE, type RowChange } from './operator.ts'
import { liveTally, type LiveTally } from './tally.ts'

interface GroupState {
  readonly by: Row
  readonly tallies: readonly LiveTally[]
  count: number
  told: Row | undefined
}

export interface GroupBy {
  readonly input: LiveOperator
  /** The columns by which rows are grouped; of no columns there is one group, even of no rows. */
  readonly by: (row: Row, run: LiveRun) => Row
  readonly isWhole: boolean
  readonly aggregates: readonly Aggregate[]
}

export class Grouped implements LiveOperator {
  readonly #options: GroupBy
  readonly #ledger: Ledger
  readonly #groups = new Map<string, GroupState>()

  constructor(options: GroupBy, ledger: Ledger) {
    this.#options = options
    this.#ledger = ledger
  }

  changed(run: LiveRun): RowChange {
    const { input, isWhole } = this.#options
    const { added, removed } = input.changed(run)
    const touched = new Map<string, GroupState>()
    if (isWhole && this.#groups.size === 0) this.#groupOf(rowOf([]), touched)
    for (const row of added) this.#count(row, 1, touched, run)
    for (const row of removed) this.#count(row, -1, touched, run)
    return touched.size === 0 ? NO_CHANGE : this.#told(touched)
  }

  #count(row: Row, by: 1 | -1, touched: Map<string, GroupState>, run: LiveRun): void {
    const { aggregates } = this.#options
    run.meter.step(1 + aggregates.length)
    const group = this.#groupOf(this.#options.by(row, run), touched)
    group.count += by
    for (const [index, { path }] of aggregates.entries()) {
      const value = path === undefined ? true : valueAt(row, path)
      if (by === 1) group.tallies[index]?.add(value)
      else group.tallies[index]?.remove(value)
    }
  }

  #groupOf(by: Row, touched: Map<string, GroupState>): GroupState {
    const key = keyOf(by)
    const known = this.#groups.get(key)
    if (known !== undefined) {
      touched.set(key, known)
      return known
    }
    this.#ledger.hold(by)
    const tallies = this.#options.aggregates.map(({ aggregate }) => liveTally(aggregate, this.#ledger))
    const group: GroupState = { by, tallies, count: 0, told: undefined }
    this.#groups.set(key, group)
    touched.set(key, group)
    return group
  }

  #told(touched: ReadonlyMap<string, GroupState>): RowChange {
    const { isWhole } = this.#options
    const added: Row[] = []
    const removed: Row[] = []
    for (const [key, group] of touched) {
      const { told } = group
      const isThere = group.count > 0 || isWhole
      const row = isThere ? this.#rowOf(group) : undefined
      if (!isThere) {
        this.#groups.delete(key)
        this.#ledger.release(group.by)
      }
      if (told !== undefined && row !== undefined && keyOf(told) === keyOf(row)) continue
      if (told !== undefined) removed.push(told)
      if (row !== undefined) added.push(row)
      group.told = row
    }
    return { added, removed }
  }

  #rowOf({ by, tallies }: GroupState): Row {
    const { aggregates } = this.#options
    return rowOf([
      ...Object.entries(by),
      ...aggregates.map(({ name }, index) => [name, tallies[index]?.result() ?? null] as const),
    ])
  }
}
