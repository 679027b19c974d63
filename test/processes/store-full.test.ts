/** A disk that is really full: a file system of 16 MB in memory. Mounting one takes root and Linux. */

import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { checkStore } from '../../src/store/repair.ts'
import { openStore } from '../../src/store/sqlite.ts'
import type { Store } from '../../src/store/store.ts'
import { claim, NAMESPACE, NAMESPACE_NAME, TestLog } from '../support/blocks.ts'
import { makeDirectory } from '../support/directory.ts'

const disk = makeDirectory()

beforeAll(() => {
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', disk])
})

afterEach(() => {
  for (const name of readdirSync(disk)) rmSync(join(disk, name), { recursive: true })
})

afterAll(() => {
  execFileSync('umount', ['-l', disk])
})

test.each(['normal', 'full'] as const)('a full disk under %s durability', async (durability) => {
  const directory = join(disk, durability)
  const ballast = join(disk, 'ballast')
  mkdirSync(directory)
  const log = new TestLog()
  let store = await openStore(directory, { durability })
  store.openNamespace(NAMESPACE, NAMESPACE_NAME)
  writeFileSync(ballast, Buffer.alloc(4_000_000))

  const committed = writeUntilFull(store, log)
  expect(committed).toBeGreaterThan(100)
  expect(store.full).toBe(true)
  expect(freeBytes()).toBeLessThan(2_000_000)
  expectAll(store, committed)

  // Every further write is refused as well, and none leaves anything.
  for (let attempt = 0; attempt < 20; attempt++) expect(() => store.commit(log.run(committed))).toThrow(full())
  expect(() => store.setNote('x', 'y'.repeat(100_000))).toThrow(full())
  expectAll(store, committed)

  rmSync(ballast)
  expect(store.commit(log.run(committed))).toMatchObject({ kind: 'committed' })
  expect(store.full).toBe(false)
  await store.close()

  store = await openStore(directory, { durability })
  expectAll(store, log.blocks.length)
  await store.close()
  expect(checkStore(directory).damage).toEqual([])
})

test('a store on a disk that is full already is opened and read', async () => {
  const directory = join(disk, 'reading')
  const log = new TestLog()
  let store = await openStore(directory)
  store.openNamespace(NAMESPACE, NAMESPACE_NAME)
  for (let count = 0; count < 50; count++)
    store.commit(log.write([claim('item', String(count), 'p', 'x'.repeat(1_000))]))
  await store.close()
  writeFileSync(join(disk, 'ballast'), Buffer.alloc(freeBytes() - 200_000))
  store = await openStore(directory)
  const committed = writeUntilFull(store, log)
  expectAll(store, committed)
  await store.close()
})

/** Answers with the number of blocks held. */
function writeUntilFull(store: Store, log: TestLog): number {
  for (;;) {
    const seq = log.blocks.length
    const run = log.write([claim('item', String(seq), 'p', 'x'.repeat(1_000)), claim('item', 'all', 'seq', seq)])
    try {
      store.commit(run)
    } catch (error) {
      expect(error).toEqual(full())
      return seq
    }
  }
}

function expectAll(store: Store, count: number): void {
  expect(store.counts(NAMESPACE).blocks).toBe(count)
  expect(store.entity(NAMESPACE, `item/${count - 1}`).deltas).toHaveLength(1)
  expect(store.entity(NAMESPACE, 'item/0').deltas).toHaveLength(1)
}

function freeBytes(): number {
  const { bavail, bsize } = statfsSync(disk)
  return bavail * bsize
}

function full(): Error {
  return expect.objectContaining({ code: 'RZ_STORE_FULL' }) as Error
}
