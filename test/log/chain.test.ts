import { describe, expect, test } from 'vitest'
import { encode } from '../../src/delta/cbor.ts'
import { hashBytes } from '../../src/delta/identifiers.ts'
import { type Block, type Header, type Run, RUN_BLOCKS_MAX, RUN_BYTES_MAX } from '../../src/log/block.ts'
import { headOf, linkOf, verifyRun } from '../../src/log/chain.ts'
import { encodeHeader, hashHeader } from '../../src/log/header.ts'
import { openNamespaceId } from '../../src/log/namespace.ts'
import { bulk, claim, logId, logOf, runOf, signer, TestLog, withoutSignature } from '../support/blocks.ts'
import { codeOf } from '../support/expect.ts'

const log = logOf(6)
const at = (seq: number): Block => log.blocks[seq] as Block

/** The block with another header, signed again by the log's own signer: what a faulty creator could make. */
function resealed(block: Block, change: Partial<Header>): Block {
  const header = { ...block.header, ...change }
  const headerBytes = encodeHeader(header)
  const hash = hashHeader(headerBytes)
  return { ...block, header, headerBytes, hash, signature: log.signer.sign(hashBytes(hash)) }
}

describe('a block, seen from a head,', () => {
  test('is next when it continues it', () => {
    expect(linkOf(undefined, at(0))).toEqual({ kind: 'next' })
    expect(linkOf(headOf(at(0)), at(1))).toEqual({ kind: 'next' })
  })

  test('leaves a gap that is told when blocks between are missing', () => {
    expect(linkOf(undefined, at(2))).toEqual({ kind: 'gap', missingFrom: 0 })
    expect(linkOf(headOf(at(1)), at(5))).toEqual({ kind: 'gap', missingFrom: 2 })
  })

  test('is of a known seq when the head is at or past it', () => {
    expect(linkOf(headOf(at(3)), at(3))).toEqual({ kind: 'known-seq' })
    expect(linkOf(headOf(at(3)), at(0))).toEqual({ kind: 'known-seq' })
  })

  test('forks when it follows another block of that number', () => {
    const twin = log.fork(3)
    twin.append([claim('x', 'y', 'z', 1)])
    twin.append()
    expect(linkOf(headOf(at(3)), twin.blocks[4] as Block)).toEqual({ kind: 'fork' })
  })

  test('is invalid when it is not later', () => {
    for (const time of [at(0).header.time, { ms: 0, counter: 0 }]) {
      expect(linkOf(headOf(at(0)), resealed(at(1), { time }))).toMatchObject({ kind: 'invalid' })
    }
    const { ms } = at(0).header.time
    expect(linkOf(headOf(at(0)), resealed(at(1), { time: { ms, counter: 1 } }))).toEqual({ kind: 'next' })
  })
})

describe('a run', () => {
  test('of any length from anywhere in a log is proven by its last signature', () => {
    for (let from = 0; from < 6; from++) {
      for (let end = from + 1; end <= 6; end++) expect(verifyRun(log.run(from, end)).blocks).toHaveLength(end - from)
    }
  })

  test('loses the signatures of its inner blocks, which nobody checked', () => {
    const bogus = { ...at(1), signature: new Uint8Array(64) }
    const checked = verifyRun(runOf(at(0), bogus, at(2)))
    expect(checked.blocks.map((block) => 'signature' in block)).toEqual([false, false, true])
    expect(checked).toEqual(runOf(...bulk([at(0), at(1), at(2)])))
  })

  const foreign = new TestLog({ signer: signer(2), logId: log.logId })
  foreign.append()
  foreign.append()
  const otherLog = logOf(2, { logId: logId(2) })
  const otherNamespace = logOf(2, { namespace: openNamespaceId('other') })

  test.each<[string, Run]>([
    ['no blocks', { blocks: [] as unknown as Run['blocks'] }],
    ['a block missing in the middle', runOf(at(0), at(2))],
    ['blocks in reverse', runOf(at(1), at(0))],
    ['a block twice', runOf(at(0), at(0))],
    ['a block of another creator', runOf(at(0), foreign.blocks[1] as Block)],
    ['a block of another log', runOf(at(0), otherLog.blocks[1] as Block)],
    ['a block of another namespace', runOf(at(0), otherNamespace.blocks[1] as Block)],
    [
      'a block that names another namespace and the right previous hash',
      runOf(at(0), resealed(at(1), { namespace: openNamespaceId('other') })),
    ],
    ['a block that names another log and the right previous hash', runOf(at(0), resealed(at(1), { logId: logId(2) }))],
    [
      'a block that names another creator and the right previous hash',
      runOf(at(0), resealed(at(1), { creator: signer(2).id })),
    ],
    ['a block that follows another', runOf(at(0), resealed(at(1), { previous: at(3).hash }))],
    ['a block that skips a number', runOf(at(0), resealed(at(1), { seq: 2 }))],
    ['a block of the same time', runOf(at(0), resealed(at(1), { time: at(0).header.time }))],
    ['a changed block in the middle', runOf(at(0), resealed(at(1), { root: new Uint8Array(32) }), at(2))],
  ])('with %s is refused', (_, run) => {
    expect(codeOf(() => verifyRun(run))).toBe('RZ_BLOCK_INVALID')
  })

  test.each<[string, Block]>([
    ['no signature', withoutSignature(at(1))],
    ['a signature of zeros', { ...at(1), signature: new Uint8Array(64) }],
    ['the signature of another block', { ...at(1), signature: at(2).signature as Uint8Array }],
    ['the signature of another signer', { ...at(1), signature: signer(2).sign(hashBytes(at(1).hash)) }],
  ])('whose last block has %s is not signed', (_, last) => {
    expect(codeOf(() => verifyRun(runOf(at(0), last)))).toBe('RZ_SIGNATURE_INVALID')
  })

  test('may have as many blocks as the limit says, and not one more', () => {
    const long = logOf(RUN_BLOCKS_MAX + 1)
    expect(verifyRun(long.run(1)).blocks).toHaveLength(RUN_BLOCKS_MAX)
    expect(codeOf(() => verifyRun(long.run()))).toBe('RZ_BLOCK_INVALID')
  })

  test('may have as many bytes as the limit says, and not one more', () => {
    const sizeOf = (run: Run) =>
      run.blocks.reduce((sum, block) => sum + block.headerBytes.length + block.header.payloadBytes, 0)
    const big = new TestLog()
    for (let index = 0; index < 2; index++) big.append([claim('x', 'y', 'z', 'x'.repeat(500_000))])
    const room = RUN_BYTES_MAX - sizeOf(big.run())
    const probe = big.fork()
    probe.append([claim('x', 'y', 'z', 'x'.repeat(1_000))])
    const fitting = room - (sizeOf(probe.run(2)) - 1_000)
    for (const [extra, code] of [
      [0, 'nothing'],
      [1, 'RZ_BLOCK_INVALID'],
    ] as const) {
      const exact = big.fork()
      exact.append([claim('x', 'y', 'z', 'x'.repeat(fitting + extra))])
      expect(sizeOf(exact.run())).toBe(RUN_BYTES_MAX + extra)
      expect(codeOf(() => verifyRun(exact.run()))).toBe(code)
    }
  })

  test('of one block of the largest size passes', () => {
    const big = new TestLog()
    big.append([claim('x', 'y', 'a', 'x'.repeat(520_000)), claim('x', 'y', 'b', 'x'.repeat(510_000))])
    expect(codeOf(() => verifyRun(big.run()))).toBe('nothing')
    expect(encode(big.blocks[0]?.payload as never).length).toBeGreaterThan(1_000_000)
  })
})
