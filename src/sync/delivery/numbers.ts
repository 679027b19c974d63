/** Numbers of messages: those of this node rise over its restarts, and those of others tell a replay. */

import type { PeerId } from '../../delta/delta.ts'
import type { Store } from '../../store/store.ts'
import { tryNote } from '../notes.ts'
import { NUMBERS_RESERVED, REPLAY_WINDOW, SENDERS_MAX } from './limits.ts'

/** Higher than all of earlier starts, even if the clock was set back; a node without a disk has the clock alone. */
export class OwnNumbers {
  readonly #store: Store
  readonly #key: string
  #next: number
  #reserved: number

  constructor(store: Store, key: string, nowMs: number) {
    this.#store = store
    this.#key = key
    const noted = Number(store.note(key) ?? 0)
    this.#next = Math.max(Math.floor(nowMs), Number.isSafeInteger(noted) ? noted : 0)
    this.#reserved = this.#next
  }

  next(): number {
    if (this.#next === this.#reserved) {
      this.#reserved += NUMBERS_RESERVED
      tryNote(this.#store, this.#key, String(this.#reserved))
    }
    return this.#next++
  }
}

/** Of each sender the newest number heard. Bounded: the one heard first is forgotten, and may be replayed once more. */
export class NewestNumbers {
  readonly #newest = new Map<PeerId, number>()

  /** False for what is so far behind that it must be a replay. */
  isNews(peer: PeerId, number: number): boolean {
    return number > (this.#newest.get(peer) ?? -Infinity) - REPLAY_WINDOW
  }

  /** Takes note of a verified one. */
  note(peer: PeerId, number: number): void {
    this.#newest.set(peer, Math.max(number, this.#newest.get(peer) ?? 0))
    const [first] = this.#newest.keys()
    if (this.#newest.size > SENDERS_MAX && first !== undefined) this.#newest.delete(first)
  }
}
