import { describe, expect, test } from 'vitest'
import { Watchdog } from '../../src/net/watchdog.ts'

describe('the watchdog', () => {
  const peers = (hears: boolean): { peer: string; hears: boolean }[] => [{ peer: 'x', hears }]

  test('a peer that hears is left alone', () => {
    const watchdog = new Watchdog(100)
    for (let nowMs = 0; nowMs < 1_000; nowMs += 50) expect(watchdog.look(peers(true), nowMs)).toEqual([])
  })

  test('a deaf peer is identified anew once, then closed', () => {
    const watchdog = new Watchdog(100)
    const before = [0, 50, 100, 150].map((nowMs) => watchdog.look(peers(false), nowMs))
    expect(before).toEqual([[], [], [{ kind: 'identify', peer: 'x' }], []])
    watchdog.identified('x', 150)
    const after = [200, 250, 300].map((nowMs) => watchdog.look(peers(false), nowMs))
    expect(after).toEqual([[], [{ kind: 'close', peer: 'x' }], []])
  })

  test('a peer that is slow to be identified is not closed meanwhile', () => {
    const watchdog = new Watchdog(100)
    for (let nowMs = 0; nowMs <= 1_000; nowMs += 100) {
      expect(watchdog.look(peers(false), nowMs).map(({ kind }) => kind)).not.toContain('close')
    }
    watchdog.identified('x', 1_000)
    watchdog.look(peers(true), 1_050)
    expect(watchdog.look(peers(false), 1_100)).toEqual([])
  })

  test('a peer that never hears is closed ever more rarely, and as soon as any other once it has heard', () => {
    const watchdog = new Watchdog(100)
    let nowMs = 0
    const closedAfterMs = (): number => {
      const sinceMs = nowMs
      while (!watchdog.look(peers(false), nowMs).some(({ kind }) => kind === 'close')) {
        watchdog.identified('x', nowMs)
        nowMs += 100
      }
      watchdog.look([], nowMs)
      return nowMs - sinceMs
    }
    const waitsMs = Array.from({ length: 9 }, closedAfterMs)
    expect(waitsMs).toEqual([200, 400, 800, 1_600, 3_200, 6_400, 12_800, 12_800, 12_800])
    watchdog.look(peers(true), nowMs)
    expect(closedAfterMs()).toBe(200)
  })

  test('a peer that hears again, or comes back, starts from the beginning', () => {
    const watchdog = new Watchdog(100)
    watchdog.look(peers(false), 0)
    watchdog.look(peers(true), 90)
    expect(watchdog.look(peers(false), 150)).toEqual([])
    watchdog.look([], 160)
    expect(watchdog.look(peers(false), 260)).toEqual([])
    expect(watchdog.look(peers(false), 360)).toEqual([{ kind: 'identify', peer: 'x' }])
  })
})
