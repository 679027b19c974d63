import { describe, expect, it } from 'vitest'
import type { BlockHash, LogKey } from '../../../src/log/block.ts'
import { Asking } from '../../../src/sync/delivery/asking.ts'
import { Holdings } from '../../../src/sync/delivery/holdings.ts'
import {
  ASKED_LOGS_MAX,
  ASKERS_MAX,
  HOLDINGS_LOGS_MAX,
  REPLAY_WINDOW,
  UNPROVEN_MAX,
} from '../../../src/sync/delivery/limits.ts'
import type { HeldLog, Receipt, Want } from '../../../src/sync/delivery/message.ts'
import { NewestNumbers, OwnNumbers } from '../../../src/sync/delivery/numbers.ts'
import { Wants } from '../../../src/sync/delivery/wants.ts'
import { openMemoryStore } from '../../../src/store/memory.ts'
import { VirtualTime } from '../../../src/testing/virtual-time.ts'
import { logOf, NAMESPACE, signer } from '../../support/blocks.ts'

const log = logOf(20)
const [PEER, OTHER] = [signer(2).id, signer(3).id]

function at(seq: number, hash = log.blocks[seq]?.hash): HeldLog {
  return { log: log.key, seq, hash: hash ?? ('?' as BlockHash) }
}

function receipt(held: HeldLog, peer = PEER, durability: Receipt['durability'] = 'process'): Receipt {
  return { kind: 'receipt', namespace: NAMESPACE, peer, number: 1, durability, held: [held] }
}

function want(fields: Partial<Want>): Want {
  return {
    kind: 'want',
    namespace: NAMESPACE,
    peer: PEER,
    number: 1,
    forMs: 1_000,
    holders: [],
    all: false,
    logs: [],
    ...fields,
  }
}

describe('holdings', () => {
  let length = 10
  const holdings = (): Holdings => {
    length = 10
    return new Holdings((of, seq) => (of === log.key && seq < length ? log.blocks[seq]?.hash : undefined))
  }

  it('count a holder for all blocks up to the one that it names', () => {
    const all = holdings()
    all.take(receipt(at(5)))
    expect(all.holdersOf(log.key, 0)).toEqual([{ peer: PEER, durability: 'process' }])
    expect(all.holdersOf(log.key, 5)).toHaveLength(1)
    expect(all.holdersOf(log.key, 6)).toEqual([])
  })

  it('keep the furthest word of each, in whatever order it comes, and its durability', () => {
    const all = holdings()
    for (const seq of [3, 7, 2]) all.take(receipt(at(seq)))
    all.take(receipt(at(7), OTHER, 'disk'))
    expect(all.holdersOf(log.key, 7)).toEqual([
      { peer: PEER, durability: 'process' },
      { peer: OTHER, durability: 'disk' },
    ])
  })

  it('do not count a hash that is not the one here, and forget no better word for it', () => {
    const all = holdings()
    all.take(receipt(at(4)))
    all.take(receipt(at(6, 'f'.repeat(52) as BlockHash)))
    expect(all.holdersOf(log.key, 4)).toHaveLength(1)
    expect(all.holdersOf(log.key, 5)).toEqual([])
  })

  it('count what is not here yet once it is', () => {
    const all = holdings()
    all.take(receipt(at(12)))
    expect(all.holdersOf(log.key, 9)).toEqual([])
    length = 13
    expect(all.holdersOf(log.key, 9)).toHaveLength(1)
  })

  it('keep few words about what is not here, the newest among them', () => {
    const all = holdings()
    for (let seq = 11; seq < 20; seq++) all.take(receipt(at(seq)))
    all.take(receipt(at(1_000_000_000)))
    all.take(receipt(at(19)))
    length = 11 + UNPROVEN_MAX - 1
    expect(all.holdersOf(log.key, 11 + UNPROVEN_MAX - 2)).toHaveLength(1)
    length = 20
    expect(all.holdersOf(log.key, 19)).toHaveLength(1)
  })

  it('forget the log longest untouched past their limit', () => {
    const all = holdings()
    all.take(receipt(at(5)))
    for (let index = 0; index < HOLDINGS_LOGS_MAX; index++) {
      all.take(receipt({ log: `other ${index}` as LogKey, seq: 0, hash: '?' as BlockHash }))
    }
    expect(all.holdersOf(log.key, 0)).toEqual([])
  })
})

