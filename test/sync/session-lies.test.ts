import { describe, expect, it } from 'vitest'
import { encode } from '../../src/delta/cbor.ts'
import type { Block } from '../../src/log/block.ts'
import { encodeBlock } from '../../src/log/block-bytes.ts'
import { attest, encodeForkProof } from '../../src/log/fork.ts'
import { openNamespaceId } from '../../src/log/namespace.ts'
import { encodeRun } from '../../src/sync/gossip-message.ts'
import type { Frame, Hello } from '../../src/sync/wire.ts'
import { claim, logId, logOf, NAMESPACE, runOf, signer, TestLog, withoutSignature } from '../support/blocks.ts'
import { codeOf } from '../support/expect.ts'
import { NOW_MS, type PlayedPeer, Side } from './pair.ts'

const HELLO: Hello = {
  kind: 'hello',
  namespace: NAMESPACE,
  name: 'liar',
  digest: new Uint8Array(32).fill(7),
  logs: 1,
  token: { instance: 'ab'.repeat(16), position: 5 },
  clockMs: NOW_MS,
}
const log = logOf(4)
const other = logOf(4, { logId: logId(2) })

function entryOf({ key, blocks }: TestLog): { log: typeof key; seq: number; hash: Block['hash'] } {
  const last = blocks.at(-1) as Block
  return { log: key, seq: last.header.seq, hash: last.hash }
}

/** A session that the peer has told of `log`, and that now waits for its blocks. */
function asking(side: Side): PlayedPeer {
  const peer = side.facing('responder')
  peer.say(HELLO)
  peer.say({ kind: 'claims', entries: [entryOf(log)] })
  peer.say({ kind: 'turn', final: true })
  expect(peer.hear().at(-1)).toEqual({ kind: 'want', wants: [{ log: log.key, fromSeq: 0 }] })
  return peer
}

/** The code with which the session ends when the peer says this instead of serving. */
function answer(frame: Frame): string {
  const side = new Side('honest')
  const peer = asking(side)
  const code = codeOf(() => peer.say(frame))
  expect(side.store.counts(NAMESPACE).blocks, 'nothing of it is kept').toBe(0)
  return code
}

function runs(...blocks: readonly Block[]): Frame {
  return { kind: 'runs', runs: [blocks.map(encodeBlock)] }
}

function signedBy(wrong: Block, right: Block): Block {
  if (wrong.signature === undefined) throw new Error('an unsigned block')
  return { ...right, signature: wrong.signature }
}

