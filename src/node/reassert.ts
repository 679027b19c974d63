/**
 * Brings back what a log of ours cannot hold any more, by asserting it again in a new one, so that nothing is lost: the
 * deltas behind the cut of a fork (a directory was copied and both copies wrote; design.md 3, "A fork is evidence"), and
 * the whole blocks behind a damaged one that a repair had to set aside and no peer gave back.
 */

import { type Delta, type DeltaId, isReference, type Pointer } from '../delta/delta.ts'
import type { Block, LogKey } from '../log/block.ts'
import { deltasOf } from '../log/block-bytes.ts'
import type { NamespaceId } from '../log/namespace.ts'
import { type Position, POSITION_START, type Store } from '../store/store.ts'
import { isOfDisk } from './disk-errors.ts'
import type { Environment } from './environment.ts'
import type { Written } from './writer.ts'

/** Writes deltas again in the name of who wrote them. */
export interface Reasserting {
  readonly store: Store
  /** Writes deltas as one block in a log that is not void, in the name of `creator`; undefined when the key is not here. */
  readonly write: (
    namespace: NamespaceId,
    creator: string,
    deltas: readonly (readonly Pointer[])[],
  ) => Promise<Written> | undefined
  readonly onReasserted: (namespace: NamespaceId, deltas: number) => void
}

export interface ReassertOptions extends Reasserting {
  /** Whether this store wrote the log. */
  readonly own: (namespace: NamespaceId, log: LogKey) => boolean
  readonly schedule: Environment['schedule']
  readonly signal: AbortSignal
}

const NOTE = 'reasserted'
/** A disk that is full or answers with errors is tried again after so long. */
const RETRY_MS = 10_000

/**
 * Follows the store's cuts until `signal` ends it. Where it stands is noted after each, so a crash in the middle asserts
 * some deltas twice and loses none. In another life of the store positions mean something else (a repair takes rows out):
 * then it begins anew, and the cuts that were noted log by log are passed over.
 *
 * A fork is often learnt of from its end downwards, cut by cut. Of those known by now only the lowest counts. When it falls
 * again, all is asserted again, in its old order: asserting only what is new would put older values after later ones.
 */
export async function followCuts(options: ReassertOptions): Promise<void> {
  for (;;) {
    try {
      return await follow(options)
    } catch (error) {
      if (!isOfDisk(error)) throw error
      await passes(RETRY_MS, options)
    }
  }
}

async function follow(options: ReassertOptions): Promise<void> {
  const { store, signal } = options
  const [instance, noted] = store.note(NOTE)?.split(':') ?? []
  const after = (instance === store.instance ? Number(noted) : POSITION_START) as Position
  for await (const change of store.changes({ after, signal })) {
    if (change.kind !== 'voided') continue
    const { namespace, log, cut, position } = change
    if (options.own(namespace, log) && store.logState(namespace, log)?.cut === cut) {
      const note = `${NOTE}/${namespace}/${log}`
      if (store.note(note) !== String(cut)) {
        const count = await reassert(options, namespace, store.voided(namespace, log))
        store.setNote(note, String(cut))
        if (count > 0) options.onReasserted(namespace, count)
      }
    }
    store.setNote(NOTE, `${store.instance}:${position}`)
  }
}

/** Resolves after so long, or when `signal` ends. */
function passes(durationMs: number, { schedule, signal }: ReassertOptions): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const cancel = schedule(durationMs, resolve)
  const onAbort = (): void => resolve()
  signal.addEventListener('abort', onAbort, { once: true })
  if (signal.aborted) resolve()
  return promise.finally(() => {
    cancel()
    signal.removeEventListener('abort', onAbort)
  })
}

/** Asserts again what a repair set aside and is not held; answers the number of deltas. Those of others are left to others. */
export async function reassertSetAside(options: Reasserting): Promise<number> {
  const { store } = options
  const lacking = store.setAside().filter(({ header, hash }) => store.block(header.namespace, hash) === undefined)
  let count = 0
  for (const [namespace, blocks] of Map.groupBy(lacking, ({ header }) => header.namespace)) {
    const asserted = await reassert(options, namespace, blocks)
    if (asserted > 0) options.onReasserted(namespace, asserted)
    count += asserted
  }
  return count
}

/** Block by block: what was visible together stays so. Blocks that cannot be written here are passed over. */
async function reassert(options: Reasserting, namespace: NamespaceId, blocks: readonly Block[]): Promise<number> {
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
    if (written === undefined) continue
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
