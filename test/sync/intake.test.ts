import { describe, expect, it } from 'vitest'
import { createMemoryDisk, openMemoryStore } from '../../src/store/memory.ts'
import type { NamespaceEvent } from '../../src/sync/events.ts'
import { encodeGossipRun } from '../../src/sync/gossip-message.ts'
import { Intake } from '../../src/sync/intake.ts'
import { KnownHeads } from '../../src/sync/known-heads.ts'
import { GAP_MS, INBOX_BYTES_MAX, LOGS_PER_CREATOR_REPORTED } from '../../src/sync/limits.ts'
import { Source } from '../../src/sync/source.ts'
import { claim, logId, NAMESPACE, NAMESPACE_NAME, runOf, signer, START_MS, TestLog } from '../support/blocks.ts'
import { VirtualTime } from '../../src/testing/virtual-time.ts'

function opened() {
  const disk = createMemoryDisk()
  const store = openMemoryStore({ disk })
  store.openNamespace(NAMESPACE, NAMESPACE_NAME)
  const time = new VirtualTime(START_MS)
  const source = new Source(store, NAMESPACE)
  const known = new KnownHeads((log) => source.entry(log))
  const events: NamespaceEvent[] = []
  const asked: (string | undefined)[] = []
  const intake = new Intake({
    store,
    namespace: NAMESPACE,
    source,
    known,
    nowMs: () => time.nowMs(),
    schedule: (delayMs, run) => time.schedule(delayMs, run),
    own: () => false,
    emit: (event) => events.push(event),
    needSync: (from) => asked.push(from),
    changed: () => undefined,
  })
  return { disk, store, time, known, events, asked, intake }
}

describe('a gossiped run that is lost here', () => {
  it('because the inbox is full is known to be lacking at once, and sync is asked for it', async () => {
    const { intake, known, asked, time, store } = opened()
    const payload = new Uint8Array(60_000)
    const count = Math.ceil(INBOX_BYTES_MAX / payload.length) + 1
    const runs = Array.from({ length: count }, (_, index) =>
      new TestLog({ signer: signer(9), logId: logId(index) }).write([claim('large', `${index}`, 'bytes', payload)]),
    )
    for (const run of runs) expect(intake.message(encodeGossipRun(run), 'peer')).toBe('accept')
    const { blocks, peers } = known.lacked(time.nowMs())
    expect([blocks > 0, peers]).toEqual([true, ['peer']])
    await time.advance(GAP_MS)
    expect(store.counts(NAMESPACE).blocks).toBe(count - blocks)
    expect(asked).toEqual(Array.from({ length: blocks }, () => 'peer'))
  })

  it('because the store refuses it is known to be lacking at once, and sync is asked for it', async () => {
    const { intake, known, asked, time, disk, events } = opened()
    const log = new TestLog({ signer: signer(9) })
    disk.fault = 'failed'
    intake.message(encodeGossipRun(log.write()), 'peer')
    await time.advance(1)
    expect(events).toMatchObject([{ kind: 'store-refused' }])
    expect(known.lacked(time.nowMs())).toEqual({ blocks: 1, peers: ['peer'] })
    expect(asked).toEqual([])
    await time.advance(GAP_MS)
    expect(asked).toEqual(['peer'])
  })

  it('and came otherwise meanwhile is not asked for', async () => {
    const { intake, known, asked, time, disk } = opened()
    const log = new TestLog({ signer: signer(9) })
    const run = log.write()
    disk.fault = 'full'
    intake.message(encodeGossipRun(run), 'peer')
    await time.advance(1)
    disk.fault = 'none'
    intake.take([runOf(...run.blocks)], 'other')
    await time.advance(GAP_MS)
    expect([known.lacked(time.nowMs()).blocks, asked]).toEqual([0, []])
  })

  it('is not asked for at once while the store is full, which it will be for sync too', async () => {
    const { intake, known, asked, time, disk } = opened()
    disk.fault = 'full'
    intake.message(encodeGossipRun(new TestLog({ signer: signer(9) }).write()), 'peer')
    await time.advance(2 * GAP_MS)
    expect([known.lacked(time.nowMs()).blocks, asked]).toEqual([1, []])
  })

  it('asks for nothing after the namespace is left', async () => {
    const { intake, asked, time } = opened()
    const log = new TestLog({ signer: signer(9) })
    intake.close()
    intake.message(encodeGossipRun(log.write()), 'peer')
    await time.advance(2 * GAP_MS)
    expect(asked).toEqual([])
  })
})

describe('logs of one creator', () => {
  it('are all admitted, and reported when there are very many, and again when they double', async () => {
    const { intake, events, store } = opened()
    const runs = Array.from({ length: 2 * LOGS_PER_CREATOR_REPORTED }, (_, index) =>
      new TestLog({ signer: signer(9), logId: logId(index) }).write(),
    )
    const other = new TestLog({ signer: signer(8) })
    for (let at = 0; at < runs.length; at += 1_000) intake.take([...runs.slice(at, at + 1_000), other.write()], 'peer')
    expect(store.counts(NAMESPACE).logs).toBe(runs.length + 1)
    const reports = events.filter(({ kind }) => kind === 'many-logs')
    expect(reports).toEqual([
      { kind: 'many-logs', from: 'peer', creator: signer(9).id, logs: 5_000 },
      { kind: 'many-logs', from: 'peer', creator: signer(9).id, logs: 2 * LOGS_PER_CREATOR_REPORTED },
    ])
  })
})
