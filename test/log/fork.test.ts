import { describe, expect, test } from 'vitest'
import { encode } from '../../src/delta/cbor.ts'
import type { Value } from '../../src/delta/delta.ts'
import { hashBytes, hashText } from '../../src/delta/identifiers.ts'
import {
  type Block,
  type BlockHash,
  DEPENDENCIES_MAX,
  type Header,
  type LogKey,
  RUN_BLOCKS_MAX,
  RUN_BYTES_MAX,
} from '../../src/log/block.ts'
import {
  attest,
  type AttestedHeader,
  decodeForkProof,
  encodeForkProof,
  FORK_PROOF_BYTES_MAX,
  type ForkProof,
  verifyForkProof,
} from '../../src/log/fork.ts'
import { encodeHeader, hashHeader } from '../../src/log/header.ts'
import { openNamespaceId } from '../../src/log/namespace.ts'
import { bulk, claim, logId, logOf, NAMESPACE, signer, TestLog } from '../support/blocks.ts'
import { codeOf } from '../support/expect.ts'

/** A log of `shared` blocks that then goes on in two ways, `left` and `right` blocks long. */
function forked(shared: number, left: number, right: number): { a: TestLog; b: TestLog } {
  const a = logOf(shared)
  const b = a.fork()
  for (let index = 0; index < left; index++) a.append([claim('a', 'a', 'a', index)])
  for (let index = 0; index < right; index++) b.append([claim('b', 'b', 'b', index)])
  return { a, b }
}

function attested(log: TestLog, seq: number, signedSeq = seq): AttestedHeader {
  const made = attest(bulk(log.blocks.slice(seq, signedSeq + 1)))
  if (made === undefined) throw new Error('attested')
  return made
}

function throughBytes(proof: ForkProof): ForkProof {
  const read = decodeForkProof(encodeForkProof(proof))
  expect(read).toEqual(proof)
  return read
}

describe('a fork is proven', () => {
  test('by two signed blocks of one number, and cut there', () => {
    const { a, b } = forked(3, 1, 1)
    const proof = throughBytes({ first: attested(a, 3), second: attested(b, 3) })
    expect(verifyForkProof(proof)).toEqual({ namespace: NAMESPACE, log: a.key, cut: 3 })
    expect(verifyForkProof({ first: proof.second, second: proof.first }).cut).toBe(3)
  })

  test('at the first block of a log, and cut whole', () => {
    const { a, b } = forked(0, 1, 1)
    expect(verifyForkProof({ first: attested(a, 0), second: attested(b, 0) }).cut).toBe(0)
  })

  test('by blocks that follow different ones, and cut one lower', () => {
    const { a, b } = forked(3, 3, 3)
    expect(verifyForkProof({ first: attested(a, 5), second: attested(b, 5) }).cut).toBe(4)
    expect(verifyForkProof({ first: attested(a, 4), second: attested(b, 4) }).cut).toBe(3)
  })

  test('by a block that follows another than the one before it', () => {
    const { a, b } = forked(3, 1, 2)
    expect(verifyForkProof(throughBytes({ first: attested(a, 3), second: attested(b, 4) })).cut).toBe(3)
  })

  test('through runs, of which only the last block is signed', () => {
    const { a, b } = forked(2, 6, 5)
    const proof = throughBytes({ first: attested(a, 2, 7), second: attested(b, 2, 6) })
    expect(verifyForkProof(proof).cut).toBe(2)
  })
})

