import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Delta } from '../../src/delta/delta.ts'
import { compareDeltas, compareUtf8 } from '../../src/delta/order.ts'
import { CREATORS, deltaOf } from '../support/deltas.ts'

const small = fc.nat({ max: 2 })
const deltas: fc.Arbitrary<Delta> = fc
  .record({ id: small, ms: small, counter: small, creator: small, log: small, seq: small, index: small })
  .map(({ id, ms, counter, creator, log, seq, index }) =>
    deltaOf(id, [], {
      time: { ms, counter },
      ...(CREATORS[creator] === undefined ? {} : { creator: CREATORS[creator] }),
      log: String(log).repeat(32),
      seq,
      index,
    }),
  )

test('the order of deltas is total: only the same delta is equal', () => {
  fc.assert(
    fc.property(deltas, deltas, deltas, (a, b, c) => {
      expect(Math.sign(compareDeltas(a, b)) + Math.sign(compareDeltas(b, a))).toBe(0)
      const place = ({ host: _, ...rest }: Delta) => JSON.stringify(rest)
      expect(compareDeltas(a, b) === 0).toBe(place(a) === place(b))
      if (compareDeltas(a, b) <= 0 && compareDeltas(b, c) <= 0) expect(compareDeltas(a, c)).toBeLessThanOrEqual(0)
    }),
    { numRuns: 1_000 },
  )
})

test('time goes before creator, creator before log, log before seq, seq before index', () => {
  const base = deltaOf(0, [], { time: { ms: 1, counter: 1 }, log: '1'.repeat(32), seq: 1, index: 1 })
  const low: Partial<Delta>[] = [
    { time: { ms: 0, counter: 9 } },
    { time: { ms: 1, counter: 0 } },
    { log: '0'.repeat(32) },
    { seq: 0 },
    { index: 0 },
  ]
  for (const [rank, change] of low.entries()) {
    const high = { ...base, ...Object.assign({}, ...low.slice(rank + 1).map(raise)) } as Delta
    expect(compareDeltas({ ...high, ...change }, base)).toBeLessThan(0)
  }

  function raise(change: Partial<Delta>): Partial<Delta> {
    if (change.time !== undefined) return { time: { ms: 1, counter: 2 } }
    if (change.log !== undefined) return { log: '2'.repeat(32) }
    return change.seq === undefined ? { index: 2 } : { seq: 2 }
  }
})

test('text is compared by its UTF-8 bytes', () => {
  const text = fc.string({
    unit: fc.oneof(fc.constantFrom('a', '', 'é', '\uE000', '￿', '𝒳', '\u{10FFFF}'), fc.string({ maxLength: 1 })),
  })
  fc.assert(
    fc.property(text, text, (a, b) => {
      expect(Math.sign(compareUtf8(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)))
    }),
    { numRuns: 2_000 },
  )
})
