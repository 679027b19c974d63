/** What a delta is found under. */

import { type Delta, isReference, NEGATED_BY, NEGATES } from '../delta/delta.ts'

/** The ids of the entities and deltas that `delta` points at, each once. */
export function targetsOf(delta: Delta): readonly string[] {
  const targets: string[] = []
  for (const pointer of delta.pointers) {
    if (isReference(pointer) && !targets.includes(pointer.target)) targets.push(pointer.target)
  }
  return targets
}

export function negates(delta: Delta, id: string): boolean {
  return delta.pointers.some(
    (pointer) =>
      isReference(pointer) &&
      pointer.target === id &&
      pointer.localContext === NEGATES &&
      pointer.targetContext === NEGATED_BY,
  )
}
