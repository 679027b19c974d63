/**
 * Verified runs between gossip and the store: bounded, committed in batches. The first is committed as soon as the validator
 * has answered; while more keep coming they are gathered for a moment, so that a burst costs few transactions. When it is full
 * it drops, and sync makes it good. design.md 6, "gossip in".
 */

import type { BlockHash, LogKey } from '../log/block.ts'
import type { Arrival } from './gap-buffer.ts'
import { INBOX_BATCH_RUNS_MAX, INBOX_BYTES_MAX, INBOX_GATHER_MS, INBOX_RUNS_MAX } from './limits.ts'

export interface InboxOptions {
  readonly commit: (arrivals: readonly Arrival[]) => void
  readonly schedule: (delayMs: number, run: () => void) => () => void
}

/** The last block that waits for its commit. */
export interface Tail {
  readonly seq: number
  readonly hash: BlockHash
}

export class Inbox {
  readonly #options: InboxOptions
  #waiting: Arrival[] = []
  #bytes = 0
  readonly #tails = new Map<LogKey, Tail>()
  /** Set while the inbox waits for its turn: nothing else needs to wake it. */
  #cancel: (() => void) | undefined
  #closed = false

  constructor(options: InboxOptions) {
    this.#options = options
  }

  /** Where a log will be when the inbox is empty; undefined when nothing of it waits. */
  tail(log: LogKey): Tail | undefined {
    return this.#tails.get(log)
  }

  /** Answers false when it is full and the run is dropped. */
  add(arrival: Arrival): boolean {
    if (this.#closed || this.#waiting.length >= INBOX_RUNS_MAX) return false
    if (this.#bytes + arrival.sizeBytes > INBOX_BYTES_MAX) return false
    this.#waiting.push(arrival)
    this.#bytes += arrival.sizeBytes
    const last = arrival.run.blocks.at(-1)
    if (last !== undefined) this.#tails.set(arrival.log, { seq: last.header.seq, hash: last.hash })
    this.#wake()
    return true
  }

  close(): void {
    this.#closed = true
    this.#cancel?.()
    this.#waiting = []
    this.#tails.clear()
  }

  #wake(): void {
    if (this.#cancel !== undefined) return
    let cancelled = false
    this.#cancel = () => {
      cancelled = true
    }
    queueMicrotask(() => {
      if (!cancelled) this.#drain()
    })
  }

  #drain(): void {
    this.#cancel = undefined
    if (this.#waiting.length === 0) return
    const batch = this.#waiting.splice(0, INBOX_BATCH_RUNS_MAX)
    for (const { sizeBytes } of batch) this.#bytes -= sizeBytes
    if (this.#waiting.length === 0) this.#tails.clear()
    // What arrives from now on gathers until the timer ends.
    this.#cancel = this.#options.schedule(INBOX_GATHER_MS, () => this.#drain())
    this.#options.commit(batch)
  }
}
