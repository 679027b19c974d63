/** What a change of the store bears upon: its deltas and those that they negate, and the entities that these point at. */

import { type Delta, isReference, negatedIds, type Pointer } from '../delta/delta.ts'
import { declaredTransaction, transactionOf } from '../delta/gathered.ts'
import { parseDeltaId } from '../delta/identifiers.ts'
import { RhizomeError } from '../errors.ts'
import type { Block } from '../log/block.ts'
import { deltaAt, deltasOf } from '../log/block-bytes.ts'
import type { NamespaceId } from '../log/namespace.ts'
import { isShown } from '../log/shown.ts'
import type { Change, Store } from '../store/store.ts'

/** Ids of entities, each once. Of what was voided, those that it had borne upon. */
export function concernedBy(change: Change, store: Store, namespace: NamespaceId): ReadonlySet<string> {
  return entitiesOf(concernedDeltas(change, store, namespace))
}

/** The entities that the deltas point at. */
export function entitiesOf(deltas: readonly Delta[]): ReadonlySet<string> {
  const entities = new Set<string>()
  for (const { pointers } of deltas)
    for (const pointer of pointers) if (isReference(pointer)) entities.add(pointer.target)
  return entities
}

/** Deltas that came, or were voided, and those that they negate, that those negate, and so on. Reads each block once. */
export function concernedDeltas(change: Change, store: Store, namespace: NamespaceId): readonly Delta[] {
  const changed = change.kind === 'committed' ? [change.block] : store.voided(namespace, change.log)
  const blocks = new Map<string, Block | undefined>()
  const held = (id: string): Delta | undefined => {
    const place = placeOf(id)
    if (place === undefined) return undefined
    const { blockHash, index } = place
    if (!blocks.has(blockHash)) blocks.set(blockHash, store.block(namespace, blockHash))
    const block = blocks.get(blockHash)
    const isThere = block !== undefined && index < block.payload.length && isShown(block.header)
    return isThere ? deltaAt(block, index) : undefined
  }
  const deltas = changed.filter(({ header }) => isShown(header)).flatMap((block) => deltasOf(block))
  const negated = new Set<string>()
  const transactions = new Set<string>()
  // One that is not complete yet shows nothing of its deltas; one that is not any more has hidden them.
  const ofTransaction = (id: string): readonly Delta[] => {
    const transaction = store.transaction(namespace, id)
    return change.kind === 'voided' || transaction.isComplete ? transaction.deltas() : []
  }
  // The list grows while it is walked: a negation bears upon what the negated delta does, the last delta of a transaction on
  // what the others do.
  for (const { pointers } of deltas) {
    for (const transaction of transactionsIn(pointers)) {
      if (transactions.has(transaction)) continue
      transactions.add(transaction)
      for (const delta of ofTransaction(transaction)) deltas.push(delta)
    }
    for (const id of negatedIds(pointers)) {
      if (negated.has(id)) continue
      negated.add(id)
      const delta = held(id)
      if (delta !== undefined) deltas.push(delta)
    }
  }
  return deltas
}

/** The transaction that a delta belongs to, and the one whose size it declares. */
function transactionsIn(pointers: readonly Pointer[]): readonly string[] {
  return [transactionOf(pointers), declaredTransaction(pointers)].filter((id) => id !== undefined)
}

/** Undefined for text that is no delta's id: anyone may write a negation of it. */
function placeOf(id: string): ReturnType<typeof parseDeltaId> | undefined {
  try {
    return parseDeltaId(id)
  } catch (error) {
    if (error instanceof RhizomeError) return undefined
    throw error
  }
}
