/** What a fork took of our own is asserted again: all of it, in its order, and no more often than it must be. */
import { expect, it } from 'vitest'
import type { DeltaId, Pointer } from '../../src/delta/delta.ts'
import { followCuts } from '../../src/node/reassert.ts'
import { createMemoryDisk, openMemoryStore } from '../../src/store/memory.ts'
import type { Store } from '../../src/store/store.ts'
import { claim, logId, NAMESPACE, NAMESPACE_NAME, runOf, TestLog } from '../support/blocks.ts'

/** A store with a log of ours that is cut at each of `cuts` in turn. */
function storeCutAt(...cuts: readonly number[]) {
  const disk = createMemoryDisk()
  const store = openMemoryStore({ disk })
  store.openNamespace(NAMESPACE, NAMESPACE_NAME)
  const own = new TestLog()
  for (let seq = 0; seq < 6; seq++) store.commit(runOf(own.append([claim('own', `${seq}`, 'n', seq)])))
  for (const cut of cuts) {
    const other = own.fork(cut)
    expect(store.commit(runOf(other.append([claim('other', `${cut}`, 'n', 1)])))).toMatchObject({ kind: 'forked', cut })
  }
  return { store, own, disk }
}

/** What is asserted again until all that is in the store was looked at. */
async function asserted(
  store: Store,
  own: TestLog,
  onRetry: () => void = () => expect.unreachable(),
): Promise<readonly unknown[]> {
  const values: unknown[] = []
  const stop = new AbortController()
  const marker = new TestLog({ logId: logId(99) })
  store.commit(runOf(marker.append()))
  store.commit(runOf(marker.fork(0).append([claim('other', 'marker', 'n', 1)])))
  await followCuts({
    store,
    own: (_, log) => log === own.key || log === marker.key,
    write: (_, __, deltas: readonly (readonly Pointer[])[]) => {
      const written = deltas.flatMap((pointers) => pointers.slice(1).map(({ target }) => target))
      if (deltas[0]?.[0]?.localContext === 'own') values.push(...written)
      else stop.abort()
      return Promise.resolve({
        deltas: deltas.map((_delta, index) => `new/${index}` as DeltaId),
        position: store.position(),
      })
    },
    onReasserted: () => undefined,
    schedule: (_, run) => {
      onRetry()
      queueMicrotask(run)
      return () => undefined
    },
    signal: stop.signal,
  })
  return values
}

it('a fork that is learnt of cut by cut is answered once, from the lowest', async () => {
  const { store, own } = storeCutAt(5, 4, 2)
  expect(await asserted(store, own)).toEqual([2, 3, 4, 5])
})

it('in another life of the store, where positions mean something else, no cut is missed and none is answered again', async () => {
  const first = storeCutAt(3)
  first.store.setNote('reasserted', `${'0'.repeat(32)}:1000`)
  expect(await asserted(first.store, first.own)).toEqual([3, 4, 5])
  const second = storeCutAt(3)
  second.store.setNote(`reasserted/${NAMESPACE}/${second.own.key}`, '3')
  second.store.setNote('reasserted', `${'0'.repeat(32)}:1000`)
  expect(await asserted(second.store, second.own)).toEqual([])
})

it('a disk that fails meanwhile is tried again until it takes notes, and nothing is left out', async () => {
  const { store, own, disk } = storeCutAt(2)
  let retries = 0
  const values = asserted(store, own, () => {
    if (++retries === 3) disk.fault = 'none'
  })
  disk.fault = 'full'
  expect([...new Set(await values)]).toEqual([2, 3, 4, 5])
  expect(retries).toBe(3)
})
