/**
 * Verified runs that came before what they follow: kept for a moment, so that gossip that is merely out of order needs no
 * sync. At most `GAP_BLOCKS_PER_LOG_MAX` runs per log and `GAP_BYTES_MAX` in all; the log that waits longest is dropped
 * first, and sync brings it. A state holder.
 */

import type { LogKey, Run } from '../log/block.ts'
import type { PeerIdText } from '../net/net.ts'
import { GAP_BLOCKS_PER_LOG_MAX, GAP_BYTES_MAX } from './limits.ts'

/** A verified run as it came by gossip. */
export interface Arrival {
  readonly log: LogKey
  readonly run: Run
  readonly from: PeerIdText
  readonly sizeBytes: number
}

export class GapBuffer {
  readonly #logs = new Map<LogKey, Map<number, Arrival>>()
  #bytes = 0

  get sizeBytes(): number {
    return this.#bytes
  }

  /** Answers false when it was not kept: there is no room, or it is here already. */
  add(arrival: Arrival): boolean {
    const waiting = this.#logs.get(arrival.log) ?? new Map<number, Arrival>()
    const firstSeq = arrival.run.blocks[0].header.seq
    if (arrival.sizeBytes > GAP_BYTES_MAX) return false
    if (waiting.has(firstSeq) || waiting.size >= GAP_BLOCKS_PER_LOG_MAX) return false
    waiting.set(firstSeq, arrival)
    this.#logs.set(arrival.log, waiting)
    this.#bytes += arrival.sizeBytes
    while (this.#bytes > GAP_BYTES_MAX) this.#dropOldest()
    return this.#logs.has(arrival.log)
  }

  has(log: LogKey): boolean {
    return this.#logs.has(log)
  }

  /** Takes out the run that can follow when `nextSeq` is the first lacking; drops those that lie wholly below. */
  take(log: LogKey, nextSeq: number): Arrival | undefined {
    const waiting = this.#logs.get(log)
    if (waiting === undefined) return undefined
    let found: Arrival | undefined
    for (const [firstSeq, arrival] of waiting) {
      if (firstSeq > nextSeq) continue
      waiting.delete(firstSeq)
      this.#bytes -= arrival.sizeBytes
      const follows = firstSeq + arrival.run.blocks.length > nextSeq
      if (!follows) continue
      found = arrival
      break
    }
    if (waiting.size === 0) this.#logs.delete(log)
    return found
  }

  #dropOldest(): void {
    const [oldest] = this.#logs
    if (oldest === undefined) return
    const [log, waiting] = oldest
    this.#logs.delete(log)
    for (const { sizeBytes } of waiting.values()) this.#bytes -= sizeBytes
  }
}
