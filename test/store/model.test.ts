/**
 * The store against a naive one: any runs, in any order, with duplicates, gaps and forks, in memory and on disk, closed and
 * opened in between. The naive one is a map of blocks and knows nothing of indexes, overlays or transactions.
 */

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compareDeltas } from '../../src/delta/order.ts'
import { type Delta, isReference } from '../../src/delta/delta.ts'
import type { Block, LogKey } from '../../src/log/block.ts'
import { deltasOf } from '../../src/log/block-bytes.ts'
import { createMemoryDisk, openMemoryStore } from '../../src/store/memory.ts'
import { openStore } from '../../src/store/sqlite.ts'
import type { Store } from '../../src/store/store.ts'
import { claim, logId, NAMESPACE, NAMESPACE_NAME, negation, signer, TestLog } from '../support/blocks.ts'
import { makeDirectory } from '../support/directory.ts'
import { everything } from './contract.ts'

const LOGS = 3
const LENGTH = 8

/** Each log in two versions that part ways at some block. */
interface World {
  readonly logs: readonly { readonly versions: readonly [TestLog, TestLog]; readonly forkAt: number }[]
}

function makeWorld(forkAts: readonly number[]): World {
  const logs = forkAts.map((forkAt, number) => {
    const log = new TestLog({ signer: signer(number), logId: logId(number) })
    const grow = (target: TestLog, version: number) => {
      const seq = target.blocks.length
      const before = target.blocks.at(-1)
      const deltas = [
        claim('e', String(seq % 3), 'p', `${number}.${version}.${seq}`),
        claim('e', `${number}`, 'q', seq),
      ]
      if (before !== undefined && seq % 2 === 1)
        deltas.push(negation(`${before.hash}/0` as Parameters<typeof negation>[0]))
      target.append(deltas)
    }
    while (log.blocks.length < LENGTH) grow(log, 0)
    const twin = log.fork(forkAt)
    while (twin.blocks.length < LENGTH) grow(twin, 1)
    return { versions: [log, twin] as const, forkAt }
  })
  return { logs }
}

type Step =
  | {
      readonly kind: 'commit'
      readonly log: number
      readonly version: 0 | 1
      readonly from: number
      readonly count: number
    }
  | { readonly kind: 'reopen' }

const steps = fc.array(
  fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({
        kind: fc.constant('commit' as const),
        log: fc.nat(LOGS - 1),
        // The second version is rare, or every history would end as forks alone.
        version: fc.nat(5).map((pick) => (pick === 0 ? 1 : 0)),
        from: fc.nat(LENGTH - 1),
        count: fc.integer({ min: 1, max: LENGTH }),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('reopen' as const) }) },
  ),
  { maxLength: 30 },
)

/** What is held, and from where on it is void. */
class NaiveStore {
  readonly held = new Map<LogKey, Block[]>()
  readonly cuts = new Map<LogKey, number>()

  commit(log: LogKey, blocks: readonly Block[]): void {
    const held = this.held.get(log) ?? []
    this.held.set(log, held)
    const cut = this.cuts.get(log) ?? Infinity
    for (const [index, block] of blocks.entries()) {
      const { seq, previous } = block.header
      if (seq >= cut || seq > held.length) return
      const follows = seq === 0 || previous === held[seq - 1]?.hash
      if (seq === held.length && follows) {
        held.push(block)
      } else if (held[seq]?.hash !== block.hash) {
        // Where its first block is of another past, the run shows that the fork lies one lower at the least.
        this.cut(log, follows || index > 0 ? seq : seq - 1)
        return
      }
    }
  }

  cut(log: LogKey, cut: number): void {
    this.cuts.set(log, cut)
    this.held.set(log, (this.held.get(log) ?? []).slice(0, cut))
  }

  admitted(): readonly Delta[] {
    return [...this.held.values()].flatMap((blocks) => blocks.flatMap((block) => deltasOf(block)))
  }

  entity(entity: string) {
    const all = this.admitted()
    const at = (target: string) =>
      all.filter(({ pointers }) => pointers.some((pointer) => isReference(pointer) && pointer.target === target))
    const deltas = at(entity)
    const negations = new Set<Delta>()
    const open = [...deltas]
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      for (const negating of at(next.id)) {
        if (negations.has(negating)) continue
        negations.add(negating)
        open.push(negating)
      }
    }
    return { deltas: deltas.sort(compareDeltas), negations: [...negations].sort(compareDeltas) }
  }
}

async function agree(forkAts: readonly number[], history: readonly Step[], open: () => Promise<Store>): Promise<void> {
  const world = makeWorld(forkAts)
  const naive = new NaiveStore()
  let store = await open()
  store.openNamespace(NAMESPACE, NAMESPACE_NAME)
  try {
    for (const step of history) {
      if (step.kind === 'reopen') {
        await store.close()
        store = await open()
        continue
      }
      const log = world.logs[step.log]?.versions[step.version] as TestLog
      const run = log.run(step.from, Math.min(LENGTH, step.from + step.count))
      store.commit(run)
      naive.commit(log.key, run.blocks)
    }
    for (const { versions } of world.logs) {
      const { key } = versions[0]
      const cut = naive.cuts.get(key)
      const length = naive.held.get(key)?.length ?? 0
      expect(store.logState(NAMESPACE, key)?.seq).toBe(length === 0 ? undefined : length - 1)
      expect(store.logState(NAMESPACE, key)?.cut).toBe(cut)
    }
    const admitted = naive.admitted()
    expect(store.counts(NAMESPACE).deltas).toBe(admitted.length)
    const targets = new Set(
      admitted.flatMap(({ pointers }) => pointers.filter(isReference).map(({ target }) => target)),
    )
    expect(store.entities(NAMESPACE, { prefix: '', countMax: 1e4 })).toEqual([...targets].sort())
    for (const target of targets) expect(store.entity(NAMESPACE, target)).toEqual(naive.entity(target))
    const before = everything(store)
    await store.close()
    store = await open()
    expect(everything(store)).toEqual(before)
  } finally {
    await store.close()
  }
}

const forks = fc.array(fc.nat(LENGTH - 1), { minLength: LOGS, maxLength: LOGS })

test('a store in memory agrees with a naive one after any history', async () => {
  await fc.assert(
    fc.asyncProperty(forks, steps, async (forkAts, history) => {
      const disk = createMemoryDisk()
      await agree(forkAts, history, async () => openMemoryStore({ disk }))
    }),
    { numRuns: 60 },
  )
}, 60_000)

test('a store on disk agrees with a naive one after any history', async () => {
  await fc.assert(
    fc.asyncProperty(forks, steps, async (forkAts, history) => {
      const directory = makeDirectory()
      await agree(forkAts, history, () => openStore(directory))
    }),
    { numRuns: 25 },
  )
}, 60_000)
