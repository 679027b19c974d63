/**
 * Which transactions of the older rhizome-node's kind are complete (delta/gathered.ts). Asked of every delta that is read,
 * and paid for only by those that belong to one: the deltas of a transaction are counted once, and from then on as they
 * come, so that one of which something lacks for ever costs its readers nothing, however many deltas it has.
 */

import type { Delta } from '../delta/delta.ts'
import {
  declaredTransaction,
  isComplete,
  isWhole,
  NO_TALLY,
  tallied,
  transactionOf,
  type TransactionTally,
} from '../delta/gathered.ts'
import type { Block } from '../log/block.ts'
import { deltasOf } from '../log/block-bytes.ts'
import type { NamespaceId } from '../log/namespace.ts'

/** Transactions whose tally is remembered. */
const TALLIES_MAX = 65_536
/** Of blocks that came since somebody asked. Past it all are counted anew. */
const RECENT_BYTES_MAX = 16_777_216

type Admits = (delta: Delta) => boolean

export class Transactions {
  /** Deltas that point at an entity. */
  readonly #pointingAt: (namespace: NamespaceId, entity: string) => readonly Delta[]
  /** Of all deltas but those in `#recent`. */
  readonly #tallies = new Map<string, TransactionTally>()
  #recent: Block[] = []
  #recentBytes = 0
  /** What was complete at a moment, while nothing comes that may belong to it. */
  #atMoments = new WeakMap<Admits, Map<string, boolean>>()

  constructor(pointingAt: (namespace: NamespaceId, entity: string) => readonly Delta[]) {
    this.#pointingAt = pointingAt
  }

  /** To be called when blocks became void. */
  forget(): void {
    this.#atMoments = new WeakMap()
    this.#tallies.clear()
    this.#recent = []
    this.#recentBytes = 0
  }

  /** To be called with each block whose deltas are seen from now on. It is taken apart when somebody asks. */
  take(block: Block): void {
    this.#atMoments = new WeakMap()
    if (this.#tallies.size === 0) return
    this.#recent.push(block)
    this.#recentBytes += block.header.payloadBytes
    if (this.#recentBytes > RECENT_BYTES_MAX) this.forget()
  }

  /** Whether a delta counts among those that `admits` says yes to: it does, but in a transaction that is not complete there. */
  counts(namespace: NamespaceId, admits?: Admits): Admits {
    return (delta) => {
      if (admits?.(delta) === false) return false
      const transaction = transactionOf(delta.pointers)
      if (transaction === undefined) return true
      return admits === undefined ? this.isComplete(namespace, transaction) : this.#was(namespace, transaction, admits)
    }
  }

  isComplete(namespace: NamespaceId, transaction: string): boolean {
    this.#countRecent()
    const key = keyOf(namespace, transaction)
    const known = this.#tallies.get(key)
    if (known !== undefined) return isWhole(known)
    let tally = NO_TALLY
    for (const delta of this.#pointingAt(namespace, transaction)) tally = tallied(tally, transaction, delta)
    if (this.#tallies.size >= TALLIES_MAX) this.#tallies.clear()
    this.#tallies.set(key, tally)
    return isWhole(tally)
  }

  #countRecent(): void {
    const blocks = this.#recent
    if (blocks.length === 0) return
    this.#recent = []
    this.#recentBytes = 0
    for (const block of blocks) {
      for (const delta of deltasOf(block)) {
        const { pointers } = delta
        for (const transaction of new Set([transactionOf(pointers), declaredTransaction(pointers)])) {
          if (transaction === undefined) continue
          const key = keyOf(block.header.namespace, transaction)
          const tally = this.#tallies.get(key)
          if (tally !== undefined) this.#tallies.set(key, tallied(tally, transaction, delta))
        }
      }
    }
  }

  #was(namespace: NamespaceId, transaction: string, admits: Admits): boolean {
    const known = this.#atMoments.get(admits) ?? new Map<string, boolean>()
    this.#atMoments.set(admits, known)
    const key = keyOf(namespace, transaction)
    const whole = known.get(key) ?? isComplete(transaction, this.#pointingAt(namespace, transaction).filter(admits))
    known.set(key, whole)
    return whole
  }
}

function keyOf(namespace: NamespaceId, transaction: string): string {
  return `${namespace}/${transaction}`
}
