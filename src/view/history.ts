/** How a property came to have its value: what it was after each delta that bears upon the entity, where that changed. */

import type { Delta } from '../delta/delta.ts'
import { compareDeltas } from '../delta/order.ts'
import { type Context, viewIn } from './contexts/context.ts'
import { outcomeOf, type Outcome, sameOutcome } from './diff.ts'
import type { ResolverSet } from './resolvers/resolver-set.ts'

export interface Moment {
  /** The delta that made the difference. */
  readonly delta: Delta
  readonly after: Outcome
}

/** Deltas that a history looks at, from the newest back: each costs a view of all before it. */
const HISTORY_DELTAS_MAX = 1_000
/**
 * What those views may take together, in gas: some 1 to 2 s. 100 deltas of a record that has 4,000 of them, or fewer where its
 * rules are costly.
 */
const HISTORY_GAS_MAX = 4_000_000
/** A view takes as long for each of its deltas as a rule for so much gas. */
export const DELTA_GAS = 10

export interface HistoryOptions {
  readonly context: Context
  /** The resolvers in force in it, now: they are taken for every moment. */
  readonly resolvers: ResolverSet
  /** Default: `HISTORY_DELTAS_MAX`, and at most that. */
  readonly deltasMax?: number
}

export interface History {
  /** Oldest first, each different from the one before. */
  readonly moments: readonly Moment[]
  /** Deltas too old to be looked at: what came of them is the first moment's beginning. */
  readonly skippedCount: number
}

/** In the total order, so what a late delta says of an early time is shown at that time. `deltas` as for `viewIn`. */
export function historyOf(
  entity: string,
  property: string,
  deltas: readonly Delta[],
  negations: readonly Delta[],
  { context, resolvers, deltasMax = HISTORY_DELTAS_MAX }: HistoryOptions,
): History {
  const all = [...new Map([...deltas, ...negations].map((delta) => [delta.id, delta])).values()].sort(compareDeltas)
  const wanted = Math.max(0, all.length - Math.min(deltasMax, HISTORY_DELTAS_MAX))
  let gasUsed = 0
  const at = (count: number): Outcome => {
    const known = all.slice(0, count)
    const view = viewIn(context, resolvers, entity, known, known)
    gasUsed += view.gasUsed + known.length * DELTA_GAS
    return outcomeOf(view.lossy, property)
  }
  const moments: Moment[] = []
  let skippedCount = all.length
  let after = at(skippedCount)
  // At least the newest is looked at.
  while (skippedCount > wanted && (gasUsed <= HISTORY_GAS_MAX || skippedCount === all.length)) {
    const delta = all[--skippedCount]
    const before = at(skippedCount)
    if (delta !== undefined && !sameOutcome(before, after)) moments.push({ delta, after })
    after = before
  }
  moments.reverse()
  return { moments, skippedCount }
}
