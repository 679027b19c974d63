import { beforeEach, describe, expect, test } from 'vitest'
import { backoffMs } from '../../src/net/backoff.ts'
import { DialPlan } from '../../src/net/dial-plan.ts'
import {
  DISCOVERY_SETTLE_MS,
  FORGET_AFTER_MS,
  FULL_MESH_NODES_MAX,
  KNOWN_PEERS_MAX,
  REDIAL_BASE_MS,
  REDIAL_CAP_MS,
  REDIAL_LATE_AFTER_MS,
  REDIAL_LATE_CAP_MS,
  RETRY_FLOOR_MS,
  TIE_BREAK_GRACE_MS,
} from '../../src/net/limits.ts'

describe('backoff', () => {
  test('doubles from the base to the cap and is spread over half of it', () => {
    const at = (count: number, random: number): number =>
      backoffMs(count, { baseMs: 100, capMs: 1_000, random: () => random })
    expect([0, 1, 2, 3, 4, 5, 6].map((count) => at(count, 1))).toEqual([0, 100, 200, 400, 800, 1_000, 1_000])
    expect([1, 2, 5].map((count) => at(count, 0))).toEqual([50, 100, 500])
    expect(at(100_000, 1)).toBe(1_000)
  })
})

describe('the dial plan', () => {
  const ADDRESS = '/ip4/10.0.0.1/tcp/4000'
  let nowMs = 0
  let plan: DialPlan
  beforeEach(() => {
    nowMs = 1_000
    plan = new DialPlan({ self: 'm', nowMs: () => nowMs, random: () => 0.5, parallelMax: 4 })
  })

  /** Lets time pass until something is due, and takes it. */
  function takeNext(): string[] {
    nowMs = Math.max(nowMs, plan.nextDueMs() ?? nowMs)
    return plan.take().map(({ key }) => key)
  }

  test('dials nobody while as many are connected as may be, and goes on when one is gone', () => {
    plan = new DialPlan({ self: 'm', nowMs: () => nowMs, random: () => 0.5, parallelMax: 4, connectedMax: 2 })
    for (const peer of ['a', 'b', 'c']) plan.discovered(peer, [`/ip4/10.0.0.1/tcp/400${peer.charCodeAt(0)}`])
    nowMs += 10_000
    const [first, second, ...more] = plan.take()
    expect([first?.kind, second?.kind, more]).toEqual(['peer', 'peer', []])
    expect(plan.nextDueMs()).toBeUndefined()
    for (const target of [first, second]) {
      plan.succeeded(target?.key ?? '', target?.peer ?? '')
      plan.connected(target?.peer ?? '')
    }
    nowMs += 600_000
    expect(plan.take()).toEqual([])
    plan.disconnected(first?.peer ?? '')
    nowMs += 10_000
    expect(plan.take()).toHaveLength(1)
  })

  test('a given address is due at once and once at a time', () => {
    plan.addAddress(ADDRESS)
    plan.addAddress(ADDRESS)
    expect(plan.take()).toEqual([{ key: `address ${ADDRESS}`, kind: 'address', peer: undefined, addresses: [ADDRESS] }])
    expect(plan.take()).toEqual([])
    expect(plan.nextDueMs()).toBeUndefined()
  })

  test('an address is dialled without an id once another node than the last one answers there, and one given with an id never', () => {
    plan.addAddress(ADDRESS)
    plan.addAddress('/ip4/10.0.0.2/tcp/4000', 'given')
    for (const { key, peer } of plan.take()) plan.succeeded(key, peer ?? 'first')
    plan.connected('first')
    plan.disconnected('first')
    nowMs += 10_000
    expect(plan.take().map(({ peer }) => peer)).toEqual(['first', 'given'])
    plan.failed(`address ${ADDRESS}`, 'other')
    plan.failed('address /ip4/10.0.0.2/tcp/4000', 'other')
    nowMs += REDIAL_LATE_CAP_MS
    expect(plan.take().map(({ peer }) => peer)).toEqual([undefined, 'given'])
  })

  test('what the records of seeds name is dialled as long as they name it, and tried for ever', () => {
    const [first, second] = ['/ip4/10.0.0.1/tcp/4000', '/ip4/10.0.0.2/tcp/4000']
    plan.seeded([{ address: first }, { address: second, peer: 'b' }])
    nowMs += TIE_BREAK_GRACE_MS
    expect(plan.take().map(({ kind, peer, addresses }) => ({ kind, peer, addresses }))).toEqual([
      { kind: 'seed', peer: undefined, addresses: [first] },
      { kind: 'seed', peer: 'b', addresses: [second] },
    ])
    plan.failed(`seed ${first}`, 'unreachable')
    plan.seeded([{ address: first }])
    plan.failed(`seed ${second}`, 'unreachable')
    for (let count = 0; count < 100; count += 1) {
      expect(takeNext()).toEqual([`seed ${first}`])
      plan.failed(`seed ${first}`, 'unreachable')
    }
    plan.seeded([])
    expect(plan.nextDueMs()).toBeUndefined()
  })

  test('of seeds, those that are connected already, this node itself and what the user gave are not dialled', () => {
    plan.addAddress(ADDRESS)
    plan.take()
    plan.seeded([
      { address: ADDRESS },
      { address: '/ip4/10.0.0.2/tcp/1', peer: 'm' },
      { address: '/ip4/10.0.0.3/tcp/1' },
    ])
    plan.connected('c')
    plan.listensAt('c', '/ip4/10.0.0.3/tcp/1')
    expect(plan.nextDueMs()).toBeUndefined()
    plan.disconnected('c')
    expect(takeNext()).toEqual(['seed /ip4/10.0.0.3/tcp/1'])
  })

  test('of many seeds no more are dialled than the full mesh has', () => {
    for (let index = 1; index < FULL_MESH_NODES_MAX; index += 1) plan.connected(`p${index}`)
    plan.seeded([{ address: ADDRESS }])
    expect(takeNext()).toHaveLength(1)
    plan.succeeded(`seed ${ADDRESS}`, 'last')
    plan.connected('last')
    plan.seeded([{ address: ADDRESS }, { address: '/ip4/10.0.0.9/tcp/4000' }])
    expect(plan.nextDueMs()).toBeUndefined()
    plan.disconnected('p1')
    expect(takeNext()).toEqual(['seed /ip4/10.0.0.9/tcp/4000'])
  })

  test('a given address that fails is tried for ever, ever more slowly up to the cap', () => {
    plan.addAddress(ADDRESS)
    const waitsMs: number[] = []
    for (let count = 0; count < 200; count += 1) {
      expect(takeNext()).toHaveLength(1)
      plan.failed(`address ${ADDRESS}`, 'unreachable')
      waitsMs.push((plan.nextDueMs() ?? 0) - nowMs)
    }
    expect(waitsMs[0]).toBe(REDIAL_BASE_MS * 0.75)
    expect(waitsMs[10]).toBe(REDIAL_CAP_MS * 0.75)
    expect(waitsMs.at(-1)).toBe(REDIAL_LATE_CAP_MS * 0.75)
    expect(nowMs).toBeGreaterThan(REDIAL_LATE_AFTER_MS)
  })

  test('whoever answered at an address is not dialled again while connected, and soon after it is gone', () => {
    plan.addAddress(ADDRESS)
    plan.take()
    plan.connected('x')
    plan.succeeded(`address ${ADDRESS}`, 'x')
    nowMs += 1_000_000
    expect(plan.take()).toEqual([])
    plan.disconnected('x')
    expect((plan.nextDueMs() ?? 0) - nowMs).toBeLessThan(TIE_BREAK_GRACE_MS)
    expect(takeNext()).toHaveLength(1)
  })

  test('of two peers that find each other the one with the smaller id dials first', () => {
    plan.discovered('z', [ADDRESS])
    plan.discovered('a', [ADDRESS])
    expect((plan.nextDueMs() ?? 0) - nowMs).toBe(DISCOVERY_SETTLE_MS)
    expect(takeNext()).toEqual(['peer z'])
    expect((plan.nextDueMs() ?? 0) - nowMs).toBe(TIE_BREAK_GRACE_MS)
    plan.connected('a')
    expect(plan.nextDueMs()).toBeUndefined()
  })

  test('a peer that is heard of again is tried soon, however often it failed', () => {
    plan.discovered('z', [ADDRESS])
    for (let count = 0; count < 10; count += 1) {
      takeNext()
      plan.failed('peer z', 'unreachable')
    }
    expect((plan.nextDueMs() ?? 0) - nowMs).toBeGreaterThan(1_000)
    expect(plan.discovered('z', ['/ip4/10.0.0.1/tcp/5000'])).toBe(true)
    expect((plan.nextDueMs() ?? 0) - nowMs).toBe(RETRY_FLOOR_MS)
    nowMs += RETRY_FLOOR_MS
    expect(plan.take()[0]?.addresses).toEqual(['/ip4/10.0.0.1/tcp/5000', ADDRESS])
    expect(plan.discovered('z', [ADDRESS])).toBe(false)
  })

  test('the same old file is no sign of life, and whoever refused us is not pressed', () => {
    for (const [code, isSignOfLife] of [
      ['unreachable', false],
      ['refused', true],
      ['secret-mismatch', true],
    ] as const) {
      const peer = `z ${code}`
      plan.discovered(peer, [ADDRESS])
      for (let count = 0; count < 10; count += 1) {
        takeNext()
        plan.failed(`peer ${peer}`, code)
      }
      const dueMs = plan.nextDueMs() ?? 0
      plan.discovered(peer, [ADDRESS], isSignOfLife)
      expect(plan.nextDueMs()).toBe(dueMs)
      plan.connected(peer)
    }
  })

  test('a discovered peer that fails and is not heard of is forgotten, a given address is not', () => {
    plan.addAddress(ADDRESS)
    plan.discovered('z', ['/ip4/10.0.0.2/tcp/4000'])
    for (const endMs = nowMs + FORGET_AFTER_MS + REDIAL_LATE_CAP_MS; nowMs < endMs;) {
      for (const key of takeNext()) plan.failed(key, 'unreachable')
    }
    expect(plan.addressesOf('z')).toEqual([])
    expect(takeNext()).toEqual([`address ${ADDRESS}`])
  })

  test('no more than the limit are dialled at the same time', () => {
    for (let index = 0; index < 10; index += 1) plan.addAddress(`/ip4/10.0.0.${index}/tcp/4000`)
    const taken = plan.take()
    expect(taken).toHaveLength(4)
    plan.failed(taken[0]?.key ?? '', 'unreachable')
    expect(plan.take()).toHaveLength(1)
  })

  test('with many peers only those that the degree policy wants are dialled, and others in place of the dead', () => {
    const many = new DialPlan({ self: 'm', nowMs: () => nowMs, random: () => 0.5, parallelMax: 1_000 })
    for (let index = 0; index < 50; index += 1) many.discovered(`peer ${index}`, [ADDRESS])
    nowMs += 10_000
    const first = many.take().map(({ key }) => key)
    expect(first.length).toBeLessThan(FULL_MESH_NODES_MAX)
    for (const key of first) many.failed(key, 'unreachable')
    nowMs += 1
    expect(
      many
        .take()
        .map(({ key }) => key)
        .filter((key) => first.includes(key)),
    ).toEqual([])
    expect(many.nextDueMs()).toBeDefined()
  })

  test('a peer that is sought is dialled however many others are known, until it is connected', () => {
    const many = new DialPlan({ self: 'm', nowMs: () => nowMs, random: () => 0.5, parallelMax: 1_000 })
    for (let index = 0; index < 50; index += 1) many.discovered(`peer ${index}`, [ADDRESS])
    nowMs += 10_000
    const first = new Set(many.take().map(({ peer }) => peer))
    const other = Array.from({ length: 50 }, (_, index) => `peer ${index}`).find((peer) => !first.has(peer)) ?? ''
    many.seek(other)
    expect(many.take().map(({ key }) => key)).toEqual([`peer ${other}`])
    many.connected(other)
    many.succeeded(`peer ${other}`, other)
    many.disconnected(other)
    nowMs += 10_000
    expect(many.take().map(({ key }) => key)).toEqual([])
  })

  test('no more peers are known than the limit, and a dead one makes room', () => {
    const many = new DialPlan({ self: 'm', nowMs: () => nowMs, random: () => 0.5, parallelMax: 1_000 })
    for (let index = 0; index < KNOWN_PEERS_MAX; index += 1) expect(many.discovered(`p${index}`, [ADDRESS])).toBe(true)
    expect(many.discovered('late', [ADDRESS])).toBe(false)
    nowMs += 10_000
    const [target] = many.take()
    many.failed(target?.key ?? '', 'unreachable')
    expect(many.discovered('late', [ADDRESS])).toBe(true)
    expect(many.addressesOf(target?.peer ?? '')).toEqual([])
  })

  test('this node itself is never dialled twice in a row, nor discovered', () => {
    expect(plan.discovered('m', [ADDRESS])).toBe(false)
    plan.addAddress(ADDRESS, 'm')
    expect(plan.nextDueMs()).toBeUndefined()
    plan.addAddress(ADDRESS)
    plan.take()
    plan.failed(`address ${ADDRESS}`, 'self')
    expect((plan.nextDueMs() ?? 0) - nowMs).toBeGreaterThanOrEqual(REDIAL_LATE_CAP_MS)
  })
})
