/**
 * What every store must do, whoever implements it: run by memory.test.ts and sqlite.test.ts.
 * A harness opens stores in places that outlive them.
 */

import { afterEach, describe, expect, test } from 'vitest'
import { hashText } from '../../src/delta/identifiers.ts'
import { type Block, type Run, RUN_BLOCKS_MAX } from '../../src/log/block.ts'
import { encodeBlock } from '../../src/log/block-bytes.ts'
import { verifyRun } from '../../src/log/chain.ts'
import { verifyForkProof } from '../../src/log/fork.ts'
import { digestOf, type FrontierEntry } from '../../src/log/frontier.ts'
import { openNamespaceId } from '../../src/log/namespace.ts'
import { type Change, type Position, POSITION_START, type Store } from '../../src/store/store.ts'
import { claim, logId, logOf, NAMESPACE, NAMESPACE_NAME, negation, runOf, signer, TestLog } from '../support/blocks.ts'

export interface Place {
  open(): Promise<Store>
}

const PAGE = { countMax: 1_000, bytesMax: 1_000_000 }

export function storeContract(name: string, makePlace: () => Promise<Place>): void {
  describe(name, () => {
    const opened: Store[] = []

    afterEach(async () => {
      for (const store of opened.splice(0)) await store.close()
    })

    async function openIn(place: Place): Promise<Store> {
      const store = await place.open()
      opened.push(store)
      store.openNamespace(NAMESPACE, NAMESPACE_NAME)
      return store
    }

    async function openNew(): Promise<Store> {
      return openIn(await makePlace())
    }

    describe('commit', () => {
      test('a block that follows the head is committed and moves the frontier', async () => {
        const store = await openNew()
        const log = logOf(2)
        const first = store.commit(runOf(log.blocks[0] as Block))
        const second = store.commit(runOf(log.blocks[1] as Block))
        expect(first).toMatchObject({ kind: 'committed', blocks: 1 })
        expect(second).toMatchObject({ kind: 'committed', blocks: 1 })
        expect(positionOf(second)).toBeGreaterThan(positionOf(first))
        expect(store.position()).toBe(positionOf(second))
        expect(store.frontier(NAMESPACE)).toEqual([{ log: log.key, seq: 1, hash: log.blocks[1]?.hash }])
        expect(store.counts(NAMESPACE)).toEqual({ blocks: 2, deltas: 2, logs: 1 })
        expect(store.latestTime()).toEqual(log.blocks[1]?.header.time)
      })

      test('a duplicate changes nothing', async () => {
        const store = await openNew()
        const log = logOf(3)
        store.commit(log.run())
        const before = store.position()
        expect(store.commit(log.run())).toEqual({ kind: 'duplicate' })
        expect(store.commit(log.run(1, 2))).toEqual({ kind: 'duplicate' })
        expect(store.position()).toBe(before)
        expect(store.counts(NAMESPACE).blocks).toBe(3)
      })

      test('of a run that overlaps the head only the new part is taken', async () => {
        const store = await openNew()
        const log = logOf(5)
        store.commit(log.run(0, 3))
        expect(store.commit(log.run(1, 5))).toMatchObject({ kind: 'committed', blocks: 2 })
        expect(store.logState(NAMESPACE, log.key)?.seq).toBe(4)
      })

      test('a run past the head is a gap that names the first block lacking', async () => {
        const store = await openNew()
        const log = logOf(5)
        expect(store.commit(log.run(2))).toEqual({ kind: 'gap', missingFrom: 0 })
        store.commit(log.run(0, 2))
        expect(store.commit(log.run(3))).toEqual({ kind: 'gap', missingFrom: 2 })
        expect(store.counts(NAMESPACE).blocks).toBe(2)
      })

      test('a block dated no later than the one before is invalid', async () => {
        const store = await openNew()
        const log = logOf(1)
        store.commit(log.run())
        const late = log.append([], { header: { time: { ms: 0, counter: 0 } } })
        expect(store.commit(runOf(late))).toMatchObject({ kind: 'invalid' })
        expect(store.logState(NAMESPACE, log.key)?.seq).toBe(0)
      })

      test('a run of a namespace that is not open here is invalid', async () => {
        const store = await openNew()
        const log = logOf(1, { namespace: openNamespaceId('elsewhere') })
        expect(store.commit(log.run())).toMatchObject({ kind: 'invalid' })
      })

      test('several runs share a transaction, and each sees what came before it', async () => {
        const store = await openNew()
        const one = logOf(4)
        const two = logOf(2, { signer: signer(2) })
        const results = store.commitAll([one.run(0, 2), two.run(), one.run(2), one.run(0, 4), one.run(1, 2)])
        expect(results.map(({ kind }) => kind)).toEqual([
          'committed',
          'committed',
          'committed',
          'duplicate',
          'duplicate',
        ])
        expect(store.counts(NAMESPACE)).toEqual({ blocks: 6, deltas: 6, logs: 2 })
        expect(positionsOf(results)).toEqual([...positionsOf(results)].sort((a, b) => a - b))
      })

      test('a block of 1 MiB and one of 4,096 deltas come back byte for byte', async () => {
        const store = await openNew()
        const log = new TestLog()
        log.append([claim('a', 'wide', 'x', 'y'.repeat(520_000)), claim('a', 'wide', 'z', 'w'.repeat(500_000))])
        log.append(Array.from({ length: 4_096 }, (_, index) => claim('many', String(index % 7), 'n', index)))
        store.commit(log.run(0, 1))
        store.commit(log.run(1))
        for (const block of log.blocks) {
          const found = store.block(NAMESPACE, block.hash) as Block
          expect(Buffer.compare(encodeBlock(found), encodeBlock(block))).toBe(0)
        }
        expect(store.entity(NAMESPACE, 'a/wide').deltas).toHaveLength(2)
        expect(store.entity(NAMESPACE, 'many/3').deltas).toHaveLength(585)
      })
    })

    describe('forks', () => {
      test('a block that contradicts a held one cuts the log there, and the proof is kept', async () => {
        const store = await openNew()
        const log = logOf(4)
        store.commit(log.run())
        const twin = log.fork(2)
        const other = twin.append([claim('item', 'other', 'p', 1)])
        expect(store.commit(runOf(other))).toMatchObject({ kind: 'forked', log: log.key, cut: 2 })
        expect(store.logState(NAMESPACE, log.key)).toMatchObject({ seq: 1, cut: 2 })
        expect(store.counts(NAMESPACE)).toEqual({ blocks: 2, deltas: 2, logs: 1 })
        const proof = store.forkProof(NAMESPACE, log.key)
        expect(proof && verifyForkProof(proof)).toEqual({ namespace: NAMESPACE, log: log.key, cut: 2 })
      })

      test('a run that contradicts in its middle is cut at the first block that differs', async () => {
        const store = await openNew()
        const log = logOf(12)
        store.commit(log.run(0, 8))
        store.commit(log.run(8))
        const twin = log.fork(5)
        for (let count = 0; count < 9; count++) twin.append([claim('item', 'twin', 'p', count)])
        expect(store.commit(twin.run())).toMatchObject({ kind: 'forked', cut: 5 })
        expect(store.logState(NAMESPACE, log.key)?.seq).toBe(4)
      })

      test('a block that follows the head by number alone is a fork at the head', async () => {
        const store = await openNew()
        const log = logOf(3)
        store.commit(log.run())
        const twin = log.fork(2)
        twin.append([claim('item', 'twin', 'p', 1)])
        const stranger = twin.append()
        expect(store.commit(runOf(stranger))).toMatchObject({ kind: 'forked', cut: 2 })
      })

      test('what lies past the cut is void, and is not taken', async () => {
        const store = await openNew()
        const log = logOf(4)
        store.commit(log.run())
        store.commit(log.fork(2).write())
        log.append()
        expect(store.commit(log.run(4))).toEqual({ kind: 'void', cut: 2 })
        expect(store.commit(log.run(1))).toEqual({ kind: 'void', cut: 2 })
        expect(store.counts(NAMESPACE).blocks).toBe(2)
      })

      test('void blocks leave entities, deltas, blocks, runs and changes, and stay to be asserted again', async () => {
        const store = await openNew()
        const log = new TestLog()
        const kept = log.append([claim('item', 'kept', 'p', 1)])
        const lost = log.append([claim('item', 'lost', 'p', 2), claim('item', 'kept', 'p', 2)])
        store.commit(runOf(kept))
        store.commit(runOf(lost))
        store.commit(log.fork(1).write([claim('item', 'twin', 'p', 3)]))

        expect(store.entity(NAMESPACE, 'item/kept').deltas.map(({ seq }) => seq)).toEqual([0])
        expect(store.entity(NAMESPACE, 'item/lost').deltas).toEqual([])
        expect(store.entities(NAMESPACE, { prefix: '', countMax: 10 })).toEqual(['item/kept'])
        expect(store.delta(NAMESPACE, `${lost.hash}/0`)).toBeUndefined()
        expect(store.block(NAMESPACE, lost.hash)).toBeUndefined()
        expect(store.readRun(NAMESPACE, log.key, 0, 1e6)?.blocks.map(({ hash }) => hash)).toEqual([kept.hash])
        expect(store.readRun(NAMESPACE, log.key, 1, 1e6)).toBeUndefined()
        expect(changesOf(store).map(({ kind }) => kind)).toEqual(['committed', 'voided'])
        expect(store.voided(NAMESPACE, log.key).map(({ hash }) => hash)).toEqual([lost.hash])
      })

      test('the least cut known holds, and only falls', async () => {
        const store = await openNew()
        const log = logOf(6)
        store.commit(log.run())
        const high = proofOf(log, 4)
        const low = proofOf(log, 2)
        expect(store.commitForkProof(high)).toMatchObject({ kind: 'forked', cut: 4 })
        expect(store.commitForkProof(high)).toEqual({ kind: 'duplicate' })
        expect(store.commitForkProof(low)).toMatchObject({ kind: 'forked', cut: 2 })
        expect(store.commitForkProof(high)).toEqual({ kind: 'duplicate' })
        expect(store.logState(NAMESPACE, log.key)).toMatchObject({ seq: 1, cut: 2 })
        expect(store.forkProof(NAMESPACE, log.key)).toEqual(low)
        expect(store.counts(NAMESPACE)).toEqual({ blocks: 2, deltas: 2, logs: 1 })
        expect(store.voided(NAMESPACE, log.key)).toHaveLength(4)
      })

      test('a proof that comes before any block of its log holds for those that come after', async () => {
        const store = await openNew()
        const log = logOf(4)
        store.commitForkProof(proofOf(log, 0))
        expect(store.frontier(NAMESPACE)).toEqual([{ log: log.key, cut: 0 }])
        expect(store.commit(log.run())).toEqual({ kind: 'void', cut: 0 })

        const other = logOf(4, { signer: signer(2) })
        store.commitForkProof(proofOf(other, 3))
        expect(store.commit(other.run(0, 2))).toMatchObject({ kind: 'committed' })
        expect(store.logState(NAMESPACE, other.key)).toMatchObject({ seq: 1, cut: 3 })
      })

      test('a run over a cut brings the blocks before it, which can be passed on with their certificate', async () => {
        const log = logOf(6)
        const one = await openNew()
        one.commitForkProof(proofOf(log, 4))
        expect(one.commit(log.run())).toMatchObject({ kind: 'committed' })
        expect(one.counts(NAMESPACE)).toEqual({ blocks: 4, deltas: 4, logs: 1 })

        const two = await openNew()
        two.commitForkProof(proofOf(log, 4))
        const run = one.readRun(NAMESPACE, log.key, 0, 1e6) as Run
        expect(two.commit(verifyRun(run))).toMatchObject({ kind: 'committed' })
        expect(two.frontier(NAMESPACE)).toEqual(one.frontier(NAMESPACE))
      })

      test('a first block with another hash voids the log whole', async () => {
        const store = await openNew()
        const log = logOf(2)
        store.commit(log.run())
        expect(store.commit(log.fork(0).write([claim('item', 'twin', 'p', 0)]))).toMatchObject({
          kind: 'forked',
          cut: 0,
        })
        expect(store.frontier(NAMESPACE)).toEqual([{ log: log.key, cut: 0 }])
        expect(store.counts(NAMESPACE)).toEqual({ blocks: 0, deltas: 0, logs: 1 })
      })

      test('a fork inside one transaction is found as well', async () => {
        const store = await openNew()
        const log = logOf(3)
        const results = store.commitAll([log.run(), log.fork(1).write([claim('item', 'twin', 'p', 0)])])
        expect(results).toMatchObject([{ kind: 'committed' }, { kind: 'forked', cut: 1 }])
        expect(store.counts(NAMESPACE).blocks).toBe(1)
      })
    })

    describe('reading', () => {
      test('an entity holds every delta that points at it, in the total order', async () => {
        const store = await openNew()
        const one = new TestLog({ signer: signer(1), startMs: 2_000 })
        const two = new TestLog({ signer: signer(2), startMs: 1_000 })
        store.commit(one.write([claim('user', 'a', 'name', 'A'), claim('user', 'b', 'name', 'B')]))
        store.commit(two.write([claim('user', 'a', 'name', 'older')]))
        const { deltas, negations } = store.entity(NAMESPACE, 'user/a')
        expect(deltas.map(({ creator, time }) => [creator, time.ms])).toEqual([
          [signer(2).id, 1_000],
          [signer(1).id, 2_000],
        ])
        expect(deltas[1]).toMatchObject({ host: signer(1).id, log: one.logId, seq: 0, index: 0 })
        expect(deltas[1]?.pointers).toEqual(claim('user', 'a', 'name', 'A'))
        expect(negations).toEqual([])
      })

      test('a delta that points twice at an entity is found once', async () => {
        const store = await openNew()
        const pointers = ['from', 'to'].map((context) => ({
          localContext: context,
          target: 'x',
          targetContext: context,
        }))
        store.commit(new TestLog().write([pointers]))
        expect(store.entity(NAMESPACE, 'x').deltas).toHaveLength(1)
      })

      // With each negation read once for each claim, this takes minutes.
      test('hundreds of deltas that negate the same hundreds of claims come along, each once', async () => {
        const place = await makePlace()
        const store = await openIn(place)
        const log = new TestLog()
        const claims = log.append(Array.from({ length: 256 }, (_, n) => claim('user', 'a', 'n', n)))
        store.commit(runOf(claims))
        const all = claims.payload.flatMap((_, index) => negation(`${claims.hash}/${index}` as never))
        for (let count = 0; count < 16; count++) store.commit(runOf(log.append(Array.from({ length: 40 }, () => all))))
        const seen = store.entity(NAMESPACE, 'user/a')
        expect(seen.deltas).toHaveLength(256)
        expect(new Set(seen.negations.map(({ id }) => id)).size).toBe(640)
        expect(seen.negations).toHaveLength(640)
        await store.close()
        expect((await openIn(place)).entity(NAMESPACE, 'user/a')).toEqual(seen)
      })

      test('negations come along, and negations of negations, whatever the order in which they arrive', async () => {
        const log = new TestLog()
        const other = new TestLog({ signer: signer(2) })
        const claimed = log.append([claim('user', 'a', 'name', 'A')])
        const target = `${claimed.hash}/0` as Parameters<typeof negation>[0]
        const negating = other.append([negation(target)])
        const again = other.append([negation(`${negating.hash}/0` as Parameters<typeof negation>[0])])
        for (const runs of [
          [log.run(), other.run()],
          [other.run(), log.run()],
        ]) {
          const store = await openNew()
          store.commitAll(runs)
          const { negations } = store.entity(NAMESPACE, 'user/a')
          expect(negations.map(({ id }) => id)).toEqual([`${negating.hash}/0`, `${again.hash}/0`])
          expect(store.delta(NAMESPACE, target)?.negations).toHaveLength(2)
        }
      })

      test('a reference inside a block is read with its full id', async () => {
        const store = await openNew()
        const log = new TestLog()
        const block = log.append([claim('user', 'a', 'name', 'A'), negation('./0')])
        store.commit(runOf(block))
        const { deltas, negations } = store.entity(NAMESPACE, 'user/a')
        expect(deltas).toHaveLength(1)
        expect(negations.map(({ pointers }) => pointers)).toEqual([negation(`${block.hash}/0` as never)])
      })

      test('namespaces do not see each other', async () => {
        const store = await openNew()
        const other = openNamespaceId('other')
        store.openNamespace(other, 'other')
        const mine = logOf(2)
        const theirs = logOf(3, { namespace: other })
        store.commitAll([mine.run(), theirs.run()])
        expect(store.counts(NAMESPACE).blocks).toBe(2)
        expect(store.counts(other).blocks).toBe(3)
        expect(store.entity(other, 'item/0').deltas).toHaveLength(1)
        expect(store.entity(NAMESPACE, 'item/2').deltas).toEqual([])
        expect(store.block(other, mine.blocks[0]?.hash ?? '')).toBeUndefined()
        expect(store.delta(other, `${mine.blocks[0]?.hash}/0`)).toBeUndefined()
        expect(store.entities(NAMESPACE, { prefix: 'item/', countMax: 10 })).toEqual(['item/0', 'item/1'])
      })

      test('entities are listed by prefix, in pages, in the order of their UTF-8 bytes', async () => {
        const store = await openNew()
        const ids = ['a', 'a/1', 'a/10', 'a/2', 'a/\uffff', 'a/\u{1f600}', 'a/é', 'ab', 'b/1', 'a/x\0y']
        store.commit(new TestLog().write(ids.map((target) => [{ localContext: 'x', target, targetContext: 'y' }])))
        const expected = ids
          .filter((id) => id.startsWith('a/'))
          .sort((x, y) => Buffer.compare(Buffer.from(x), Buffer.from(y)))
        expect(store.entities(NAMESPACE, { prefix: 'a/', countMax: 100 })).toEqual(expected)
        const paged: string[] = []
        for (;;) {
          const after = paged.at(-1)
          const page = store.entities(NAMESPACE, {
            prefix: 'a/',
            countMax: 2,
            ...(after === undefined ? {} : { after }),
          })
          if (page.length === 0) break
          paged.push(...page)
        }
        expect(paged).toEqual(expected)
        expect(store.entities(NAMESPACE, { prefix: 'a/', after: 'A', countMax: 1 })).toEqual(['a/1'])
        expect(store.entities(NAMESPACE, { prefix: 'a/', after: 'b', countMax: 1 })).toEqual([])
        for (const id of ids) expect(store.entity(NAMESPACE, id).deltas).toHaveLength(1)
      })

      test('a sealed payload and an unknown critical extension are kept and forwarded, but not shown', async () => {
        const store = await openNew()
        const log = new TestLog()
        const block = log.append([claim('user', 'a', 'name', 'A')], { header: { extensions: { '!later': 1 } } })
        const mild = log.append([claim('user', 'b', 'name', 'B')], { header: { extensions: { later: 1 } } })
        store.commit(log.run())
        expect(store.entity(NAMESPACE, 'user/a').deltas).toEqual([])
        expect(store.entity(NAMESPACE, 'user/b').deltas).toHaveLength(1)
        expect(store.entities(NAMESPACE, { prefix: '', countMax: 9 })).toEqual(['user/b'])
        expect(store.delta(NAMESPACE, `${block.hash}/0`)).toBeUndefined()
        expect(store.delta(NAMESPACE, `${mild.hash}/0`)).toBeDefined()
        expect(store.readRun(NAMESPACE, log.key, 0, 1e6)?.blocks).toHaveLength(2)
      })

      test('an id that is no delta id is refused; an unknown one is not found', async () => {
        const store = await openNew()
        expect(() => store.delta(NAMESPACE, 'nonsense')).toThrow(expect.objectContaining({ code: 'RZ_BYTES_INVALID' }))
        expect(store.delta(NAMESPACE, `${hashText(new Uint8Array(32))}/0`)).toBeUndefined()
        const block = new TestLog().append()
        store.commit(runOf(block))
        expect(store.delta(NAMESPACE, `${block.hash}/1`)).toBeUndefined()
        expect(store.block(NAMESPACE, hashText(new Uint8Array(32)))).toBeUndefined()
      })

      test('a run that is read can be verified, and ends at a signature within the bounds asked for', async () => {
        const store = await openNew()
        const log = logOf(30)
        store.commit(log.run(0, 10))
        store.commit(log.run(10, 20))
        for (const block of log.blocks.slice(20)) store.commit(runOf(block))
        for (const fromSeq of [0, 5, 9, 10, 19, 20, 29]) {
          const run = verifyRun(store.readRun(NAMESPACE, log.key, fromSeq, 1e6) as Run)
          expect(run.blocks[0].header.seq).toBe(fromSeq)
          expect(run.blocks.at(-1)?.header.seq).toBe(29)
        }
        const least = (fromSeq: number) => store.readRun(NAMESPACE, log.key, fromSeq, 1)?.blocks.at(-1)?.header.seq
        expect([0, 5, 10, 20, 29].map(least)).toEqual([9, 9, 19, 20, 29])
        expect(store.readRun(NAMESPACE, log.key, 30, 1e6)).toBeUndefined()
      })

      test('a run holds no more blocks than a run may', async () => {
        const store = await openNew()
        const log = logOf(RUN_BLOCKS_MAX + 5)
        store.commit(log.run(0, 1_000))
        store.commit(log.run(1_000))
        expect(store.readRun(NAMESPACE, log.key, 0, 1e9)?.blocks).toHaveLength(1_000)
        expect(store.readRun(NAMESPACE, log.key, 1_000, 1e9)?.blocks).toHaveLength(29)
      })

      test('the frontier is sorted, and told by changes, whatever comes and in whatever order', async () => {
        const store = await openNew()
        const followed = new Map<string, FrontierEntry>()
        let revision = 0
        const follow = (): number => {
          const changes = store.frontierChanges(NAMESPACE, revision)
          for (const entry of changes.entries) followed.set(entry.log, entry)
          revision = changes.revision
          return changes.entries.length
        }
        const logs = Array.from({ length: 30 }, (_, number) =>
          logOf(3, { signer: signer(number % 3), logId: logId(number) }),
        )
        for (const [index, log] of [...logs, ...logs].entries()) {
          store.commit(index < 30 ? log.run(0, 1) : log.run(1))
          if (index % 7 === 0) follow()
          if (index % 4 === 0) store.frontier(NAMESPACE)
        }
        follow()
        expect(follow()).toBe(0)
        store.commitForkProof(proofOf(logs[0] as TestLog, 1))
        expect(follow()).toBe(1)
        const frontier = store.frontier(NAMESPACE)
        expect(frontier).toEqual([...followed.values()].sort((a, b) => (a.log < b.log ? -1 : 1)))
        expect(store.frontierChanges(NAMESPACE, revision + 1).entries).toHaveLength(30)
        expect(store.logsOf(NAMESPACE, signer(0).id)).toBe(10)
        expect(store.logsOf(NAMESPACE, signer(9).id)).toBe(0)
      })

      test('a frontier handed out is a snapshot, sorted by log', async () => {
        const store = await openNew()
        expect(store.frontier(NAMESPACE)).toEqual([])
        for (let number = 0; number < 40; number++) {
          store.commit(logOf(1 + (number % 3), { signer: signer(number % 5), logId: logId(number) }).run())
        }
        const before = store.frontier(NAMESPACE)
        const digest = hex(digestOf(before))
        store.commitForkProof(proofOf(logOf(2, { signer: signer(1), logId: logId(1) }), 0))
        expect(hex(digestOf(store.frontier(NAMESPACE)))).not.toEqual(digest)
        expect(hex(digestOf(before))).toEqual(digest)
        expect(before.map(({ log }) => log)).toEqual(before.map(({ log }) => log).sort())
      })
    })

    describe('changes', () => {
      test('come in pages, oldest first, and go on from any position', async () => {
        const store = await openNew()
        const log = logOf(10)
        for (const block of log.blocks) store.commit(runOf(block))
        const seen: Change[] = []
        let after = POSITION_START
        for (;;) {
          const page = store.changesNow({ after, countMax: 3, bytesMax: 1e6 })
          if (page.length === 0) break
          expect(page.length).toBeLessThanOrEqual(3)
          seen.push(...page)
          after = page.at(-1)?.position as Position
        }
        expect(seen.map((change) => change.kind === 'committed' && change.block.hash)).toEqual(
          log.blocks.map(({ hash }) => hash),
        )
        expect(after).toBe(store.position())
        expect(store.changesNow({ after: POSITION_START, countMax: 100, bytesMax: 1 })).toHaveLength(1)
      })

      test('wait for more until they are aborted', async () => {
        const store = await openNew()
        const log = logOf(3)
        store.commit(log.run(0, 1))
        const controller = new AbortController()
        const seen: number[] = []
        const following = (async () => {
          for await (const change of store.changes({ after: POSITION_START, signal: controller.signal })) {
            if (change.kind === 'committed') seen.push(change.block.header.seq)
            if (seen.length === 3) controller.abort()
          }
        })()
        await turn()
        store.commit(log.run(1, 2))
        await turn()
        store.commit(log.run(2))
        await following
        expect(seen).toEqual([0, 1, 2])
      })

      test('end when the store is closed', async () => {
        const store = await openNew()
        const following = (async () => {
          for await (const _ of store.changes({ after: POSITION_START, signal: new AbortController().signal }));
        })()
        await turn()
        await store.close()
        await expect(following).resolves.toBeUndefined()
      })

      test('a consumer that comes back sees what was voided meanwhile', async () => {
        const store = await openNew()
        const log = logOf(4)
        store.commit(log.run())
        const after = store.position()
        store.commit(log.fork(1).write([claim('item', 'twin', 'p', 0)]))
        expect(store.changesNow({ after, ...PAGE })).toMatchObject([{ kind: 'voided', log: log.key, cut: 1 }])
      })

      test('a page that holds void blocks alone is not the end', async () => {
        const store = await openNew()
        const log = logOf(8)
        for (const block of log.blocks) store.commit(runOf(block))
        store.commitForkProof(proofOf(log, 0))
        expect(store.changesNow({ after: POSITION_START, countMax: 2, bytesMax: 1e6 })).toMatchObject([
          { kind: 'voided' },
        ])
      })
    })

    describe('a life after', () => {
      test('everything committed is there again', async () => {
        const place = await makePlace()
        const log = logOf(20, { deltas: 3 })
        const cut = logOf(6, { signer: signer(2) })
        const first = await openIn(place)
        first.commit(log.run())
        first.commit(cut.run())
        first.commit(cut.fork(3).write([claim('item', 'twin', 'p', 0)]))
        first.setNote('a', '1')
        const before = everything(first)
        await first.close()

        const second = await openIn(place)
        expect(everything(second)).toEqual(before)
        expect(second.instance).toBe(first.instance)
        log.append()
        const result = second.commit(log.run(20))
        expect(result).toMatchObject({ kind: 'committed', blocks: 1 })
        expect(positionOf(result)).toBeGreaterThan(before.position)
      })

      test('a place is open once at a time', async () => {
        const place = await makePlace()
        const store = await openIn(place)
        await expect((async () => place.open())()).rejects.toMatchObject({ code: 'RZ_STORE_LOCKED' })
        await store.close()
        await openIn(place)
      })
    })

    test('notes are kept, replaced and removed', async () => {
      const store = await openNew()
      expect(store.note('k')).toBeUndefined()
      store.setNote('k', 'one')
      store.setNote('k', 'two \u{1f600}')
      expect(store.note('k')).toBe('two \u{1f600}')
      store.setNote('k', undefined)
      expect(store.note('k')).toBeUndefined()
    })

    test('several notes are written together', async () => {
      const store = await openNew()
      store.setNote('gone', 'soon')
      store.setNotes(
        new Map([
          ['a', '1'],
          ['b', '2'],
          ['gone', undefined],
        ]),
      )
      store.setNotes(new Map())
      expect(['a', 'b', 'gone'].map((key) => store.note(key))).toEqual(['1', '2', undefined])
    })

    describe('a commit with notes', () => {
      const at = (cursor: string) => new Map([['cursor', cursor]])

      test('writes both, and both are there when the store is opened again', async () => {
        const place = await makePlace()
        const store = await openIn(place)
        const log = logOf(2)
        expect(store.commit(log.run(0, 1), at('1'))).toMatchObject({ kind: 'committed' })
        expect(store.commit(log.run(1), at('2'))).toMatchObject({ kind: 'committed' })
        await store.close()
        const again = await openIn(place)
        expect(again.note('cursor')).toBe('2')
        expect(again.counts(NAMESPACE).blocks).toBe(2)
      })

      test('writes no note where no block is taken', async () => {
        const store = await openNew()
        const log = logOf(3)
        store.commit(log.run(0, 1), at('first'))
        expect(store.commit(log.run(0, 1), at('duplicate'))).toEqual({ kind: 'duplicate' })
        expect(store.commit(log.run(2), at('gap'))).toMatchObject({ kind: 'gap' })
        expect(store.commit(logOf(1, { namespace: openNamespaceId('b') }).run(), at('invalid'))).toMatchObject({
          kind: 'invalid',
        })
        const twin = log.fork(0).append([claim('item', 'other', 'p', 1)])
        expect(store.commit(runOf(twin), at('forked'))).toMatchObject({ kind: 'forked' })
        expect(store.note('cursor')).toBe('first')
      })
    })

    test('a block stands where the cursor yields it; one that is void, of another namespace or not held, nowhere', async () => {
      const store = await openNew()
      const log = logOf(3)
      store.commit(log.run())
      const yielded = store.changesNow({ after: POSITION_START, ...PAGE }).map(({ position }) => position)
      const placed = () => log.blocks.map(({ hash }) => store.positionOf(NAMESPACE, hash))
      expect(placed()).toEqual(yielded)
      expect(store.positionOf(openNamespaceId('b'), (log.blocks[0] as Block).hash)).toBeUndefined()
      expect(store.positionOf(NAMESPACE, (logOf(1, { signer: signer(3) }).blocks[0] as Block).hash)).toBeUndefined()
      store.commit(runOf(log.fork(1).append([claim('item', 'other', 'p', 1)])))
      expect(placed()).toEqual([yielded[0], undefined, undefined])
    })

    test('namespaces are opened once, and known by name', async () => {
      const store = await openNew()
      store.openNamespace(NAMESPACE, NAMESPACE_NAME)
      store.openNamespace(openNamespaceId('b'), 'b')
      expect(store.namespaces().map((namespace) => namespace.name)).toEqual([NAMESPACE_NAME, 'b'])
    })

    test('a closed store refuses every call with RZ_STORE_CLOSED, and closing again is harmless', async () => {
      const store = await openNew()
      await store.close()
      await store.close()
      const closed = expect.objectContaining({ code: 'RZ_STORE_CLOSED' }) as unknown
      expect(() => store.commit(logOf(1).run())).toThrow(closed)
      expect(() => store.entity(NAMESPACE, 'x')).toThrow(closed)
      expect(() => store.note('x')).toThrow(closed)
      expect(() => store.changesNow({ after: POSITION_START, ...PAGE })).toThrow(closed)
    })
  })
}

