import { describe, expect, it } from 'vitest'
import { DETECTORS, type DetectorOptions, parseDetector } from '../../../src/sync/members/detector.ts'

describe('a detector', () => {
  it('is a preset by name, or options of the caller', () => {
    for (const [name, options] of Object.entries(DETECTORS)) {
      expect(parseDetector(name as keyof typeof DETECTORS)).toBe(options)
      expect(parseDetector(options)).toBe(options)
    }
  })

  it('of the LAN holds a process down within 3 s of its last heartbeat', () => {
    const lan = DETECTORS.lan
    if (lan.kind !== 'phi') throw new Error('it is of that kind')
    const { heartbeatMs, pauseMs, deviationMsMin, suspicionMsMax } = lan
    expect(heartbeatMs + pauseMs + 5.2 * deviationMsMin + suspicionMsMax + heartbeatMs).toBeLessThan(3_000)
  })

  it.each([
    ['LAN', 'no preset "LAN"'],
    ['constructor', 'no preset'],
    [{ kind: 'psi' }, '`kind`'],
    [{ ...DETECTORS.lan, phi: 0 }, '`phi`'],
    [{ ...DETECTORS.lan, phi: Number.NaN }, '`phi`'],
    [{ ...DETECTORS.lan, phi: '8' }, '`phi`'],
    [{ ...DETECTORS.lan, windowCount: 8.5 }, '`windowCount` must be an integer'],
    [{ ...DETECTORS.lan, heartbeatMs: undefined }, '`heartbeatMs`'],
    [{ ...DETECTORS.lan, heartbeatMs: 1 }, 'from 50 to 60000'],
    [{ ...DETECTORS.lan, suspicionMsMin: 2_000 }, '`suspicionMsMin` is more'],
    [{ ...DETECTORS.synchronous, timeoutMs: 400 }, '`timeoutMs` must be more'],
    [{ ...DETECTORS.off, presenceMs: 10 }, '`presenceMs`'],
  ])('that cannot be is refused, and it says why (%#)', (input, why) => {
    expect(() => parseDetector(input as DetectorOptions)).toThrow(
      expect.objectContaining({ code: 'RZ_DETECTOR_INVALID', message: expect.stringContaining(why) }) as Error,
    )
  })
})
