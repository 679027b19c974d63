/** Wakes those who wait for the next change. Holds no changes: each waiter reads on from where it stands. */

export class Waiters {
  #next = Promise.withResolvers<void>()
  #waiting = false
  #ended = false

  /** Wakes all who wait now. */
  wake(): void {
    if (!this.#waiting) return
    this.#waiting = false
    const { resolve } = this.#next
    this.#next = Promise.withResolvers()
    resolve()
  }

  /** Wakes all for good. */
  end(): void {
    this.#ended = true
    this.wake()
  }

  /** Resolves with true at the next `wake`, with false once `signal` aborts or it has ended. */
  async wait(signal: AbortSignal): Promise<boolean> {
    if (this.#ended || signal.aborted) return false
    this.#waiting = true
    const aborted = Promise.withResolvers<void>()
    const onAbort = () => aborted.resolve()
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      await Promise.race([this.#next.promise, aborted.promise])
    } finally {
      signal.removeEventListener('abort', onAbort)
    }
    return !this.#ended && !signal.aborted
  }
}
