/** What changed between two lossy views: of an entity at two moments, or in two contexts. */

import type { Value } from '../delta/delta.ts'
import { compareUtf8 } from '../delta/order.ts'
import type { Fault } from './fault.ts'
import type { ResolvedView } from './lossy.ts'
import { sameContent } from './rules/order.ts'

/** A value, an error, or nothing at all. */
export interface Outcome {
  readonly value?: Value
  readonly error?: Fault
}

export interface Change {
  readonly property: string
  readonly before: Outcome
  readonly after: Outcome
}

/** The properties that differ, in the order of their UTF-8 bytes. */
export function diffViews(before: ResolvedView, after: ResolvedView): readonly Change[] {
  const names = [before, after].flatMap((view) => [...Object.keys(view.properties), ...Object.keys(view.errors)])
  return [...new Set(names)]
    .sort(compareUtf8)
    .map((property) => ({ property, before: outcomeOf(before, property), after: outcomeOf(after, property) }))
    .filter((change) => !sameOutcome(change.before, change.after))
}

export function outcomeOf(view: ResolvedView, property: string): Outcome {
  const value = view.properties[property]
  const error = view.errors[property]
  return { ...(value !== undefined && { value }), ...(error !== undefined && { error }) }
}

export function sameOutcome(a: Outcome, b: Outcome): boolean {
  if (a.value === undefined || b.value === undefined) {
    return a.value === b.value && a.error?.code === b.error?.code && a.error?.message === b.error?.message
  }
  return sameContent(a.value, b.value)
}
