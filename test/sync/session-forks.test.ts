import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { LogKey } from '../../src/log/block.ts'
import { claim, logOf, type TestLog } from '../support/blocks.ts'
import { exchange, Side } from './pair.ts'

/** Two logs of one key: the same up to `common`, then each its own way. */
function branches(common: number, lengths: readonly [number, number]): readonly [TestLog, TestLog] {
  const left = logOf(common)
  const right = left.fork()
  for (const [index, branch] of [left, right].entries()) {
    for (let more = 0; more < (lengths[index] ?? 0); more++) branch.append([claim('branch', `${index}`, 'n', more)])
  }
  return [left, right]
}

function cutOf(side: Side, log: LogKey): number | undefined {
  return side.source.entry(log)?.cut
}

describe('a fork', () => {
  it('is found by one session, at the block where the branches part, however deep', () => {
    const shape = fc.record({
      common: fc.nat({ max: 40 }),
      left: fc.integer({ min: 1, max: 40 }),
      right: fc.integer({ min: 1, max: 40 }),
    })
    fc.assert(
      fc.property(shape, fc.boolean(), ({ common, left, right }, turned) => {
        const [x, y] = branches(common, [left, right])
        const [a, b] = [new Side('a'), new Side('b')]
        a.give(x.run())
        b.give(y.run())
        const result = turned ? exchange(b, a) : exchange(a, b)
        expect(result.initiator.finished && result.responder.finished).toBe(true)
        expect([cutOf(a, x.key), cutOf(b, x.key)]).toEqual([common, common])
        expect(a.frontier).toEqual(b.frontier)
      }),
      { numRuns: 60 },
    )
  })

  it('is told to a node that holds one branch, or nothing, with its proof', () => {
    const [x, y] = branches(3, [4, 2])
    const [a, b, c] = [new Side('a'), new Side('b'), new Side('c')]
    a.give(x.run())
    a.give(y.run())
    b.give(x.run())
    for (const side of [b, c]) exchange(side, a)
    for (const side of [b, c]) {
      expect(cutOf(side, x.key)).toBe(3)
      expect(side.frontier).toEqual(a.frontier)
      expect(side.store.forkProof(x.blocks[0]?.header.namespace ?? fail(), x.key)).toBeDefined()
    }
  })

  it('is told of by whoever knows the lower cut, in either role', () => {
    const [x, y] = branches(5, [4, 4])
    for (const turned of [false, true]) {
      const [a, b] = [new Side('a'), new Side('b')]
      a.give(x.run())
      a.give(y.run())
      // This one was shown only a later contradiction: its cut is too high.
      b.give(x.run())
      b.give({ blocks: [y.blocks[8] ?? fail()] })
      expect(cutOf(b, x.key)).toBeGreaterThan(5)
      if (turned) exchange(a, b)
      else exchange(b, a)
      expect(cutOf(b, x.key)).toBe(5)
      expect(a.frontier).toEqual(b.frontier)
    }
  })

  it('does not keep the blocks before it from those who lack them', () => {
    const [x, y] = branches(6, [3, 1])
    const [a, b] = [new Side('a'), new Side('b')]
    // Nothing before the fork is signed here but by the run that goes on past it.
    a.give(x.run())
    a.give(y.run())
    exchange(b, a)
    expect(b.source.entry(x.key)).toEqual(a.source.entry(x.key))
    expect(b.source.entry(x.key)?.seq).toBe(5)
    const c = new Side('c')
    exchange(c, b)
    expect(c.frontier).toEqual(a.frontier)
  })

  it('of the first block leaves a log that is void from its beginning, on every node', () => {
    const [x, y] = branches(0, [2, 2])
    const [a, b, c] = [new Side('a'), new Side('b'), new Side('c')]
    a.give(x.run())
    b.give(y.run())
    exchange(a, b)
    exchange(c, a)
    for (const side of [a, b, c]) expect(side.source.entry(x.key)).toEqual({ log: x.key, cut: 0 })
  })
})

function fail(): never {
  throw new Error('no such block')
}
