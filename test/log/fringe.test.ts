import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { hashText } from '../../src/delta/identifiers.ts'
import {
  type BlockHash,
  type Dependency,
  DEPENDENCIES_MAX,
  type Header,
  type LogKey,
  logKeyOfHeader,
} from '../../src/log/block.ts'
import { CausalFringe } from '../../src/log/fringe.ts'
import { logId, signer, TestLog } from '../support/blocks.ts'

interface Node {
  readonly log: number
  readonly seq: number
  readonly header: Header
  readonly hash: BlockHash
  /** Every block that it implies, itself included, by number in the history. */
  readonly past: ReadonlySet<number>
}

const LOGS = 4
const OWN = 0
const keys = Array.from({ length: LOGS }, (_, number) => new TestLog({ signer: signer(number), logId: logId(number) }))
const template = new TestLog().append().header

/**
 * A history of blocks in an order that respects causality. A draft names the log that writes and how much of the history
 * its creator has seen; it depends on the maximal heads of what it saw.
 */
function historyOf(drafts: readonly { readonly log: number; readonly saw: number }[]): readonly Node[] {
  const nodes: Node[] = []
  for (const [number, draft] of drafts.entries()) {
    const previous = nodes.findLastIndex((node) => node.log === draft.log)
    const seen = new Set(Array(Math.min(draft.saw, number)).keys())
    if (previous >= 0) for (const past of (nodes[previous] as Node).past) seen.add(past)
    // Seeing a block of a log is having all before it.
    for (const index of seen) for (const past of (nodes[index] as Node).past) seen.add(past)
    const implied = previous < 0 ? new Set<number>() : (nodes[previous] as Node).past
    const heads = maximal(nodes, new Set([...seen].filter((index) => !implied.has(index))))
    const dependencies = heads
      .filter((index) => (nodes[index] as Node).log !== draft.log)
      .map((index) => dependencyOn(nodes[index] as Node))
    nodes.push({
      log: draft.log,
      seq: previous < 0 ? 0 : (nodes[previous] as Node).seq + 1,
      header: {
        ...template,
        creator: (keys[draft.log] as TestLog).signer.id,
        logId: (keys[draft.log] as TestLog).logId,
        seq: previous < 0 ? 0 : (nodes[previous] as Node).seq + 1,
        dependencies: dependencies.sort((a, b) => (a.log < b.log ? -1 : 1)),
        time: { ms: number + 1, counter: 0 },
      },
      hash: hashText(Buffer.from(String(number).padStart(32, '0'))) as BlockHash,
      past: new Set([...seen, number]),
    })
  }
  return nodes
}

/** Those of `among` that no other of them implies. */
function maximal(nodes: readonly Node[], among: ReadonlySet<number>): readonly number[] {
  return [...among].filter(
    (index) => ![...among].some((other) => other !== index && (nodes[other] as Node).past.has(index)),
  )
}

function dependencyOn(node: Node): Dependency {
  return { log: logKeyOfHeader(node.header), seq: node.seq, hash: node.hash }
}

/** By the graph alone: the maximal blocks among those noted since our last one that it did not imply. */
function naiveFringe(nodes: readonly Node[], noted: readonly number[]): readonly Dependency[] {
  const lastOwn = noted.findLastIndex((index) => (nodes[index] as Node).log === OWN)
  const before = new Set(noted.slice(0, lastOwn + 1))
  const fresh = new Set(noted.slice(lastOwn + 1).filter((index) => !before.has(index)))
  return maximal(nodes, fresh)
    .map((index) => dependencyOn(nodes[index] as Node))
    .sort((a, b) => (a.log < b.log ? -1 : 1))
}

const drafts = fc.array(fc.record({ log: fc.nat({ max: LOGS - 1 }), saw: fc.nat({ max: 30 }) }), { maxLength: 30 })

