import { describe, expect, test } from 'vitest'
import { BLOCK_MS, PENALTY_HALF_LIFE_MS, PENALTY_POINTS, PENALTY_POINTS_MAX } from '../../src/net/limits.ts'
import { Standing } from '../../src/net/standing.ts'

const OFFENCES_TO_BLOCK = PENALTY_POINTS_MAX / PENALTY_POINTS

describe('the standing of peers', () => {
  test('offences add up, are forgiven over time, and enough of them block for a while', () => {
    let nowMs = 0
    const standing = new Standing(() => nowMs)
    expect(standing.points('x')).toBe(0)
    expect(standing.offend('x')).toBe(false)
    expect(standing.points('x')).toBe(PENALTY_POINTS)
    nowMs += PENALTY_HALF_LIFE_MS
    expect(standing.points('x')).toBe(PENALTY_POINTS / 2)
    nowMs += 10 * PENALTY_HALF_LIFE_MS
    expect(standing.points('x')).toBe(0)
    const outcomes = Array.from({ length: OFFENCES_TO_BLOCK + 1 }, () => standing.offend('x'))
    expect(outcomes).toEqual([...Array.from({ length: OFFENCES_TO_BLOCK - 1 }, () => false), true, false])
    expect(standing.blocked('x')).toBe(true)
    expect(standing.blocked('y')).toBe(false)
    nowMs += BLOCK_MS
    expect(standing.blocked('x')).toBe(false)
  })

  test('offences spread far enough apart never block', () => {
    let nowMs = 0
    const standing = new Standing(() => nowMs)
    for (let index = 0; index < 1_000; index += 1) {
      expect(standing.offend('x')).toBe(false)
      nowMs += PENALTY_HALF_LIFE_MS
    }
  })
})
