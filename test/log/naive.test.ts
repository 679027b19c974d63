/** Two implementations of format 0 that share no line: what one writes the other reads, byte for byte. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodePointers, encodePointers } from '../../src/delta/bytes.ts'
import { decode, encode } from '../../src/delta/cbor.ts'
import type { Value } from '../../src/delta/delta.ts'
import { hashText, peerIdOf } from '../../src/delta/identifiers.ts'
import { decodeBlock, deltasOf, encodeBlock, hasValidSignature } from '../../src/log/block-bytes.ts'
import { decodeHeader, hashHeader } from '../../src/log/header.ts'
import { rootOf } from '../../src/log/merkle.ts'
import { latestView } from '../../src/view/latest.ts'
import { losslessView } from '../../src/view/lossless.ts'
import * as naive from '../naive/format.ts'
import { naiveLossless } from '../naive/lossless.ts'
import { sealedBlocks } from '../support/arbitrary-blocks.ts'
import { TestLog, claim, negation, signer } from '../support/blocks.ts'
import { pointerLists, values } from '../support/deltas.ts'
import { hexOf } from '../support/expect.ts'

const thirtyTwo = fc.uint8Array({ minLength: 32, maxLength: 32 })

describe('the naive implementation agrees', () => {
  test('on values', () => {
    fc.assert(
      fc.property(values, (value) => {
        expect(hexOf(encode(value))).toBe(hexOf(naive.encodeCbor(value)))
        expect(naive.decodeCbor(encode(value))).toEqual(decode(naive.encodeCbor(value)))
      }),
      { numRuns: 300 },
    )
  })

  test('on which bytes are canonical', () => {
    const nearly = fc.tuple(values, fc.nat(), fc.nat({ max: 255 })).map(([value, at, byte]) => {
      const bytes = encode(value).slice()
      bytes[at % bytes.length] = byte
      return bytes
    })
    fc.assert(
      fc.property(fc.oneof(nearly, fc.uint8Array({ maxLength: 8 })), (bytes) => {
        expect(accepts(() => decode(bytes))).toBe(accepts(() => naive.decodeCbor(bytes)))
      }),
      { numRuns: 3_000 },
    )
  })

  test('on names of keys and hashes', () => {
    fc.assert(
      fc.property(thirtyTwo, (bytes) => {
        expect(peerIdOf(bytes)).toBe(naive.peerId(bytes))
        expect(hashText(bytes)).toBe(naive.base32(bytes))
      }),
    )
  })

  test('on deltas', () => {
    fc.assert(
      fc.property(pointerLists, (pointers) => {
        expect(hexOf(encodePointers(pointers))).toBe(hexOf(naive.encodeDelta(pointers)))
        expect(naive.decodeDelta(encodePointers(pointers))).toEqual(decodePointers(naive.encodeDelta(pointers)))
      }),
    )
  })

  test('on the root over up to 70 leaves', () => {
    const leaves = Array.from({ length: 70 }, (_, index) => naive.sha256(`leaf ${index}`))
    for (let count = 1; count <= leaves.length; count++) {
      expect(hexOf(rootOf(leaves.slice(0, count)))).toBe(hexOf(naive.merkleRoot(leaves.slice(0, count))))
    }
  })

  test('on whole blocks: header, hash, signature, deltas and their ids', () => {
    fc.assert(
      fc.property(sealedBlocks, ({ block, deltas, salts }) => {
        const bytes = encodeBlock(block)
        const read = naive.decodeBlock(bytes)
        expect(read.hash).toBe(block.hash)
        expect(read.header).toEqual(block.header)
        expect(read.signed).toBe(true)
        expect(read.deltas).toEqual(deltasOf(decodeBlock(bytes)))

        // And the other way about: the naive encoder writes the same bytes from the same inputs.
        const items = deltas.map((pointers, index) =>
          Buffer.concat([salts.subarray(index * 16, index * 16 + 16), naive.encodeDelta(pointers)]),
        )
        const headerBytes = naive.encodeHeaderFields(naive.decodeHeaderFields(block.headerBytes))
        expect(hexOf(headerBytes)).toBe(hexOf(block.headerBytes))
        expect(hashHeader(headerBytes)).toBe(naive.base32(naive.hashOfHeader(headerBytes)))
        expect(hexOf(naive.encodeBlock(headerBytes, block.signature ?? null, items))).toBe(hexOf(bytes))
        expect(decodeHeader(headerBytes)).toEqual(read.header)
      }),
      { numRuns: 200 },
    )
  })

  test('on which single-byte changes of a block are still a signed block', () => {
    fc.assert(
      fc.property(sealedBlocks, fc.nat(), fc.nat({ max: 255 }), ({ block }, at, byte) => {
        const bytes = encodeBlock(block).slice()
        bytes[at % bytes.length] = byte
        const real = accepts(() => hasValidSignature(decodeBlock(bytes)) || fail())
        const plain = accepts(() => naive.decodeBlock(bytes).signed === true || fail())
        expect(real).toBe(plain)
      }),
      { numRuns: 500 },
    )
  })

  test('on views of decoded blocks, with negations across and within blocks', () => {
    const log = new TestLog()
    const other = new TestLog({ signer: signer(2) })
    const first = log.append([claim('users', 'a', 'name', 'Ann'), claim('users', 'a', 'age', 30), negation('./0')])
    const second = other.append([negation(`${first.hash}/2` as never), claim('users', 'a', 'name', 'Anna')])
    log.append([negation(`${second.hash}/1` as never), claim('users', 'b', 'name', 'Bob')])
    const encoded = [...log.blocks, ...other.blocks].map(encodeBlock)
    const deltas = encoded.flatMap((bytes) => deltasOf(decodeBlock(bytes)))
    for (const entity of ['users/a', 'users/b', `${first.hash}/0`]) {
      const real = losslessView(entity, deltas, deltas)
      const plain = naiveLossless(entity, encoded.map(naive.decodeBlock))
      expect(hexOf(encode(real as unknown as Value))).toBe(hexOf(naive.encodeCbor(plain)))
    }
    expect(latestView(losslessView('users/a', deltas, deltas)).properties).toEqual({ name: 'Ann', age: 30 })
  })
})

function accepts(read: () => unknown): boolean {
  try {
    read()
    return true
  } catch {
    return false
  }
}

function fail(): never {
  throw new Error('not signed')
}
