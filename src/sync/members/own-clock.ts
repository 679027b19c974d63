/**
 * Whether this node's clock is off: by the median of its peers' clocks and its own, which is right as long as most of them are.
 * With three peers and more it is this one that is off; with two it may be theirs, and one alone says nothing. Nothing is
 * adjusted. design.md 3, Time.
 */

import { OWN_CLOCK_OFF_MS, OWN_CLOCK_PEERS_SURE } from './limits.ts'

export interface OwnClock {
  /** This node's clock less the median: positive when it is ahead. */
  readonly offsetMs: number
  /** Whose clocks are known. */
  readonly peersCount: number
  /** Too far to be left alone. */
  readonly isOff: boolean
  /** There are peers enough to say that it is this node's clock, and not theirs. */
  readonly isSure: boolean
}

/** `offsetsMs`: clocks of the peers less ours. Undefined when none is known. */
export function judgeOwnClock(offsetsMs: readonly number[]): OwnClock | undefined {
  if (offsetsMs.length === 0) return undefined
  const sorted = [0, ...offsetsMs].toSorted((a, b) => a - b)
  const middle = (sorted.length - 1) / 2
  const [low = 0, high = 0] = [sorted[Math.floor(middle)], sorted[Math.ceil(middle)]]
  // Where as many say the one as the other, the one that leaves this clock alone.
  const median = Math.round(Math.abs(low) <= Math.abs(high) ? low : high)
  const offsetMs = median === 0 ? 0 : -median
  return {
    offsetMs,
    peersCount: offsetsMs.length,
    isOff: Math.abs(offsetMs) > OWN_CLOCK_OFF_MS,
    isSure: offsetsMs.length >= OWN_CLOCK_PEERS_SURE,
  }
}
