/** Bit rot: it is found, never believed, and mended without dropping anything. */

import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import type { RhizomeError } from '../../src/errors.ts'
import { checkStore, repairStore } from '../../src/store/repair.ts'
import { openStore } from '../../src/store/sqlite.ts'
import { POSITION_START, type Store } from '../../src/store/store.ts'
import { claim, logId, logOf, NAMESPACE, NAMESPACE_NAME, negation, signer, TestLog } from '../support/blocks.ts'
import { makeDirectory } from '../support/directory.ts'
import { everything, proofOf } from './contract.ts'

/** Logs that came block by block, in runs, with a fork, and with a block of several rows. */
function exampleLogs(): readonly TestLog[] {
  const single = logOf(12, { signer: signer(1) })
  const bulk = logOf(30, { signer: signer(2), deltas: 3 })
  const forked = logOf(6, { signer: signer(3), logId: logId(3) })
  const large = new TestLog({ signer: signer(4) })
  large.append(Array.from({ length: 40 }, (_, index) => claim('large', String(index), 'text', 'x'.repeat(100))))
  large.append([claim('large', 'huge', 'text', 'y'.repeat(20_000)), negation('./0')])
  return [single, bulk, forked, large]
}

const LOGS = exampleLogs()

function commitAll(store: Store): void {
  const [single, bulk, forked, large] = LOGS as [TestLog, TestLog, TestLog, TestLog]
  for (let seq = 0; seq < single.blocks.length; seq++) store.commit(single.run(seq, seq + 1))
  for (let seq = 0; seq < 30; seq += 10) store.commit(bulk.run(seq, seq + 10))
  store.commit(forked.run())
  store.commitForkProof(proofOf(forked, 4))
  store.commit(large.run())
}

async function makeStore(): Promise<string> {
  const directory = makeDirectory()
  const store = await openStore(directory)
  store.openNamespace(NAMESPACE, NAMESPACE_NAME)
  commitAll(store)
  store.setNote('note', 'kept')
  await store.close()
  return directory
}

function copyOf(directory: string): string {
  const copy = makeDirectory()
  cpSync(directory, copy, { recursive: true })
  return copy
}

function flipBit(path: string, offset: number, bit = 1): void {
  const bytes = readFileSync(path)
  bytes[offset] = (bytes[offset] as number) ^ bit
  writeFileSync(path, bytes)
}

/** What reading everything gives, or the code of the error that it met. */
async function readAll(directory: string): Promise<ReturnType<typeof summary> | string> {
  try {
    await using store = await openStore(directory)
    return summary(store)
  } catch (error) {
    return (error as RhizomeError).code
  }
}

