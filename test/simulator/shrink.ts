/**
 * Makes a failing history small: fewer actions by delta debugging (Zeller and Hildebrandt, "Simplifying and Isolating
 * Failure-Inducing Input", 2002), then fewer machines, as long as one of the same invariants is still broken.
 */

import { actionsOf, type HistoryOptions, runHistory } from './history.ts'

export interface Shrunk {
  readonly options: HistoryOptions
  readonly violations: readonly string[]
  readonly runs: number
}

/** Histories run at most; what is smallest by then is answered. */
const RUNS_MAX = 400

export async function shrink(options: HistoryOptions, violations: readonly string[]): Promise<Shrunk> {
  const wanted = new Set(violations.map(invariantOf))
  let best: Shrunk = { options, violations, runs: 0 }
  let runs = 0

  const fails = async (candidate: HistoryOptions): Promise<boolean> => {
    if (runs >= RUNS_MAX) return false
    runs += 1
    const found = (await runHistory(candidate)).violations
    if (!found.some((violation) => wanted.has(invariantOf(violation)))) return false
    best = { options: candidate, violations: found, runs }
    return true
  }

  const machines = Array.from({ length: options.nodes }, (_, index) => index)
  for (const index of machines) {
    const without = [...(best.options.without ?? []), index]
    if (without.length < options.nodes) await fails({ ...best.options, without })
  }
  let kept = actionsOf(best.options).map(({ number }) => number)
  for (let parts = 2; kept.length > 0 && runs < RUNS_MAX;) {
    const smaller = await firstThatFails(divided(kept, parts), kept, (only) => fails({ ...best.options, only }))
    if (smaller !== undefined) {
      kept = smaller
      parts = Math.max(2, parts - 1)
    } else if (parts >= kept.length) break
    else parts = Math.min(kept.length, parts * 2)
  }
  return { ...best, runs }
}

/** The rest of the list without one of its parts, for the first part that is not needed. */
async function firstThatFails(
  parts: readonly (readonly number[])[],
  all: readonly number[],
  fails: (only: readonly number[]) => Promise<boolean>,
): Promise<number[] | undefined> {
  for (const part of parts) {
    const rest = all.filter((number) => !part.includes(number))
    if (await fails(rest)) return rest
  }
  return undefined
}

function divided(items: readonly number[], count: number): readonly (readonly number[])[] {
  const size = Math.ceil(items.length / count)
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  )
}

function invariantOf(violation: string): string {
  return violation.slice(0, violation.indexOf(':'))
}
