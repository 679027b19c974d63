import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Block } from '../../../src/log/block.ts'
import { logKeyOfHeader } from '../../../src/log/block.ts'
import { logId, runOf, signer, START_MS, TestLog } from '../../support/blocks.ts'
import { Subscribed } from '../../support/subscribed.ts'

const CAUSAL = { delivery: 'causal' } as const

function logsOf(count: number): TestLog[] {
  return Array.from(
    { length: count },
    (_, index) => new TestLog({ signer: signer(index + 1), logId: logId(index + 1) }),
  )
}

function ids(...blocks: readonly (Block | undefined)[]): string[] {
  return blocks.flatMap((block) =>
    Array.from({ length: block?.header.count ?? 0 }, (_, index) => `${block?.hash}/${index}`),
  )
}

/** Blocks of several logs, each of which depends on heads of others that its author might have seen. */
const histories = fc
  .array(fc.record({ log: fc.nat(3), sees: fc.uniqueArray(fc.nat(3)), deltas: fc.integer({ min: 1, max: 3 }) }), {
    minLength: 1,
    maxLength: 24,
  })
  .map((steps) => {
    const logs = logsOf(4)
    return steps.map(({ log: number, sees, deltas }, step) => {
      const log = logs[number] as TestLog
      const seen = sees
        .map((other) => logs[other] as TestLog)
        .filter((other) => other !== log && other.blocks.length > 0)
      const dependencies = seen.map(({ dependency }) => dependency).sort((a, b) => (a.log < b.log ? -1 : 1))
      const claims = Array.from({ length: deltas }, (_, index) => [
        { localContext: 'note', target: `${step} ${index}` },
      ])
      return log.append(claims, { dependencies, time: { ms: START_MS + step, counter: 0 } })
    })
  })

/** An order in which a node might take the blocks in: each log's own order is kept, as sync and gossip keep it. */
function arrival(blocks: readonly Block[], choices: readonly number[]): Block[] {
  const logs = [...Map.groupBy(blocks, ({ header }) => logKeyOfHeader(header)).values()]
  const order: Block[] = []
  for (let step = 0; order.length < blocks.length; step++) {
    const left = logs.filter((log) => log.length > 0)
    const next = left[(choices[step % choices.length] ?? 0) % left.length]?.shift()
    if (next !== undefined) order.push(next)
  }
  return order
}

function causesFirst(handed: readonly string[], blocks: readonly Block[]): boolean {
  const places = new Map(handed.map((id, place) => [id, place]))
  const lastOf = (hash: string, count: number) => places.get(`${hash}/${count - 1}`) ?? Infinity
  return blocks.every(({ hash, header }) => {
    const first = places.get(`${hash}/0`) ?? -1
    const causes = [header.previous, ...header.dependencies.map((dependency) => dependency.hash)]
    return causes.every((cause) => {
      const before = blocks.find((block) => block.hash === cause)
      return before === undefined || lastOf(before.hash, before.header.count) < first
    })
  })
}

