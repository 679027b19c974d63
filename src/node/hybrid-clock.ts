/** A node's hybrid logical clock: later than every delta it has admitted, never backwards. design.md 3, Time. */

import { isFuture, laterTime, nextTime, type Time } from '../delta/clock.ts'

export interface ClockOptions {
  readonly nowMs: () => number
  /** The latest time among admitted blocks. */
  readonly admitted: () => Time
}

export class HybridClock {
  readonly #options: ClockOptions
  #last: Time

  constructor(options: ClockOptions) {
    this.#options = options
    this.#last = options.admitted()
  }

  /** Another node's latest: what is written from now on is later, unless that is too far ahead to be believed. */
  observe(time: Time): void {
    if (!isFuture(time, Math.floor(this.#options.nowMs()))) this.#last = laterTime(this.#last, time)
  }

  /** A reading later than the last one and than everything admitted. */
  tick(): Time {
    this.#last = nextTime(laterTime(this.#last, this.#options.admitted()), Math.floor(this.#options.nowMs()))
    return this.#last
  }
}
