/** Questions that are asked at once: so many of one peer, so many in all; the others wait, in the order in which they came. */

import { RhizomeError } from '../../errors.ts'
import type { PeerIdText } from '../../net/net.ts'
import { WAITING_MAX } from './limits.ts'

export interface TurnsOptions {
  readonly countMax: number
  readonly perPeerMax: number
  /** When it ends, whoever waits hears its reason. */
  readonly stop: AbortSignal
}

export class Turns {
  readonly #options: TurnsOptions
  readonly #busy = new Map<PeerIdText, number>()
  readonly #waiting: { readonly peer: PeerIdText; readonly wake: () => void }[] = []
  #count = 0

  constructor(options: TurnsOptions) {
    this.#options = options
    options.stop.addEventListener('abort', () => {
      for (const { wake } of this.#waiting.splice(0)) wake()
    })
  }

  /** Resolves when it is the question's turn. Throws RZ_NODE_BUSY when too many wait, and the reason of `stop`. */
  async enter(peer: PeerIdText): Promise<void> {
    const { stop } = this.#options
    while (!this.#hasRoom(peer)) {
      stop.throwIfAborted()
      if (this.#waiting.length >= WAITING_MAX) {
        throw new RhizomeError('RZ_NODE_BUSY', `${WAITING_MAX} questions to other nodes are waiting: ask fewer at once`)
      }
      await new Promise<void>((wake) => this.#waiting.push({ peer, wake }))
    }
    stop.throwIfAborted()
    this.#count++
    this.#busy.set(peer, (this.#busy.get(peer) ?? 0) + 1)
  }

  leave(peer: PeerIdText): void {
    this.#count--
    const left = (this.#busy.get(peer) ?? 1) - 1
    if (left > 0) this.#busy.set(peer, left)
    else this.#busy.delete(peer)
    const next = this.#waiting.findIndex((waiting) => this.#hasRoom(waiting.peer))
    if (next >= 0) this.#waiting.splice(next, 1)[0]?.wake()
  }

  #hasRoom(peer: PeerIdText): boolean {
    const { countMax, perPeerMax } = this.#options
    return this.#count < countMax && (this.#busy.get(peer) ?? 0) < perPeerMax
  }
}
