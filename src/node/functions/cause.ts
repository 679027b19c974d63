/**
 * What the emission of a function says about itself: which delta brought it about, which function made it, and how long the
 * chain of such causes is by now. It stands in deltas of its own at the end of the emission, so that what was emitted reads
 * like anything else. Only what the same block says counts, so nobody can say it of another's deltas; and whoever holds
 * the block, on whatever node, derives the depth of each of its deltas from it alone. src/node/README.md, Functions.
 */

import { type Delta, type DeltaId, isReference, type Pointer, POINTERS_MAX } from '../../delta/delta.ts'
import { parseDeltaId } from '../../delta/identifiers.ts'

/** What a function is told about a delta: that it is there, or what became of it. */
export type Told = 'delta' | 'hidden' | 'restored' | 'voided'

export interface Cause {
  /** The delta that the function was told about. */
  readonly cause: DeltaId
  readonly told: Told
  /** The function's name. */
  readonly by: string
  /** 1 for what a delta caused that no function emitted, and so on. */
  readonly depth: number
}

/** A cause as a delta of the log states it. */
export interface StatedCause extends Cause {
  /** Deltas of the same block. */
  readonly emitted: readonly DeltaId[]
}

const CAUSED_BY = 'caused_by'
const CAUSES = 'causes'
const TOLD = 'told'
const FUNCTION = 'function'
const DEPTH = 'depth'
const EMITTED = 'emitted'
const EMITTED_BY = 'emitted_by'

const TOLD_KINDS: ReadonlySet<unknown> = new Set<Told>(['delta', 'hidden', 'restored', 'voided'])
/** Beside the pointers that say the rest. */
const EMITTED_MAX = POINTERS_MAX - 4

/** The deltas that state the cause of the first `count` deltas of a block. */
export function causePointers({ cause, told, by, depth }: Cause, count: number): readonly (readonly Pointer[])[] {
  const stated: (readonly Pointer[])[] = []
  for (let start = 0; start < count; start += EMITTED_MAX) {
    const emitted = Array.from({ length: Math.min(EMITTED_MAX, count - start) }, (_, index) => ({
      localContext: EMITTED,
      target: `./${start + index}`,
      targetContext: EMITTED_BY,
    }))
    stated.push([
      { localContext: CAUSED_BY, target: cause, targetContext: CAUSES },
      { localContext: TOLD, target: told },
      { localContext: FUNCTION, target: by },
      { localContext: DEPTH, target: depth },
      ...emitted,
    ])
  }
  return stated
}

/** The cause that a delta states; undefined for any that says something else, or something beside it. */
export function causeIn({ id, pointers }: Delta): StatedCause | undefined {
  const [caused, told, by, depth, ...emitted] = pointers
  if (caused?.localContext !== CAUSED_BY || !isReference(caused) || caused.targetContext !== CAUSES) return undefined
  const values = [valueOf(told, TOLD), valueOf(by, FUNCTION), valueOf(depth, DEPTH)]
  const [toldKind, name, length] = values
  if (!TOLD_KINDS.has(toldKind) || typeof name !== 'string') return undefined
  if (typeof length !== 'number' || !Number.isSafeInteger(length) || length < 1) return undefined
  const block = `${parseDeltaId(id).blockHash}/`
  const areEmitted = emitted.every(
    (pointer) =>
      pointer.localContext === EMITTED &&
      isReference(pointer) &&
      pointer.targetContext === EMITTED_BY &&
      pointer.target.startsWith(block),
  )
  if (!areEmitted) return undefined
  return {
    cause: caused.target as DeltaId,
    told: toldKind as Told,
    by: name,
    depth: length,
    emitted: emitted.map(({ target }) => target as DeltaId),
  }
}

/** Of a block's deltas, those that state a cause or have one, with the longest of their causes. */
export function causesIn(deltas: readonly Delta[]): ReadonlyMap<DeltaId, StatedCause> {
  const causes = new Map<DeltaId, StatedCause>()
  const add = (id: DeltaId, cause: StatedCause) => {
    if ((causes.get(id)?.depth ?? 0) < cause.depth) causes.set(id, cause)
  }
  for (const delta of deltas) {
    const cause = causeIn(delta)
    if (cause === undefined) continue
    add(delta.id, cause)
    for (const id of cause.emitted) add(id, cause)
  }
  return causes
}

function valueOf(pointer: Pointer | undefined, localContext: string): unknown {
  if (pointer === undefined || pointer.localContext !== localContext || isReference(pointer)) return undefined
  return pointer.target
}