/** Positions are those of another life after a repair: they are left out. */
function summary(store: Store) {
  const { position: _, changes, ...rest } = everything(store)
  return {
    ...rest,
    note: store.note('note'),
    changes: changes.map((change) => JSON.stringify(change).replace(/"position":\d+,|^\[\d+/, '')),
  }
}

test('a whole store is found whole, and repairing it changes nothing', async () => {
  const directory = await makeStore()
  const before = await readAll(directory)
  expect(checkStore(directory)).toEqual({ damage: [], blocks: 50 })
  expect(repairStore(directory)).toEqual({ damage: [], blocks: 50 })
  expect(await readAll(directory)).toEqual(before)
})

test('wherever a bit of the log flips, it is found or harmless, and what is repaired is what peers can complete', async () => {
  const original = await makeStore()
  const truth = await readAll(original)
  const { length } = readFileSync(join(original, 'log.db'))
  for (let round = 0; round < 24; round++) {
    const directory = copyOf(original)
    const offset = round < 4 ? round * 25 : Math.floor((length / 20) * (round - 4)) + ((round * 977) % 1_500)
    flipBit(join(directory, 'log.db'), offset, 1 << (round % 8))
    const found = await readAll(copyOf(directory))
    const { damage } = checkStore(directory)
    const known = damage.length === 0 ? [truth] : [truth, 'RZ_STORE_DAMAGED', 'RZ_STORE_NEWER']
    expect(known.map((answer) => ({ offset, answer }))).toContainEqual({ offset, answer: found })

    repairStore(directory)
    expect({ offset, ...checkStore(directory) }).toMatchObject({ offset, damage: [] })
    await using store = await openStore(directory)
    store.openNamespace(NAMESPACE, NAMESPACE_NAME)
    commitAll(store)
    const { frontier, entities, counts } = truth as ReturnType<typeof summary>
    expect({ offset, ...summary(store) }).toMatchObject({ offset, frontier, entities, counts })
  }
}, 60_000)

test('a damaged block is named, what follows it in its log is set aside whole, and other logs stay', async () => {
  const directory = await makeStore()
  const [single] = LOGS as [TestLog]
  damageRow(directory, 5)
  const { damage } = checkStore(directory)
  expect(damage).toMatchObject([{ place: 5, namespace: NAMESPACE, log: single.key, seq: 4 }])
  const report = repairStore(directory)
  expect(report.repaired?.setAside).toBe(7)
  expect(existsSync(report.repaired?.keptAs ?? '')).toBe(true)

  await using store = await openStore(directory)
  expect(store.logState(NAMESPACE, single.key)?.seq).toBe(3)
  expect(store.counts(NAMESPACE)).toEqual({ blocks: 4 + 30 + 4 + 2, deltas: 4 + 90 + 4 + 42, logs: 4 })
  expect(store.setAside().map(({ hash }) => hash)).toEqual(single.blocks.slice(5).map(({ hash }) => hash))
  expect(store.note('note')).toBe('kept')
  expect(store.origin.renewal).toContain('repaired')
})

test('a log that loses a block inside a run ends at the signature before it', async () => {
  const directory = await makeStore()
  const [, bulk] = LOGS as [TestLog, TestLog]
  const place = 12 + 15
  damageRow(directory, place)
  repairStore(directory)
  await using store = await openStore(directory)
  expect(store.logState(NAMESPACE, bulk.key)?.seq).toBe(9)
  expect(store.commit(bulk.run(10))).toMatchObject({ kind: 'committed', blocks: 20 })
})

test('reading a damaged delta or run fails with what to do, and the rest goes on', async () => {
  const directory = await makeStore()
  const [single] = LOGS as [TestLog]
  damageRow(directory, 5)
  await using store = await openStore(directory)
  const damaged = expect.objectContaining({
    code: 'RZ_STORE_DAMAGED',
    message: expect.stringContaining('repair') as unknown,
  })
  expect(() => store.entity(NAMESPACE, 'item/4')).toThrow(damaged as Error)
  expect(() => store.readRun(NAMESPACE, single.key, 0, 1e6)).toThrow(damaged as Error)
  expect(store.entity(NAMESPACE, 'large/7').deltas).toHaveLength(1)
})

test('opening with repair mends the store on the way, with another instance', async () => {
  const directory = await makeStore()
  const before = await openStore(directory)
  const { instance } = before
  await before.close()
  damageRow(directory, 5)
  await using store = await openStore(directory, { repair: true })
  expect(store.instance).not.toBe(instance)
  expect(store.counts(NAMESPACE).blocks).toBe(40)
})

test('a damaged note is found, and repaired by leaving it out', async () => {
  const directory = await makeStore()
  alter(directory, "UPDATE notes SET value = 'other'")
  expect(checkStore(directory).damage).toHaveLength(1)
  const store = await openStore(directory)
  expect(() => store.note('note')).toThrow(expect.objectContaining({ code: 'RZ_STORE_DAMAGED' }))
  await store.close()
  repairStore(directory)
  await using repaired = await openStore(directory)
  expect(repaired.note('note')).toBeUndefined()
  expect(repaired.counts(NAMESPACE).blocks).toBe(50 - 2)
})

test('a missing row is found', async () => {
  const directory = await makeStore()
  alter(directory, 'DELETE FROM log WHERE place = 7')
  expect(checkStore(directory).damage).toMatchObject([{ place: 7, seq: 6 }])
})

test('an index that is gone, cut short, scribbled on or of another store is built anew', async () => {
  const original = await makeStore()
  const truth = await readAll(original)
  const other = makeDirectory()
  await (await openStore(other)).close()
  const spoil: ((path: string) => void)[] = [
    (path) => rmSync(path),
    (path) => writeFileSync(path, readFileSync(path).subarray(0, 5_000)),
    (path) => writeFileSync(path, 'no database at all'.repeat(1_000)),
    (path) => flipBit(path, 20),
    (path) => cpSync(join(other, 'index.db'), path),
  ]
  for (const act of spoil) {
    const directory = copyOf(original)
    act(join(directory, 'index.db'))
    expect(await readAll(directory)).toEqual(truth)
  }
})

test('wherever a bit of the index flips, no read answers with what was never written', async () => {
  const original = await makeStore()
  const truth = (await readAll(original)) as ReturnType<typeof summary>
  const known = new Set(truth.entities.flatMap(([, { deltas }]) => deltas.map((delta) => JSON.stringify(delta))))
  const { length } = readFileSync(join(original, 'index.db'))
  for (let round = 0; round < 16; round++) {
    const directory = copyOf(original)
    flipBit(join(directory, 'index.db'), Math.floor((length / 16) * round) + ((round * 613) % 1_000), 1 << (round % 8))
    const found = await readAll(directory)
    if (typeof found === 'string') expect(found).toBe('RZ_STORE_DAMAGED')
    else
      for (const [, { deltas }] of found.entities)
        for (const delta of deltas) expect(known).toContain(JSON.stringify(delta))
    // Whatever was wrong with the index, repair builds it anew.
    repairStore(directory)
    expect(await readAll(directory)).toEqual(truth)
  }
}, 60_000)

test('a file that SQLite no longer reads at all is searched page by page, and every block comes back', async () => {
  const directory = await makeStore()
  const path = join(directory, 'log.db')
  const bytes = readFileSync(path)
  bytes.fill(0, 0, 100)
  writeFileSync(path, bytes)
  expect(await readAll(directory)).toBe('RZ_STORE_DAMAGED')
  expect(checkStore(directory).blocks).toBe(50)
  expect(repairStore(directory).repaired?.setAside).toBe(0)
  await using store = await openStore(directory)
  store.openNamespace(NAMESPACE, NAMESPACE_NAME)
  expect(store.counts(NAMESPACE)).toEqual({ blocks: 12 + 30 + 4 + 2, deltas: 12 + 90 + 4 + 42, logs: 4 })
})

test('a write-ahead log that has lost its end is noticed: logs are renewed and positions get another instance', async () => {
  const directory = await makeStore()
  const { instance } = await (async () => {
    await using store = await openStore(directory)
    return store
  })()
  // As after a power cut that took the newest rows, which the index had already seen.
  alter(directory, 'DELETE FROM log WHERE place > 20')
  await using store = await openStore(directory)
  expect(store.origin.renewal).toContain('lost')
  expect(store.instance).not.toBe(instance)
  expect(store.counts(NAMESPACE).blocks).toBe(20)
})

test('damage that the index worker meets stops the writing before memory fills, and says what to do', async () => {
  const directory = makeDirectory()
  await using store = await openStore(directory, { unindexedBytesMax: 100_000 })
  store.openNamespace(NAMESPACE, NAMESPACE_NAME)
  const log = logOf(900, { deltas: 4 })
  for (let seq = 0; seq < 100; seq++) store.commit(log.run(seq, seq + 1))
  damageRow(directory, 50)
  const writeAll = async () => {
    for (let seq = 100; seq < 900; seq++) {
      store.commit(log.run(seq, seq + 1))
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  await expect(writeAll()).rejects.toThrow(expect.objectContaining({ code: 'RZ_STORE_DAMAGED' }) as Error)
  expect(store.entity(NAMESPACE, 'item/1').deltas.length).toBeGreaterThan(0)
})

test('a store that is not there cannot be checked', () => {
  expect(() => checkStore(makeDirectory())).toThrow(expect.objectContaining({ code: 'RZ_STORE_MISSING' }))
})

test('repair leaves no files of its own behind', async () => {
  const directory = await makeStore()
  damageRow(directory, 5)
  repairStore(directory)
  const names = readdirSync(directory).map((name) => name.replace(/damaged-.*\.db/, 'damaged.db'))
  expect(names.sort()).toEqual(['closed', 'lock.db', 'log.damaged.db', 'log.db'])
})

function damageRow(directory: string, place: number): void {
  alter(
    directory,
    `UPDATE log SET bytes = CAST(substr(bytes, 1, 300) || x'00' || substr(bytes, 302) AS BLOB) WHERE place = ${place}`,
  )
}

function alter(directory: string, sql: string): void {
  const db = new DatabaseSync(join(directory, 'log.db'))
  db.exec(sql)
  db.close()
}

test('whoever comes back after a repair with a position from before it misses nothing', async () => {
  const directory = await makeStore()
  const before = await openStore(directory)
  const position = before.position()
  await before.close()
  const file = readFileSync(join(directory, 'log.db'))
  flipBit(join(directory, 'log.db'), Math.floor(file.length / 2), 1)
  expect(repairStore(directory).repaired).toBeDefined()

  await using repaired = await openStore(directory)
  const limits = { countMax: 1_000, bytesMax: 1e9 }
  const all = repaired.changesNow({ after: POSITION_START, ...limits })
  expect(all.length).toBeGreaterThan(0)
  expect(repaired.position()).toBeGreaterThan(position)
  expect(repaired.changesNow({ after: position, ...limits })).toEqual(all)
})

test('a repair that leaves nothing leaves a store that opens and is written to', async () => {
  const directory = makeDirectory()
  const store = await openStore(directory)
  store.openNamespace(NAMESPACE, NAMESPACE_NAME)
  store.commit(new TestLog().write())
  await store.close()
  const database = new DatabaseSync(join(directory, 'log.db'))
  database.exec("UPDATE log SET bytes = x'00'")
  database.close()
  expect(repairStore(directory).repaired).toMatchObject({ setAside: 0 })

  const repaired = await openStore(directory)
  expect(repaired.commit(new TestLog({ logId: logId(2) }).write())).toMatchObject({ kind: 'committed', blocks: 1 })
  await repaired.close()
  await using again = await openStore(directory)
  expect(again.counts(NAMESPACE)).toMatchObject({ blocks: 1 })
})
