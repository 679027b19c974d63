/** What membership costs each node as members grow: the formula of src/sync/README.md, measured on virtual time. */

import { describe, expect, it } from 'vitest'
import { wantedPeers } from '../../../src/net/degree.ts'
import { DETECTORS } from '../../../src/sync/members/detector.ts'
import { degreesOf, presencesPerSecond } from '../../support/presence-traffic.ts'

const { presencesPerSecond: rate, presenceMs } = DETECTORS.lan

describe('per node and second', () => {
  it.each([10, 100, 1_000])('%i members tell at most members / 30 s, and 5, presences', (members) => {
    const measured = presencesPerSecond({ members, detector: DETECTORS.lan, seconds: 1_200 })
    const expected = Math.min(rate, (members * 1_000) / presenceMs)
    expect(measured).toBeLessThan(expected * 1.15)
    expect(measured).toBeGreaterThan(expected * 0.8)
  })

  it.each([10, 100, 300])('%i members have heartbeats with a bounded number of neighbours', (members) => {
    const degrees = degreesOf(members)
    expect(degrees.reduce((sum, degree) => sum + degree, 0) / members).toBeLessThanOrEqual(12)
    expect(Math.max(...degrees)).toBeLessThanOrEqual(30)
  })
})

it('neighbours are as few as the network has dialled', () => {
  const candidates = Array.from({ length: 1_000 }, (_, index) => ({
    id: `p${index}`,
    connected: false,
    failing: false,
  }))
  expect(wantedPeers('self', candidates).size).toBe(6)
})
