/**
 * Between deltas and lossless views, both ways: all deltas composed to the views of all entities that they point at, and
 * views decomposed to the deltas that they were made of. Each undoes the other, but for deltas that point at nothing.
 */

import { type Delta, isReference, negatedIds } from '../delta/delta.ts'
import { compareDeltas, compareUtf8 } from '../delta/order.ts'
import { losslessView, type LosslessOptions, type LosslessView } from './lossless.ts'

/** One view for each entity, in the order of their ids' UTF-8 bytes; made while it is walked. */
export function* composeLossless(deltas: readonly Delta[], options: LosslessOptions = {}): Generator<LosslessView> {
  const byEntity = new Map<string, Delta[]>()
  const negators = new Map<string, Delta[]>()
  for (const delta of deltas) {
    const entities = new Set(delta.pointers.filter(isReference).map((pointer) => pointer.target))
    for (const entity of entities) add(byEntity, entity, delta)
    for (const target of new Set(negatedIds(delta.pointers))) add(negators, target, delta)
  }
  for (const [entity, about] of [...byEntity].sort(([a], [b]) => compareUtf8(a, b))) {
    yield losslessView(entity, about, bearingUpon(about, negators), options)
  }
}

/** The deltas of all these views, negations included, each once and in the total order. */
export function decomposeLossless(views: Iterable<LosslessView>): readonly Delta[] {
  const deltas = new Map<string, Delta>()
  for (const view of views) {
    for (const claims of Object.values(view.properties)) for (const { delta } of claims) deltas.set(delta.id, delta)
    for (const { delta } of view.negations) deltas.set(delta.id, delta)
  }
  return [...deltas.values()].sort(compareDeltas)
}

/** The negations of these deltas, the negations of those, and so on. */
function bearingUpon(deltas: readonly Delta[], negators: ReadonlyMap<string, readonly Delta[]>): readonly Delta[] {
  const found = new Set<Delta>()
  for (const delta of deltas) for (const negation of negators.get(delta.id) ?? []) found.add(negation)
  // A set may grow while it is walked.
  for (const negation of found) for (const further of negators.get(negation.id) ?? []) found.add(further)
  return [...found]
}

function add(map: Map<string, Delta[]>, key: string, delta: Delta): void {
  const known = map.get(key)
  if (known === undefined) map.set(key, [delta])
  else known.push(delta)
}
