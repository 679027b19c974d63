/**
 * Virtual time: it passes only when it is told to, and what is due runs in order, so that what happens is a function of what
 * was scheduled. Between two events every promise that can settle does; code under test never depends on real time.
 */

import { setImmediate as turn } from 'node:timers/promises'

interface Event {
  readonly atMs: number
  readonly order: number
  readonly run: () => void
}

export class VirtualTime {
  #nowMs: number
  #order = 0
  /** A binary heap by (time, order of scheduling). */
  readonly #heap: Event[] = []
  /** Steps that were put off to the end of a turn. */
  #deferredCount = 0
  eventsRun = 0

  constructor(startMs: number) {
    this.#nowMs = startMs
  }

  nowMs(): number {
    return this.#nowMs
  }

  /** Answers the function that cancels. */
  schedule(delayMs: number, run: () => void): () => void {
    let cancelled = false
    this.#push({ atMs: this.#nowMs + Math.max(0, delayMs), order: this.#order++, run: () => cancelled || run() })
    return () => {
      cancelled = true
    }
  }

  /** Runs `step` at the end of this turn of the event loop: it takes no time, and needs no `advance`. */
  defer(step: () => void): void {
    this.#deferredCount += 1
    setImmediate(() => {
      this.#deferredCount -= 1
      step()
    })
  }

  /** Runs what is due within `durationMs`, and leaves the clock at its end. */
  async advance(durationMs: number): Promise<void> {
    const endMs = this.#nowMs + durationMs
    await this.#settle()
    for (;;) {
      const next = this.#heap[0]
      if (next === undefined || next.atMs > endMs) break
      this.#pop()
      this.#nowMs = Math.max(this.#nowMs, next.atMs)
      this.eventsRun += 1
      next.run()
      await this.#settle()
    }
    this.#nowMs = endMs
  }

  /** Resolves when every promise that can settle without an event has, and nothing is put off. */
  async #settle(): Promise<void> {
    do await turn()
    while (this.#deferredCount > 0)
  }

  #push(event: Event): void {
    const heap = this.#heap
    let index = heap.push(event) - 1
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (!isBefore(event, heap[parent] as Event)) break
      heap[index] = heap[parent] as Event
      index = parent
    }
    heap[index] = event
  }

  #pop(): void {
    const heap = this.#heap
    const last = heap.pop() as Event
    if (heap.length === 0) return
    let index = 0
    for (;;) {
      let child = 2 * index + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Event, heap[child] as Event)) child += 1
      if (!isBefore(heap[child] as Event, last)) break
      heap[index] = heap[child] as Event
      index = child
    }
    heap[index] = last
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order)
}
