/** What histories write: few records with few properties, so that claims meet. */

import type { Value } from '../../../src/delta/delta.ts'
import type { Random } from '../../../src/testing/seeded-random.ts'

export const COLLECTION = 'thing'
export const PROPERTIES = ['a', 'b', 'c'] as const
const RECORDS = 8

export function someId(random: Random): string {
  return `r${random.below(RECORDS)}`
}

export function someValues(random: Random): Readonly<Record<string, Value>> {
  const value = random.pick<Value>([random.below(1_000), `text ${random.below(100)}`, null, true])
  return { [random.pick(PROPERTIES)]: value }
}
