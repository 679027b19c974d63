import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encodePointers } from '../../src/delta/bytes.ts'
import { encode } from '../../src/delta/cbor.ts'
import { DELTA_BYTES_MAX, type Pointer, type Value } from '../../src/delta/delta.ts'
import { deltaIdOf, hashBytes } from '../../src/delta/identifiers.ts'
import { BLOCK_BYTES_MAX, BLOCK_DELTAS_MAX, type Block, type Header, SALT_BYTES } from '../../src/log/block.ts'
import {
  decodeBlock,
  decodeStoredBlock,
  deltaAt,
  deltasOf,
  encodeBlock,
  hasValidSignature,
} from '../../src/log/block-bytes.ts'
import { encodeHeader, hashHeader } from '../../src/log/header.ts'
import { leafOf, rootOf } from '../../src/log/merkle.ts'
import { encodeDeltas, payloadBytesOf, PAYLOAD_BYTES_MAX, seal, type SealInput } from '../../src/log/seal.ts'
import { sealedBlocks } from '../support/arbitrary-blocks.ts'
import { claim, NAMESPACE, negation, signer, TestLog } from '../support/blocks.ts'
import { codeOf, hexOf } from '../support/expect.ts'

const ANN = claim('users', 'a', 'name', 'Ann')

function input(deltas: readonly Uint8Array[], more: Partial<SealInput> = {}): SealInput {
  return {
    namespace: NAMESPACE,
    signer: signer(1),
    logId: '00'.repeat(16),
    host: signer(2).id,
    dependencies: [],
    dependenciesCut: false,
    time: { ms: 5, counter: 0 },
    deltas,
    salts: new Uint8Array(deltas.length * SALT_BYTES),
    ...more,
  }
}

/** A block whose header is true to `payload`, signed, whatever the payload is. */
function forged(payload: readonly Uint8Array[], change: Partial<Header> = {}): Block {
  const header: Header = {
    ...new TestLog().append([ANN]).header,
    count: payload.length,
    root: rootOf(payload.map(leafOf)),
    payloadBytes: payload.reduce((sum, { length }) => sum + length, 0),
    ...change,
  }
  const headerBytes = encodeHeader(header)
  const hash = hashHeader(headerBytes)
  return { header, hash, headerBytes, signature: signer(1).sign(hashBytes(hash)), payload }
}

function item(pointers: readonly Pointer[]): Uint8Array {
  return Buffer.concat([new Uint8Array(SALT_BYTES), encodePointers(pointers)])
}

describe('a sealed block', () => {
  test('survives encoding, and its signature is its creator’s', () => {
    fc.assert(
      fc.property(sealedBlocks, ({ block, deltas }) => {
        const read = decodeBlock(encodeBlock(block))
        expect(read).toEqual(block)
        expect(hasValidSignature(read)).toBe(true)
        expect(hexOf(encodeBlock(read))).toBe(hexOf(encodeBlock(block)))
        expect(deltasOf(read)).toHaveLength(deltas.length)
      }),
      { numRuns: 100 },
    )
  })

  test('gives its deltas the time, creator and host of its header, and ids of its hash and their place', () => {
    const block = seal(input(encodeDeltas([ANN, ANN])))
    expect(deltasOf(block)[1]).toEqual({
      id: deltaIdOf(block.hash, 1),
      time: { ms: 5, counter: 0 },
      creator: signer(1).id,
      host: signer(2).id,
      log: '00'.repeat(16),
      seq: 0,
      index: 1,
      pointers: ANN,
    })
    expect(codeOf(() => deltaAt(block, 2))).toBe('RZ_BLOCK_INVALID')
  })

  test('is another block with another salt', () => {
    const deltas = encodeDeltas([ANN])
    expect(seal(input(deltas)).hash).not.toBe(seal(input(deltas, { salts: new Uint8Array(16).fill(1) })).hash)
  })

  test('without a signature is read, and is not signed', () => {
    const { signature: _, ...block } = new TestLog().append([ANN])
    const read = decodeBlock(encodeBlock(block))
    expect('signature' in read).toBe(false)
    expect(hasValidSignature(read)).toBe(false)
  })

  test('is not signed by another’s signature, nor by one over another block', () => {
    const [a, b] = [seal(input(encodeDeltas([ANN]))), seal(input(encodeDeltas([ANN, ANN])))]
    expect(hasValidSignature({ ...a, signature: signer(2).sign(hashBytes(a.hash)) })).toBe(false)
    expect(hasValidSignature({ ...a, ...(b.signature === undefined ? {} : { signature: b.signature }) })).toBe(false)
  })

  test('whose creator is no point of the curve is not signed, and nothing throws', () => {
    for (const byte of [0, 2, 255]) {
      const creator = new Uint8Array(32).fill(byte)
      const fields = seal(input(encodeDeltas([ANN])))
      const headerBytes = Buffer.from(fields.headerBytes)
      headerBytes.set(creator, headerBytes.indexOf(Buffer.from([0x58, 0x20]), 36) + 2)
      const bytes = encode([headerBytes, new Uint8Array(64), fields.payload])
      expect(hasValidSignature(decodeBlock(bytes))).toBe(false)
    }
  })

  test('has no bit that can be flipped unseen', () => {
    const bytes = encodeBlock(new TestLog().append([ANN, negation('./0')]))
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = new Uint8Array(bytes)
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      let signed = false
      try {
        signed = hasValidSignature(decodeBlock(flipped))
      } catch (error) {
        expect((error as { code: string }).code).toMatch(/^RZ_/)
      }
      expect(signed).toBe(false)
    }
  })

  test('is refused at every truncation and with anything after it', () => {
    const bytes = encodeBlock(new TestLog().append([ANN]))
    for (let length = 0; length < bytes.length; length++) {
      expect(codeOf(() => decodeBlock(bytes.subarray(0, length)))).toBe('RZ_BYTES_INVALID')
    }
    expect(codeOf(() => decodeBlock(Buffer.concat([bytes, Uint8Array.of(0)])))).toBe('RZ_BYTES_INVALID')
  })
})

