/** The streams that are being answered: at most `FOLLOWERS_MAX` that never end by themselves, all ended by closing. */

import type { ServerResponse } from 'node:http'
import { RhizomeError } from '../errors.ts'
import { FOLLOWERS_MAX } from './options.ts'

export class Followers {
  readonly #closing: AbortSignal
  readonly #countMax: number
  #count = 0

  constructor(closing: AbortSignal, countMax: number = FOLLOWERS_MAX) {
    this.#closing = closing
    this.#countMax = countMax
  }

  /** A signal that ends with the request or with the server. Throws RZ_HTTP_BUSY when as many streams are open as may be. */
  enter(response: ServerResponse): AbortSignal {
    if (this.#count >= this.#countMax) {
      throw new RhizomeError('RZ_HTTP_BUSY', `${this.#countMax} streams follow this node already: close some first`)
    }
    this.#count++
    const gone = new AbortController()
    response.once('close', () => {
      this.#count--
      gone.abort()
    })
    return AbortSignal.any([gone.signal, this.#closing])
  }
}
