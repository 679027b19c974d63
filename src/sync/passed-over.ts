/**
 * Logs that a peer claimed and did not serve: they are not asked of it again for a while, which doubles each time. Others
 * may have them. Bounded; the oldest is forgotten first. A state holder without a clock.
 */

import type { LogKey } from '../log/block.ts'
import type { PeerIdText } from '../net/net.ts'
import { PASS_OVER_MS, PASS_OVER_MS_MAX, PASSED_OVER_MAX } from './limits.ts'

interface Pause {
  readonly untilMs: number
  readonly times: number
}

export class PassedOver {
  readonly #pauses = new Map<string, Pause>()

  note(peer: PeerIdText, log: LogKey, nowMs: number): void {
    const key = `${peer} ${log}`
    const times = (this.#pauses.get(key)?.times ?? 0) + 1
    this.#pauses.delete(key)
    this.#pauses.set(key, { untilMs: nowMs + Math.min(PASS_OVER_MS * 2 ** (times - 1), PASS_OVER_MS_MAX), times })
    const [oldest] = this.#pauses.keys()
    if (this.#pauses.size > PASSED_OVER_MAX && oldest !== undefined) this.#pauses.delete(oldest)
  }

  has(peer: PeerIdText, log: LogKey, nowMs: number): boolean {
    const pause = this.#pauses.get(`${peer} ${log}`)
    return pause !== undefined && nowMs < pause.untilMs
  }

  /** Something of the log came from the peer after all. */
  forgive(peer: PeerIdText, log: LogKey): void {
    this.#pauses.delete(`${peer} ${log}`)
  }
}
