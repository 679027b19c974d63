/** What one call of a handler emits, gathered until the handler is done. */

import type { Pointer } from '../../delta/delta.ts'
import { Transaction } from '../transaction.ts'
import type { Emit } from './options.ts'

export class Emission {
  readonly emit: Emit
  readonly #transaction = new Transaction()

  constructor() {
    const transaction = this.#transaction
    this.emit = Object.assign((pointers: readonly Pointer[]) => transaction.append(pointers), {
      put: transaction.put.bind(transaction),
      negate: transaction.negate.bind(transaction),
    })
  }

  /** The entities of the records that were put. */
  get records(): ReadonlySet<string> {
    return this.#transaction.records
  }

  /** Ends the gathering: what a handler emits after that is refused. */
  seal(): readonly (readonly Pointer[])[] {
    return this.#transaction.seal()
  }
}
