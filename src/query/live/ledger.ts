/**
 * What a live query remembers between changes, within the same limits as what a run does, but with giving back.
 * Throws RZ_QUERY_LIMIT before more is taken.
 */

import { past, type RunLimits } from '../limits.ts'
import { type Row, sizeOf } from '../row.ts'

export class Ledger {
  readonly #limits: RunLimits
  #rows = 0
  #bytes = 0

  constructor(limits: RunLimits) {
    this.#limits = limits
  }

  /** To be called before a row is remembered; a row that several remember counts for each. */
  hold(row: Row): void {
    this.holdBytes(sizeOf(row))
  }

  release(row: Row): void {
    this.releaseBytes(sizeOf(row))
  }

  /** As `hold`, for something of a row's role whose size is known. */
  holdBytes(bytes: number): void {
    this.#rows++
    this.#bytes += bytes
    if (this.#rows > this.#limits.rowsHeldMax) throw past('holds', this.#limits.rowsHeldMax, 'rows')
    if (this.#bytes > this.#limits.bytesHeldMax) throw past('holds', this.#limits.bytesHeldMax, 'bytes')
  }

  releaseBytes(bytes: number): void {
    this.#rows--
    this.#bytes -= bytes
  }

  /** For tests: what is held when nothing is to be remembered any more is nothing. */
  get held(): { readonly rows: number; readonly bytes: number } {
    return { rows: this.#rows, bytes: this.#bytes }
  }
}
