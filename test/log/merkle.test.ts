import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { leafOf, proverOf, rootOf, verifyProof } from '../../src/log/merkle.ts'
import { hexOf } from '../support/expect.ts'

const LEAVES = Array.from({ length: 70 }, (_, index) => leafOf(Buffer.from(`item ${index}`)))

function flipped(bytes: Uint8Array): Uint8Array {
  const copy = new Uint8Array(bytes)
  copy[0] = (copy[0] ?? 0) ^ 1
  return copy
}

describe('the root over leaves', () => {
  test('of one leaf is the leaf, of two their hash behind the prefix of a node', () => {
    const [a, b] = LEAVES as [Uint8Array, Uint8Array]
    expect(hexOf(rootOf([a]))).toBe(createHash('sha256').update('item 0').digest('hex'))
    expect(hexOf(rootOf([a, b]))).toBe(createHash('sha256').update(Uint8Array.of(1)).update(a).update(b).digest('hex'))
  })

  test('differs for every count and changes with every leaf', () => {
    const roots = new Set(LEAVES.map((_, index) => hexOf(rootOf(LEAVES.slice(0, index + 1)))))
    expect(roots.size).toBe(LEAVES.length)
    for (const count of [1, 2, 3, 7, 8, 70]) {
      for (let index = 0; index < count; index++) {
        const changed = LEAVES.slice(0, count).map((leaf, place) => (place === index ? flipped(leaf) : leaf))
        expect(hexOf(rootOf(changed))).not.toBe(hexOf(rootOf(LEAVES.slice(0, count))))
      }
    }
  })

  test('of no leaves is a bug', () => {
    expect(() => rootOf([])).toThrow('bug:')
  })
})

describe('a proof', () => {
  test('holds for every leaf of every count up to 70, and for no other place, leaf or root', () => {
    for (let count = 1; count <= LEAVES.length; count++) {
      const leaves = LEAVES.slice(0, count)
      const root = rootOf(leaves)
      for (const [index, leaf] of leaves.entries()) {
        const siblings = proverOf(leaves)(index)
        expect(siblings.length).toBeLessThanOrEqual(Math.ceil(Math.log2(count)))
        expect(verifyProof(root, leaf, { index, count }, siblings)).toBe(true)
        expect(verifyProof(root, flipped(leaf), { index, count }, siblings)).toBe(false)
        expect(verifyProof(flipped(root), leaf, { index, count }, siblings)).toBe(false)
        if (count > 1) expect(verifyProof(root, leaf, { index: (index + 1) % count, count }, siblings)).toBe(false)
        for (let level = 0; level < siblings.length; level++) {
          const forged = siblings.map((sibling, place) => (place === level ? flipped(sibling) : sibling))
          expect(verifyProof(root, leaf, { index, count }, forged)).toBe(false)
        }
      }
    }
  })

  test('does not pass a node off as a leaf', () => {
    const leaves = LEAVES.slice(0, 4)
    const [left, right] = [rootOf(leaves.slice(0, 2)), rootOf(leaves.slice(2))]
    expect(verifyProof(rootOf(leaves), left, { index: 0, count: 4 }, [right])).toBe(false)
    expect(verifyProof(rootOf(leaves), left, { index: 0, count: 2 }, [right])).toBe(true)
    // Only the count of the signed header tells the two apart: it must be the one that is handed in.
  })

  test('of a wrong shape is refused, not thrown at', () => {
    const leaves = LEAVES.slice(0, 5)
    const root = rootOf(leaves)
    const siblings = proverOf(leaves)(2)
    const leaf = leaves[2] as Uint8Array
    expect(verifyProof(root, leaf, { index: 2, count: 5 }, siblings.slice(1))).toBe(false)
    expect(verifyProof(root, leaf, { index: 2, count: 5 }, [...siblings, root])).toBe(false)
    for (const length of [0, 31, 33, 64]) {
      expect(verifyProof(root, leaf, { index: 2, count: 5 }, [new Uint8Array(length), ...siblings.slice(1)])).toBe(
        false,
      )
      expect(verifyProof(root, new Uint8Array(length), { index: 2, count: 5 }, siblings)).toBe(false)
    }
    for (const position of [
      { index: -1, count: 5 },
      { index: 5, count: 5 },
      { index: 0.5, count: 5 },
      { index: Number.NaN, count: 5 },
      { index: 0, count: 0 },
      { index: 2, count: 2 ** 53 },
      { index: 2, count: Number.POSITIVE_INFINITY },
    ]) {
      expect(verifyProof(root, leaf, position, siblings)).toBe(false)
    }
  })

  test('for a leaf that is not there is a bug', () => {
    expect(() => proverOf(LEAVES)(70)).toThrow('bug:')
    expect(() => proverOf(LEAVES)(-1)).toThrow('bug:')
  })
})
