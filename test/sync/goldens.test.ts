import { expect, it } from 'vitest'
import { type Block, logKeyOf } from '../../src/log/block.ts'
import { attest, encodeForkProof } from '../../src/log/fork.ts'
import { encodeGossipHead, encodeGossipRun, encodeRun } from '../../src/sync/gossip-message.ts'
import { Summaries } from '../../src/sync/summary.ts'
import { decodeFrame, encodeFrame, type Frame } from '../../src/sync/wire.ts'
import { claim, logId, logOf, NAMESPACE, signer, START_MS } from '../support/blocks.ts'

const log = logOf(3)
const branch = log.fork(2)
branch.append([claim('branch', 'x', 'n', 1)])
const last = log.blocks[2] as Block
const entry = { log: log.key, seq: 2, hash: last.hash, cut: 9 }
const empty = { log: logKeyOf(signer(2).id, logId(2)), cut: 0 }
const summary = new Summaries().of([entry, empty])
const token = { instance: '0123456789abcdef'.repeat(2), position: 70_000 }

function attested(block: Block | undefined): NonNullable<ReturnType<typeof attest>> {
  const head = block === undefined ? undefined : attest([block])
  if (head === undefined) throw new Error('it is signed')
  return head
}

const FRAMES: readonly Frame[] = [
  { kind: 'hello', namespace: NAMESPACE, name: 'first', digest: summary.digest, logs: 2, token, clockMs: START_MS },
  {
    kind: 'hello',
    namespace: NAMESPACE,
    name: 'second',
    digest: summary.digest,
    logs: 2,
    token,
    since: { ...token, position: 1 },
    clockMs: START_MS,
    changes: [entry, empty],
  },
  { kind: 'refuse', reason: 'busy' },
  {
    kind: 'compare',
    items: [
      { kind: 'tree', prefix: '0a', fingerprints: summary.fingerprints('') },
      { kind: 'list', prefix: 'ff', entries: [entry] },
    ],
  },
  { kind: 'claims', entries: [entry, empty] },
  { kind: 'turn', final: true },
  {
    kind: 'want',
    wants: [
      { log: log.key, fromSeq: 0 },
      { log: empty.log, fromSeq: 3, cut: 4 },
    ],
  },
  { kind: 'heads', heads: [attested(last)] },
  { kind: 'runs', runs: [encodeRun(log.run())] },
  { kind: 'proof', proof: encodeForkProof({ first: attested(last), second: attested(branch.blocks[2]) }) },
  { kind: 'served' },
  { kind: 'done', digest: summary.digest, moved: false, forked: true },
]

function hex(name: string, bytes: Uint8Array): string {
  return `${name} ${Buffer.from(bytes).toString('hex')}\n`
}

it('frames and gossip messages are written byte for byte as they were', async () => {
  const frames = FRAMES.map((frame) => hex(frame.kind, encodeFrame(frame)))
  const messages = [hex('gossip-run', encodeGossipRun(log.run())), hex('gossip-head', encodeGossipHead(last))]
  await expect([...frames, ...messages].join('')).toMatchFileSnapshot('../../fixtures/sync-1/frames.txt')
  for (const bytes of FRAMES.map(encodeFrame)) expect(hex('', encodeFrame(decodeFrame(bytes)))).toBe(hex('', bytes))
})
