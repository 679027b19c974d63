/** Sums that depend on no order, and from which numbers can be taken out again. */

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ExactSum } from '../../src/query/exact-sum.ts'

const finite = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer(),
  fc.maxSafeInteger(),
  fc.constantFrom(0, -0, 0.1, 0.2, 1e16, -1e16, 1e308, -1e308, 5e-324, -5e-324, Number.MAX_SAFE_INTEGER, 2 ** 53),
)

function sumOf(numbers: Iterable<number>): number | null {
  const sum = new ExactSum()
  for (const number of numbers) sum.add(number)
  return sum.value()
}

/** A number as a fraction over a power of two, by its own definition: nothing of the sum's is used. */
function fractionOf(number: number): readonly [numerator: bigint, bits: number] {
  let [value, bits] = [number, 0]
  while (!Number.isInteger(value)) {
    value *= 2
    bits++
  }
  return [BigInt(value), bits]
}

describe('an exact sum', () => {
  it('is that of the numbers, rounded once', () => {
    expect(sumOf([])).toBe(0)
    expect(sumOf([0.1, 0.2])).toBe(0.1 + 0.2)
    expect(sumOf([1e16, 1, -1e16])).toBe(1)
    expect(sumOf(Array.from({ length: 10 }, () => 0.1))).toBe(1)
    expect(sumOf([1e308, 1e308, -1e308])).toBe(1e308)
    expect(sumOf([5e-324, 5e-324])).toBe(1e-323)
    expect(sumOf([2 ** 53, 1, 0.5])).toBe(2 ** 53 + 2)
    expect(sumOf([Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER])).toBe(2 * Number.MAX_SAFE_INTEGER)
  })

  it('is null where no number is as large', () => {
    expect(sumOf([1e308, 1e308])).toBeNull()
    expect(sumOf([-Number.MAX_VALUE, -Number.MAX_VALUE])).toBeNull()
    expect(sumOf([Number.MAX_VALUE])).toBe(Number.MAX_VALUE)
  })

  it('of two numbers is what adding them gives, zero without a sign', () => {
    fc.assert(
      fc.property(finite, finite, (a, b) => {
        const sum = a + b
        expect(sumOf([a, b])).toBe(Number.isFinite(sum) ? sum + 0 : null)
      }),
      { numRuns: 5_000 },
    )
  })

  it('of any numbers is nearer to what they sum to than its neighbours are', () => {
    const small = fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e30, max: 1e30 })
    fc.assert(
      fc.property(fc.array(small, { minLength: 1, maxLength: 12 }), (numbers) => {
        const fractions = [...numbers, sumOf(numbers) ?? 0].map(fractionOf)
        const bitsMax = Math.max(...fractions.map(([, bits]) => bits))
        const wholes = fractions.map(([numerator, bits]) => numerator << BigInt(bitsMax - bits))
        const sum = wholes.pop() ?? 0n
        const exact = wholes.reduce((total, whole) => total + whole, 0n)
        const off = exact > sum ? exact - sum : sum - exact
        // Half of the last of 53 bits at the most.
        expect(off * (1n << 53n) <= (sum < 0n ? -sum : sum)).toBe(true)
      }),
      { numRuns: 2_000 },
    )
  })

  it('is the same in any order, and without what was taken out again', () => {
    fc.assert(
      fc.property(fc.array(finite, { maxLength: 20 }), fc.array(finite, { maxLength: 20 }), (kept, gone) => {
        const sum = new ExactSum()
        for (const number of [...gone, ...kept.toReversed()]) sum.add(number)
        for (const number of gone.toReversed()) sum.remove(number)
        expect(sum.value()).toBe(sumOf(kept))
      }),
      { numRuns: 3_000 },
    )
  })
})
