/** Operators that look at one row at a time, above one that keeps state: they keep none. (Above a leaf they run in it.) */

import type { Row } from '../row.ts'
import type { RowMap } from './leaf.ts'
import { consolidated, type LiveOperator, type LiveRun, type RowChange } from './operator.ts'

export class Mapped implements LiveOperator {
  readonly #input: LiveOperator
  readonly #map: RowMap

  constructor(input: LiveOperator, map: RowMap) {
    this.#input = input
    this.#map = map
  }

  changed(run: LiveRun): RowChange {
    const { added, removed } = this.#input.changed(run)
    return consolidated({ added: this.#all(added, run), removed: this.#all(removed, run) })
  }

  #all(rows: readonly Row[], run: LiveRun): readonly Row[] {
    const mapped: Row[] = []
    for (const row of rows) {
      run.meter.step()
      for (const made of this.#map(row, run)) {
        run.meter.hold(made)
        mapped.push(made)
      }
    }
    return mapped
  }
}
