/**
 * Which transactions of the older rhizome-node's kind are complete (delta/gathered.ts). Asked of every delta that is read,
 * and paid for only by those that belong to one: what is complete once stays so until blocks become void.
 */

import type { Delta } from '../delta/delta.ts'
import { isComplete, transactionOf } from '../delta/gathered.ts'
import type { NamespaceId } from '../log/namespace.ts'

/** Complete ones that are remembered. */
const COMPLETE_MAX = 65_536

export class Transactions {
  /** Deltas that point at an entity. */
  readonly #pointingAt: (namespace: NamespaceId, entity: string) => readonly Delta[]
  readonly #complete = new Set<string>()

  constructor(pointingAt: (namespace: NamespaceId, entity: string) => readonly Delta[]) {
    this.#pointingAt = pointingAt
  }

  /** To be called when blocks became void. */
  forget(): void {
    this.#complete.clear()
  }

  /** Whether a delta counts among those that `admits` says yes to: it does, but in a transaction that is not complete there. */
  counts(namespace: NamespaceId, admits?: (delta: Delta) => boolean): (delta: Delta) => boolean {
    const asked = new Map<string, boolean>()
    const isWhole = (transaction: string): boolean => {
      const known = asked.get(transaction)
      if (known !== undefined) return known
      const whole =
        admits === undefined ? this.#isComplete(namespace, transaction) : this.#was(namespace, transaction, admits)
      asked.set(transaction, whole)
      return whole
    }
    return (delta) => {
      if (admits?.(delta) === false) return false
      const transaction = transactionOf(delta.pointers)
      return transaction === undefined || isWhole(transaction)
    }
  }

  #isComplete(namespace: NamespaceId, transaction: string): boolean {
    const key = `${namespace}/${transaction}`
    if (this.#complete.has(key)) return true
    if (!isComplete(transaction, this.#pointingAt(namespace, transaction))) return false
    if (this.#complete.size >= COMPLETE_MAX) this.#complete.clear()
    this.#complete.add(key)
    return true
  }

  #was(namespace: NamespaceId, transaction: string, admits: (delta: Delta) => boolean): boolean {
    return isComplete(transaction, this.#pointingAt(namespace, transaction).filter(admits))
  }
}
