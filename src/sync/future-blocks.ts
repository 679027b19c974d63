/**
 * Blocks dated too far ahead: one header per log is remembered, the earliest, with the time at which it may be admitted.
 * Nothing else is kept or touched; when it is due, sync fetches the block. A state holder without a clock. design.md 3.
 */

import { FUTURE_MS_MAX } from '../delta/clock.ts'
import { type Header, type LogKey, logKeyOfHeader } from '../log/block.ts'
import { FUTURE_LOGS_MAX } from './limits.ts'

export class FutureBlocks {
  readonly #dueMs = new Map<LogKey, number>()

  /** Answers whether that log was not known to have such a block. */
  note(header: Header): boolean {
    const log = logKeyOfHeader(header)
    const dueMs = header.time.ms - FUTURE_MS_MAX
    const known = this.#dueMs.get(log)
    if (known === undefined && this.#dueMs.size >= FUTURE_LOGS_MAX) return false
    if (known === undefined || dueMs < known) this.#dueMs.set(log, dueMs)
    return known === undefined
  }

  /** When the next one is due; undefined when there is none. */
  nextDueMs(): number | undefined {
    return this.#dueMs.size === 0 ? undefined : Math.min(...this.#dueMs.values())
  }

  /** Forgets those that are due and answers whether there were any. */
  takeDue(nowMs: number): boolean {
    let any = false
    for (const [log, dueMs] of this.#dueMs) {
      if (dueMs > nowMs) continue
      this.#dueMs.delete(log)
      any = true
    }
    return any
  }
}
