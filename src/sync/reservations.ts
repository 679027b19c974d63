/** Which session fetches which log: two sessions with different peers never fetch the same blocks. A state holder. */

import type { LogKey } from '../log/block.ts'

export class Reservations {
  readonly #holders = new Map<LogKey, object>()

  /** Answers false when another holder has it. */
  reserve(log: LogKey, holder: object): boolean {
    const present = this.#holders.get(log)
    if (present === undefined) this.#holders.set(log, holder)
    return present === undefined || present === holder
  }

  release(log: LogKey, holder: object): void {
    if (this.#holders.get(log) === holder) this.#holders.delete(log)
  }
}