describe('nothing is proven', () => {
  const { a, b } = forked(3, 3, 3)

  test.each<[string, ForkProof]>([
    ['the same block twice', { first: attested(a, 3), second: attested(a, 3) }],
    ['the same block, attested in two ways', { first: attested(a, 3), second: attested(a, 3, 5) }],
    ['a block and the next', { first: attested(a, 3), second: attested(a, 4) }],
    ['the next block before the other', { first: attested(b, 4), second: attested(a, 3) }],
    ['blocks two numbers apart', { first: attested(a, 3), second: attested(b, 5) }],
    ['blocks of other logs', { first: attested(a, 3), second: attested(logOf(5, { logId: logId(2) }), 3) }],
    ['blocks of other creators', { first: attested(a, 3), second: attested(logOf(5, { signer: signer(2) }), 3) }],
    [
      'blocks of other namespaces',
      { first: attested(a, 3), second: attested(logOf(5, { namespace: openNamespaceId('x') }), 3) },
    ],
    ['a signature of zeros', { first: attested(a, 3), second: { ...attested(b, 3), signature: new Uint8Array(64) } }],
    [
      'a signature of 63 bytes',
      { first: attested(a, 3), second: { ...attested(b, 3), signature: new Uint8Array(63) } },
    ],
    [
      'another block’s signature',
      { first: attested(a, 3), second: { ...attested(b, 3), signature: attested(b, 4).signature } },
    ],
    [
      'a chain with a hole',
      { first: attested(a, 3), second: { headers: [at(b, 3), at(b, 5)], signature: attested(b, 5).signature } },
    ],
    [
      'a chain of two branches',
      { first: attested(a, 3), second: { headers: [at(b, 3), at(a, 4)], signature: attested(a, 4).signature } },
    ],
    [
      'a header that is no header',
      { first: attested(a, 3), second: { headers: [Uint8Array.of(1)], signature: new Uint8Array(64) } },
    ],
    [
      'a header that is no CBOR',
      { first: attested(a, 3), second: { headers: [Uint8Array.of(0xff)], signature: new Uint8Array(64) } },
    ],
  ])('by %s', (_, proof) => {
    expect(codeOf(() => verifyForkProof(proof))).toBe('RZ_FORK_PROOF_INVALID')
  })

  test('by a header that somebody else made up', () => {
    const forgedHeader = encodeHeader({ ...(a.blocks[3] as Block).header, root: new Uint8Array(32) })
    const signature = signer(2).sign(hashBytes(hashHeader(forgedHeader)))
    const proof = { first: attested(a, 3), second: { headers: [forgedHeader], signature } } as const
    expect(codeOf(() => verifyForkProof(proof))).toBe('RZ_FORK_PROOF_INVALID')
  })

  test('by a chain that strays into another namespace or log, or skips a number', () => {
    for (const change of [{ namespace: openNamespaceId('x') }, { logId: logId(9) }, { seq: 5 }] as Partial<Header>[]) {
      const stray = encodeHeader({ ...(b.blocks[4] as Block).header, ...change })
      const signature = b.signer.sign(hashBytes(hashHeader(stray)))
      const proof: ForkProof = { first: attested(a, 3), second: { headers: [at(b, 3), stray], signature } }
      expect(codeOf(() => verifyForkProof(proof))).toBe('RZ_FORK_PROOF_INVALID')
    }
  })

  test('by any honest log', () => {
    const honest = logOf(8)
    for (let i = 0; i < 8; i++) {
      for (let j = 0; j < 8; j++) {
        const proof = { first: attested(honest, i, Math.min(7, i + 2)), second: attested(honest, j) }
        expect(codeOf(() => verifyForkProof(proof))).toBe('RZ_FORK_PROOF_INVALID')
      }
    }
  })

  function at(log: TestLog, seq: number): Uint8Array {
    return (log.blocks[seq] as Block).headerBytes
  }
})

