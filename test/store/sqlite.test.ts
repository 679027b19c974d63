import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { encodeBlock } from '../../src/log/block-bytes.ts'
import { openNamespaceId } from '../../src/log/namespace.ts'
import { rowsOf, sumOf } from '../../src/store/log-rows.ts'
import { type OpenStoreOptions, openStore } from '../../src/store/sqlite.ts'
import type { Position } from '../../src/store/store.ts'
import { claim, logId, logOf, NAMESPACE, NAMESPACE_NAME, runOf, signer, TestLog } from '../support/blocks.ts'
import { makeDirectory } from '../support/directory.ts'
import { everything, storeContract } from './contract.ts'

storeContract('a store on disk', async () => {
  const directory = makeDirectory()
  return { open: () => openStore(directory) }
})

async function openIn(directory: string, options: OpenStoreOptions = {}) {
  const store = await openStore(directory, options)
  store.openNamespace(NAMESPACE, NAMESPACE_NAME)
  return store
}

function coded(code: string, message = '') {
  return expect.objectContaining({ code, message: expect.stringContaining(message) as unknown }) as Error
}

// ------------------------------------------------------------------------------------------------------ the index

test('reads see every commit at once, while the index is built behind them', async () => {
  await using store = await openIn(makeDirectory())
  const log = new TestLog()
  const written = new Map<string, number>()
  for (let round = 0; round < 120; round++) {
    for (let count = 0; count < 30; count++) {
      const id = String((round * 31 + count * 7) % 97)
      log.append([claim('item', id, 'p', round), claim('item', id, 'q', count)])
      written.set(id, (written.get(id) ?? 0) + 2)
    }
    store.commit(log.run(round * 30))
    const id = String(round % 97)
    expect(store.entity(NAMESPACE, `item/${id}`).deltas).toHaveLength(written.get(id) ?? 0)
    if (round % 4 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  expect(store.entities(NAMESPACE, { prefix: 'item/', countMax: 1_000 })).toHaveLength(97)
  expect(store.counts(NAMESPACE).deltas).toBe(7_200)
})

test('what no index covers stays within its bound, however fast a loop writes without pausing', async () => {
  const directory = makeDirectory()
  const unindexedBytesMax = 1_000_000
  await using store = await openIn(directory, { unindexedBytesMax })
  const log = logOf(400, { deltas: 50 })
  const index = new DatabaseSync(join(directory, 'index.db'), { readOnly: true })
  for (const block of log.blocks) store.commit(runOf(block))
  const { end } = index.prepare('SELECT "end" FROM meta').get() as { end: number }
  index.close()
  const behind = store.changesNow({ after: end as Position, countMax: 1e6, bytesMax: 1e9 })
  // 50 deltas are 4 KB; the worker's slice in progress comes on top.
  expect(behind.length * 4_000).toBeLessThan(unindexedBytesMax + 1_100_000)
})

test('a long tail is indexed before the store opens, and an opening can be given up meanwhile', async () => {
  const directory = makeDirectory()
  const store = await openIn(directory)
  const log = logOf(9_000)
  for (let seq = 0; seq < 9_000; seq += 1_000) store.commit(log.run(seq, seq + 1_000))
  const before = store.counts(NAMESPACE)
  await store.close()
  rmSync(join(directory, 'index.db'))
  await expect(openStore(directory, { signal: AbortSignal.abort() })).rejects.toThrow('aborted')
  await using again = await openStore(directory)
  expect(again.counts(NAMESPACE)).toEqual(before)
  expect(again.entity(NAMESPACE, 'item/3').deltas).toHaveLength(900)
})

test('a closed store has no tail: its index covers all', async () => {
  const directory = makeDirectory()
  const store = await openIn(directory)
  store.commit(logOf(20).run())
  const position = store.position()
  await store.close()
  const index = new DatabaseSync(join(directory, 'index.db'))
  expect(index.prepare('SELECT "end" FROM meta').get()).toEqual({ end: position })
  index.close()
  expect(existsSync(join(directory, 'log.db-wal'))).toBe(false)
})

test('a position inside a large block begins with that block, whether it is indexed or not', async () => {
  const directory = makeDirectory()
  const large = Array.from({ length: 100 }, (_, n) => claim('test', `${n}`, 'n', 'x'.repeat(100)))
  const store = await openIn(directory)
  const log = new TestLog()
  for (const deltas of [[], large, []]) store.commit(log.write(deltas))
  const [, , end] = store.changesNow({ after: 0 as Position, countMax: 9, bytesMax: 1e9 })
  const inside = ((end?.position ?? 0) - 2) as Position
  const read = (from: typeof store) =>
    from.changesNow({ after: inside, countMax: 9, bytesMax: 1e9 }).map(({ position }) => position)
  const recent = read(store)
  await store.close()
  const reopened = await openIn(directory)
  expect(recent).toHaveLength(2)
  expect(read(reopened)).toEqual(recent)
  await reopened.close()
})

// ------------------------------------------------------------------------------------------------------- the lock

test('a run reads back as it came, wherever its blocks lie: among those of other logs, in many rows, half indexed', async () => {
  const directory = makeDirectory()
  const large = Array.from({ length: 40 }, (_, n) => claim('test', `${n}`, 'n', 'x'.repeat(100)))
  const logs = [1, 2, 3].map((number) => new TestLog({ logId: logId(number) }))
  const [alone, ...woven] = logs as [TestLog, ...TestLog[]]
  const store = await openIn(directory)
  for (let seq = 0; seq < 300; seq++) store.commit(alone.write())
  for (let seq = 0; seq < 60; seq++) for (const log of woven) store.commit(log.write(seq % 7 === 3 ? large : []))
  const expected = () => logs.map(({ blocks }) => blocks.map(encodeBlock))
  const read = (from: typeof store, bytesMax: number) =>
    logs.map(({ key }) => {
      const blocks: Uint8Array[] = []
      for (let run = from.readRun(NAMESPACE, key, 0, bytesMax); run !== undefined;) {
        blocks.push(...run.blocks.map(encodeBlock))
        run = from.readRun(NAMESPACE, key, blocks.length, bytesMax)
      }
      return blocks
    })
  expect(read(store, 65_536)).toEqual(expected())
  await store.close()
  await using again = await openStore(directory)
  for (const bytesMax of [1, 3_000, 65_536, 1e9]) expect(read(again, bytesMax)).toEqual(expected())
  for (let seq = 0; seq < 5; seq++) for (const log of logs) again.commit(log.write(large))
  expect(read(again, 1e9)).toEqual(expected())
})

test('an index that names the wrong place for a block gives no run that was never written', async () => {
  const directory = makeDirectory()
  const store = await openIn(directory)
  const log = logOf(20)
  for (let seq = 0; seq < 20; seq++) store.commit(log.run(seq, seq + 1))
  await store.close()
  const index = new DatabaseSync(join(directory, 'index.db'))
  index.exec('UPDATE blocks SET place = 3 WHERE seq = 7')
  index.close()
  await using again = await openStore(directory)
  expect(() => again.readRun(NAMESPACE, log.key, 0, 1e6)).toThrow(coded('RZ_STORE_DAMAGED', 'block 7'))
})

test('a store is locked against other processes, the message names the holder, and its death frees it', async () => {
  const directory = makeDirectory()
  const holder = spawn(process.execPath, [
    fileURLToPath(new URL('../support/store-holder.ts', import.meta.url)),
    directory,
  ])
  const exited = once(holder, 'exit')
  await once(holder.stdout, 'data')
  await expect(openStore(directory)).rejects.toThrow(coded('RZ_STORE_LOCKED', `process ${holder.pid}`))
  holder.kill('SIGKILL')
  await exited
  await (await openStore(directory)).close()
})

test('a lock file that is no database, or holds nothing, does not stop anyone', async () => {
  const directory = makeDirectory()
  for (const contents of ['', 'scribble'.repeat(2_000)]) {
    writeFileSync(join(directory, 'lock.db'), contents)
    await using store = await openStore(directory)
    expect(store.namespaces()).toEqual([])
  }
})

test('a failed opening lets go of the lock', async () => {
  const directory = makeDirectory()
  await (await openIn(directory)).close()
  alter(directory, 'PRAGMA user_version = 99')
  await expect(openStore(directory)).rejects.toThrow(coded('RZ_STORE_NEWER', 'upgrade'))
  alter(directory, 'PRAGMA user_version = 1')
  await (await openStore(directory)).close()
})

// ---------------------------------------------------------------------------------------------- what it refuses

test('a directory that cannot be made or written is refused', async () => {
  const directory = makeDirectory()
  writeFileSync(join(directory, 'file'), '')
  await expect(openStore(join(directory, 'file', 'store'))).rejects.toThrow(coded('RZ_STORE_UNWRITABLE'))
  await expect(openStore(join(directory, 'file'))).rejects.toThrow(coded('RZ_STORE_UNWRITABLE'))
  mkdirSync(join(directory, 'odd', 'log.db'), { recursive: true })
  await expect(openStore(join(directory, 'odd'))).rejects.toThrow(coded('RZ_STORE_UNWRITABLE'))
})

test('a store that must not be made is missed', async () => {
  const directory = makeDirectory()
  await expect(openStore(directory, { create: false })).rejects.toThrow(coded('RZ_STORE_MISSING'))
  expect(existsSync(join(directory, 'log.db'))).toBe(false)
  await (await openStore(directory)).close()
  await (await openStore(directory, { create: false })).close()
})

test('a database of something else is not touched', async () => {
  const directory = makeDirectory()
  alter(directory, 'CREATE TABLE recipes (name TEXT); PRAGMA user_version = 3')
  const before = readFileSync(join(directory, 'log.db'))
  await expect(openStore(directory)).rejects.toThrow(coded('RZ_STORE_DAMAGED', 'not a store'))
  alter(directory, 'SELECT * FROM recipes')
  expect(readFileSync(join(directory, 'log.db')).length).toBe(before.length)
})

test('without room a write is refused and leaves nothing, reads go on, and with room again writes do', async () => {
  const directory = makeDirectory()
  const log = logOf(400, { deltas: 20 })
  let store = await openIn(directory, { logBytesMax: 200_000 })
  let committed = 0
  const full = coded('RZ_STORE_FULL')
  for (; committed < 400; committed++) {
    try {
      store.commit(log.run(committed, committed + 1))
    } catch (error) {
      expect(error).toEqual(full)
      break
    }
  }
  expect(committed).toBeGreaterThan(20)
  expect(committed).toBeLessThan(200)
  expect(store.full).toBe(true)
  expect(() => store.commit(log.run(committed, committed + 50))).toThrow(full)
  expect(store.logState(NAMESPACE, log.key)?.seq).toBe(committed - 1)
  expect(store.entity(NAMESPACE, 'item/3').deltas).toHaveLength(committed * 2)
  await store.close()

  store = await openIn(directory)
  expect(store.counts(NAMESPACE).blocks).toBe(committed)
  expect(store.commit(log.run(committed))).toMatchObject({ kind: 'committed' })
  expect(store.full).toBe(false)
  await store.close()
})

test('room for a note is not taken for room for a block', async () => {
  await using store = await openIn(makeDirectory(), { logBytesMax: 200_000 })
  const log = new TestLog()
  const large = Array.from({ length: 50 }, (_, n) => claim('test', `${n}`, 'n', 'x'.repeat(400)))
  expect(() => {
    for (;;) store.commit(log.write(large))
  }).toThrow(coded('RZ_STORE_FULL'))
  store.setNote('a', '1')
  expect(store.full).toBe(true)
  store.commit(logOf(1, { signer: signer(2) }).run())
  expect(store.full).toBe(false)
})

test('after a write of unknown outcome memory follows the disk', async () => {
  const directory = makeDirectory()
  await using store = await openIn(directory)
  const log = logOf(4)
  store.commit(log.run(0, 1))
  // Another hand has written the next block: this one's write fails in the middle, for a reason that tells nothing.
  const [, block] = log.blocks
  const [row] = rowsOf({ kind: 'block', block: block as NonNullable<typeof block>, bytes: 0 })
  const place = store.position() + 1
  const other = new DatabaseSync(join(directory, 'log.db'))
  other
    .prepare('INSERT INTO log VALUES (?, ?, ?, ?, ?)')
    .run(place, 0, sumOf(place, row as NonNullable<typeof row>), row?.hash ?? null, row?.bytes ?? null)
  other.close()
  expect(() => store.commit(log.run(1, 3))).toThrow(coded('RZ_STORE_FAILED'))
  expect(store.commit(log.run(1, 2))).toEqual({ kind: 'duplicate' })
  expect(store.commit(log.run(2))).toMatchObject({ kind: 'committed', blocks: 2 })
  expect(store.counts(NAMESPACE).blocks).toBe(4)
})

// -------------------------------------------------------------------------------------------------------- origins

test('a life that goes on renews nothing', async () => {
  const directory = makeDirectory()
  const first = await openIn(directory)
  expect(first.origin).toEqual({})
  first.commit(logOf(1).run())
  await first.close()
  await using second = await openIn(directory)
  expect(second.origin).toEqual({})
  expect(second.instance).toBe(first.instance)
})

test('a copied, moved or restored directory is noticed, once', async () => {
  const directory = makeDirectory()
  const store = await openIn(directory)
  store.commit(logOf(1).run())
  await store.close()
  const copy = join(makeDirectory(), 'copy')
  cpSync(directory, copy, { recursive: true })

  const copied = await openIn(copy)
  expect(copied.origin.renewal).toContain('another directory')
  expect(copied.instance).not.toBe(store.instance)
  copied.setNote('first', 'write')
  await copied.close()
  const again = await openIn(copy)
  expect(again.origin).toEqual({})
  expect(again.instance).toBe(copied.instance)
  await again.close()

  // Restored in place: the same path, another file.
  cpSync(join(directory, 'log.db'), join(directory, 'backup.db'))
  renameSync(join(directory, 'backup.db'), join(directory, 'log.db'))
  const restored = await openIn(directory)
  expect(restored.origin.renewal).toContain('another directory')
  await restored.close()
})

test('a backup laid over the files is noticed, even if somebody looked in meanwhile', async () => {
  const directory = makeDirectory()
  const backup = makeDirectory()
  const first = await openIn(directory)
  await first.close()
  cpSync(directory, backup, { recursive: true })
  const second = await openIn(directory)
  expect(second.origin.renewal).toBeUndefined()
  second.commit(logOf(1).run())
  await second.close()
  cpSync(backup, directory, { recursive: true, force: true })

  for (let looks = 0; looks < 2; looks++) {
    const looking = await openStore(directory)
    expect(looking.origin.renewal).toContain('backup')
    await looking.close()
  }
  const restored = await openIn(directory)
  restored.setNote('a', '1')
  await restored.close()
  const next = await openIn(directory)
  expect(next.origin.renewal).toBeUndefined()
  await next.close()
})

test('who opens a store and writes nothing leaves no traces: the next one still knows', async () => {
  const directory = makeDirectory()
  await (await openIn(directory)).close()
  const copy = join(makeDirectory(), 'copy')
  cpSync(directory, copy, { recursive: true })
  await (await openStore(copy)).close()
  await using second = await openStore(copy)
  expect(second.origin.renewal).toContain('another directory')
})

test.each([
  ['another machine', "UPDATE meta SET value = 'other' WHERE key = 'machine'", /another machine/],
  [
    'a boot after an unclean stop',
    "UPDATE meta SET value = 'x' WHERE key = 'boot'; UPDATE meta SET value = 'no' WHERE key = 'clean'",
    /machine stopped/,
  ],
  ['a boot after a clean stop', "UPDATE meta SET value = 'x' WHERE key = 'boot'", undefined],
  ['an unclean stop in the same boot', "UPDATE meta SET value = 'no' WHERE key = 'clean'", undefined],
  [
    'a boot after an unclean stop with fsync',
    "UPDATE meta SET value = 'x' WHERE key = 'boot'; UPDATE meta SET value = 'no' WHERE key = 'clean'; UPDATE meta SET value = 'full' WHERE key = 'durability'",
    undefined,
  ],
])('%s is told apart', async (_, sql, renewal) => {
  const directory = makeDirectory()
  await (await openIn(directory)).close()
  alter(directory, sql)
  rmSync(join(directory, 'closed'))
  await using store = await openIn(directory)
  if (renewal === undefined) expect(store.origin).toEqual({})
  else expect(store.origin.renewal).toMatch(renewal)
})

// ---------------------------------------------------------------------------------------------------- by the way

test('a reader with another connection sees the log while the store is open', async () => {
  const directory = makeDirectory()
  await using store = await openIn(directory)
  store.commit(logOf(3).run())
  const reader = new DatabaseSync(join(directory, 'log.db'), { readOnly: true })
  expect(reader.prepare('SELECT count(*) AS count FROM log').get()).toEqual({ count: 3 })
  reader.close()
})

test('ten thousand logs: the frontier and a new opening', async () => {
  const directory = makeDirectory()
  const store = await openIn(directory)
  const runs = Array.from({ length: 10_000 }, (_, number) =>
    new TestLog({ signer: signer(number % 7), logId: logId(number) }).write(),
  )
  store.commitAll(runs)
  const frontier = store.frontier(NAMESPACE)
  expect(frontier).toHaveLength(10_000)
  const before = everything(store)
  await store.close()
  await using again = await openStore(directory)
  expect(again.frontier(NAMESPACE)).toEqual(frontier)
  expect(again.counts(NAMESPACE)).toEqual(before.counts)
}, 60_000)

test('namespaces of a reopened store are known before anyone opens them again', async () => {
  const directory = makeDirectory()
  await (await openIn(directory)).close()
  await using store = await openStore(directory)
  expect(store.namespaces()).toEqual([{ id: openNamespaceId(NAMESPACE_NAME), name: NAMESPACE_NAME }])
  expect(store.commit(logOf(1).run())).toMatchObject({ kind: 'committed' })
})

function alter(directory: string, sql: string): void {
  const db = new DatabaseSync(join(directory, 'log.db'))
  db.exec(sql)
  db.close()
}
