import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encode } from '../../src/delta/cbor.ts'
import { FUTURE_MS_MAX } from '../../src/delta/clock.ts'
import { type Block, DEPENDENCIES_MAX, SALT_BYTES } from '../../src/log/block.ts'
import { encodeBlock } from '../../src/log/block-bytes.ts'
import { headOf } from '../../src/log/chain.ts'
import { openNamespaceId } from '../../src/log/namespace.ts'
import { encodeDeltas, seal } from '../../src/log/seal.ts'
import { GOSSIP_BYTES_MAX } from '../../src/net/net.ts'
import { decodeGossip, encodeGossipHead, encodeGossipRun } from '../../src/sync/gossip-message.ts'
import { type LogKnowledge, screen, type Screening } from '../../src/sync/screen.ts'
import {
  claim,
  logId,
  logOf,
  NAMESPACE,
  runOf,
  signer,
  START_MS,
  TestLog,
  withoutSignature,
} from '../support/blocks.ts'
import { codeOf } from '../support/expect.ts'

const NOW_MS = START_MS + 60_000
const log = logOf(5)
const [first, second, third, fourth, last] = log.blocks as [Block, Block, Block, Block, Block]

function judge(bytes: Uint8Array, known?: LogKnowledge): Screening {
  return screen(bytes, { namespace: NAMESPACE, nowMs: NOW_MS, knowledgeOf: () => known })
}

function told(...blocks: readonly Block[]): Uint8Array {
  return encodeGossipRun(runOf(...blocks))
}

function headAt(block: Block, cut?: number): LogKnowledge {
  return { seq: block.header.seq, hash: block.hash, ...(cut === undefined ? {} : { cut }) }
}

function message(...items: readonly Uint8Array[]): Uint8Array {
  return encode([0, 0, items])
}

function datedAt(ms: number): TestLog {
  const dated = new TestLog()
  dated.append([], { time: { ms, counter: 0 } })
  return dated
}

describe('a valid gossip message', () => {
  it.each<[string, Uint8Array, LogKnowledge | undefined, Screening['verdict'], Screening['action']]>([
    ['the first block of a log', told(first), undefined, 'accept', 'commit'],
    ['the next block', told(second), headAt(first), 'accept', 'commit'],
    ['a run of the next blocks', told(second, third, fourth), headAt(first), 'accept', 'commit'],
    ['a run that begins below the head and ends above it', told(...log.blocks), headAt(second), 'accept', 'commit'],
    ['a block that leaves a gap', told(last), headAt(first), 'accept', 'buffer'],
    ['a later block of an unknown log', told(last), undefined, 'accept', 'buffer'],
    ['the head that is held', told(first), headAt(first), 'ignore', 'nothing'],
    ['a run that ends at the head that is held', told(first, second), headAt(second), 'ignore', 'nothing'],
    ['a block below the head', told(first), headAt(third), 'ignore', 'commit'],
    ['a block in the void', told(third), headAt(first, 2), 'ignore', 'nothing'],
    ['a run that begins below a cut', told(second, third), headAt(first, 2), 'accept', 'commit'],
    ['the signed head of a large block', encodeGossipHead(last), headAt(first), 'accept', 'fetch'],
    ['the signed head that is held', encodeGossipHead(last), headAt(last), 'ignore', 'nothing'],
    ['the signed head of a block below the head', encodeGossipHead(third), headAt(last), 'ignore', 'nothing'],
    ['the signed head of a block in the void', encodeGossipHead(last), headAt(first, 2), 'ignore', 'nothing'],
  ])('with %s', (_, bytes, known, verdict, action) => {
    expect(judge(bytes, known)).toMatchObject({ verdict, action })
  })

  it('that contradicts the head is passed on, since it is evidence', () => {
    const branch = log.fork(1)
    const block = branch.append([claim('branch', 'x', 'n', 1)])
    expect(judge(told(block), headAt(first))).toMatchObject({ verdict: 'accept', action: 'commit' })
    expect(judge(told(block), headAt(second))).toMatchObject({ verdict: 'ignore', action: 'commit' })
  })

  it('is handed on as it was decoded, once', () => {
    const screening = judge(told(second, third), headAt(first))
    expect(screening).toMatchObject({ log: log.key, run: { blocks: [{ hash: second.hash }, { hash: third.hash }] } })
  })

  it('of a run travels with the last signature alone', () => {
    const decoded = decodeGossip(told(first, second))
    expect(decoded).toEqual({ kind: 'run', run: runOf(withoutSignature(first), second) })
  })
})

