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

/** What is known of a transaction: the deltas that belong to it, and the least size that was declared. */
export interface TransactionTally {
  readonly count: number
  readonly least: number
}

export const NO_TALLY: TransactionTally = { count: 0, least: Infinity }

/** The tally of a transaction with one more delta. */
export function tallied(
  { count, least }: TransactionTally,
  transaction: string,
  { pointers }: Delta,
): TransactionTally {
  const belongs = transactionOf(pointers) === transaction
  const sizes = declaredTransaction(pointers) === transaction ? pointers.filter(isSize).map(({ target }) => target) : []
  return { count: belongs ? count + 1 : count, least: Math.min(least, ...(sizes as readonly number[])) }
}

/**
 * Whether a transaction is complete: there are at least as many deltas as the least size that was declared says. More deltas,
 * and more declarations, can only complete it: nobody can hide with them what others wrote.
 */
export function isWhole({ count, least }: TransactionTally): boolean {
  return count >= least
}

/** As `isWhole`, by the deltas that point at the transaction. */
export function isComplete(transaction: string, about: Iterable<Delta>): boolean {
  let tally = NO_TALLY
  for (const delta of about) tally = tallied(tally, transaction, delta)
  return isWhole(tally)
}

function isSize({ localContext, target }: Pointer): boolean {
  return localContext === SIZE && typeof target === 'number' && target >= 1
}