/** All that a reader can tell of a store: two that are equal in it are the same to the user. */
export function everything(store: Store) {
  const entities = store.entities(NAMESPACE, { prefix: '', countMax: 1e6 })
  return {
    position: store.position(),
    counts: store.counts(NAMESPACE),
    frontier: store.frontier(NAMESPACE),
    latest: store.latestTime(),
    entities: entities.map((entity) => [entity, store.entity(NAMESPACE, entity)] as const),
    changes: changesOf(store).map((change) =>
      change.kind === 'committed'
        ? [change.position, Buffer.from(encodeBlock(change.block)).toString('base64')]
        : change,
    ),
    voided: store.frontier(NAMESPACE).map(({ log }) => store.voided(NAMESPACE, log).map(({ hash }) => hash)),
    proofs: store.frontier(NAMESPACE).map(({ log }) => store.forkProof(NAMESPACE, log)),
  }
}

/** Every change up to now. */
function changesOf(store: Store): readonly Change[] {
  const changes: Change[] = []
  let after = POSITION_START
  for (;;) {
    const page = store.changesNow({ after, ...PAGE })
    if (page.length === 0) return changes
    changes.push(...page)
    after = page.at(-1)?.position as Position
  }
}

/** Proof that `log` forks at `cut`, made without a store. */
export function proofOf(log: TestLog, cut: number) {
  const twin = log.fork(cut).append([claim('item', 'a twin', 'p', cut)])
  const held = log.blocks[cut] as Block
  return {
    first: { headers: [held.headerBytes] as const, signature: held.signature as Uint8Array },
    second: { headers: [twin.headerBytes] as const, signature: twin.signature as Uint8Array },
  }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

function positionOf(result: { kind: string; position?: Position }): Position {
  if (result.position === undefined) throw new Error(`${result.kind} has no position`)
  return result.position
}

function positionsOf(results: readonly { kind: string; position?: Position }[]): readonly Position[] {
  return results.flatMap(({ position }) => (position === undefined ? [] : [position]))
}

/** Lets pending promises and one turn of the event loop run. */
function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}
