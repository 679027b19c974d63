import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Provider } from '../../src/net/dht.ts'
import { DHT_ALONE_CAP_MS, DHT_INTERVAL_MS, DHT_PROVIDERS_MAX, DHT_SETTLE_MS } from '../../src/net/limits.ts'
import { Rendezvous } from '../../src/net/rendezvous.ts'

describe('a rendezvous', () => {
  let isAlone: boolean
  let isKept: boolean
  let fails: boolean
  let there: readonly string[]
  let provided: number
  let found: string[]
  let rendezvous: Rendezvous

  beforeEach(() => {
    vi.useFakeTimers()
    isAlone = true
    isKept = true
    fails = false
    there = []
    provided = 0
    found = []
    rendezvous = new Rendezvous({
      provide: async () => {
        provided += 1
        if (fails) throw new Error('nobody answers')
        return isKept
      },
      async *providers(): AsyncIterable<Provider> {
        for (const peer of there) yield { peer, addresses: [] }
      },
      topics: () => ['t'],
      isAlone: () => isAlone,
      onFound: (_, { peer }) => found.push(peer),
      log: () => undefined,
    })
  })
  afterEach(() => {
    rendezvous.stop()
    vi.useRealTimers()
  })

  test('finds who is there, and looks again ever more seldom while nobody is, whatever fails', async () => {
    rendezvous.wake()
    await vi.advanceTimersByTimeAsync(DHT_SETTLE_MS)
    expect(provided).toBe(1)
    await vi.advanceTimersByTimeAsync(10_000)
    const early = provided
    expect(early).toBeGreaterThanOrEqual(3)
    fails = true
    await vi.advanceTimersByTimeAsync(10 * DHT_ALONE_CAP_MS)
    expect(provided - early).toBeGreaterThanOrEqual(10)
    expect(provided - early).toBeLessThanOrEqual(30)
    fails = false
    there = ['p']
    await vi.advanceTimersByTimeAsync(DHT_ALONE_CAP_MS)
    expect(found).toContain('p')
  })

  test('leaves word seldom while somebody of the topic is connected, and at once where none is any more', async () => {
    isAlone = false
    rendezvous.wake()
    await vi.advanceTimersByTimeAsync(DHT_INTERVAL_MS / 2)
    rendezvous.wake()
    await vi.advanceTimersByTimeAsync(DHT_SETTLE_MS)
    expect(provided).toBe(1)
    await vi.advanceTimersByTimeAsync(2 * DHT_INTERVAL_MS)
    expect(provided).toBe(3)
    isAlone = true
    rendezvous.wake()
    await vi.advanceTimersByTimeAsync(DHT_SETTLE_MS)
    expect(provided).toBe(4)
  })

  test('tries again soon while nobody keeps its word', async () => {
    isAlone = false
    isKept = false
    rendezvous.wake()
    await vi.advanceTimersByTimeAsync(10_000)
    expect(provided).toBeGreaterThanOrEqual(3)
    isKept = true
    await vi.advanceTimersByTimeAsync(DHT_ALONE_CAP_MS)
    const kept = provided
    await vi.advanceTimersByTimeAsync(DHT_INTERVAL_MS / 2)
    expect(provided).toBe(kept)
  })

  test('takes so many at one time and no more, and nothing once it is stopped', async () => {
    there = Array.from({ length: 2 * DHT_PROVIDERS_MAX }, (_, index) => `p${index}`)
    rendezvous.wake()
    await vi.advanceTimersByTimeAsync(DHT_SETTLE_MS)
    expect(found).toHaveLength(DHT_PROVIDERS_MAX)
    rendezvous.stop()
    rendezvous.wake()
    await vi.advanceTimersByTimeAsync(DHT_INTERVAL_MS)
    expect(provided).toBe(1)
  })
})