describe('a peer that lies in a sync session', () => {
  const [first, second, third, last] = log.blocks as [Block, Block, Block, Block]

  it('and claims a head that it never serves is passed over for that log, and the head counts for nothing', () => {
    const side = new Side('honest')
    const peer = asking(side)
    peer.say({ kind: 'served' })
    expect(side.headsKnown).toEqual([])
    expect(peer.hear().map(({ kind }) => kind)).toEqual(['done'])
    peer.say({ kind: 'done', digest: HELLO.digest, moved: true, forked: false })
    expect(peer.session.finished).toBe(true)
    expect(peer.session.result).toMatchObject({ complete: false, unserved: [log.key] })
  })

  it('is not asked again for a log that is passed over, and is not taken to be complete', () => {
    const side = new Side('honest')
    side.passedOver.add(log.key)
    const peer = side.facing('responder')
    peer.say(HELLO)
    peer.say({ kind: 'claims', entries: [entryOf(log)] })
    peer.say({ kind: 'turn', final: true })
    expect(peer.hear().map(({ kind }) => kind)).toEqual(['hello', 'done'])
    expect(peer.session.result.complete).toBe(false)
  })

  it('and shows a head with a false signature is found out', () => {
    const attested = attest([signedBy(first, last)])
    if (attested === undefined) throw new Error('it is signed')
    expect(answer({ kind: 'heads', heads: [attested] })).toBe('RZ_SYNC_FRAME_INVALID')
  })

  it('and shows the signed head of a log that was not asked for is found out', () => {
    const attested = attest(other.blocks.slice(-1))
    if (attested === undefined) throw new Error('it is signed')
    expect(answer({ kind: 'heads', heads: [attested] })).toBe('RZ_SYNC_FRAME_INVALID')
  })

  it('and shows one head after the other is found out', () => {
    const attested = attest([last])
    if (attested === undefined) throw new Error('it is signed')
    expect(answer({ kind: 'heads', heads: [attested, attested, attested] })).toBe('RZ_SYNC_FRAME_INVALID')
  })

  it('and shows a head, but serves only part of the log, is passed over for the rest', () => {
    const side = new Side('honest')
    const peer = asking(side)
    const attested = attest([last])
    if (attested === undefined) throw new Error('it is signed')
    peer.say({ kind: 'heads', heads: [attested] })
    peer.say({ kind: 'runs', runs: [encodeRun(log.run(0, 2))] })
    peer.say({ kind: 'served' })
    expect(side.headsKnown).toEqual([{ log: log.key, seq: 3 }])
    expect(side.store.counts(NAMESPACE).blocks).toBe(2)
    expect(peer.session.result.unserved).toEqual([log.key])
  })

  it('and sends a run whose last block has a false signature gains nothing', () => {
    expect(answer(runs(first, second, signedBy(second, third)))).toBe('RZ_SIGNATURE_INVALID')
  })

  it('and sends a run that ends unsigned gains nothing', () => {
    expect(answer(runs(first, withoutSignature(second)))).toBe('RZ_SIGNATURE_INVALID')
  })

  it('and sends a run with a block missing gains nothing', () => {
    expect(answer(runs(first, third))).toBe('RZ_BLOCK_INVALID')
  })

  it('and sends a run with a block of another branch gains nothing', () => {
    const branch = log.fork(1)
    branch.append([claim('branch', 'x', 'n', 1)])
    expect(answer(runs(first, branch.blocks[1] as Block, third, last))).toBe('RZ_BLOCK_INVALID')
  })

  it('and sends a run over two logs gains nothing', () => {
    expect(answer(runs(first, other.blocks[1] as Block))).toBe('RZ_BLOCK_INVALID')
  })

  it('and certifies a run by a block of another creator gains nothing', () => {
    const foreign = logOf(2, { signer: signer(2) })
    expect(answer(runs(first, foreign.blocks[1] as Block))).toBe('RZ_BLOCK_INVALID')
  })

  it('and sends the blocks of a log that was not asked for gains nothing', () => {
    expect(answer({ kind: 'runs', runs: [encodeRun(other.run())] })).toBe('RZ_SYNC_FRAME_INVALID')
  })

  it('and begins elsewhere than asked gains nothing', () => {
    expect(answer(runs(second))).toBe('RZ_SYNC_FRAME_INVALID')
  })

  it('and sends a block of another namespace gains nothing', () => {
    const foreign = logOf(1, { namespace: openNamespaceId('others') })
    expect(answer({ kind: 'runs', runs: [encodeRun(foreign.run())] })).toBe('RZ_SYNC_FRAME_INVALID')
  })

  it('and changes a delta in a block gains nothing', () => {
    const payload = (second.payload ?? []).map((item) =>
      Uint8Array.from(item, (byte, index) => (index === 0 ? byte ^ 1 : byte)),
    )
    expect(answer(runs(first, { ...second, payload }))).toBe('RZ_BLOCK_INVALID')
  })

  it('and sends a block that is no block gains nothing', () => {
    expect(answer({ kind: 'runs', runs: [[new Uint8Array([1, 2, 3])]] })).toBe('RZ_BYTES_INVALID')
    expect(answer({ kind: 'runs', runs: [[encode(['no', 'block'])]] })).toBe('RZ_BLOCK_INVALID')
  })

  it('keeps what was right of a frame before one that is not', () => {
    const side = new Side('honest')
    const peer = asking(side)
    peer.say({ kind: 'runs', runs: [encodeRun(log.run(0, 2))] })
    expect(codeOf(() => peer.say(runs(signedBy(first, third))))).toBe('RZ_SIGNATURE_INVALID')
    expect(side.store.counts(NAMESPACE).blocks).toBe(2)
  })

  it('and proves a fork that was not asked about, or by headers that do not contradict each other, cuts nothing', () => {
    const [one, two] = [attest([last]), attest([third])]
    if (one === undefined || two === undefined) throw new Error('they are signed')
    expect(answer({ kind: 'proof', proof: encodeForkProof({ first: one, second: one }) })).toBe('RZ_FORK_PROOF_INVALID')
    expect(answer({ kind: 'proof', proof: new Uint8Array(9) })).toBe('RZ_BYTES_INVALID')
    const branch = other.fork(3)
    branch.append([claim('branch', 'x', 'n', 1)])
    const [left, right] = [attest(other.blocks.slice(-1)), attest(branch.blocks.slice(-1))]
    if (left === undefined || right === undefined) throw new Error('they are signed')
    expect(answer({ kind: 'proof', proof: encodeForkProof({ first: left, second: right }) })).toBe(
      'RZ_SYNC_FRAME_INVALID',
    )
  })

  it('is none when its blocks are of a later format: the other logs are fetched all the same', () => {
    const side = new Side('honest')
    const peer = asking(side)
    const later = encode([1, 'the header of a format to come'])
    peer.say({ kind: 'heads', heads: [{ headers: [later], signature: new Uint8Array(64) }] })
    peer.say({ kind: 'runs', runs: [[encode([later, null, []])], encodeRun(log.run())] })
    peer.say({ kind: 'served' })
    expect(side.store.counts(NAMESPACE).blocks).toBe(4)
    expect(peer.session.result.unreadable).toMatch('upgrade')
  })
})

