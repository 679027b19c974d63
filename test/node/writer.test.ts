/** Which log a node writes: one that nobody else can have gone on with. design.md 3, "Logs never fork by honest accident". */

import { copyFileSync, cpSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { DeltaId } from '../../src/delta/delta.ts'
import { HybridClock } from '../../src/node/hybrid-clock.ts'
import { LogWriter } from '../../src/node/writer.ts'
import { createMemoryDisk, openMemoryStore } from '../../src/store/memory.ts'
import type { RhizomeNode } from '../../src/index.ts'
import { claim, NAMESPACE, NAMESPACE_NAME, signer } from '../support/blocks.ts'
import { openLoopbackNode, openTestNode, temporaryFolder, until } from '../support/nodes.ts'

/** Writes a record; answers the log that it went into. */
async function logOfWrite(node: RhizomeNode, topic: string, id: string): Promise<string | undefined> {
  const namespace = node.namespace(topic)
  const { deltas } = await namespace.put('user', id, { name: id })
  return namespace.delta(deltas[0] as DeltaId)?.log
}

it('a commit of unknown outcome ends the log: the next write begins another, and nothing forks', async () => {
  const disk = createMemoryDisk()
  await using store = openMemoryStore({ disk })
  store.openNamespace(NAMESPACE, NAMESPACE_NAME)
  const writer = new LogWriter({
    store,
    namespace: NAMESPACE,
    signer: signer(1),
    host: signer(1).id,
    clock: new HybridClock({ nowMs: Date.now, admitted: () => store.latestTime() }),
    random: (bytes) => crypto.getRandomValues(new Uint8Array(bytes)),
    defer: setImmediate,
    onLog: () => undefined,
    onRenewed: () => undefined,
  })
  await writer.write([claim('user', 'a', 'n', 1)])
  disk.fault = 'failed-after-write'
  await expect(writer.write([claim('user', 'a', 'n', 2)])).rejects.toMatchObject({ code: 'RZ_STORE_FAILED' })
  disk.fault = 'none'
  await writer.write([claim('user', 'a', 'n', 3)])
  await writer.write([claim('user', 'a', 'n', 4)])
  const frontier = store.frontier(NAMESPACE)
  expect(frontier.map(({ seq, cut }) => ({ seq, cut }))).toEqual([{ seq: 1 }, { seq: 1 }])
})

it('a copy that was started once without writing still leaves the logs of the original alone', async () => {
  const folder = await temporaryFolder()
  const [original, copy] = [join(folder, 'original'), join(folder, 'copy')]
  const first = await openTestNode({ data: original })
  const before = await logOfWrite(first, 'users', '1')
  await first.close()
  cpSync(original, copy, { recursive: true })
  const started = await openTestNode({ data: copy, topics: ['users', 'others'] })
  await logOfWrite(started, 'others', '1')
  await started.close()

  const again = await openTestNode({ data: copy })
  expect(await logOfWrite(again, 'users', '2')).not.toBe(before)
  const back = await openTestNode({ data: original })
  expect(await logOfWrite(back, 'users', '2')).toBe(before)
})

it('a log of which a peer holds more is left, even before the first write of this life', async () => {
  const folder = await temporaryFolder()
  const data = join(folder, 'data')
  const log = join(data, 'store', 'log.db')
  const first = await openTestNode({ data })
  const before = await logOfWrite(first, 'users', '1')
  await first.close()
  copyFileSync(log, join(folder, 'backup.db'))
  const peer = await openLoopbackNode()
  const second = await openLoopbackNode([peer], { data })
  await logOfWrite(second, 'users', '2')
  await until('the peer has it', () => peer.namespace('users').get('user', '2'))
  await second.close()
  // Written over in place, the file is the same one to whoever looks: only the peer knows better.
  copyFileSync(join(folder, 'backup.db'), log)
  rmSync(join(data, 'store', 'index.db'))

  const restored = await openLoopbackNode([peer], { data })
  await until('it is given back', () => restored.namespace('users').get('user', '2'))
  expect(await logOfWrite(restored, 'users', '3')).not.toBe(before)
})
