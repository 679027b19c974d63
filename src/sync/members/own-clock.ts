/**
 * Whether this node's clock is off, by those of its peers: the median is right as long as most of them are, so with three
 * and more it is this one; with fewer it may be theirs. Nothing is adjusted. design.md 3, Time.
 */

import { OWN_CLOCK_OFF_MS, OWN_CLOCK_PEERS_SURE } from './limits.ts'

export interface OwnClock {
  /** This node's clock less the median of its peers': positive when it is ahead. */
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
  const sorted = offsetsMs.toSorted((a, b) => a - b)
  const middle = (sorted.length - 1) / 2
  const median = ((sorted[Math.floor(middle)] ?? 0) + (sorted[Math.ceil(middle)] ?? 0)) / 2
  const offsetMs = Math.round(median) === 0 ? 0 : -Math.round(median)
  return {
    offsetMs,
    peersCount: offsetsMs.length,
    isOff: Math.abs(offsetMs) > OWN_CLOCK_OFF_MS,
    isSure: offsetsMs.length >= OWN_CLOCK_PEERS_SURE,
  }
}