describe('wants', () => {
  it('hold until they are over, and each asker’s by itself', () => {
    const wants = new Wants()
    wants.take(want({ logs: [{ log: log.key, seq: 0 }] }), 0)
    wants.take(want({ peer: OTHER, all: true, forMs: 500 }), 0)
    expect(wants.isAsked('x/y' as LogKey, 499)).toBe(true)
    expect(wants.isAsked('x/y' as LogKey, 500)).toBe(false)
    expect(wants.isAsked(log.key, 999)).toBe(true)
    expect(wants.isAnyLeft(999)).toBe(true)
    expect(wants.isAnyLeft(1_000)).toBe(false)
  })

  it('of many askers and logs are forgotten, those over first', () => {
    const wants = new Wants()
    wants.take(want({ all: true, forMs: 1 }), 0)
    for (let index = 0; index < ASKERS_MAX; index++) {
      wants.take(want({ peer: signer(100 + index).id, logs: [{ log: log.key, seq: 0 }] }), 0)
    }
    expect(wants.isAsked('x/y' as LogKey, 0)).toBe(false)
    expect(wants.isAsked(log.key, 0)).toBe(true)
    const few = new Wants()
    for (let index = 0; index <= ASKED_LOGS_MAX; index++)
      few.take(want({ logs: [{ log: `${index}` as LogKey, seq: 0 }] }), 0)
    expect(few.isAsked('0' as LogKey, 0)).toBe(false)
    expect(few.isAsked('1' as LogKey, 0)).toBe(true)
  })
})

describe('numbers', () => {
  it('rise over restarts, though the clock is set back', async () => {
    await using store = openMemoryStore()
    const first = new OwnNumbers(store, 'numbers', 1_000_000)
    const given = [first.next(), first.next()]
    const second = new OwnNumbers(store, 'numbers', 5)
    given.push(second.next(), second.next())
    expect(given).toEqual([...given].sort((a, b) => a - b))
    expect(new Set(given).size).toBe(4)
  })

  it('tell a replay from what gossip has reordered', () => {
    const newest = new NewestNumbers()
    expect(newest.isNews(PEER, 0)).toBe(true)
    newest.note(PEER, 1_000)
    expect(newest.isNews(PEER, 1_000 - REPLAY_WINDOW)).toBe(false)
    expect(newest.isNews(PEER, 1_001 - REPLAY_WINDOW)).toBe(true)
    expect(newest.isNews(OTHER, 0)).toBe(true)
  })
})

describe('asking', () => {
  function asking(): { time: VirtualTime; asked: Asking; sent: Pick<Want, 'holders' | 'all' | 'logs'>[] } {
    const time = new VirtualTime(0)
    const sent: Pick<Want, 'holders' | 'all' | 'logs'>[] = []
    const asked = new Asking({
      self: signer(1).id,
      steadyMs: () => time.nowMs(),
      schedule: (delayMs, run) => time.schedule(delayMs, run),
      send: ({ holders, all, logs }) => sent.push({ holders, all, logs }),
      upcoming: () => [],
    })
    return { time, asked, sent }
  }
  const from = () => [PEER, OTHER]

  it('asks once for what many wait for, and no more once none does', async () => {
    const { time, asked, sent } = asking()
    const open = Array.from({ length: 100 }, (_, seq) => {
      const question = asked.open({ from, all: false })
      question.need(log.key, seq)
      return question
    })
    await time.advance(10)
    expect(sent).toEqual([{ holders: [PEER, OTHER], all: false, logs: [{ log: log.key, seq: 99 }] }])
    for (const question of open) question.close()
    await time.advance(60_000)
    expect(sent).toHaveLength(1)
  })

  it('asks nothing for what is told of already', async () => {
    const { time, asked, sent } = asking()
    const first = asked.open({ from, all: false })
    first.need(log.key, 1)
    await time.advance(10)
    first.close()
    const second = asked.open({ from, all: false })
    second.need(log.key, 2)
    await time.advance(100)
    expect(sent).toHaveLength(1)
  })

  it('asks again, less and less often, as long as it waits', async () => {
    const { time, asked, sent } = asking()
    asked.open({ from, all: false }).need(log.key, 1)
    await time.advance(60_000)
    expect(sent.length).toBeGreaterThan(10)
    expect(sent.length).toBeLessThan(25)
  })

  it('asks more holders than one question names by several, and never itself', async () => {
    const { time, asked, sent } = asking()
    const many = [signer(1).id, ...Array.from({ length: 100 }, (_, index) => signer(200 + index).id)]
    asked.open({ from: () => many, all: true })
    await time.advance(10)
    expect(sent.map(({ holders }) => holders.length)).toEqual([64, 36])
    expect(sent.flatMap(({ holders }) => holders)).not.toContain(signer(1).id)
  })
})
