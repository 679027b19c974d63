/**
 * Which deltas a change may have hidden or brought back, whether a delta stands, and what a function had emitted because of
 * it. In the open context: everyone's negations count.
 */

import { type Delta, type DeltaId, negatedIds, type PeerId } from '../../delta/delta.ts'
import { parseDeltaId } from '../../delta/identifiers.ts'
import { RhizomeError } from '../../errors.ts'
import { deltaAt } from '../../log/block-bytes.ts'
import type { NamespaceId } from '../../log/namespace.ts'
import { isShown } from '../../log/shown.ts'
import type { Store } from '../../store/store.ts'
import { stands } from '../../view/lossless.ts'
import { causeIn, type StatedCause } from './cause.ts'

/** Where a function looks. */
export interface Field {
  readonly store: Store
  readonly namespace: NamespaceId
}

/** Deltas looked at for one change: past this its negations negate chains of others, which nobody means. */
const NEGATED_MAX = 16_384

/** Deltas that are held and negated by one of `negating`, or by one of those, and so on. */
export function negatedBy(negating: readonly Delta[], { store, namespace }: Field): readonly Delta[] {
  const negated = new Map<string, Delta>()
  const open = [...negating]
  // The list grows while it is walked.
  for (const { pointers } of open) {
    for (const id of negatedIds(pointers)) {
      if (negated.has(id) || negated.size >= NEGATED_MAX) continue
      const delta = heldDelta(id, { store, namespace })
      if (delta === undefined) continue
      negated.set(id, delta)
      open.push(delta)
    }
  }
  return [...negated.values()]
}

/** Whether an admitted delta stands. In a transaction that is not complete it is as if nothing were said against it yet. */
export function standsNow({ id }: Delta, { store, namespace }: Field): boolean {
  const held = store.delta(namespace, id)
  return held === undefined || stands(held.delta, held.negations)
}

/** What a function of this name has stated, in the name of `creator`, to have emitted because of a delta. */
export function statedBecauseOf(
  cause: DeltaId,
  by: { readonly name: string; readonly creator: PeerId },
  { store, namespace }: Field,
): readonly StatedCause[] {
  return store.entity(namespace, cause).deltas.flatMap((delta) => {
    const stated = delta.creator === by.creator ? causeIn(delta) : undefined
    return stated !== undefined && stated.by === by.name && stated.cause === cause ? [stated] : []
  })
}

/** Those of `ids` that are no negations and stand. */
export function standingClaims(ids: readonly DeltaId[], { store, namespace }: Field): readonly DeltaId[] {
  return ids.filter((id) => {
    const held = store.delta(namespace, id)
    return held !== undefined && negatedIds(held.delta.pointers).length === 0 && stands(held.delta, held.negations)
  })
}

/** Undefined for what is not held or void, and for text that is no delta's id: anyone may write a negation of it. */
function heldDelta(id: string, { store, namespace }: Field): Delta | undefined {
  const place = placeIn(id)
  const block = place === undefined ? undefined : store.block(namespace, place.blockHash)
  if (place === undefined || block === undefined || !isShown(block.header)) return undefined
  return place.index < block.payload.length ? deltaAt(block, place.index) : undefined
}

function placeIn(id: string): ReturnType<typeof parseDeltaId> | undefined {
  try {
    return parseDeltaId(id)
  } catch (error) {
    if (error instanceof RhizomeError) return undefined
    throw error
  }
}
