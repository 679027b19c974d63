import { expect, it } from 'vitest'
import { Awareness } from '../../../src/sync/members/awareness.ts'

function awareness(slownessMax = 8): Awareness {
  const each = new Awareness({ heartbeatMs: 400, slownessMax })
  each.turn(0, 200)
  return each
}

it('a timer on time, or a little late, is no sign of slowness', () => {
  const well = awareness()
  expect(well.turn(200, 200)).toBe(0)
  expect(well.turn(590, 200)).toBe(0)
  expect(well.factor).toBe(1)
  expect(well.isBlind(590)).toBe(false)
})

it('a late timer stretches times by how late it was, up to a limit, and every fifth on time shortens them', () => {
  const slow = awareness()
  expect(slow.turn(1_000, 200)).toBe(800)
  expect(slow.score).toBe(2)
  expect(slow.turn(61_200, 200)).toBe(60_000)
  expect(slow.score).toBe(8)
  let nowMs = 61_200
  for (let turn = 1; turn <= 40; turn++) {
    expect(slow.turn((nowMs += 200), 200)).toBe(0)
    expect(slow.score).toBe(8 - Math.floor(turn / 5))
  }
})

it('nobody is judged until what came meanwhile was read', () => {
  const slow = awareness()
  slow.turn(10_200, 200)
  expect(slow.isBlind(10_200)).toBe(true)
  expect(slow.isBlind(10_999)).toBe(true)
  expect(slow.isBlind(11_000)).toBe(false)
})

it('a suspicion of this node that it refuted counts against it', () => {
  const suspected = awareness()
  suspected.refuted()
  expect(suspected.factor).toBe(2)
})

it('switched off, it trusts its clock blindly', () => {
  const blind = awareness(0)
  expect(blind.turn(60_000, 200)).toBe(0)
  blind.refuted()
  expect(blind.factor).toBe(1)
  expect(blind.isBlind(60_000)).toBe(false)
})
