/** The few numbers by which the main thread and the index worker talk: shared memory, so that neither waits for the other. */

/** Slots of the shared array. */
const SLOT = { wanted: 0, indexed: 1, stop: 2, stalled: 3, nudges: 4, wakeAt: 5 } as const
const SLOTS = 6

/** No position: the worker is at work, or asleep for a time. */
const NEVER = Number.MAX_SAFE_INTEGER

export class IndexSignals {
  readonly buffer: SharedArrayBuffer
  readonly #slots: BigInt64Array

  constructor(buffer = new SharedArrayBuffer(SLOTS * BigInt64Array.BYTES_PER_ELEMENT)) {
    this.buffer = buffer
    this.#slots = new BigInt64Array(buffer)
  }

  /** The position of the newest record. */
  get wanted(): number {
    return this.#load(SLOT.wanted)
  }

  /** Wakes the worker only at the position that it sleeps for: a wake-up costs as much as writing a record. */
  set wanted(position: number) {
    this.#store(SLOT.wanted, position)
    if (position >= this.#load(SLOT.wakeAt)) this.#nudge()
  }

  /** The position up to which all is indexed. */
  get indexed(): number {
    return this.#load(SLOT.indexed)
  }

  set indexed(position: number) {
    this.#store(SLOT.indexed, position)
    Atomics.notify(this.#slots, SLOT.indexed)
  }

  /** True when the worker is to index what is left and end. */
  get stop(): boolean {
    return this.#load(SLOT.stop) === 1
  }

  set stop(value: boolean) {
    this.#store(SLOT.stop, Number(value))
    this.#nudge()
  }

  /** True while the index cannot be written. */
  get stalled(): boolean {
    return this.#load(SLOT.stalled) === 1
  }

  set stalled(value: boolean) {
    this.#store(SLOT.stalled, Number(value))
  }

  /** The worker's sleep: until `wanted` has reached `position`, `stop` is set, or `timeoutMs` is over. */
  waitForWanted(position: number, timeoutMs: number): void {
    const endsAt = performance.now() + timeoutMs
    this.#store(SLOT.wakeAt, position)
    for (;;) {
      // Read before the conditions: a nudge between them and the wait ends the wait at once.
      const nudges = Atomics.load(this.#slots, SLOT.nudges)
      const leftMs = endsAt - performance.now()
      if (this.stop || this.wanted >= position || leftMs <= 0) break
      Atomics.wait(this.#slots, SLOT.nudges, nudges, leftMs)
    }
    this.#store(SLOT.wakeAt, NEVER)
  }

  /** The worker's sleep whatever is wanted: until `stop` is set or `timeoutMs` is over. */
  rest(timeoutMs: number): void {
    this.waitForWanted(NEVER, timeoutMs)
  }

  /** Blocks until `indexed` is no longer `position` or `timeoutMs` is over. */
  waitForIndexed(position: number, timeoutMs: number): void {
    Atomics.wait(this.#slots, SLOT.indexed, BigInt(position), timeoutMs)
  }

  #load(slot: number): number {
    return Number(Atomics.load(this.#slots, slot))
  }

  #store(slot: number, value: number): void {
    Atomics.store(this.#slots, slot, BigInt(value))
  }

  #nudge(): void {
    Atomics.add(this.#slots, SLOT.nudges, 1n)
    Atomics.notify(this.#slots, SLOT.nudges)
  }
}
