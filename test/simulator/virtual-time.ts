/**
 * Virtual time and seeded randomness: what happens, and in which order, is a function of the seed alone.
 * Between two events every promise that can settle does, so code under test never depends on real time.
 */

export interface Random {
  /** From 0 up to but not including 1. */
  next(): number
  /** An integer from 0 up to but not including `count`. */
  below(count: number): number
  pick<Item>(items: readonly Item[]): Item
  bytes(count: number): Uint8Array
}

/** Mulberry32 (Tommy Ettinger): 32 bits of state, good enough to shake a schedule. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000
  }
  const below = (count: number): number => Math.floor(next() * count)
  return {
    next,
    below,
    pick: (items) => {
      const item = items[below(items.length)]
      if (item === undefined) throw new Error('nothing to pick from')
      return item
    },
    bytes: (count) => Uint8Array.from({ length: count }, () => below(256)),
  }
}

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

  /** Runs what is due within `durationMs`, and leaves the clock at its end. */
  async advance(durationMs: number): Promise<void> {
    const endMs = this.#nowMs + durationMs
    await settle()
    for (;;) {
      const next = this.#heap[0]
      if (next === undefined || next.atMs > endMs) break
      this.#pop()
      this.#nowMs = Math.max(this.#nowMs, next.atMs)
      this.eventsRun += 1
      next.run()
      await settle()
    }
    this.#nowMs = endMs
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

/** Resolves when every promise that can settle without an event has. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
