import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FUTURE_MS_MAX } from '../../src/delta/clock.ts'
import type { FrontierEntry } from '../../src/log/frontier.ts'
import type { BlockHash, Header, LogKey } from '../../src/log/block.ts'
import { createMemoryDisk, openMemoryStore } from '../../src/store/memory.ts'
import { Contacts, type ContactResult } from '../../src/sync/contacts.ts'
import { FutureBlocks } from '../../src/sync/future-blocks.ts'
import { type Arrival, GapBuffer } from '../../src/sync/gap-buffer.ts'
import { Inbox } from '../../src/sync/inbox.ts'
import { KnownHeads } from '../../src/sync/known-heads.ts'
import {
  FUTURE_LOGS_MAX,
  GAP_BLOCKS_PER_LOG_MAX,
  GAP_BYTES_MAX,
  HEAD_BLOCKS_COUNTED_MAX,
  HEADS_REVIEWED,
  INBOX_BYTES_MAX,
  KNOWN_HEADS_PER_PEER_MAX,
  MISSES_MAX,
  ORPHANED_HEAD_MS,
  PASS_OVER_MS,
  PASSED_OVER_MAX,
  RESERVATION_IDLE_MS,
  RESERVATION_MS_MAX,
  SYNCED_PEERS_MAX,
} from '../../src/sync/limits.ts'
import { PassedOver } from '../../src/sync/passed-over.ts'
import { Reservations } from '../../src/sync/reservations.ts'
import { sameStatus, statusOf } from '../../src/sync/status.ts'
import { SyncedPeers } from '../../src/sync/synced-peers.ts'
import { wantOf } from '../../src/sync/want.ts'
import { logId, logOf, NAMESPACE, runOf, START_MS, type TestLog } from '../support/blocks.ts'
import type { Token } from '../../src/sync/wire.ts'
import { VirtualTime } from '../../src/testing/virtual-time.ts'

const log = logOf(40)
const { key } = log

function arrival(seq: number, of: TestLog = log, sizeBytes = 100): Arrival {
  return { log: of.key, run: runOf(...of.blocks.slice(seq, seq + 1)), from: 'peer', sizeBytes }
}

function seqOf(taken: Arrival | undefined): number | undefined {
  return taken?.run.blocks[0].header.seq
}

describe('the gap buffer', () => {
  it('gives out what can follow, in any order of arrival', () => {
    const gaps = new GapBuffer()
    for (const seq of [5, 3, 4]) expect(gaps.add(arrival(seq))).toBe(true)
    expect(seqOf(gaps.take(key, 2))).toBeUndefined()
    expect([3, 4, 5].map((seq) => seqOf(gaps.take(key, seq)))).toEqual([3, 4, 5])
    expect([gaps.has(key), gaps.sizeBytes]).toEqual([false, 0])
  })

  it('drops what is held by now', () => {
    const gaps = new GapBuffer()
    for (const seq of [3, 4]) gaps.add(arrival(seq))
    expect(gaps.take(key, 10)).toBeUndefined()
    expect(gaps.sizeBytes).toBe(0)
  })

  it('keeps 16 runs of a log and no duplicate', () => {
    const gaps = new GapBuffer()
    expect([gaps.add(arrival(3)), gaps.add(arrival(3))]).toEqual([true, false])
    for (let seq = 4; seq < 3 + GAP_BLOCKS_PER_LOG_MAX; seq++) expect(gaps.add(arrival(seq))).toBe(true)
    expect(gaps.add(arrival(30))).toBe(false)
  })

  it('keeps 8 MiB in all and drops the log that waits longest', () => {
    const gaps = new GapBuffer()
    const other = logOf(3, { logId: logId(2) })
    gaps.add(arrival(3))
    gaps.add(arrival(2, other, GAP_BYTES_MAX - 50))
    expect([gaps.has(key), gaps.has(other.key)]).toEqual([false, true])
    expect(gaps.sizeBytes).toBeLessThanOrEqual(GAP_BYTES_MAX)
    expect(gaps.add(arrival(9, log, GAP_BYTES_MAX + 1))).toBe(false)
  })
})