describe('the bytes of a proof', () => {
  const { a, b } = forked(1, 2, 2)
  const bytes = encodeForkProof({ first: attested(a, 1, 2), second: attested(b, 1) })

  test('have no bit that can be flipped without the proof failing', () => {
    for (let bit = 0; bit < bytes.length * 8; bit += 3) {
      const flipped = new Uint8Array(bytes)
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      expect(codeOf(() => verifyForkProof(decodeForkProof(flipped)))).toMatch(/^RZ_(FORK_PROOF|BYTES)_INVALID$/)
    }
  })

  test('are refused at every truncation', () => {
    for (let length = 0; length < bytes.length; length++) {
      expect(codeOf(() => decodeForkProof(bytes.subarray(0, length)))).toBe('RZ_BYTES_INVALID')
    }
  })

  test.each<[string, Value]>([
    ['no list', {}],
    ['one side', [[[Uint8Array.of(1)], new Uint8Array(64)]]],
    ['three sides', [1, 2, 3]],
    ['a side of one part', [[[Uint8Array.of(1)]], [[Uint8Array.of(1)]]]],
    [
      'no headers',
      [
        [[], new Uint8Array(64)],
        [[], new Uint8Array(64)],
      ],
    ],
    [
      'headers of text',
      [
        [['x'], new Uint8Array(64)],
        [['x'], new Uint8Array(64)],
      ],
    ],
    [
      'a short signature',
      [
        [[Uint8Array.of(1)], new Uint8Array(63)],
        [[Uint8Array.of(1)], new Uint8Array(64)],
      ],
    ],
    [
      'a signature of null',
      [
        [[Uint8Array.of(1)], null],
        [[Uint8Array.of(1)], new Uint8Array(64)],
      ],
    ],
  ])('with %s are no proof', (_, value) => {
    expect(codeOf(() => decodeForkProof(encode(value)))).toBe('RZ_FORK_PROOF_INVALID')
  })

  test('beyond the limit are refused', () => {
    expect(codeOf(() => decodeForkProof(new Uint8Array(FORK_PROOF_BYTES_MAX + 1)))).toBe('RZ_FORK_PROOF_INVALID')
  })

  test('of the longest runs fit, and a header more is refused', () => {
    const { a: long, b: twin } = forked(1, RUN_BLOCKS_MAX + 1, RUN_BLOCKS_MAX)
    const proof = throughBytes({ first: attested(long, 1, RUN_BLOCKS_MAX), second: attested(twin, 1, RUN_BLOCKS_MAX) })
    expect(verifyForkProof(proof).cut).toBe(1)
    const longer = { ...proof, first: attested(long, 1, RUN_BLOCKS_MAX + 1) }
    expect(codeOf(() => verifyForkProof(longer))).toBe('RZ_FORK_PROOF_INVALID')
  })

  test('of the fattest runs fit: as many headers as a run has bytes for', () => {
    const dependencies = Array.from({ length: DEPENDENCIES_MAX }, (_, index) => ({
      log: new TestLog({ signer: signer(10 + index) }).key,
      seq: 2 ** 40,
      hash: hashText(new Uint8Array(32)) as BlockHash,
    })).sort((x, y) => (x.log < y.log ? -1 : 1)) as { log: LogKey; seq: number; hash: BlockHash }[]
    const { a: fat, b: twin } = forked(0, 0, 0)
    for (const log of [fat, twin]) {
      log.append([claim(log === fat ? 'a' : 'b', 'x', 'y', 1)])
      for (let size = 0; size < RUN_BYTES_MAX - 8_000;) {
        const block = log.append([claim('x', 'y', 'z', 1)], { dependencies })
        size += block.headerBytes.length + block.header.payloadBytes
      }
    }
    const last = fat.blocks.length - 1
    const bytesOfProof = encodeForkProof({ first: attested(fat, 0, last), second: attested(twin, 0, last) })
    expect(bytesOfProof.length).toBeGreaterThan(1.9 * RUN_BYTES_MAX)
    expect(verifyForkProof(decodeForkProof(bytesOfProof)).cut).toBe(0)
  })
})

test('only blocks that end in a signature attest a header', () => {
  const log = logOf(3)
  expect(attest([])).toBeUndefined()
  expect(attest(bulk(log.blocks).slice(0, 2))).toBeUndefined()
  expect(attest(bulk(log.blocks))?.headers).toHaveLength(3)
})
