/** A clock that jumps from one scheduled call to the next, as fast as the machine can, letting promises settle between. */
export class VirtualClock {
  #nowMs = 0
  #order = 0
  #running = false
  readonly #calls: { atMs: number; order: number; fn: () => void }[] = []

  readonly nowMs = (): number => this.#nowMs

  readonly schedule = (delayMs: number, fn: () => void): void => {
    this.#calls.push({ atMs: this.#nowMs + delayMs, order: (this.#order += 1), fn })
    this.#run()
  }

  #run(): void {
    if (this.#running) return
    this.#running = true
    setImmediate(() => {
      this.#running = false
      this.#calls.sort((a, b) => a.atMs - b.atMs || a.order - b.order)
      const next = this.#calls.shift()
      if (next === undefined) return
      this.#nowMs = next.atMs
      next.fn()
      if (this.#calls.length > 0) this.#run()
    })
  }
}

/** A small seeded generator (mulberry32), the same numbers for the same seed everywhere. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
