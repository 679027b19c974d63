import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compareTime } from '../../src/delta/clock.ts'
import { concurrent, happenedBefore } from '../../src/index.ts'
import type { Block } from '../../src/log/block.ts'
import { hasSeen } from '../../src/log/causality.ts'
import { concurrentIn, happenedBeforeIn } from '../../src/node/causality.ts'
import { openMemoryStore } from '../../src/store/memory.ts'
import { createCluster } from '../../src/testing/cluster.ts'
import { logId, NAMESPACE, NAMESPACE_NAME, runOf, signer, START_MS, TestLog } from '../support/blocks.ts'

describe('what happened before', () => {
  it('is told of deltas by what their authors had seen, of frontiers by what they hold', async () => {
    await using cluster = createCluster({ nodes: 3 })
    await cluster.settle()
    const [first, second, third] = [0, 1, 2].map((index) => cluster.namespace(index))
    const empty = cluster.namespace(0).frontier()
    const a = (await cluster.namespace(0).put('item', 'a', { n: 1, m: 2 })).deltas
    await cluster.settle()
    const afterA = cluster.namespace(1).frontier()
    cluster.partition([0, 1], [2])
    const b = (await cluster.namespace(1).put('item', 'b', { n: 1 })).deltas
    const c = (await cluster.namespace(2).put('item', 'c', { n: 1 })).deltas
    await cluster.settle()
    const [withB, withC] = [cluster.namespace(0).frontier(), cluster.namespace(2).frontier()]
    const d = (await cluster.namespace(0).put('item', 'd', { n: 1 })).deltas
    cluster.heal()
    await cluster.settle()
    for (const namespace of [first, second, third]) {
      const before = (x: readonly string[], y: readonly string[]) => namespace?.happenedBefore(x[0] ?? '', y[0] ?? '')
      const apart = (x: readonly string[], y: readonly string[]) => namespace?.concurrent(x[0] ?? '', y[0] ?? '')
      expect([before(a, b), before(a, c), before(a, d), before(b, d)]).toEqual([true, true, true, true])
      expect([before(b, a), before(d, b), before(b, c), before(c, b), before(c, d)]).toEqual(Array(5).fill(false))
      expect([apart(b, c), apart(c, d), apart(c, b)]).toEqual([true, true, true])
      expect([apart(a, d), apart(d, a), apart(a, a)]).toEqual([false, false, false])
      expect(namespace?.happenedBefore(a[0] ?? '', a[1] ?? '')).toBe(true)
      expect(namespace?.happenedBefore(a[0] ?? '', a[0] ?? '')).toBe(false)
    }
    expect([happenedBefore(empty, afterA), happenedBefore(afterA, withB), happenedBefore(afterA, afterA)]).toEqual([
      true,
      true,
      false,
    ])
    expect([concurrent(withB, withC), concurrent(afterA, withC), concurrent(withB, withB)]).toEqual([
      true,
      false,
      false,
    ])
    expect(first?.concurrent(withB, withC)).toBe(true)
  })

  it('is what following every stated dependency finds, and never contradicts time', async () => {
    const steps = fc.array(fc.record({ log: fc.nat(3), sees: fc.uniqueArray(fc.nat(3)) }), {
      minLength: 2,
      maxLength: 25,
    })
    await fc.assert(
      fc.asyncProperty(steps, async (given) => {
        await using store = openMemoryStore()
        store.openNamespace(NAMESPACE, NAMESPACE_NAME)
        const logs = [1, 2, 3, 4].map((number) => new TestLog({ signer: signer(number), logId: logId(number) }))
        const blocks: Block[] = []
        for (const [step, { log: number, sees }] of given.entries()) {
          const log = logs[number] as TestLog
          const seen = sees.map((other) => logs[other] as TestLog).filter((other) => other !== log && other.head)
          const dependencies = seen.map(({ dependency }) => dependency).sort((x, y) => (x.log < y.log ? -1 : 1))
          const block = log.append([], { dependencies, time: { ms: START_MS + step, counter: 0 } })
          store.commit(runOf(block))
          blocks.push(block)
        }
        const pasts = new Map<string, Set<string>>()
        for (const { hash, header } of blocks) {
          const direct = [header.previous, ...header.dependencies.map((each) => each.hash)].filter(
            (each) => each !== undefined,
          )
          pasts.set(hash, new Set([...direct, ...direct.flatMap((each) => [...(pasts.get(each) ?? [])])]))
        }
        const field = { store, namespace: NAMESPACE }
        for (const a of blocks) {
          for (const b of blocks) {
            const [x, y] = [`${a.hash}/0`, `${b.hash}/0`]
            const isBefore = pasts.get(b.hash)?.has(a.hash) ?? false
            expect(happenedBeforeIn(field, x, y)).toBe(isBefore)
            const isAfter = pasts.get(a.hash)?.has(b.hash) ?? false
            expect(concurrentIn(field, x, y)).toBe(a !== b && !isBefore && !isAfter)
            if (isBefore) expect(compareTime(a.header.time, b.header.time)).toBeLessThan(0)
          }
        }
      }),
      { numRuns: 40 },
    )
  })

  it('is not told of what is not here, nor of what is no delta', async () => {
    await using cluster = createCluster({ nodes: 1 })
    const { deltas } = await cluster.namespace(0).put('item', 'a', { n: 1 })
    const unknown = `${'a'.repeat(51)}q/0`
    const ask = (a: string, b: string) => () => cluster.namespace(0).happenedBefore(a, b)
    expect(ask(deltas[0] ?? '', unknown)).toThrow(expect.objectContaining({ code: 'RZ_CAUSALITY_UNKNOWN' }) as Error)
    const past = (deltas[0] ?? '').replace(/\d+$/, '7')
    expect(ask(past, deltas[0] ?? '')).toThrow(expect.objectContaining({ code: 'RZ_CAUSALITY_UNKNOWN' }) as Error)
    expect(ask('yesterday', 'today')).toThrow(expect.objectContaining({ code: 'RZ_BYTES_INVALID' }) as Error)
    expect(() => happenedBefore('f0.', deltas[0] ?? '')).toThrow(
      expect.objectContaining({ code: 'RZ_BYTES_INVALID' }) as Error,
    )
  })

  it('is given up past a number of blocks', () => {
    const [log, other] = [new TestLog(), new TestLog({ signer: signer(2), logId: logId(2) })]
    const blocks = Array.from({ length: 20 }, () => log.append())
    const earlier = other.append([], { time: { ms: START_MS - 1, counter: 0 } })
    const blocksBack = (_: string, from: number, to: number) =>
      blocks.slice(from, to + 1).map(({ header }) => ({ log: log.key, header }))
    const later = { log: log.key, header: (blocks[19] as Block).header }
    const asked = { log: other.key, header: earlier.header }
    expect(hasSeen(later, asked, { blocksBack, blocksMax: 20 })).toBe(false)
    expect(hasSeen(later, asked, { blocksBack, blocksMax: 19 })).toBeUndefined()
  })
})