describe('causal delivery', () => {
  it('hands out everything once and nothing before its causes, in whatever order it comes, over restarts', async () => {
    await fc.assert(
      fc.asyncProperty(
        histories,
        fc.array(fc.nat(3), { minLength: 8, maxLength: 8 }),
        fc.array(fc.nat(24), { maxLength: 3 }),
        async (blocks, choices, restarts) => {
          await using world = new Subscribed()
          world.begin(CAUSAL)
          for (const [index, block] of arrival(blocks, choices).entries()) {
            world.store.commit(runOf(block))
            if (index % 3 === 0) await world.time.advance(1)
            if (restarts.includes(index)) {
              await world.restart()
              world.begin(CAUSAL)
            }
          }
          await world.time.advance(100)
          expect(world.handed.toSorted()).toEqual(ids(...blocks).sort())
          expect(causesFirst(world.handed, blocks)).toBe(true)
        },
      ),
      { numRuns: 100 },
    )
  })

  it('goes on with what does not depend on what is missing, tells of it past the deadline, and waits on', async () => {
    await using world = new Subscribed()
    const [first, second, third] = logsOf(3) as [TestLog, TestLog, TestLog]
    const cause = first.append()
    const held = second.append([], { dependencies: [first.dependency] })
    const behind = second.append()
    const free = third.append()
    world.begin({ ...CAUSAL, deadlineMs: 2_000 })
    for (const block of [held, behind, free]) world.store.commit(runOf(block))
    await world.time.advance(1_999)
    expect(world.handed).toEqual(ids(free))
    expect(world.events).toEqual([])
    await world.time.advance(60_000)
    expect(world.handed).toEqual(ids(free))
    const dependency = { log: first.key, seq: 0, hash: cause.hash }
    expect(world.events).toEqual([{ kind: 'dependency-missing', delta: `${held.hash}/0`, dependency, waitedMs: 2_000 }])
    world.store.commit(runOf(cause))
    await world.time.advance(10)
    expect(world.handed).toEqual(ids(free, cause, held, behind))
  })

  it('tells of what is missing, and not of all that waits behind it', async () => {
    await using world = new Subscribed()
    const [first, second, third] = logsOf(3) as [TestLog, TestLog, TestLog]
    first.append()
    const held = second.append([], { dependencies: [first.dependency] })
    const behind = third.append([], { dependencies: [second.dependency] })
    const subscription = world.begin({ ...CAUSAL, deadlineMs: 1_000 })
    for (const block of [behind, held]) world.store.commit(runOf(block))
    await world.time.advance(5_000)
    expect(world.events.map((event) => 'delta' in event && event.delta)).toEqual([`${held.hash}/0`])
    expect(subscription.status()).toMatchObject({ state: 'running', isBehind: true })
  })

  it('takes what became void for met', async () => {
    await using world = new Subscribed()
    const [first, second] = logsOf(2) as [TestLog, TestLog]
    first.append()
    const branch = first.fork()
    const kept = first.append()
    const other = branch.append([[{ localContext: 'other', target: 1 }]])
    const held = second.append([], { dependencies: [branch.dependency] })
    world.begin(CAUSAL)
    world.store.commit(first.run())
    world.store.commit(runOf(held))
    await world.time.advance(10)
    expect(world.handed).toEqual(ids(...first.blocks))
    world.store.commit(runOf(other))
    await world.time.advance(10)
    expect(world.handed).toEqual(ids(first.blocks[0], kept, held))
  })

  it('holds back a block that names another hash than its dependency has', async () => {
    await using world = new Subscribed()
    const [first, second] = logsOf(2) as [TestLog, TestLog]
    const branch = first.fork()
    const here = first.append()
    branch.append([[{ localContext: 'other', target: 1 }]])
    const held = second.append([], { dependencies: [branch.dependency] })
    world.begin(CAUSAL)
    for (const block of [here, held]) world.store.commit(runOf(block))
    await world.time.advance(10)
    expect(world.handed).toEqual(ids(here))
  })

  it('begins with what comes from now on, if told to, and goes on from there after a restart', async () => {
    await using world = new Subscribed()
    const [first, second] = logsOf(2) as [TestLog, TestLog]
    world.store.commit(runOf(first.append()))
    const options = { ...CAUSAL, from: 'now' } as const
    world.begin(options)
    const next = second.append([], { dependencies: [first.dependency] })
    world.store.commit(runOf(next))
    await world.time.advance(1)
    await world.restart()
    const last = first.append()
    world.store.commit(runOf(last))
    world.begin(options)
    await world.time.advance(1)
    expect(world.handed).toEqual(ids(next, last))
  })

  it('goes on within a block after a crash', async () => {
    await using world = new Subscribed()
    const [log] = logsOf(1) as [TestLog]
    const block = log.append([1, 2, 3].map((n) => [{ localContext: 'n', target: n }]))
    world.store.commit(runOf(block))
    const subscription = world.begin(CAUSAL, (delta) => (delta.index === 2 ? new Promise(() => {}) : undefined))
    await world.time.advance(1)
    expect(world.handed).toEqual(ids(block).slice(0, 2))
    await subscription.close()
    await world.restart()
    world.begin(CAUSAL)
    await world.time.advance(1)
    expect(world.handed).toEqual(ids(block))
  })
})