describe('the inbox', () => {
  function opened(): { inbox: Inbox; batches: number[][]; time: VirtualTime } {
    const batches: number[][] = []
    const time = new VirtualTime(START_MS)
    const commit = (arrivals: readonly Arrival[]): void => void batches.push(arrivals.map((each) => seqOf(each) ?? -1))
    return { inbox: new Inbox({ commit, schedule: (delayMs, run) => time.schedule(delayMs, run) }), batches, time }
  }

  it('commits the first at once, and gathers what follows within a moment', async () => {
    const { inbox, batches, time } = opened()
    inbox.add(arrival(0))
    await Promise.resolve()
    expect(batches).toEqual([[0]])
    for (const seq of [1, 2, 3]) inbox.add(arrival(seq))
    await Promise.resolve()
    expect(batches).toEqual([[0]])
    await time.advance(2)
    expect(batches).toEqual([[0], [1, 2, 3]])
    await time.advance(10)
    inbox.add(arrival(4))
    await Promise.resolve()
    expect(batches.at(-1)).toEqual([4])
  })

  it('tells where a log will be when it is empty', async () => {
    const { inbox } = opened()
    inbox.add(arrival(0))
    inbox.add(arrival(1))
    expect(inbox.tail(key)).toEqual({ seq: 1, hash: log.blocks[1]?.hash })
    await Promise.resolve()
    expect(inbox.tail(key)).toBeUndefined()
  })

  it('drops what does not fit, and takes more when it is empty again', async () => {
    const { inbox, batches } = opened()
    expect(inbox.add(arrival(0, log, INBOX_BYTES_MAX))).toBe(true)
    expect(inbox.add(arrival(1))).toBe(false)
    await Promise.resolve()
    expect(inbox.add(arrival(1))).toBe(true)
    expect(batches).toEqual([[0]])
  })

  it('commits nothing after it is closed', async () => {
    const { inbox, batches } = opened()
    inbox.add(arrival(0))
    inbox.close()
    await Promise.resolve()
    expect([inbox.add(arrival(1)), batches]).toEqual([false, []])
  })
})

