/** The few numbers by which the main thread and the index worker talk: shared memory, so that neither waits for the other. */

/** Slots of the shared array. */
const SLOT = { wanted: 0, indexed: 1, stop: 2, stalled: 3 } as const
const SLOTS = 4

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

  set wanted(position: number) {
    this.#store(SLOT.wanted, position)
  }

  /** The position up to which all is indexed. */
  get indexed(): number {
    return this.#load(SLOT.indexed)
  }

  set indexed(position: number) {
    this.#store(SLOT.indexed, position)
  }

  /** True when the worker is to index what is left and end. */
  get stop(): boolean {
    return this.#load(SLOT.stop) === 1
  }

  set stop(value: boolean) {
    this.#store(SLOT.stop, Number(value))
    Atomics.notify(this.#slots, SLOT.wanted)
  }

  /** True while the index cannot be written. */
  get stalled(): boolean {
    return this.#load(SLOT.stalled) === 1
  }

  set stalled(value: boolean) {
    this.#store(SLOT.stalled, Number(value))
  }

  /** Blocks until `wanted` is no longer `position`, somebody nudges, or `timeoutMs` is over. */
  waitForWanted(position: number, timeoutMs: number): void {
    Atomics.wait(this.#slots, SLOT.wanted, BigInt(position), timeoutMs)
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
    Atomics.notify(this.#slots, slot)
  }
}
