import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  compareTime,
  COUNTER_MAX,
  FUTURE_MS_MAX,
  isFuture,
  laterTime,
  nextTime,
  type Time,
  TIME_ZERO,
} from '../../src/delta/clock.ts'

const times: fc.Arbitrary<Time> = fc.record({
  ms: fc.nat({ max: 50 }),
  counter: fc.oneof(fc.nat({ max: 3 }), fc.constantFrom(COUNTER_MAX - 1, COUNTER_MAX)),
})

test('each reading is later than the last and not before the wall clock', () => {
  fc.assert(
    fc.property(times, fc.nat({ max: 60 }), (last, wallMs) => {
      const time = nextTime(last, wallMs)
      expect(compareTime(time, last)).toBeGreaterThan(0)
      expect(time.ms).toBeGreaterThanOrEqual(wallMs)
      expect(time.counter).toBeLessThanOrEqual(COUNTER_MAX)
    }),
  )
})

test('a clock that observes what it admits is later than all of it, and never runs backwards', () => {
  const events = fc.array(fc.oneof(fc.record({ observed: times }), fc.record({ wallMs: fc.nat({ max: 60 }) })), {
    maxLength: 40,
  })
  fc.assert(
    fc.property(events, (history) => {
      let last = TIME_ZERO
      const seen: Time[] = []
      for (const event of history) {
        last = 'observed' in event ? laterTime(last, event.observed) : nextTime(last, event.wallMs)
        if ('wallMs' in event) expect(seen.every((time) => compareTime(time, last) < 0)).toBe(true)
        seen.push('observed' in event ? event.observed : last)
      }
    }),
  )
})

test('a reading is no further ahead than it must be', () => {
  fc.assert(
    fc.property(times, fc.nat({ max: 60 }), (last, wallMs) => {
      const time = nextTime(last, wallMs)
      const full = last.counter === COUNTER_MAX ? 1 : 0
      expect(time.ms).toBeLessThanOrEqual(Math.max(wallMs, last.ms + full))
    }),
  )
})

test('a full counter goes on in the next millisecond', () => {
  expect(nextTime({ ms: 5, counter: COUNTER_MAX - 1 }, 5)).toEqual({ ms: 5, counter: COUNTER_MAX })
  expect(nextTime({ ms: 5, counter: COUNTER_MAX }, 5)).toEqual({ ms: 6, counter: 0 })
})

test('a wall clock that is not in whole milliseconds is a bug', () => {
  expect(() => nextTime(TIME_ZERO, 1.5)).toThrow('bug:')
  expect(() => nextTime(TIME_ZERO, Number.NaN)).toThrow('bug:')
})

test('the order of times is total', () => {
  fc.assert(
    fc.property(times, times, times, (a, b, c) => {
      expect(Math.sign(compareTime(a, b)) + Math.sign(compareTime(b, a))).toBe(0)
      expect(compareTime(a, b) === 0).toBe(a.ms === b.ms && a.counter === b.counter)
      if (compareTime(a, b) <= 0 && compareTime(b, c) <= 0) expect(compareTime(a, c)).toBeLessThanOrEqual(0)
      expect(laterTime(a, b)).toEqual(laterTime(b, a))
    }),
  )
})

test('a time is in the future from a millisecond past the limit on', () => {
  expect(isFuture({ ms: 1_000 + FUTURE_MS_MAX, counter: COUNTER_MAX }, 1_000)).toBe(false)
  expect(isFuture({ ms: 1_001 + FUTURE_MS_MAX, counter: 0 }, 1_000)).toBe(true)
})
