/** Which messages were heard, so that none is delivered twice. Bounded; time is passed in. */

import type { Message } from './message.ts'
import { HEARD_MAX, MESSAGE_AGE_MS_MAX } from './limits.ts'

/** One that is dated ahead as far as may be is taken for so long: up to its date, and as long behind it. */
const GENERATION_MS = 2 * MESSAGE_AGE_MS_MAX

export class Heard {
  #newer = new Set<string>()
  #older = new Set<string>()
  #begunMs = -Infinity

  has(message: Message): boolean {
    const name = nameOf(message)
    return this.#newer.has(name) || this.#older.has(name)
  }

  note(message: Message, nowMs: number): void {
    if (nowMs - this.#begunMs >= GENERATION_MS || this.#newer.size >= HEARD_MAX) {
      this.#older = this.#newer
      this.#newer = new Set()
      this.#begunMs = nowMs
    }
    this.#newer.add(nameOf(message))
  }
}

function nameOf({ from, atMs }: Message): string {
  return `${from} ${atMs}`
}
