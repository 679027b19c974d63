/** The buckets that are watched, by all connections together. */

import { RhizomeError } from '../errors.ts'

export class Watches {
  readonly #countMax: number
  #count = 0

  constructor(countMax: number) {
    this.#countMax = countMax
  }

  /** Answers what gives the place back. Throws RZ_TEXT_BUSY when as many are watched as may be. */
  enter(): () => void {
    if (this.#count >= this.#countMax) {
      throw new RhizomeError('RZ_TEXT_BUSY', `${this.#countMax} buckets are watched already: end another WATCH first`)
    }
    this.#count++
    return () => {
      this.#count--
    }
  }
}
