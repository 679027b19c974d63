/**
 * Brings back what a fork took: when a log of ours is cut (a directory was copied and both copies wrote), the deltas
 * behind the cut are asserted again in a new log, so that nothing is lost. design.md 3, "A fork is evidence".
 */

import { type Delta, type DeltaId, isReference, type Pointer } from '../delta/delta.ts'
import type { Block, LogKey } from '../log/block.ts'
import { deltasOf } from '../log/block-bytes.ts'
import { type Position, POSITION_START, type Store } from '../store/store.ts'
import type { Written } from './writer.ts'

export interface ReassertOptions {
  readonly store: Store
  /** Whether this store wrote the log. */
  readonly own: (namespace: string, log: LogKey) => boolean
  /** Writes deltas as one block in a log that is not void, in the name of `creator`; undefined when the key is not here. */
  readonly write: (
    namespace: string,
    creator: string,
    deltas: readonly (readonly Pointer[])[],
  ) => Promise<Written> | undefined
  readonly onReasserted: (namespace: string, deltas: number) => void
  readonly signal: AbortSignal
}

const NOTE = 'reasserted'

/**
 * Follows the store's cuts until `signal` ends it. Where it stands is noted after each, so a crash in the middle asserts
 * some deltas twice and loses none.
 */
export async function followCuts(options: ReassertOptions): Promise<void> {
  const { store, signal } = options
  const noted = store.note(NOTE)
  const after = (noted === undefined ? POSITION_START : Number(noted)) as Position
  for await (const change of store.changes({ after, signal })) {
    if (change.kind !== 'voided') continue
    if (options.own(change.namespace, change.log)) {
      const count = await reassert(options, change.namespace, store.voided(change.namespace, change.log))
      if (count > 0) options.onReasserted(change.namespace, count)
    }
    store.setNote(NOTE, String(change.position))
  }
}

/** Block by block: what was visible together stays so. */
async function reassert(options: ReassertOptions, namespace: string, blocks: readonly Block[]): Promise<number> {
  const renamed = new Map<string, DeltaId>()
  let count = 0
  for (const block of blocks) {
    const deltas = deltasOf(block)
    const own = new Map(deltas.map((delta) => [delta.id as string, `./${delta.index}`]))
    const written = await options.write(
      namespace,
      block.header.creator,
      deltas.map((delta) => pointersAgain(delta, own, renamed)),
    )
    if (written === undefined) return count
    for (const [index, delta] of deltas.entries()) renamed.set(delta.id, written.deltas[index] as DeltaId)
    count += deltas.length
  }
  return count
}

/** References among the voided deltas follow them to their new ids. */
function pointersAgain(
  delta: Delta,
  own: ReadonlyMap<string, string>,
  renamed: ReadonlyMap<string, string>,
): readonly Pointer[] {
  return delta.pointers.map((pointer) => {
    if (!isReference(pointer)) return pointer
    const target = own.get(pointer.target) ?? renamed.get(pointer.target)
    return target === undefined ? pointer : { ...pointer, target }
  })
}
