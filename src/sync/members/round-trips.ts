/** Round trips and clock of one peer, by its answers to heartbeats. A state holder; time is passed in. */

import { ECHOES_MAX, ROUND_TRIP_SHARE } from './limits.ts'
import type { Heartbeat } from './heartbeat-frame.ts'

/** Of so many measurements the one with the shortest round trip says most about the clock (NTP, RFC 5905, 10). */
const CLOCK_SAMPLES = 8

interface ClockSample {
  readonly roundTripMs: number
  readonly offsetMs: number
}

export class RoundTrips {
  /** By number, when a heartbeat left. */
  readonly #sent = new Map<number, number>()
  readonly #clock: ClockSample[] = []
  #roundTripMs: number | undefined

  sent(number: number, nowMs: number): void {
    this.#sent.set(number, nowMs)
    const [oldest] = this.#sent.keys()
    if (this.#sent.size > ECHOES_MAX && oldest !== undefined) this.#sent.delete(oldest)
  }

  /** A heartbeat came, at `nowMs` by the steady clock and at `wallMs` by the one that tells the date. */
  heard({ echo, clockMs }: Heartbeat, nowMs: number, wallMs: number): void {
    const sentMs = echo === undefined ? undefined : this.#sent.get(echo.number)
    if (echo === undefined || sentMs === undefined) return
    this.#sent.delete(echo.number)
    const roundTripMs = nowMs - sentMs - echo.heldMs
    // The peer measures what it holds in whole milliseconds; one that says more than the whole is wrong or lies.
    if (roundTripMs < -1) return
    const sample = Math.max(0, roundTripMs)
    const before = this.#roundTripMs ?? sample
    this.#roundTripMs = before + (sample - before) * ROUND_TRIP_SHARE
    this.#clock.push({ roundTripMs: sample, offsetMs: clockMs + sample / 2 - wallMs })
    if (this.#clock.length > CLOCK_SAMPLES) this.#clock.shift()
  }

  /** Smoothed; undefined before the first answer. */
  get roundTripMs(): number | undefined {
    return this.#roundTripMs
  }

  /** The peer's clock less ours, within half a round trip. */
  get clockOffsetMs(): number | undefined {
    let best: ClockSample | undefined
    for (const sample of this.#clock) if (best === undefined || sample.roundTripMs <= best.roundTripMs) best = sample
    return best === undefined ? undefined : Math.round(best.offsetMs)
  }
}
