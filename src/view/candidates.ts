/** The claims about a property that stand, as resolvers read them: without pointers, in the total order. design.md 5. */

import type { Time } from '../delta/clock.ts'
import type { Value } from '../delta/delta.ts'
import type { Claim } from './lossless.ts'

/** A type, not an interface, so that it is a value that rules can read. */
export type Candidate = {
  readonly value: Value
  readonly time: { readonly [Part in keyof Time]: number }
  readonly creator: string
  readonly host: string
  readonly id: string
}

export function candidatesOf(claims: readonly Claim[]): readonly Candidate[] {
  const candidates: Candidate[] = []
  for (const { delta, value, standing } of claims) {
    if (!standing) continue
    const { ms, counter } = delta.time
    candidates.push({ value, time: { ms, counter }, creator: delta.creator, host: delta.host, id: delta.id })
  }
  return candidates
}