describe('a peer that speaks out of turn', () => {
  const fresh = (role: 'initiator' | 'responder'): PlayedPeer => new Side('honest').facing(role)
  const greeted = (): PlayedPeer => {
    const peer = fresh('responder')
    peer.say(HELLO)
    return peer
  }
  const fetching = (): PlayedPeer => {
    const peer = greeted()
    peer.say({ kind: 'turn', final: true })
    return peer
  }
  const cases: readonly (readonly [string, () => PlayedPeer, Frame])[] = [
    ['says hello twice', greeted, HELLO],
    ['says hello for another namespace', () => fresh('initiator'), { ...HELLO, namespace: openNamespaceId('others') }],
    ['compares before it has said hello', () => fresh('initiator'), { kind: 'turn', final: true }],
    ['wants before comparing is over', greeted, { kind: 'want', wants: [] }],
    ['is done before comparing is over', greeted, { kind: 'done', digest: HELLO.digest, moved: false, forked: false }],
    ['compares when it is our turn', withTurn, { kind: 'turn', final: true }],
    ['compares after comparing', fetching, { kind: 'claims', entries: [] }],
    ['serves what nobody asked for', fetching, { kind: 'served' }],
    ['sends blocks that nobody asked for', fetching, { kind: 'runs', runs: [encodeRun(log.run())] }],
    ['sends a proof that nobody asked for', fetching, { kind: 'proof', proof: new Uint8Array(1) }],
  ]
  function withTurn(): PlayedPeer {
    const peer = greeted()
    peer.say({ kind: 'turn', final: false })
    return peer
  }

  it.each(cases)('and %s is refused', (_, open, frame) => {
    const peer = open()
    expect(codeOf(() => peer.say(frame))).toBe('RZ_SYNC_FRAME_INVALID')
  })

  it('and asks again before it was served is refused', () => {
    const side = new Side('honest')
    side.give(log.run())
    const peer = side.facing('responder')
    peer.say({ ...HELLO, logs: 0 })
    peer.say({ kind: 'turn', final: true })
    peer.say({ kind: 'want', wants: [{ log: log.key, fromSeq: 0 }] })
    expect(codeOf(() => peer.say({ kind: 'want', wants: [] }))).toBe('RZ_SYNC_FRAME_INVALID')
  })

  it('and is done while it is being served, or asks when it is done, is refused', () => {
    const done: Frame = { kind: 'done', digest: HELLO.digest, moved: true, forked: false }
    const busy = fetching()
    busy.say({ kind: 'want', wants: [] })
    expect(codeOf(() => busy.say(done))).toBe('RZ_SYNC_FRAME_INVALID')
    const idle = asking(new Side('honest'))
    idle.say(done)
    expect(codeOf(() => idle.say({ kind: 'want', wants: [] }))).toBe('RZ_SYNC_FRAME_INVALID')
  })

  it('and tells ranges that overlap, or logs outside of their range, is refused', () => {
    const list = (prefix: string, entries: ReturnType<typeof entryOf>[]): Frame => ({
      kind: 'compare',
      items: [{ kind: 'list', prefix, entries }],
    })
    const twice = greeted()
    twice.say(list('a', []))
    expect(codeOf(() => twice.say(list('a', [])))).toBe('RZ_SYNC_FRAME_INVALID')
    const inside = greeted()
    inside.say(list('a', []))
    expect(codeOf(() => inside.say(list('a0', [])))).toBe('RZ_SYNC_FRAME_INVALID')
    expect(codeOf(() => greeted().say(list('0000000000', [entryOf(log)])))).toBe('RZ_SYNC_FRAME_INVALID')
  })

  it('and refuses to sync is told apart from one that is at fault', () => {
    const peer = fresh('initiator')
    expect(codeOf(() => peer.say({ kind: 'refuse', reason: 'busy' }))).toBe('RZ_SYNC_REFUSED')
  })
})

