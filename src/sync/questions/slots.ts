/** Questions that are being answered: so many of one peer, so many in all; one more is not taken. */

import type { PeerIdText } from '../../net/net.ts'

export class Slots {
  readonly #countMax: number
  readonly #perPeerMax: number
  readonly #taken = new Map<PeerIdText, number>()
  #count = 0

  constructor(countMax: number, perPeerMax: number) {
    this.#countMax = countMax
    this.#perPeerMax = perPeerMax
  }

  /** Whether there was room. */
  take(peer: PeerIdText): boolean {
    const taken = this.#taken.get(peer) ?? 0
    if (this.#count >= this.#countMax || taken >= this.#perPeerMax) return false
    this.#count++
    this.#taken.set(peer, taken + 1)
    return true
  }

  leave(peer: PeerIdText): void {
    this.#count--
    const left = (this.#taken.get(peer) ?? 1) - 1
    if (left > 0) this.#taken.set(peer, left)
    else this.#taken.delete(peer)
  }
}
