/** Deltas gathered by a caller to be written together: one block, visible together or not at all. */

import { type DeltaId, negationPointers, type Pointer } from '../delta/delta.ts'
import { entityIdOf, type PropertyInput, recordPointers } from '../delta/record.ts'
import { BLOCK_DELTAS_MAX } from '../log/block.ts'
import { RhizomeError } from '../errors.ts'

/**
 * A delta of the transaction under way, to be referred to within it: as a pointer's target or by `negate`.
 * Its full id is known only once the block is signed: see `Written.deltas`, in the same order.
 */
export type OwnDelta = `./${number}`

export class Transaction {
  readonly #deltas: (readonly Pointer[])[] = []
  readonly #records = new Set<string>()
  #sealed = false

  /** Adds one delta. Throws RZ_BLOCK_TOO_LARGE past `BLOCK_DELTAS_MAX`. */
  append(pointers: readonly Pointer[]): OwnDelta {
    if (this.#sealed)
      throw new RhizomeError('RZ_TRANSACTION_OVER', 'the transaction is over: build it before its function returns')
    if (this.#deltas.length >= BLOCK_DELTAS_MAX) {
      throw new RhizomeError(
        'RZ_BLOCK_TOO_LARGE',
        `a transaction of more than ${BLOCK_DELTAS_MAX} deltas: write in several`,
      )
    }
    return `./${this.#deltas.push(pointers) - 1}`
  }

  /** Adds a delta per property of record `id`. Throws RZ_RECORD_INVALID. */
  put(collection: string, id: string, properties: Readonly<Record<string, PropertyInput>>): readonly OwnDelta[] {
    const own = recordPointers(collection, id, properties).map((pointers) => this.append(pointers))
    if (own.length > 0) this.#records.add(entityIdOf(collection, id))
    return own
  }

  /** Adds a negation of a delta that is in the log already, or of an earlier one of this transaction. */
  negate(delta: DeltaId | OwnDelta): OwnDelta {
    return this.append(negationPointers(delta as DeltaId))
  }

  /** The entities of the records that were put. */
  get records(): ReadonlySet<string> {
    return this.#records
  }

  /** Ends the gathering; later additions are refused. */
  seal(): readonly (readonly Pointer[])[] {
    this.#sealed = true
    return this.#deltas
  }
}

/** What a transaction's function gathers. Throws RZ_TRANSACTION_OVER for one that waits. */
export function buildTransaction(build: (transaction: Transaction) => void): {
  readonly deltas: readonly (readonly Pointer[])[]
  readonly records: ReadonlySet<string>
} {
  const transaction = new Transaction()
  const built: unknown = build(transaction)
  const deltas = transaction.seal()
  if (built instanceof Promise) {
    // What it adds later is refused; that it then fails has been told here.
    built.catch(() => {})
    throw new RhizomeError('RZ_TRANSACTION_OVER', 'a transaction is built in one go: await before it, not within it')
  }
  return { deltas, records: transaction.records }
}