describe('a block', () => {
  const block = new TestLog().append([ANN])
  const { headerBytes, payload } = block

  test.each<[string, Value]>([
    ['no list', {}],
    ['two parts', [headerBytes, null]],
    ['four parts', [headerBytes, null, payload, 0]],
    ['a header that is no bytes', ['header', null, payload]],
    ['a signature of 63 bytes', [headerBytes, new Uint8Array(63), payload]],
    ['a signature of 65 bytes', [headerBytes, new Uint8Array(65), payload]],
    ['an empty signature', [headerBytes, new Uint8Array(), payload]],
    ['a signature of false', [headerBytes, false, payload]],
    ['a payload that is no list', [headerBytes, null, new Uint8Array()]],
    ['a payload of text', [headerBytes, null, ['x']]],
    ['no payload', [headerBytes, null, []]],
    ['a delta more than its header says', [headerBytes, null, [...payload, ...payload]]],
    ['another payload of the same size', [headerBytes, null, payload.map((bytes) => new Uint8Array(bytes.length))]],
  ])('with %s is refused', (_, value) => {
    expect(codeOf(() => decodeBlock(encode(value)))).toBe('RZ_BLOCK_INVALID')
  })

  test('whose header miscounts its deltas, its bytes or its root is refused though it is signed', () => {
    const items = [item(ANN), item(ANN)]
    expect(codeOf(() => decodeBlock(encodeBlock(forged(items))))).toBe('nothing')
    for (const change of [
      { count: 1 },
      { count: 3 },
      { payloadBytes: 0 },
      { payloadBytes: 200 },
      { root: new Uint8Array(32) },
    ]) {
      expect(codeOf(() => decodeBlock(encodeBlock(forged(items, change))))).toBe('RZ_BLOCK_INVALID')
    }
  })

  test.each<[string, Uint8Array, RegExp]>([
    ['a salt alone', new Uint8Array(SALT_BYTES), /^RZ_BLOCK_INVALID$/],
    ['nothing', new Uint8Array(), /^RZ_BLOCK_INVALID$/],
    ['no CBOR', Buffer.concat([new Uint8Array(SALT_BYTES), Uint8Array.of(0xff)]), /^RZ_BYTES_INVALID$/],
    ['no pointers', Buffer.concat([new Uint8Array(SALT_BYTES), encode([])]), /^RZ_DELTA_INVALID$/],
    ['a delta that is too large', new Uint8Array(SALT_BYTES + DELTA_BYTES_MAX + 1), /^RZ_DELTA_TOO_LARGE$/],
  ])('with a payload item of %s is refused though it is signed', (_, bytes, code) => {
    expect(codeOf(() => decodeBlock(encodeBlock(forged([item(ANN), bytes]))))).toMatch(code)
  })

  test('that is sealed is checked by its root alone, and shows no deltas', () => {
    const ciphertext = new Uint8Array(100).fill(0xff)
    const sealed = decodeBlock(encodeBlock(forged([ciphertext], { payloadKind: 'sealed' })))
    expect(deltasOf(sealed)).toEqual([])
    expect(codeOf(() => decodeBlock(encodeBlock(forged([ciphertext]))))).toBe('RZ_BYTES_INVALID')
  })

  test('that was stored is read without its payload being checked again', () => {
    const bytes = encodeBlock(forged([item(ANN)], { payloadBytes: 0 }))
    expect(decodeStoredBlock(bytes).payload).toHaveLength(1)
    expect(codeOf(() => decodeBlock(bytes))).toBe('RZ_BLOCK_INVALID')
  })
})

