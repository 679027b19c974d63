/** Who wants receipts of this node, about which logs, and until when. Bounded; time is passed in. */

import type { PeerId } from '../../delta/delta.ts'
import type { LogKey } from '../../log/block.ts'
import { ASKED_LOGS_MAX, ASKERS_MAX } from './limits.ts'
import type { Want } from './message.ts'

interface Asked {
  allUntilMs: number
  /** Until when, the longest asked for first. */
  readonly logs: Map<LogKey, number>
}

export class Wants {
  readonly #askers = new Map<PeerId, Asked>()

  /** Takes a verified want that names this node. */
  take({ peer, all, logs, forMs }: Want, nowMs: number): void {
    const untilMs = nowMs + forMs
    const asked = this.#askers.get(peer) ?? { allUntilMs: 0, logs: new Map<LogKey, number>() }
    this.#askers.set(peer, asked)
    if (all) asked.allUntilMs = Math.max(asked.allUntilMs, untilMs)
    for (const { log } of logs) {
      asked.logs.delete(log)
      asked.logs.set(log, untilMs)
    }
    for (const log of asked.logs.keys()) {
      if (asked.logs.size <= ASKED_LOGS_MAX) break
      asked.logs.delete(log)
    }
    if (this.#askers.size > ASKERS_MAX) this.#forgetOne()
  }

  /** Whether anybody is to be told that more of the log is held. */
  isAsked(log: LogKey, nowMs: number): boolean {
    for (const { allUntilMs, logs } of this.#askers.values()) {
      if (allUntilMs > nowMs || (logs.get(log) ?? 0) > nowMs) return true
    }
    return false
  }

  /** Forgets what is over; answers whether anything is left. */
  isAnyLeft(nowMs: number): boolean {
    for (const [peer, asked] of this.#askers) if (endOf(asked) <= nowMs) this.#askers.delete(peer)
    return this.#askers.size > 0
  }

  #forgetOne(): void {
    const [first] = [...this.#askers].sort(([, a], [, b]) => endOf(a) - endOf(b))
    if (first !== undefined) this.#askers.delete(first[0])
  }
}

function endOf({ allUntilMs, logs }: Asked): number {
  let endMs = allUntilMs
  for (const untilMs of logs.values()) endMs = Math.max(endMs, untilMs)
  return endMs
}
