/**
 * Hybrid logical clock values: milliseconds since 1970 and a counter. Pure arithmetic; the wall clock is passed in.
 * Source: Kulkarni et al., "Logical Physical Clocks" (2014); design.md 3, Time.
 */

import { assert } from '../errors.ts'

/** A point in a hybrid logical clock. Ordered by `ms`, then `counter`. */
export interface Time {
  /** Milliseconds since 1970-01-01T00:00Z; an integer from 0 up to 2^53 − 1. */
  readonly ms: number
  /** Tells apart what happened within one millisecond; an integer from 0 to `COUNTER_MAX`. */
  readonly counter: number
}

export const COUNTER_MAX = 65_535

/** A block dated further ahead of the reader's clock than this is not admitted yet. */
export const FUTURE_MS_MAX = 5 * 60_000

export const TIME_ZERO: Time = { ms: 0, counter: 0 }

/** Negative, zero or positive as `a` is before, at or after `b`. */
export function compareTime(a: Time, b: Time): number {
  return a.ms - b.ms || a.counter - b.counter
}

export function laterTime(a: Time, b: Time): Time {
  return compareTime(a, b) >= 0 ? a : b
}

/** The next reading: later than `last`, and not before the wall clock, which is in whole milliseconds. */
export function nextTime(last: Time, wallMs: number): Time {
  assert(Number.isSafeInteger(wallMs), 'the wall clock is read in whole milliseconds')
  if (wallMs > last.ms) return { ms: wallMs, counter: 0 }
  if (last.counter < COUNTER_MAX) return { ms: last.ms, counter: last.counter + 1 }
  return { ms: last.ms + 1, counter: 0 }
}

/** True when `time` lies too far ahead of `wallMs` to be admitted. */
export function isFuture(time: Time, wallMs: number): boolean {
  return time.ms > wallMs + FUTURE_MS_MAX
}