describe('known heads', () => {
  function knowing(held: FrontierEntry | undefined): KnownHeads {
    return new KnownHeads(() => held)
  }

  it('count what is lacked, each log once, and name who showed it', () => {
    const known = knowing({ log: key, seq: 2 })
    known.note(key, 5, 'a')
    known.note(key, 9, 'b')
    known.note(key, 4, 'c')
    expect(known.lacked(0)).toEqual({ blocks: 7, peers: ['b'] })
    expect([known.lackedFrom('a'), known.lackedFrom('b'), known.lacks(key)]).toEqual([0, 7, true])
  })

  it('count nothing that is held, or void', () => {
    const known = knowing({ log: key, seq: 2, cut: 4 })
    known.note(key, 9, 'a')
    expect(known.lacked(0)).toEqual({ blocks: 1, peers: ['a'] })
    const all = knowing({ log: key, seq: 9 })
    all.note(key, 9, 'a')
    expect(all.lacked(0)).toEqual({ blocks: 0, peers: [] })
  })

  it('do not count for a peer that does not serve them', () => {
    const known = knowing(undefined)
    known.note(key, 9, 'a')
    known.distrust(key, 'a')
    expect(known.lacked(0).blocks).toBe(0)
  })

  it('do not count for ever when complete syncs with who showed them do not bring them', () => {
    const known = knowing(undefined)
    known.note(key, Number.MAX_SAFE_INTEGER - 1, 'a')
    for (let sync = 1; sync < MISSES_MAX; sync++) known.missed('a')
    expect(known.lacked(0).blocks).toBeGreaterThan(0)
    known.missed('b')
    expect(known.lacked(0).blocks).toBeGreaterThan(0)
    known.missed('a')
    expect(known.lacked(0).blocks).toBe(0)
  })

  it('that say they are endless count as a million blocks', () => {
    const known = knowing(undefined)
    known.note(key, 2 ** 50, 'a')
    expect(known.lacked(0)).toEqual({ blocks: HEAD_BLOCKS_COUNTED_MAX, peers: ['a'] })
  })

  it('are bounded for each peer, so that none leaves no room for the others', () => {
    const known = knowing(undefined)
    for (let index = 0; index < 2 * KNOWN_HEADS_PER_PEER_MAX; index++) known.note(`log ${index}` as LogKey, 0, 'a')
    known.note(key, 4, 'b')
    expect([known.lackedFrom('a'), known.lackedFrom('b')]).toEqual([KNOWN_HEADS_PER_PEER_MAX, 5])
  })

  it('look at a bounded number of logs whenever they are counted, and see in turn what came in any way', () => {
    const held = new Map<LogKey, FrontierEntry>()
    let asked = 0
    const known = new KnownHeads((of) => {
      asked++
      return held.get(of)
    })
    const logs = Array.from({ length: 1_000 }, (_, index) => `log ${index}` as LogKey)
    for (const each of logs) known.note(each, 9, 'a')
    for (const each of logs) held.set(each, { log: each, seq: 9 })
    asked = 0
    expect(known.lacked(0).blocks).toBe(10 * (1_000 - HEADS_REVIEWED))
    expect(asked).toBe(HEADS_REVIEWED)
    for (const each of logs.slice(HEADS_REVIEWED, 500)) known.met(each)
    for (let round = 0; round < 500 / HEADS_REVIEWED; round++) known.lacked(0)
    expect([known.lacked(0), known.lackedFrom('a')]).toEqual([{ blocks: 0, peers: [] }, 0])
  })

  it('leave sums that are nothing when they are gone, whatever happened to them before', () => {
    const peer = fc.constantFrom('a', 'b', 'c')
    const of = fc.constantFrom(...['x', 'y', 'z'].map((text) => text as LogKey))
    const happening = fc.oneof(
      fc.record({ kind: fc.constant('note' as const), of, peer, seq: fc.nat(9) }),
      fc.record({ kind: fc.constant('hold' as const), of, seq: fc.nat(9) }),
      fc.record({ kind: fc.constant('distrust' as const), of, peer }),
      fc.record({ kind: fc.constant('missed' as const), peer }),
      fc.record({ kind: fc.constant('left' as const), peer }),
    )
    fc.assert(
      fc.property(fc.array(happening, { maxLength: 40 }), (happenings) => {
        const held = new Map<LogKey, FrontierEntry>()
        const known = new KnownHeads((each) => held.get(each))
        for (const happens of happenings) {
          if (happens.kind === 'note') known.note(happens.of, happens.seq, happens.peer)
          if (happens.kind === 'hold') held.set(happens.of, { log: happens.of, seq: happens.seq })
          if (happens.kind === 'distrust') known.distrust(happens.of, happens.peer)
          if (happens.kind === 'missed') known.missed(happens.peer)
          if (happens.kind === 'left') known.peerLeft(happens.peer, 0)
        }
        const { blocks, peers } = known.lacked(0)
        for (const each of ['a', 'b', 'c']) expect(peers.includes(each)).toBe(known.lackedFrom(each) > 0)
        for (const each of peers) expect(known.lackedFrom(each)).toBeLessThanOrEqual(blocks)
        known.lacked(ORPHANED_HEAD_MS + 1)
        for (const each of ['a', 'b', 'c']) known.peerLeft(each, 0)
        expect(known.lacked(ORPHANED_HEAD_MS + 1)).toEqual({ blocks: 0, peers: [] })
      }),
    )
  })

  it('are remembered a while after who showed them has left', () => {
    const known = knowing(undefined)
    known.note(key, 0, 'a')
    known.peerLeft('a', 1_000)
    expect(known.lacked(1_000 + ORPHANED_HEAD_MS)).toEqual({ blocks: 1, peers: [] })
    expect(known.lacked(1_001 + ORPHANED_HEAD_MS).blocks).toBe(0)
  })
})

