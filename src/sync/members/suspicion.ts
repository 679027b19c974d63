/**
 * One member under suspicion: who suspects it, and until when it can refute that. Pure; time is passed in.
 * Das, Gupta, Motivala, "SWIM" (2002), 4.2; the time that shrinks with each who agrees: Lifeguard (2018), 3.2.
 */

import type { PeerIdText } from '../../net/net.ts'

export interface SuspicionTimes {
  readonly suspicionMsMax: number
  readonly suspicionMsMin: number
  readonly confirmationsMax: number
}

export class Suspicion {
  readonly incarnation: number
  readonly #times: SuspicionTimes
  readonly #accusers = new Set<PeerIdText>()
  #startedMs: number

  constructor(incarnation: number, nowMs: number, times: SuspicionTimes) {
    this.incarnation = incarnation
    this.#startedMs = nowMs
    this.#times = times
  }

  /** Those who suspect it; this node may be among them. */
  get accusersCount(): number {
    return this.#accusers.size
  }

  /** Answers false when it is no news. Beyond the most that count nobody is remembered. */
  confirm(accuser: PeerIdText): boolean {
    if (this.#accusers.has(accuser) || this.#accusers.size > this.#times.confirmationsMax) return false
    this.#accusers.add(accuser)
    return true
  }

  /** The member has its time from now on. */
  begin(nowMs: number): void {
    this.#startedMs = nowMs
  }

  /** When the member is held down unless it has refuted; `factor` is that of this node's own slowness. */
  deadlineMs(factor: number): number {
    const { suspicionMsMax, suspicionMsMin, confirmationsMax } = this.#times
    // The first accuser began it, whoever it was: those after it confirm.
    const confirmations = Math.min(Math.max(0, this.#accusers.size - 1), confirmationsMax)
    const share = Math.log(confirmations + 1) / Math.log(confirmationsMax + 1)
    const waitMs = Math.max(suspicionMsMin, suspicionMsMax - (suspicionMsMax - suspicionMsMin) * share)
    return this.#startedMs + waitMs * factor
  }

  /** Time in which this node could not have heard a refutation does not count. */
  extend(byMs: number): void {
    this.#startedMs += byMs
  }
}
