/** Transactions of the older kind are counted once, and then as their deltas come. */
import { describe, expect, it } from 'vitest'
import type { Delta, Pointer } from '../../src/delta/delta.ts'
import { deltasOf } from '../../src/log/block-bytes.ts'
import { openMemoryStore } from '../../src/store/memory.ts'
import { Transactions } from '../../src/store/transactions.ts'
import { claim, NAMESPACE, NAMESPACE_NAME, TestLog } from '../support/blocks.ts'

const member = (id: number): readonly Pointer[] => [
  { localContext: '_transaction', target: 't', targetContext: 'deltas' },
  ...claim('user', `${id}`, 'n', id),
]
const size = (count: number): readonly Pointer[] => [
  { localContext: '_transaction', target: 't', targetContext: 'size' },
  { localContext: 'size', target: count },
]

describe('a transaction', () => {
  it('of which something lacks is counted once, whoever asks, and then as its deltas come', () => {
    const log = new TestLog()
    const held = deltasOf(log.append([...Array.from({ length: 50 }, (_, id) => member(id)), size(52)]))
    let readCount = 0
    const transactions = new Transactions(() => {
      readCount++
      return held
    })
    const [first] = held as readonly [Delta]
    for (const delta of held.slice(0, 50)) expect(transactions.counts(NAMESPACE)(delta)).toBe(false)
    transactions.take(log.append([member(50), claim('user', 'x', 'n', 1)]))
    expect(transactions.counts(NAMESPACE)(first)).toBe(false)
    transactions.take(log.append([member(51)]))
    expect(transactions.counts(NAMESPACE)(first)).toBe(true)
    expect(readCount).toBe(1)
  })

  it('is counted once for all that is read of one moment, until something comes', () => {
    const log = new TestLog()
    const held = [...deltasOf(log.append([member(0), member(1), size(3)]))]
    let readCount = 0
    const transactions = new Transactions(() => {
      readCount++
      return held
    })
    const admits = () => true
    const [first, second] = held as [Delta, Delta]
    expect([first, second].map((delta) => transactions.counts(NAMESPACE, admits)(delta))).toEqual([false, false])
    expect(readCount).toBe(1)
    const block = log.append([member(2)])
    transactions.take(block)
    held.push(...deltasOf(block))
    expect(transactions.counts(NAMESPACE, admits)(first)).toBe(true)
    expect(transactions.counts(NAMESPACE, () => false)(first)).toBe(false)
  })

  it('is completed by what a store takes after it was asked about', async () => {
    await using store = openMemoryStore()
    store.openNamespace(NAMESPACE, NAMESPACE_NAME)
    const log = new TestLog()
    const write = (...pointers: (readonly Pointer[])[]) => store.commit({ blocks: [log.append(pointers)] })
    const shown = () => store.entity(NAMESPACE, 'user/0').deltas.length
    write(member(0), size(3))
    expect([shown(), store.transaction(NAMESPACE, 't').isComplete]).toEqual([0, false])
    write(member(1))
    expect(shown()).toBe(0)
    write(size(2))
    expect([shown(), store.transaction(NAMESPACE, 't').isComplete]).toEqual([1, true])
    expect(store.transaction(NAMESPACE, 't').deltas()).toHaveLength(4)
  })
})
