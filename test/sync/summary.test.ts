import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { BlockHash, LogKey } from '../../src/log/block.ts'
import type { FrontierEntry } from '../../src/log/frontier.ts'
import { RANGE_DEPTH_MAX } from '../../src/sync/limits.ts'
import { childrenOf, isEmptyFingerprint, rangeKeyOf, Summaries, type Summary } from '../../src/sync/summary.ts'

function entryOf(number: number, seq = 0): FrontierEntry {
  return { log: `log ${number}` as LogKey, seq, hash: `hash ${number} ${seq}` as BlockHash }
}

function summaryOf(entries: readonly FrontierEntry[]): Summary {
  return new Summaries().of(entries)
}

/** All that a summary says of the ranges above the logs of `entries`. */
function said(summary: Summary, entries: readonly FrontierEntry[]): unknown {
  const prefixes = entries.flatMap(({ log }) => [0, 1, 2, 3, RANGE_DEPTH_MAX].map((at) => rangeKeyOf(log).slice(0, at)))
  return [
    summary.size,
    Buffer.from(summary.digest).toString('hex'),
    [...new Set(prefixes)].map((prefix) => [
      prefix,
      summary.count(prefix),
      summary.entries(prefix),
      Buffer.from(summary.fingerprint(prefix)).toString('hex'),
    ]),
  ]
}

const changes = fc.array(fc.record({ number: fc.nat(120), seq: fc.nat(3) }), { maxLength: 200 })

describe('a summary', () => {
  it('says the same of a frontier however it came about', () => {
    fc.assert(
      fc.property(changes, fc.integer({ min: 1, max: 40 }), (list, batch) => {
        const last = new Map(list.map(({ number, seq }) => [number, entryOf(number, seq)]))
        const entries = [...last.values()]
        const summaries = new Summaries()
        let grown = summaries.of([])
        for (let at = 0; at < list.length; at += batch) {
          grown = summaries.of(list.slice(at, at + batch).map(({ number, seq }) => entryOf(number, seq)))
        }
        expect(said(grown, entries)).toEqual(said(summaryOf(entries.toReversed()), entries))
      }),
    )
  })

  it('differs in its digest and in every range above a log that differs, and nowhere else', () => {
    const entries = Array.from({ length: 2_000 }, (_, number) => entryOf(number))
    const summaries = new Summaries()
    const before = summaries.of(entries)
    const digest = Buffer.from(before.digest)
    const after = summaries.of([entryOf(7, 1)])
    const key = rangeKeyOf(entryOf(7).log)
    for (let depth = 0; depth < 4; depth++) {
      for (const child of childrenOf(key.slice(0, depth))) {
        const same = Buffer.compare(before.fingerprint(child), after.fingerprint(child)) === 0
        expect([child, same]).toEqual([child, !key.startsWith(child)])
      }
    }
    expect(Buffer.compare(after.digest, digest)).not.toBe(0)
    // The one before is what it was: sessions go on with it.
    expect(Buffer.compare(before.digest, digest)).toBe(0)
    expect(before.entries(key)).toEqual([entryOf(7)])
  })

  it('tells each log once, in the order of their keys, and counts as many', () => {
    const entries = Array.from({ length: 500 }, (_, number) => entryOf(number))
    const summary = summaryOf(entries)
    const keys = summary.entries('').map(({ log }) => rangeKeyOf(log))
    expect(keys).toEqual(entries.map(({ log }) => rangeKeyOf(log)).sort())
    const counts = childrenOf('').map((child) => [summary.count(child), summary.entries(child).length])
    for (const [count, told] of counts) expect(count).toBe(told)
    expect(counts.reduce((sum, [count = 0]) => sum + count, 0)).toBe(500)
  })

  it('of nothing has an empty fingerprint in every range', () => {
    const summary = summaryOf([])
    expect([isEmptyFingerprint(summary.fingerprints('')), summary.size, summary.entries('ab')]).toEqual([true, 0, []])
    expect(isEmptyFingerprint(summaryOf([entryOf(1)]).fingerprints(''))).toBe(false)
  })
})