describe('what a session asks of a peer', () => {
  it('is bounded: so many logs at once', () => {
    const side = new Side('honest')
    const peer = side.facing('responder')
    const claimed = Array.from({ length: 900 }, (_, index) => ({
      ...entryOf(log),
      log: logOf(0, { logId: logId(index) }).key,
    }))
    peer.say({ ...HELLO, logs: 900 })
    peer.say({ kind: 'claims', entries: claimed })
    peer.say({ kind: 'turn', final: true })
    const wanted = (): number =>
      peer.hear().reduce((sum, frame) => sum + (frame.kind === 'want' ? frame.wants.length : 0), 0)
    expect(wanted()).toBe(256)
    expect(wanted()).toBe(0)
    peer.say({ kind: 'served' })
    expect(wanted()).toBe(256)
  })

  it('never serves more than a frame at a time, whatever it is asked for', () => {
    const side = new Side('honest')
    side.give(runOf(...logOf(400, { deltas: 10 }).blocks))
    const peer = side.facing('responder')
    peer.say({ ...HELLO, logs: 0 })
    peer.say({ kind: 'turn', final: true })
    peer.say({ kind: 'want', wants: [{ log: log.key, fromSeq: 0 }] })
    const sizes = peer
      .hear()
      .map((frame) => (frame.kind === 'runs' ? frame.runs.flat().reduce((sum, { length }) => sum + length, 0) : 0))
    expect(Math.max(...sizes)).toBeGreaterThan(50_000)
    expect(Math.max(...sizes)).toBeLessThan(200_000)
  })

  it('a block of 1 MiB travels in one frame', () => {
    const side = new Side('honest')
    const large = new TestLog()
    large.append([
      claim('large', 'x', 'bytes', new Uint8Array(500_000)),
      claim('large', 'y', 'bytes', new Uint8Array(500_000)),
    ])
    const small = logOf(1, { logId: logId(2) })
    side.give(small.run(), runOf(...large.blocks))
    const peer = side.facing('responder')
    peer.say({ ...HELLO, logs: 0 })
    peer.say({ kind: 'turn', final: true })
    peer.say({ kind: 'want', wants: [small.key, large.key].map((key) => ({ log: key, fromSeq: 0 })) })
    expect(peer.hear().flatMap((frame) => (frame.kind === 'runs' ? [frame.runs.length] : []))).toEqual([1, 1])
  })
})
