/**
 * The root over a block's leaves, and the proof that one leaf is under it.
 * A leaf is SHA-256(salt ‖ delta bytes); an inner node SHA-256(0x01 ‖ left ‖ right); the tree's shape is RFC 6962's
 * (split at the largest power of two below the count). The count stands in the signed header, so the shape is fixed.
 */

import { HASH_BYTES } from '../delta/identifiers.ts'
import { assert } from '../errors.ts'
import { sha256 } from './sha256.ts'

const NODE_PREFIX = 0x01
/** `split` counts in 32 bits. */
const LEAVES_MAX = 2 ** 31

/** The leaf of a payload item, which is salt ‖ delta bytes. */
export function leafOf(item: Uint8Array): Uint8Array {
  return sha256(item)
}

/** Linear in the leaves. */
export function rootOf(leaves: readonly Uint8Array[]): Uint8Array {
  assert(leaves.length > 0, 'a block has a delta at least')
  return new Uint8Array(subtree(leaves, 0, leaves.length))
}

/**
 * Of the leaf at an index the siblings from it up: what a third party needs beside the item to compute the root. Linear in the
 * leaves for any number of indexes.
 */
export function proverOf(leaves: readonly Uint8Array[]): (index: number) => readonly Uint8Array[] {
  /** Roots of subtrees, by start and end. */
  const roots = new Map<string, Uint8Array>()
  const rootOver = (start: number, end: number): Uint8Array => {
    if (end - start === 1) return leaves[start] as Uint8Array
    const key = `${start} ${end}`
    const known = roots.get(key)
    if (known !== undefined) return known
    const middle = start + split(end - start)
    const root = parent(rootOver(start, middle), rootOver(middle, end))
    roots.set(key, root)
    return root
  }
  return (index) => {
    assert(index >= 0 && index < leaves.length, 'the index is of a leaf')
    const siblings: Uint8Array[] = []
    let start = 0
    let end = leaves.length
    while (end - start > 1) {
      const middle = start + split(end - start)
      if (index < middle) {
        siblings.push(rootOver(middle, end))
        end = middle
      } else {
        siblings.push(rootOver(start, middle))
        start = middle
      }
    }
    return siblings.reverse()
  }
}

/** True when `leaf` stands at `index` among `count` leaves under `root`. */
export function verifyProof(
  root: Uint8Array,
  leaf: Uint8Array,
  position: { readonly index: number; readonly count: number },
  siblings: readonly Uint8Array[],
): boolean {
  const sides = sidesOf(position.index, position.count)
  if (sides === undefined || sides.length !== siblings.length) return false
  if (leaf.length !== HASH_BYTES || siblings.some((sibling) => sibling.length !== HASH_BYTES)) return false
  let top = leaf
  for (const [level, sibling] of siblings.entries()) {
    top = sides[level] === 'left' ? parent(top, sibling) : parent(sibling, top)
  }
  return Buffer.compare(top, root) === 0
}

/** From the leaf up: on which side of its sibling the path runs. */
function sidesOf(index: number, count: number): readonly ('left' | 'right')[] | undefined {
  if (!Number.isInteger(index) || index < 0 || index >= count || count > LEAVES_MAX) return undefined
  const sides: ('left' | 'right')[] = []
  let start = 0
  let end = count
  while (end - start > 1) {
    const middle = start + split(end - start)
    sides.push(index < middle ? 'left' : 'right')
    if (index < middle) end = middle
    else start = middle
  }
  return sides.reverse()
}

function subtree(leaves: readonly Uint8Array[], start: number, end: number): Uint8Array {
  if (end - start === 1) return leaves[start] as Uint8Array
  const middle = start + split(end - start)
  return parent(subtree(leaves, start, middle), subtree(leaves, middle, end))
}

/** Filled anew for each node. */
const node = Uint8Array.of(NODE_PREFIX, ...new Uint8Array(2 * HASH_BYTES))

function parent(left: Uint8Array, right: Uint8Array): Uint8Array {
  node.set(left, 1)
  node.set(right, 1 + HASH_BYTES)
  return sha256(node)
}

/** The largest power of two below `count`. */
function split(count: number): number {
  return 2 ** (31 - Math.clz32(count - 1))
}
