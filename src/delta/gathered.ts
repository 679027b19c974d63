/**
 * Transactions as the older rhizome-node wrote them, before a block was one: each delta of a transaction points at it, and one
 * more delta says how many they are. Nothing of it counts until so many are there. What is written here needs none of
 * this: a block is visible whole or not at all. src/README.md, Decisions.
 */

import { type Delta, isReference, type Pointer, type ReferencePointer } from './delta.ts'

const TRANSACTION = '_transaction'
const DELTAS = 'deltas'
const SIZE = 'size'

/** Whether a pointer says to which transaction its delta belongs: it is no part of what the delta claims. */
export function namesTransaction(pointer: Pointer): pointer is ReferencePointer {
  return pointer.localContext === TRANSACTION && isReference(pointer) && pointer.targetContext === DELTAS
}

/** The transaction to which a delta belongs; undefined for most. */
export function transactionOf(pointers: readonly Pointer[]): string | undefined {
  for (const pointer of pointers) {
    if (namesTransaction(pointer)) return pointer.target
  }
  return undefined
}

/** The transaction whose size a delta declares. */
export function declaredTransaction(pointers: readonly Pointer[]): string | undefined {
  for (const pointer of pointers) {
    if (pointer.localContext === TRANSACTION && isReference(pointer) && pointer.targetContext === SIZE) {
      return pointer.target
    }
  }
  return undefined
}

/**
 * Whether a transaction is complete, by the deltas that point at it: there are at least as many as the least size that was
 * declared says. More deltas, and more declarations, can only complete it: nobody can hide with them what others wrote.
 */
export function isComplete(transaction: string, about: Iterable<Delta>): boolean {
  let least = Infinity
  let count = 0
  for (const { pointers } of about) {
    if (transactionOf(pointers) === transaction) count++
    if (declaredTransaction(pointers) !== transaction) continue
    for (const { localContext, target } of pointers) {
      if (localContext === SIZE && typeof target === 'number' && target >= 1) least = Math.min(least, target)
    }
  }
  return count >= least
}
