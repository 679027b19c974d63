/** Chance by purpose: each part of a history draws from a source of its own, so that leaving one out changes no other. */

import { type Random, seededRandom } from '../../src/testing/seeded-random.ts'

/** FNV-1a over the purpose, begun with the seed. */
export function chanceFor(seed: number, purpose: string): Random {
  let mixed = (seed ^ 0x811c9dc5) >>> 0
  for (const character of purpose) mixed = Math.imul(mixed ^ (character.codePointAt(0) ?? 0), 0x01000193) >>> 0
  return seededRandom(mixed)
}