function fringeOf(nodes: readonly Node[], order: readonly number[]): CausalFringe {
  const fringe = new CausalFringe((keys[OWN] as TestLog).key)
  for (const index of order) fringe.note((nodes[index] as Node).header, (nodes[index] as Node).hash)
  return fringe
}

describe('the causal fringe', () => {
  test('is exactly the maximal heads when blocks come in causal order', () => {
    // Our own blocks depend on everything noted before them, as the room that writes sees to.
    const whole = drafts.map((list) => list.map(({ log, saw }) => ({ log, saw: log === OWN ? 1_000 : saw })))
    fc.assert(
      fc.property(whole, (list) => {
        const nodes = historyOf(list)
        const order = nodes.map((_, index) => index)
        expect(fringeOf(nodes, order).dependencies()).toEqual({ dependencies: naiveFringe(nodes, order), cut: false })
      }),
      { numRuns: 1_000 },
    )
  })

  test('holds every maximal head, perhaps more, when each log is in order but not the whole', () => {
    fc.assert(
      fc.property(drafts, fc.infiniteStream(fc.nat({ max: LOGS - 1 })), (list, choices) => {
        const nodes = historyOf(list.map(({ log, saw }) => ({ log: log === OWN ? 1 : log, saw })))
        const queues = keys.map((_, log) => nodes.flatMap((node, index) => (node.log === log ? [index] : [])))
        const order: number[] = []
        for (const choice of choices) {
          if (order.length === nodes.length) break
          const next = queues[choice]?.shift()
          if (next !== undefined) order.push(next)
        }
        const held = new Map(
          fringeOf(nodes, order)
            .dependencies()
            .dependencies.map((one) => [one.log, one]),
        )
        for (const head of naiveFringe(nodes, order)) expect(held.get(head.log)).toEqual(head)
      }),
      { numRuns: 1_000 },
    )
  })

  const other = new TestLog({ signer: signer(2) })
  const third = new TestLog({ signer: signer(3) })

  test('is empty at first, and after a block of our own', () => {
    const own = new TestLog()
    const fringe = new CausalFringe(own.key)
    expect(fringe.dependencies()).toEqual({ dependencies: [], cut: false })
    const seen = other.append()
    fringe.note(seen.header, seen.hash)
    expect(fringe.dependencies().dependencies).toEqual([other.dependency])
    const mine = own.append([], { dependencies: fringe.dependencies().dependencies })
    fringe.note(mine.header, mine.hash)
    expect(fringe.dependencies().dependencies).toEqual([])
  })

  test('forgets what is void, and keeps what is below the cut', () => {
    const fringe = new CausalFringe('x/y' as LogKey)
    const block = third.append()
    fringe.note(block.header, block.hash)
    fringe.void(third.key, block.header.seq + 1)
    expect(fringe.dependencies().dependencies).toEqual([third.dependency])
    fringe.void(third.key, block.header.seq)
    expect(fringe.dependencies().dependencies).toEqual([])
    fringe.void('unknown/log' as LogKey, 0)
  })

  test('names as many heads as fit, and of more the newest, marked so', () => {
    const fringe = new CausalFringe('x/y' as LogKey)
    const logs = Array.from(
      { length: DEPENDENCIES_MAX + 1 },
      (_, index) => new TestLog({ signer: signer(100 + index), startMs: 1_000 + index }),
    )
    for (const [index, log] of logs.entries()) {
      const block = log.append()
      fringe.note(block.header, block.hash)
      const { dependencies, cut } = fringe.dependencies()
      expect(dependencies).toHaveLength(Math.min(index + 1, DEPENDENCIES_MAX))
      expect(cut).toBe(index === DEPENDENCIES_MAX)
      expect(dependencies.map((one) => one.log)).toEqual(dependencies.map((one) => one.log).toSorted())
    }
    const names = new Set(fringe.dependencies().dependencies.map((one) => one.log))
    expect(logs.filter((log) => !names.has(log.key))).toEqual([logs[0]])
  })
})
