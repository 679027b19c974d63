import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ByteQueue } from '../../src/net/byte-queue.ts'

describe('the byte queue', () => {
  test('gives the same bytes in the same order, however they came and leave', () => {
    const chunks = fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 300 })
    const sizes = fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 1, maxLength: 100 })
    fc.assert(
      fc.property(chunks, sizes, (given, wanted) => {
        const queue = new ByteQueue()
        for (const chunk of given) queue.push(chunk)
        const taken: Uint8Array[] = []
        for (let index = 0; queue.length > 0; index += 1) {
          const count = Math.min(queue.length, 1 + (wanted[index % wanted.length] ?? 0))
          taken.push(queue.peek(count))
          queue.skip(count)
        }
        expect(Buffer.concat(taken)).toEqual(Buffer.concat(given))
      }),
    )
  })

  test('what it does not hold cannot be looked at', () => {
    const queue = new ByteQueue()
    queue.push(Uint8Array.of(1, 2))
    expect(() => queue.peek(3)).toThrow(RangeError)
    queue.clear()
    expect(queue.length).toBe(0)
  })
})
