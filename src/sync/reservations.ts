/**
 * Which session fetches which log, so that sessions with several peers do not fetch the same blocks. A reservation lapses
 * when nothing of the log comes for a while, and after some time in any case: a peer that trickles holds nobody up. A state
 * holder without a clock.
 */

import type { LogKey } from '../log/block.ts'
import { RESERVATION_IDLE_MS, RESERVATION_MS_MAX } from './limits.ts'

interface Reservation {
  readonly holder: object
  readonly madeMs: number
  readonly renewedMs: number
}

export class Reservations {
  readonly #present = new Map<LogKey, Reservation>()

  /** Answers false while another holder has it. */
  reserve(log: LogKey, holder: object, nowMs: number): boolean {
    const present = this.#present.get(log)
    if (present !== undefined && present.holder !== holder && isLive(present, nowMs)) return false
    this.#present.set(log, { holder, madeMs: nowMs, renewedMs: nowMs })
    return true
  }

  /** Something of the log came. */
  renew(log: LogKey, holder: object, nowMs: number): void {
    const present = this.#present.get(log)
    if (present?.holder === holder) this.#present.set(log, { ...present, renewedMs: nowMs })
  }

  release(log: LogKey, holder: object): void {
    if (this.#present.get(log)?.holder === holder) this.#present.delete(log)
  }
}

function isLive({ madeMs, renewedMs }: Reservation, nowMs: number): boolean {
  return nowMs - renewedMs < RESERVATION_IDLE_MS && nowMs - madeMs < RESERVATION_MS_MAX
}
