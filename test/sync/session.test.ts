import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { lengthOf } from '../../src/log/frontier.ts'
import { logId, logOf, NAMESPACE, signer, TestLog } from '../support/blocks.ts'
import { exchange, NOW_MS, Side } from './pair.ts'

const ORIGINS = 6
const LENGTH = 12
/** Logs that tests take pieces of. */
const logs = Array.from({ length: ORIGINS }, (_, index) =>
  logOf(LENGTH, { signer: signer(index + 1), logId: logId(index + 1) }),
)

function bothFinished({ initiator, responder }: ReturnType<typeof exchange>): boolean {
  return initiator.finished && responder.finished
}

describe('a sync session', () => {
  it('ends in one round trip when both hold the same', () => {
    const [a, b] = [new Side('a'), new Side('b')]
    for (const side of [a, b]) side.give(...logs.map((log) => log.run()))
    const result = exchange(a, b)
    expect(result.kinds).toEqual(['hello', 'hello'])
    expect(bothFinished(result)).toBe(true)
    expect(result.initiator.result.complete).toBe(true)
  })

  it('ends in one round trip when both hold nothing', () => {
    expect(exchange(new Side('a'), new Side('b')).kinds).toEqual(['hello', 'hello'])
  })

  it('leaves both with the union of what they held, whatever that was', () => {
    const held = fc.array(fc.nat({ max: LENGTH }), { minLength: ORIGINS, maxLength: ORIGINS })
    fc.assert(
      fc.property(held, held, (ofA, ofB) => {
        const [a, b] = [new Side('a'), new Side('b')]
        for (const [index, log] of logs.entries()) {
          if ((ofA[index] ?? 0) > 0) a.give(log.run(0, ofA[index]))
          if ((ofB[index] ?? 0) > 0) b.give(log.run(0, ofB[index]))
        }
        const result = exchange(a, b)
        expect(bothFinished(result)).toBe(true)
        expect(a.frontier).toEqual(b.frontier)
        for (const [index, log] of logs.entries()) {
          expect(lengthOf(a.source.entry(log.key))).toBe(Math.max(ofA[index] ?? 0, ofB[index] ?? 0))
        }
      }),
    )
  })

  it('brings the same blocks, and only the last of a run signed where only that was checked', () => {
    const [a, b] = [new Side('a'), new Side('b')]
    const log = logOf(5)
    a.give(log.run())
    exchange(b, a)
    expect(b.store.readRun(NAMESPACE, log.key, 0, 1_000_000)).toEqual(log.run())
  })

  it('goes on where it was when the connection breaks after any frame', () => {
    const whole = logOf(300, { deltas: 8 })
    const [a, b] = [new Side('a'), new Side('b')]
    a.give(whole.run())
    let held = 0
    let sessions = 0
    while (lengthOf(b.source.entry(whole.key)) < 300 && sessions < 50) {
      exchange(b, a, { framesMax: 7 + (sessions % 3) })
      const now = lengthOf(b.source.entry(whole.key))
      expect(now).toBeGreaterThanOrEqual(held)
      held = now
      sessions++
    }
    expect(held).toBe(300)
  })

  it('tells only what changed since the last contact', () => {
    const [a, b] = [new Side('a'), new Side('b')]
    const many = Array.from({ length: 200 }, (_, index) => logOf(1, { logId: logId(100 + index) }))
    for (const side of [a, b]) side.give(...many.map((log) => log.run()))
    const since = {
      initiator: { instance: b.source.instance, position: b.source.position() },
      responder: { instance: a.source.instance, position: a.source.position() },
    }
    const [first, second] = [logOf(3, { logId: logId(1_000) }), logOf(2, { logId: logId(1_001) })]
    a.give(first.run())
    b.give(second.run())
    const result = exchange(a, b, { since })
    expect(a.frontier).toEqual(b.frontier)
    expect(result.bytes).toBeLessThan(5_000)
    expect(result.kinds).not.toContain('compare')
  })

  it('compares the frontiers after all when what changed does not explain the difference', () => {
    const [a, b] = [new Side('a'), new Side('b')]
    a.give(logs[0]?.run() ?? fail())
    b.give(logs[1]?.run() ?? fail())
    // Both believe, wrongly, to have been equal just now.
    const since = {
      initiator: { instance: b.source.instance, position: b.source.position() },
      responder: { instance: a.source.instance, position: a.source.position() },
    }
    const result = exchange(a, b, { since })
    expect(result.kinds).toContain('compare')
    expect(a.frontier).toEqual(b.frontier)
  })

  it('does not trust a position of another life of the store', () => {
    const [a, b] = [new Side('a'), new Side('b')]
    a.give(logs[0]?.run() ?? fail())
    const foreign = { instance: '00'.repeat(16), position: 1 }
    const result = exchange(b, a, { since: { initiator: foreign, responder: foreign } })
    expect(a.frontier).toEqual(b.frontier)
    expect(result.initiator.result.complete).toBe(true)
  })

  it('finds 10 logs of 10,000 that differ with less than 20 KB on the wire', () => {
    const [a, b] = [new Side('a'), new Side('b')]
    const many = Array.from(
      { length: 10_000 },
      (_, index) => new TestLog({ signer: signer(index % 50), logId: logId(index) }),
    )
    const runs = many.map((log) => log.write())
    a.give(...runs)
    b.give(...runs)
    for (const [index, log] of many.slice(0, 10).entries()) (index % 2 === 0 ? a : b).give(log.write())
    const result = exchange(a, b)
    expect(a.frontier).toEqual(b.frontier)
    expect(result.bytes).toBeLessThan(20_000)
  })

  it('brings 10,000 logs to a node that holds none, in frames of bounded size', () => {
    const [a, b] = [new Side('a'), new Side('b')]
    const runs = Array.from({ length: 2_000 }, (_, index) => logOf(1, { logId: logId(index) }).run())
    a.give(...runs)
    const result = exchange(b, a)
    expect(a.frontier).toEqual(b.frontier)
    expect(result.initiator.result).toMatchObject({ complete: true, blocks: 2_000, deltas: 2_000 })
    expect(exchange(b, a).kinds).toEqual(['hello', 'hello'])
  })

  it('shows the signed head of a long log before its blocks', () => {
    const [a, b] = [new Side('a'), new Side('b')]
    const log = logOf(200)
    a.give(log.run())
    const result = exchange(b, a)
    expect(result.kinds.indexOf('heads')).toBeLessThan(result.kinds.indexOf('runs'))
    expect(b.headsKnown).toEqual([{ log: log.key, seq: 199 }])
  })

  it('leaves to another session what that one fetches', () => {
    const [a, b] = [new Side('a'), new Side('b')]
    const log = logOf(3)
    a.give(log.run())
    b.reservations.reserve(log.key, {}, NOW_MS)
    const { initiator } = exchange(b, a)
    expect(initiator.result).toMatchObject({ complete: false, deferred: true, blocks: 0 })
  })
})

function fail(): never {
  throw new Error('no such log')
}