describe('logs that are passed over', () => {
  it('are so for a while that doubles, for that peer alone, until it serves', () => {
    const passed = new PassedOver()
    passed.note('a', key, 0)
    expect([
      passed.has('a', key, PASS_OVER_MS - 1),
      passed.has('b', key, 0),
      passed.has('a', key, PASS_OVER_MS),
    ]).toEqual([true, false, false])
    passed.note('a', key, PASS_OVER_MS)
    expect(passed.has('a', key, 3 * PASS_OVER_MS - 1)).toBe(true)
    passed.forgive('a', key)
    expect(passed.has('a', key, PASS_OVER_MS)).toBe(false)
  })

  it('are bounded: the oldest is forgotten', () => {
    const passed = new PassedOver()
    for (let index = 0; index <= PASSED_OVER_MAX; index++) passed.note('a', `log ${index}` as LogKey, 0)
    expect([passed.has('a', 'log 0' as LogKey, 1), passed.has('a', 'log 1' as LogKey, 1)]).toEqual([false, true])
  })
})

describe('how far we got with a peer', () => {
  const token = (position: number): Token => ({ instance: 'ab'.repeat(16), position })

  it('is kept across restarts, and replaced', () => {
    const store = openMemoryStore()
    const synced = new SyncedPeers(store, NAMESPACE)
    synced.note('a', token(1))
    synced.note('b', token(2))
    synced.note('a', token(3))
    for (const each of [synced, new SyncedPeers(store, NAMESPACE)]) {
      expect([each.since('a'), each.since('b'), each.since('c')]).toEqual([token(3), token(2), undefined])
    }
  })

  it('is kept of the newest peers alone, in a bounded number of notes', () => {
    const store = openMemoryStore()
    const synced = new SyncedPeers(store, NAMESPACE)
    for (let peer = 0; peer < SYNCED_PEERS_MAX; peer++) synced.note(`peer ${peer}`, token(peer))
    synced.note('peer 0', token(1_000))
    synced.note('another', token(7))
    for (const each of [synced, new SyncedPeers(store, NAMESPACE)]) {
      expect([each.since('peer 0'), each.since('peer 1'), each.since('another')]).toEqual([
        token(1_000),
        undefined,
        token(7),
      ])
    }
  })

  it('counts for nothing in another life of the store, or when it cannot be read', () => {
    const store = openMemoryStore()
    new SyncedPeers(store, NAMESPACE).note('a', token(1))
    const other = openMemoryStore()
    other.setNote(`synced/${NAMESPACE}/0`, store.note(`synced/${NAMESPACE}/0`))
    other.setNote(`synced/${NAMESPACE}/1`, 'something else')
    const synced = new SyncedPeers(other, NAMESPACE)
    expect(synced.since('a')).toBeUndefined()
    synced.note('b', token(2))
    expect(new SyncedPeers(other, NAMESPACE).since('b')).toEqual(token(2))
  })

  it('is not known when it could not be noted', () => {
    const disk = createMemoryDisk()
    const synced = new SyncedPeers(openMemoryStore({ disk }), NAMESPACE)
    disk.fault = 'full'
    synced.note('a', token(1))
    expect(synced.since('a')).toBeUndefined()
    disk.fault = 'none'
    synced.note('a', token(1))
    expect(synced.since('a')).toEqual(token(1))
  })
})