describe('a gossip message that is not of today', () => {
  it.each<[string, Uint8Array]>([
    ['a message of a later version', encode([1, 0, [encodeBlock(first)]])],
    ['a later version of something else', encode([7, 'whatever', 'comes'])],
    ['a block of a later format', message(encode([encode([1, 'a header to come']), null, []]))],
  ])('is ignored, and nobody is blamed: %s', (_, bytes) => {
    expect(judge(bytes).verdict).toBe('ignore')
  })

  it('since its block is dated more than five minutes ahead is ignored and remembered', () => {
    const ahead = datedAt(NOW_MS + FUTURE_MS_MAX + 1)
    expect(judge(told(...ahead.blocks))).toMatchObject({ verdict: 'ignore', action: 'remember' })
    expect(judge(encodeGossipHead(ahead.blocks[0] as Block))).toMatchObject({ verdict: 'ignore', action: 'remember' })
    expect(judge(told(...datedAt(Date.UTC(2100, 0)).blocks))).toMatchObject({ verdict: 'ignore', action: 'remember' })
    expect(judge(told(...datedAt(NOW_MS + FUTURE_MS_MAX).blocks))).toMatchObject({
      verdict: 'accept',
      action: 'commit',
    })
  })
})

describe('a gossip message that is invalid in itself is rejected', () => {
  const nested = Buffer.concat([Buffer.from([0x83, 0, 0]), Buffer.alloc(5_000, 0x81), Buffer.of(0)])
  const tampered = { ...second, payload: second.payload.map((item) => Uint8Array.from(item, (byte) => byte ^ 1)) }
  const misSigned = (block: Block, by: Block): Block => ({
    ...block,
    ...(by.signature === undefined ? {} : { signature: by.signature }),
  })
  const foreign = logOf(1, { namespace: openNamespaceId('others') })
  const twoLogs = runOf(first, logOf(2, { logId: logId(2) }).blocks[1] as Block)
  const standing = seal({
    namespace: NAMESPACE,
    signer: log.signer,
    logId: log.logId,
    host: log.signer.id,
    // A creator that breaks the rule of time: it pretends that the block before was earlier.
    head: { ...headOf(first), time: { ms: 0, counter: 0 } },
    dependencies: [],
    dependenciesCut: false,
    time: first.header.time,
    deltas: encodeDeltas([claim('x', 'y', 'n', 1)]),
    salts: new Uint8Array(SALT_BYTES),
  })

  it.each<[string, Uint8Array, string]>([
    ['no bytes', new Uint8Array(0), 'RZ_SYNC_GOSSIP_INVALID'],
    ['text', Buffer.from('hello'), 'RZ_SYNC_GOSSIP_INVALID'],
    ['no list', encode({ version: 0 }), 'RZ_SYNC_GOSSIP_INVALID'],
    ['no version', encode(['0', 0, []]), 'RZ_SYNC_GOSSIP_INVALID'],
    ['an unknown kind', encode([0, 9, []]), 'RZ_SYNC_GOSSIP_INVALID'],
    ['an empty run', message(), 'RZ_SYNC_GOSSIP_INVALID'],
    ['a run of other things', encode([0, 0, ['block']]), 'RZ_SYNC_GOSSIP_INVALID'],
    ['too many bytes', encode([0, 0, [new Uint8Array(GOSSIP_BYTES_MAX)]]), 'RZ_SYNC_GOSSIP_INVALID'],
    ['lists nested 5,000 deep', nested, 'RZ_SYNC_GOSSIP_INVALID'],
    [
      'bytes that are not canonical',
      Buffer.concat([Buffer.from([0x98, 0x03]), told(first).subarray(1)]),
      'RZ_SYNC_GOSSIP_INVALID',
    ],
    ['bytes after its end', Buffer.concat([told(first), Buffer.of(0)]), 'RZ_SYNC_GOSSIP_INVALID'],
    ['a block that is cut short', message(encodeBlock(first).subarray(0, 80)), 'RZ_BYTES_INVALID'],
    ['a block that is no block', message(encode([1, 2, 3])), 'RZ_BLOCK_INVALID'],
    ['a payload that was changed', told(tampered), 'RZ_BLOCK_INVALID'],
    ['no signature', told(withoutSignature(first)), 'RZ_SIGNATURE_INVALID'],
    ['the signature of another block', told(misSigned(first, second)), 'RZ_SIGNATURE_INVALID'],
    [
      'the signature of another creator',
      told(misSigned(first, logOf(1, { signer: signer(2) }).blocks[0] as Block)),
      'RZ_SIGNATURE_INVALID',
    ],
    ['a block of another namespace', told(...foreign.blocks), 'RZ_SYNC_GOSSIP_INVALID'],
    ['the head of another namespace', encodeGossipHead(foreign.blocks[0] as Block), 'RZ_SYNC_GOSSIP_INVALID'],
    ['a head with the signature of another block', encodeGossipHead(misSigned(first, second)), 'RZ_SIGNATURE_INVALID'],
    ['a head without a signature', encodeGossipHead(withoutSignature(first)), 'RZ_SYNC_GOSSIP_INVALID'],
    ['a head that is no header', encode([0, 1, new Uint8Array(3), new Uint8Array(64)]), 'RZ_BYTES_INVALID'],
    ['a run with a block missing', told(first, third), 'RZ_BLOCK_INVALID'],
    ['a run over two logs', encodeGossipRun(twoLogs), 'RZ_BLOCK_INVALID'],
    ['a run in which time stands still', told(first, standing), 'RZ_BLOCK_INVALID'],
  ])('with %s', (_, bytes, code) => {
    expect(judge(bytes)).toMatchObject({ verdict: 'reject', action: 'report', code })
  })

  it('whatever its bytes are, and nothing but a verdict comes of it', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (garbage) => {
        expect(['reject', 'ignore']).toContain(judge(garbage).verdict)
      }),
    )
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 1, max: 255 }), (place, change) => {
        const changed = told(first)
        changed[place % changed.length] = (changed[place % changed.length] ?? 0) ^ change
        expect(['reject', 'ignore']).toContain(judge(changed).verdict)
      }),
    )
  })
})

describe('a block that is too large for gossip', () => {
  it('is announced by a signed header that always fits, however many blocks it depends on', () => {
    const dependencies = Array.from(
      { length: DEPENDENCIES_MAX },
      (_, index) => logOf(1, { logId: logId(10 + index) }).dependency,
    )
    const large = new TestLog()
    const block = large.append([claim('large', 'x', 'bytes', new Uint8Array(100_000))], {
      dependencies: dependencies.toSorted((a, b) => (a.log < b.log ? -1 : 1)),
    })
    expect(encodeGossipRun(runOf(block)).length).toBeGreaterThan(GOSSIP_BYTES_MAX)
    expect(encodeGossipHead(block).length).toBeLessThan(GOSSIP_BYTES_MAX)
    expect(judge(encodeGossipHead(block))).toMatchObject({ verdict: 'accept', action: 'fetch', log: large.key })
    expect(codeOf(() => decodeGossip(encodeGossipRun(runOf(block))))).toBe('RZ_SYNC_GOSSIP_INVALID')
  })
})
