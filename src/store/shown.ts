/** Which deltas of a block readers may see, and what each is found under. */

import { type Delta, isReference, NEGATED_BY, NEGATES } from '../delta/delta.ts'
import type { Header } from '../log/block.ts'

/** A critical extension that this release does not know: the block is kept and forwarded, but not shown. design.md 3. */
export function isShown(header: Header): boolean {
  if (header.payloadKind !== 'plain') return false
  for (const key in header.extensions) if (key.startsWith('!')) return false
  return true
}

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
