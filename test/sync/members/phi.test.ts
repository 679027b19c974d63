import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DETECTORS } from '../../../src/sync/members/detector.ts'
import { Arrivals, PHI_MAX, phiOf } from '../../../src/sync/members/phi.ts'

const PARAMETERS = { windowCount: 100, deviationMsMin: 80, pauseMs: 400 }

function heard(intervalsMs: readonly number[], declaredMs = 400): { arrivals: Arrivals; nowMs: number } {
  const arrivals = new Arrivals(PARAMETERS)
  let nowMs = 1_000
  arrivals.arrived(nowMs, declaredMs)
  for (const each of intervalsMs) arrivals.arrived((nowMs += each), declaredMs)
  return { arrivals, nowMs }
}

describe('φ', () => {
  it('is −log10 of the chance of so long a silence, by a normal distribution', () => {
    expect(phiOf(0, 100)).toBeCloseTo(Math.log10(2), 6)
    // P(Z > 1), P(Z > 2), P(Z > 3) from a table of the normal distribution.
    for (const [deviations, chance] of [
      [1, 0.158655],
      [2, 0.02275],
      [3, 0.00135],
    ] as const) {
      expect(10 ** -phiOf(deviations * 100, 100)).toBeCloseTo(chance, 3)
    }
  })

  it('grows with the silence, is never negative, and has an end', () => {
    fc.assert(
      fc.property(
        fc.double({ min: -1e6, max: 1e9, noNaN: true }),
        fc.double({ min: 1, max: 1e5, noNaN: true }),
        (beyond, deviation) => {
          const phi = phiOf(beyond, deviation)
          expect(phi).toBeGreaterThanOrEqual(0)
          expect(phi).toBeLessThanOrEqual(PHI_MAX)
          expect(phiOf(beyond + deviation, deviation)).toBeGreaterThanOrEqual(phi)
        },
      ),
    )
  })

  it('is 0 before the first heartbeat', () => {
    expect(new Arrivals(PARAMETERS).phi(1e9)).toBe(0)
  })

  it('goes by the word of the peer on its interval until it has been seen', () => {
    const slow = new Arrivals(PARAMETERS)
    slow.arrived(0, 10_000)
    expect(slow.phi(12_000)).toBeLessThan(1)
    const quick = new Arrivals(PARAMETERS)
    quick.arrived(0, 100)
    expect(quick.phi(12_000)).toBeGreaterThan(8)
  })

  it('expects later what came unevenly', () => {
    const even = heard(Array.from({ length: 50 }, () => 400))
    const uneven = heard(Array.from({ length: 50 }, (_, index) => (index % 2 === 0 ? 150 : 650)))
    expect(even.arrivals.phi(even.nowMs + 1_400)).toBeGreaterThan(8)
    expect(uneven.arrivals.phi(uneven.nowMs + 1_400)).toBeLessThan(8)
  })

  it('takes heartbeats that were held up together for one, and a long outage for a few', () => {
    const together = heard([400, 400, 2_000, 0, 0, 0, 1, 400, 400])
    const apart = heard([400, 400, 2_000, 400, 400])
    expect(together.arrivals.phi(together.nowMs + 3_000)).toBe(apart.arrivals.phi(apart.nowMs + 3_000))
    const outage = heard([
      ...Array.from({ length: 20 }, () => 400),
      3_600_000,
      ...Array.from({ length: 20 }, () => 400),
    ])
    expect(outage.arrivals.phi(outage.nowMs + 5_000)).toBeGreaterThan(8)
  })

  it('takes no pause between two streams for an interval', () => {
    const { arrivals, nowMs } = heard(Array.from({ length: 10 }, () => 400))
    const before = arrivals.phi(nowMs + 1_200)
    arrivals.resume()
    arrivals.arrived(nowMs + 60_000, 400)
    expect(arrivals.phi(nowMs + 61_200)).toBe(before)
    arrivals.arrived(nowMs + 62_000, 400)
    expect(arrivals.phi(nowMs + 63_200)).toBeLessThan(before)
  })

  it('forgets what lies before its window', () => {
    const arrivals = heard([...Array.from({ length: 200 }, () => 1_500), ...Array.from({ length: 100 }, () => 400)])
    const fresh = heard(Array.from({ length: 300 }, () => 400))
    expect(arrivals.arrivals.phi(arrivals.nowMs + 1_000)).toBeCloseTo(fresh.arrivals.phi(fresh.nowMs + 1_000), 6)
  })
})

describe('the preset', () => {
  for (const preset of ['lan', 'wan', 'local'] as const) {
    const detector = DETECTORS[preset]
    if (detector.kind !== 'phi') throw new Error('it is of that kind')
    const acceptedMs = detector.heartbeatMs + detector.pauseMs

    it(`${preset} suspects nobody whose heartbeats come within interval + pause`, () => {
      const intervals = fc.array(fc.double({ min: 0, max: acceptedMs, noNaN: true }), { minLength: 1, maxLength: 300 })
      fc.assert(
        fc.property(intervals, (intervalsMs) => {
          const arrivals = new Arrivals(detector)
          let nowMs = 0
          arrivals.arrived(nowMs, detector.heartbeatMs)
          for (const intervalMs of intervalsMs) {
            expect(arrivals.phi(nowMs + intervalMs)).toBeLessThan(detector.phi)
            nowMs += intervalMs
            arrivals.arrived(nowMs, detector.heartbeatMs)
          }
        }),
      )
    })
  }
})