describe('a reference within a block', () => {
  test('is read as the full id of the earlier delta', () => {
    const block = new TestLog().append([ANN, negation('./0'), claim('users', 'a', 'text', './0')])
    const deltas = deltasOf(decodeBlock(encodeBlock(block)))
    expect(deltas[1]?.pointers[0]?.target).toBe(`${block.hash}/0`)
    // A value that looks like one is a value.
    expect(deltas[2]?.pointers[1]?.target).toBe('./0')
  })

  test.each(['./1', './2', './4095', './9999', './10000', './01', './-1', './', './x', './0/', './0\n'])(
    'to %j from the delta at 1 is neither written nor read',
    (target) => {
      const wrong: readonly Pointer[] = [{ localContext: 'negates', target, targetContext: 'negated_by' }]
      expect(codeOf(() => encodeDeltas([ANN, wrong]))).toBe('RZ_BLOCK_INVALID')
      expect(codeOf(() => decodeBlock(encodeBlock(forged([item(ANN), item(wrong)]))))).toBe('RZ_BLOCK_INVALID')
    },
  )
})

describe('the limits of a block', () => {
  test('as many deltas as the limit says are sealed and read, and one more is refused', () => {
    const deltas = Array.from({ length: BLOCK_DELTAS_MAX }, () => ANN)
    const encoded = encodeDeltas(deltas)
    const block = decodeBlock(encodeBlock(seal(input(encoded))))
    expect(block.header.count).toBe(BLOCK_DELTAS_MAX)
    expect(deltasOf(block).at(-1)?.index).toBe(BLOCK_DELTAS_MAX - 1)
    expect(codeOf(() => encodeDeltas([...deltas, ANN]))).toBe('RZ_BLOCK_TOO_LARGE')
    const more = encode([block.headerBytes, null, [...block.payload, item(ANN)]])
    expect(codeOf(() => decodeBlock(more))).toMatch(/^RZ_(BLOCK|BYTES)_INVALID$/)
  })

  test('as many bytes as the limit says are sealed into a block that fits, and one more is refused', () => {
    const first = claim('users', 'a', 'text', 'x'.repeat(DELTA_BYTES_MAX - 100))
    const firstBytes = payloadBytesOf(encodePointers(first).length)
    const overhead = payloadBytesOf(encodePointers(claim('users', 'a', 'text', 'y'.repeat(100_000))).length) - 100_000
    const fitting = PAYLOAD_BYTES_MAX - firstBytes - overhead
    const most = [first, claim('users', 'a', 'text', 'y'.repeat(fitting))]
    const bytes = encodeBlock(seal(input(encodeDeltas(most))))
    expect(bytes.length).toBeLessThanOrEqual(BLOCK_BYTES_MAX)
    expect(decodeBlock(bytes).header.count).toBe(2)
    const more = [first, claim('users', 'a', 'text', 'y'.repeat(fitting + 1))]
    expect(codeOf(() => encodeDeltas(more))).toBe('RZ_BLOCK_TOO_LARGE')
    expect(codeOf(() => decodeBlock(new Uint8Array(BLOCK_BYTES_MAX + 1)))).toBe('RZ_BLOCK_TOO_LARGE')
  })

  test('a delta that no reader would take is refused before anything is signed', () => {
    expect(codeOf(() => encodeDeltas([[]]))).toBe('RZ_DELTA_INVALID')
    expect(codeOf(() => encodeDeltas([claim('users', 'a', 'text', 'x'.repeat(DELTA_BYTES_MAX))]))).toBe(
      'RZ_DELTA_TOO_LARGE',
    )
  })
})

describe('sealing what breaks its own promise is a bug', () => {
  const deltas = encodeDeltas([ANN])
  const head = { seq: 3, hash: new TestLog().append().hash, time: { ms: 5, counter: 0 } }

  test.each<[string, Partial<SealInput>]>([
    ['no deltas', { deltas: [], salts: new Uint8Array() }],
    ['a salt too few', { salts: new Uint8Array(SALT_BYTES - 1) }],
    ['a time that is not later than the head’s', { head }],
    [
      'more dependencies than fit',
      {
        dependencies: Array.from({ length: 65 }, () => new TestLog().append()).map((block) => ({
          log: 'x' as never,
          seq: 0,
          hash: block.hash,
        })),
      },
    ],
  ])('%s', (_, wrong) => {
    expect(() => seal(input(deltas, wrong))).toThrow('bug:')
  })
})
