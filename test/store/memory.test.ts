import { expect, test } from 'vitest'
import { createMemoryDisk, openMemoryStore } from '../../src/store/memory.ts'
import { logOf, NAMESPACE, NAMESPACE_NAME, runOf } from '../support/blocks.ts'
import { everything, storeContract } from './contract.ts'

storeContract('a store in memory', async () => {
  const disk = createMemoryDisk()
  return { open: async () => openMemoryStore({ disk }) }
})

function openOn(disk = createMemoryDisk(), durability: 'normal' | 'full' = 'normal') {
  const store = openMemoryStore({ disk, durability })
  store.openNamespace(NAMESPACE, NAMESPACE_NAME)
  return store
}

test('a crash of the process loses nothing and ends the store', () => {
  const disk = createMemoryDisk()
  const store = openOn(disk)
  const log = logOf(3)
  store.commit(log.run())
  const before = everything(store)
  disk.crash()
  expect(() => store.commit(log.run())).toThrow(expect.objectContaining({ code: 'RZ_STORE_CLOSED' }))
  const after = openOn(disk)
  expect(everything(after)).toEqual(before)
  expect(after.origin.renewal).toBeUndefined()
})

test('a power cut takes the newest unsynced transactions, each whole, and logs are to be renewed', () => {
  const disk = createMemoryDisk()
  const store = openOn(disk)
  const log = logOf(6)
  store.commit(log.run(0, 2))
  disk.sync()
  store.commit(log.run(2, 4), new Map([['at', '4']]))
  store.commit(log.run(4), new Map([['at', '6']]))
  expect(disk.unsyncedCount).toBe(2)
  disk.powerCut(1)
  const after = openOn(disk)
  expect(after.note('at')).toBe('4')
  expect(after.counts(NAMESPACE).blocks).toBe(4)
  expect(after.origin.renewal).toContain('the machine stopped')
  expect(after.instance).not.toBe(store.instance)
  after.commit(log.run(4))
  disk.powerCut(99)
  expect(openOn(disk).counts(NAMESPACE).blocks).toBe(4)
})

test('under full durability a power cut takes nothing', () => {
  const disk = createMemoryDisk()
  openOn(disk, 'full').commit(logOf(3).run())
  disk.powerCut(99)
  const after = openOn(disk, 'full')
  expect(after.counts(NAMESPACE).blocks).toBe(3)
  expect(after.origin.renewal).toBeUndefined()
})

test('a power cut while the store is closed takes nothing, and its life goes on', async () => {
  const disk = createMemoryDisk()
  const store = openOn(disk)
  store.commit(logOf(3).run())
  await store.close()
  disk.powerCut(99)
  const after = openOn(disk)
  expect(after.counts(NAMESPACE).blocks).toBe(3)
  expect(after.origin.renewal).toBeUndefined()
})

test('a full disk refuses the write with a code, reads go on, and a later write succeeds', () => {
  const disk = createMemoryDisk()
  const store = openOn(disk)
  const log = logOf(2)
  store.commit(log.run(0, 1))
  disk.fault = 'full'
  expect(() => store.commit(log.run(1))).toThrow(expect.objectContaining({ code: 'RZ_STORE_FULL' }))
  expect(store.full).toBe(true)
  expect(store.entity(NAMESPACE, 'item/0').deltas).toHaveLength(1)
  disk.fault = 'none'
  expect(store.commit(log.run(1))).toMatchObject({ kind: 'committed' })
  expect(store.full).toBe(false)
})

test.each(['failed', 'failed-after-write'] as const)('after a write that %s memory follows the disk', (fault) => {
  const disk = createMemoryDisk()
  const store = openOn(disk)
  const log = logOf(3)
  store.commit(runOf(...log.blocks.slice(0, 1)))
  disk.fault = fault
  const noted = new Map([['at', '1']])
  expect(() => store.commit(log.run(1, 2), noted)).toThrow(expect.objectContaining({ code: 'RZ_STORE_FAILED' }))
  disk.fault = 'none'
  expect(store.note('at')).toBe(fault === 'failed' ? undefined : '1')
  expect(store.commit(log.run(1, 2)).kind).toBe(fault === 'failed' ? 'committed' : 'duplicate')
  expect(store.commit(log.run(2)).kind).toBe('committed')
  expect(store.counts(NAMESPACE).blocks).toBe(3)
  expect(store.entity(NAMESPACE, 'item/1').deltas).toHaveLength(1)
})

test.each(['failed', 'failed-after-write'] as const)(
  'a namespace that %s to be noted is open once it is opened again',
  (fault) => {
    const disk = createMemoryDisk()
    const store = openMemoryStore({ disk })
    disk.fault = fault
    expect(() => store.openNamespace(NAMESPACE, NAMESPACE_NAME)).toThrow(
      expect.objectContaining({ code: 'RZ_STORE_FAILED' }),
    )
    disk.fault = 'none'
    store.openNamespace(NAMESPACE, NAMESPACE_NAME)
    expect(store.commit(logOf(1).run()).kind).toBe('committed')
  },
)

test('only a disk made for it is taken', () => {
  expect(() => openMemoryStore({ disk: {} as never })).toThrow(TypeError)
})
