/**
 * An application on a machine that subscribes by each kind of delivery, over crashes and restarts, and notes what it was
 * handed, in which order, and what was out of order.
 */

import type { Delta, DeltaId } from '../../src/delta/delta.ts'
import { type LogKey, logKeyOf } from '../../src/log/block.ts'
import type { NamespaceId } from '../../src/log/namespace.ts'
import type { Namespace } from '../../src/node/namespace.ts'
import type { Store } from '../../src/store/store.ts'

export const DELIVERIES = ['reliable', 'causal', 'uniform'] as const
export type DeliveryKind = (typeof DELIVERIES)[number]

export class Receiver {
  readonly name: string
  /** By kind, in all lives together. */
  readonly handed: Readonly<Record<DeliveryKind, Set<DeltaId>>> = {
    reliable: new Set(),
    causal: new Set(),
    uniform: new Set(),
  }
  readonly faults: string[] = []
  /** By log, the newest block that `causal` has handed out. */
  readonly #newest = new Map<LogKey, number>()

  constructor(name: string) {
    this.name = name
  }

  /** To be called at each start of its node. `members` are those that `uniform` goes by. */
  begin(namespace: Namespace, store: Store, members: readonly string[]): void {
    for (const delivery of DELIVERIES) {
      const inThisLife = new Set<DeltaId>()
      namespace.subscribe({ delivery, ...(delivery === 'uniform' && { members }) }, (delta) => {
        if (inThisLife.has(delta.id)) this.faults.push(`${this.name} was handed ${delta.id} twice by ${delivery}`)
        if (delivery === 'causal') this.#checkOrder(delta, namespace.id, store)
        inThisLife.add(delta.id)
        this.handed[delivery].add(delta.id)
      })
    }
  }

  /** All that the delta's author had seen, as far as it is not void, was handed out before. */
  #checkOrder(delta: Delta, namespace: NamespaceId, store: Store): void {
    const log = logKeyOf(delta.creator, delta.log)
    const needed = [
      { log, seq: delta.seq - 1 },
      ...(store.block(namespace, hashOf(delta.id))?.header.dependencies ?? []),
    ]
    for (const { log: other, seq } of needed) {
      const { cut = Infinity } = store.logState(namespace, other) ?? {}
      const least = Math.min(seq, cut - 1)
      const newest = this.#newest.get(other) ?? -1
      if (newest < least)
        this.faults.push(`${this.name} was handed ${delta.id} with ${other} at ${newest} instead of ${least}`)
    }
    this.#newest.set(log, Math.max(delta.seq, this.#newest.get(log) ?? -1))
  }
}

function hashOf(id: DeltaId): string {
  return id.slice(0, id.lastIndexOf('/'))
}
