/** Which entities a change of the store bears upon: those that its deltas point at, and those whose claims they negate. */

import { type Delta, isReference, negatedIds } from '../delta/delta.ts'
import { parseDeltaId } from '../delta/identifiers.ts'
import { RhizomeError } from '../errors.ts'
import { deltasOf } from '../log/block-bytes.ts'
import type { NamespaceId } from '../log/namespace.ts'
import { isShown } from '../store/shown.ts'
import type { Change, Store } from '../store/store.ts'

/** Ids of entities, each once. Of what was voided, those that it had borne upon. */
export function concernedBy(change: Change, store: Store, namespace: NamespaceId): ReadonlySet<string> {
  const blocks = change.kind === 'committed' ? [change.block] : store.voided(namespace, change.log)
  const deltas = new Set(blocks.filter(({ header }) => isShown(header)).flatMap((block) => deltasOf(block)))
  const seen = new Set<string>()
  const entities = new Set<string>()
  // A set may grow while it is walked: a negation bears upon what the negated delta does.
  for (const delta of deltas) {
    for (const pointer of delta.pointers) if (isReference(pointer)) entities.add(pointer.target)
    for (const id of negatedIds(delta.pointers)) {
      if (seen.has(id)) continue
      seen.add(id)
      const negated = heldDelta(store, namespace, id)
      if (negated !== undefined) deltas.add(negated)
    }
  }
  return entities
}

/** Undefined too for text that is no delta's id: anyone may write a negation of it. */
function heldDelta(store: Store, namespace: NamespaceId, id: string): Delta | undefined {
  try {
    return store.delta(namespace, parseDeltaId(id).id)?.delta
  } catch (error) {
    if (error instanceof RhizomeError && error.code === 'RZ_BYTES_INVALID') return undefined
    throw error
  }
}
