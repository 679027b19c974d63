/**
 * Incremental view maintenance in the manner of Z-sets (Budiu et al., "DBSP", VLDB 2023): every operator turns a change of
 * its input into the change of its output that follows, and keeps the state that it needs for it. Relations are sets here,
 * so a change is the rows that come and those that go. Pure and synchronous; rows come from the leaves alone (`leaf.ts`).
 */

import type { Meter } from '../limits.ts'
import { keyOf, type Row } from '../row.ts'
import type { LiveSource } from '../source.ts'

/** Rows that were not there and are, and that were and are not. None is in both, none twice. */
export interface RowChange {
  readonly added: readonly Row[]
  readonly removed: readonly Row[]
}

export const NO_CHANGE: RowChange = { added: [], removed: [] }

export interface LiveOperator {
  /** What became of its output since the last call; at first since nothing was there. */
  changed(run: LiveRun): RowChange
}

/** What is done in one go, while the node waits. */
export interface LiveRun {
  readonly source: LiveSource
  readonly meter: Meter
}

/** The change without rows that go and come again. */
export function consolidated({ added, removed }: RowChange): RowChange {
  if (added.length === 0 || removed.length === 0) return { added, removed }
  const counts = new Map<string, number>()
  for (const row of added) addTo(counts, keyOf(row), 1)
  const gone = removed.filter((row) => !take(counts, keyOf(row)))
  if (gone.length === removed.length) return { added, removed }
  // What is left in the counts is what was not taken by a row that goes.
  return { added: added.filter((row) => take(counts, keyOf(row))), removed: gone }
}

function addTo(counts: Map<string, number>, key: string, count: number): void {
  counts.set(key, (counts.get(key) ?? 0) + count)
}

function take(counts: Map<string, number>, key: string): boolean {
  const count = counts.get(key) ?? 0
  if (count === 0) return false
  counts.set(key, count - 1)
  return true
}