describe('blocks of the future', () => {
  const headerAt = (ms: number, id = 1): Header => ({
    ...(log.blocks[0]?.header as Header),
    logId: logId(id),
    time: { ms, counter: 0 },
  })

  it('are due when the clock admits them, the earliest of each log', () => {
    const future = new FutureBlocks()
    expect([
      future.note(headerAt(9_000_000)),
      future.note(headerAt(8_000_000)),
      future.note(headerAt(8_500_000)),
    ]).toEqual([true, false, false])
    expect(future.nextDueMs()).toBe(8_000_000 - FUTURE_MS_MAX)
    expect([future.takeDue(8_000_000 - FUTURE_MS_MAX - 1), future.takeDue(8_000_000 - FUTURE_MS_MAX)]).toEqual([
      false,
      true,
    ])
    expect(future.nextDueMs()).toBeUndefined()
  })

  it('are remembered for a bounded number of logs', () => {
    const future = new FutureBlocks()
    for (let id = 0; id < FUTURE_LOGS_MAX; id++) future.note(headerAt(9_000_000, id))
    expect(future.note(headerAt(1_000_000, FUTURE_LOGS_MAX))).toBe(false)
    expect(future.nextDueMs()).toBe(9_000_000 - FUTURE_MS_MAX)
  })
})

describe('a reservation', () => {
  const [one, two] = [{}, {}]

  it('is one holder’s until it is released, by that holder', () => {
    const reservations = new Reservations()
    const reserved = [one, two, one].map((holder) => reservations.reserve(key, holder, 0))
    expect(reserved).toEqual([true, false, true])
    reservations.release(key, two)
    expect(reservations.reserve(key, two, 0)).toBe(false)
    reservations.release(key, one)
    expect(reservations.reserve(key, two, 0)).toBe(true)
  })

  it('lapses when nothing comes, and after some time even if something does', () => {
    const reservations = new Reservations()
    reservations.reserve(key, one, 0)
    reservations.renew(key, one, RESERVATION_IDLE_MS - 1)
    reservations.renew(key, two, 2 * RESERVATION_IDLE_MS)
    expect(reservations.reserve(key, two, RESERVATION_IDLE_MS)).toBe(false)
    expect(reservations.reserve(key, two, 2 * RESERVATION_IDLE_MS)).toBe(true)
    for (let ms = 0; ms < RESERVATION_MS_MAX; ms += 1_000) reservations.renew(key, two, 2 * RESERVATION_IDLE_MS + ms)
    expect(reservations.reserve(key, one, 2 * RESERVATION_IDLE_MS + RESERVATION_MS_MAX)).toBe(true)
  })
})

describe('contacts', () => {
  function opened(results: ContactResult[]): { contacts: Contacts; times: number[]; time: VirtualTime } {
    const time = new VirtualTime(0)
    const times: number[] = []
    const contacts = new Contacts({
      schedule: (delayMs, run) => time.schedule(delayMs, run),
      nowMs: () => time.nowMs(),
      random: () => 0.5,
      intervalMs: 10_000,
      sync: async () => {
        times.push(time.nowMs())
        return results.shift() ?? 'complete'
      },
    })
    return { contacts, times, time }
  }

  it('come once in an interval while all is well', async () => {
    const { contacts, times, time } = opened([])
    contacts.add('a', 5)
    await time.advance(30_000)
    expect(times).toEqual([5, 10_005, 20_005])
  })

  it('come again soon while something is lacking, and ever later while nothing comes of it', async () => {
    const { contacts, times, time } = opened(['progressed', 'stuck', 'failed', 'failed'])
    contacts.add('a', 0)
    await time.advance(2_000)
    expect(times).toEqual([0, 125, 375, 875, 1_875])
  })

  it('come at once on need, also when one is under way', async () => {
    const { contacts, times, time } = opened([])
    contacts.add('a', 0)
    await time.advance(100)
    expect([contacts.soon('a', 0), contacts.soon('b', 0)]).toEqual([true, false])
    await time.advance(100)
    expect(times).toEqual([0, 100])
  })

  it('are put off by a session that the peer opened', async () => {
    const { contacts, times, time } = opened([])
    contacts.add('a', 300)
    await time.advance(100)
    contacts.met('a')
    await time.advance(9_000)
    expect(times).toEqual([])
  })

  it('end with the peer', async () => {
    const { contacts, times, time } = opened([])
    contacts.add('a', 100)
    contacts.remove('a')
    contacts.add('b', 100)
    contacts.close()
    await time.advance(60_000)
    expect(times).toEqual([])
  })
})

