/**
 * How unlikely a silence is: φ of the time since the last heartbeat, by the intervals between those before. A function of
 * arrival times alone. Hayashibara et al., "The φ Accrual Failure Detector" (2004).
 */

export interface PhiParameters {
  readonly windowCount: number
  readonly deviationMsMin: number
  readonly pauseMs: number
}

/** Before the first intervals are known the peer's own word on its interval counts, as two samples this far apart. */
const FIRST_DEVIATION = 1 / 4
/** What comes this soon after the one before was held up together with it, and says nothing of how often they come. */
const TOGETHER = 1 / 4
/** A longer interval counts as so many: one outage would make the detector blind for the whole window. */
const INTERVALS_MAX = 5
/** φ of a silence whose probability a double cannot hold. */
export const PHI_MAX = 300

/** The heartbeats of one peer. */
export class Arrivals {
  readonly #parameters: PhiParameters
  readonly #intervalsMs: number[] = []
  #sumMs = 0
  #squares = 0
  #lastMs: number | undefined
  #isResumed = false

  constructor(parameters: PhiParameters) {
    this.#parameters = parameters
  }

  /** When the last one came; undefined before the first. */
  get lastMs(): number | undefined {
    return this.#lastMs
  }

  /** A heartbeat came now, from a peer that says to send one every `intervalMs`. */
  arrived(nowMs: number, intervalMs: number): void {
    const last = this.#lastMs
    this.#lastMs = nowMs
    if (last === undefined) {
      this.#add(intervalMs * (1 - FIRST_DEVIATION))
      this.#add(intervalMs * (1 + FIRST_DEVIATION))
    } else if (!this.#isResumed && nowMs - last >= intervalMs * TOGETHER) {
      this.#add(Math.min(nowMs - last, intervalMs * INTERVALS_MAX))
    }
    this.#isResumed = false
  }

  /** They come by a new stream from now on: how long that took says nothing of how often they come. */
  resume(): void {
    this.#isResumed = true
  }

  /** 0 before the first heartbeat. */
  phi(nowMs: number): number {
    if (this.#lastMs === undefined) return 0
    const count = this.#intervalsMs.length
    const meanMs = this.#sumMs / count
    const deviationMs = Math.sqrt(Math.max(0, this.#squares / count - meanMs * meanMs))
    const { deviationMsMin, pauseMs } = this.#parameters
    return phiOf(nowMs - this.#lastMs - meanMs - pauseMs, Math.max(deviationMs, deviationMsMin))
  }

  #add(intervalMs: number): void {
    this.#intervalsMs.push(intervalMs)
    this.#sumMs += intervalMs
    this.#squares += intervalMs * intervalMs
    if (this.#intervalsMs.length <= this.#parameters.windowCount) return
    const oldest = this.#intervalsMs.shift() ?? 0
    this.#sumMs -= oldest
    this.#squares -= oldest * oldest
  }
}

/**
 * −log10 of the probability that a normal variable exceeds its mean by `beyondMs`: by the logistic approximation of its
 * distribution (within 0.0002; the one that Akka and Cassandra use), in a form whose tail does not round to zero.
 */
export function phiOf(beyondMs: number, deviationMs: number): number {
  const y = beyondMs / deviationMs
  const exponent = y * (1.5976 + 0.070566 * y * y)
  // P = 1 / (1 + e^exponent)
  const phi = exponent > 30 ? exponent / Math.LN10 : Math.log10(1 + Math.exp(exponent))
  return Math.min(phi, PHI_MAX)
}
