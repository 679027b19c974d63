import { describe, expect, test } from 'vitest'
import { type Frontier, digestOf, lengthOf, sameEntry } from '../../src/log/frontier.ts'
import { logKeyOf, splitLogKey } from '../../src/log/block.ts'
import { logId, logOf, signer } from '../support/blocks.ts'
import { hexOf } from '../support/expect.ts'

const log = logOf(3)
const [first, , third] = log.blocks as [(typeof log.blocks)[0], unknown, (typeof log.blocks)[0]]
const entry = { log: log.key, seq: 2, hash: third.hash }

describe('a frontier', () => {
  test('has a digest of 32 bytes that every difference changes', () => {
    const other = logOf(1, { signer: signer(2) })
    const frontiers: Frontier[] = [
      [],
      [entry],
      [{ ...entry, seq: 1 }],
      [{ ...entry, hash: first.hash }],
      [{ ...entry, cut: 3 }],
      [{ ...entry, cut: 4 }],
      [{ log: log.key, cut: 0 }],
      [{ ...entry, log: logKeyOf(log.signer.id, logId(2)) }],
      [{ ...entry, log: other.key }],
      [entry, { ...entry, log: other.key }],
    ]
    expect(new Set(frontiers.map((frontier) => hexOf(digestOf(frontier)))).size).toBe(frontiers.length)
    expect(digestOf([entry])).toEqual(digestOf([{ ...entry }]))
    expect(digestOf([])).toHaveLength(32)
  })

  test('of 50,000 logs has a digest too', () => {
    const many = Array.from({ length: 50_000 }, (_, number) => ({ ...entry, seq: number }))
    expect(hexOf(digestOf(many))).not.toBe(hexOf(digestOf(many.slice(1))))
  })

  test('counts the blocks that an entry admits', () => {
    expect(lengthOf(undefined)).toBe(0)
    expect(lengthOf({ log: log.key, cut: 0 })).toBe(0)
    expect(lengthOf({ log: log.key, seq: 0, hash: first.hash })).toBe(1)
    expect(lengthOf(entry)).toBe(3)
  })

  test('tells entries apart by head and cut', () => {
    expect(sameEntry(entry, { ...entry })).toBe(true)
    expect(sameEntry(entry, { ...entry, cut: 3 })).toBe(false)
    expect(sameEntry(entry, { ...entry, hash: first.hash })).toBe(false)
    expect(sameEntry(entry, { ...entry, seq: 1 })).toBe(false)
  })
})

test('a log key is taken apart into creator and log id', () => {
  expect(splitLogKey(log.key)).toEqual({ creator: log.signer.id, logId: log.logId })
})