describe('the status', () => {
  const nothing = { blocks: 0, peers: [] }
  const base = { full: false, peers: [], lacked: nothing, freshAfterMs: 100 }

  it('says the worst that is true', () => {
    const synced = { peer: 'a', inSyncAtMs: 150 }
    const lacked = { blocks: 3, peers: ['a'] }
    expect(statusOf({ ...base, full: true, peers: [synced] }).kind).toBe('full')
    expect(statusOf(base).kind).toBe('alone')
    expect(statusOf({ ...base, lacked }).kind).toBe('alone')
    expect(statusOf({ ...base, peers: [synced], lacked })).toEqual({ kind: 'behind', ...lacked })
    expect(statusOf({ ...base, peers: [{ peer: 'a' }] }).kind).toBe('looking')
    expect(statusOf({ ...base, peers: [{ peer: 'a', inSyncAtMs: 99 }] }).kind).toBe('looking')
    expect(statusOf({ ...base, peers: [synced, { peer: 'b' }, { peer: 'c', inSyncAtMs: 120 }] })).toEqual({
      kind: 'in-sync',
      peers: ['a', 'c'],
      asOfMs: 120,
    })
  })

  it('changes when an observer would see a difference', () => {
    expect(sameStatus({ kind: 'behind', blocks: 1, peers: [] }, { kind: 'behind', blocks: 2, peers: [] })).toBe(false)
    expect(sameStatus({ kind: 'in-sync', peers: ['a'], asOfMs: 1 }, { kind: 'in-sync', peers: ['a'], asOfMs: 9 })).toBe(
      true,
    )
    expect(
      sameStatus({ kind: 'in-sync', peers: ['a'], asOfMs: 1 }, { kind: 'in-sync', peers: ['a', 'b'], asOfMs: 1 }),
    ).toBe(false)
    expect(sameStatus({ kind: 'alone' }, { kind: 'looking' })).toBe(false)
  })
})

describe('what is wanted of a log', () => {
  const hash = (text: string): BlockHash => text as BlockHash
  const at = (seq: number, text = 'x', cut?: number): FrontierEntry => ({
    log: key,
    seq,
    hash: hash(text),
    ...(cut === undefined ? {} : { cut }),
  })

  it.each<[string, FrontierEntry | undefined, FrontierEntry, object | undefined]>([
    ['an unknown log', undefined, at(3), { log: key, fromSeq: 0 }],
    ['a log that goes on', at(1), at(3), { log: key, fromSeq: 2 }],
    ['a shorter log', at(3), at(1), undefined],
    ['the same', at(3), at(3), undefined],
    ['another head of the same number', at(3), at(3, 'y'), { log: key, fromSeq: 3 }],
    ['blocks past our cut', at(3, 'x', 4), at(9), undefined],
    ['blocks past the peer’s cut', at(3), { log: key, seq: 9, hash: hash('y'), cut: 4 }, { log: key, fromSeq: 4 }],
    ['a lower cut than ours', at(3, 'x', 4), at(1, 'y', 2), { log: key, fromSeq: 2, cut: 4 }],
    ['a higher cut than ours', at(1, 'x', 2), at(3, 'y', 4), undefined],
    ['a log that is void from its beginning', undefined, { log: key, cut: 0 }, { log: key, fromSeq: 0 }],
    ['the blocks before a common cut', at(1, 'x', 4), at(3, 'x', 4), { log: key, fromSeq: 2, cut: 4 }],
  ])('for %s', (_, held, claimed, want) => {
    expect(wantOf(held, claimed)).toEqual(want)
  })
})
