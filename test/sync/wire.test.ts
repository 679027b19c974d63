import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encode } from '../../src/delta/cbor.ts'
import type { Value } from '../../src/delta/delta.ts'
import { hashText, peerIdOf } from '../../src/delta/identifiers.ts'
import { type BlockHash, logKeyOf } from '../../src/log/block.ts'
import type { FrontierEntry } from '../../src/log/frontier.ts'
import type { NamespaceId } from '../../src/log/namespace.ts'
import { decodeFrame, encodeFrame, type Frame, REFUSALS } from '../../src/sync/wire.ts'
import { codeOf } from '../support/expect.ts'

const bytes = (length: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: length, maxLength: length })
const hex = (length: number): fc.Arbitrary<string> => bytes(length).map((each) => Buffer.from(each).toString('hex'))
const numbers = fc.oneof(fc.nat({ max: 300 }), fc.integer({ min: 0, max: 2 ** 53 - 2 }))
const logs = fc.tuple(bytes(32), hex(16)).map(([key, id]) => logKeyOf(peerIdOf(key), id))
const cuts = fc.option(numbers, { nil: undefined })
const entries: fc.Arbitrary<FrontierEntry> = fc
  .record({ log: logs, head: fc.option(fc.tuple(numbers, bytes(32)), { nil: undefined }), cut: cuts })
  .map(({ log, head, cut }) => ({
    log,
    ...(head === undefined ? {} : { seq: head[0], hash: hashText(head[1]) as BlockHash }),
    ...(cut === undefined ? {} : { cut }),
  }))
const lists = fc.array(entries, { maxLength: 5 })
const tokens = fc.record({ instance: hex(16), position: numbers })
const prefixes = fc.string({ unit: fc.constantFrom(...'0123456789abcdef'.split('')), maxLength: 15 })
const blobs = fc.uint8Array({ maxLength: 300 })
const some = <T>(each: fc.Arbitrary<T>): fc.Arbitrary<T[]> => fc.array(each, { minLength: 1, maxLength: 4 })

const frames: fc.Arbitrary<Frame> = fc.oneof(
  fc
    .record({
      namespace: hex(32).map((id) => id as NamespaceId),
      name: fc.string({ unit: 'grapheme', maxLength: 20 }),
      digest: bytes(32),
      logs: numbers,
      token: tokens,
      clockMs: numbers,
    })
    .chain((hello) =>
      fc
        .record({ since: tokens, changes: lists }, { requiredKeys: [] })
        .map((more): Frame => ({ kind: 'hello', ...hello, ...more })),
    ),
  fc.constantFrom(...REFUSALS).map((reason): Frame => ({ kind: 'refuse', reason })),
  fc
    .array(
      fc.oneof(
        fc.record({ kind: fc.constant('tree' as const), prefix: prefixes, fingerprints: bytes(256) }),
        fc.record({ kind: fc.constant('list' as const), prefix: prefixes, entries: lists }),
      ),
    )
    .map((items): Frame => ({ kind: 'compare', items })),
  lists.map((claimed): Frame => ({ kind: 'claims', entries: claimed })),
  fc.boolean().map((final): Frame => ({ kind: 'turn', final })),
  fc
    .array(fc.record({ log: logs, fromSeq: numbers, cut: numbers }, { requiredKeys: ['log', 'fromSeq'] }))
    .map((wants): Frame => ({ kind: 'want', wants })),
  fc
    .array(fc.record({ headers: some(blobs), signature: bytes(64) }))
    .map((heads) => ({ kind: 'heads', heads }) as unknown as Frame),
  fc.array(some(blobs)).map((runs): Frame => ({ kind: 'runs', runs })),
  blobs.map((proof): Frame => ({ kind: 'proof', proof })),
  fc.constant<Frame>({ kind: 'served' }),
  fc
    .record({ digest: bytes(32), moved: fc.boolean(), forked: fc.boolean() })
    .map((done): Frame => ({ kind: 'done', ...done })),
)

const KINDS = ['hello', 'refuse', 'compare', 'claims', 'turn', 'want', 'heads', 'runs', 'proof', 'served', 'done']

function frameOf(kind: string, ...fields: readonly Value[]): Uint8Array {
  return encode([KINDS.indexOf(kind), ...fields])
}

describe('a frame of sync', () => {
  it('is read as it was written', () => {
    fc.assert(
      fc.property(frames, (frame) => {
        expect(decodeFrame(encodeFrame(frame))).toEqual(frame)
      }),
    )
  })

  it('is read or refused with a code, whatever the bytes are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (garbage) => {
        expect(['nothing', 'RZ_SYNC_FRAME_INVALID', 'RZ_SYNC_VERSION']).toContain(codeOf(() => decodeFrame(garbage)))
      }),
    )
  })

  it('is refused when any of its bytes are missing, or some follow', () => {
    fc.assert(
      fc.property(frames, fc.nat(), (frame, cut) => {
        const whole = encodeFrame(frame)
        expect(codeOf(() => decodeFrame(whole.subarray(0, cut % whole.length)))).toBe('RZ_SYNC_FRAME_INVALID')
        expect(codeOf(() => decodeFrame(Buffer.concat([whole, Buffer.of(0)])))).toBe('RZ_SYNC_FRAME_INVALID')
      }),
    )
  })

  it('with any byte changed is another frame or refused, and written again it is those bytes', () => {
    fc.assert(
      fc.property(frames, fc.nat(), fc.integer({ min: 1, max: 255 }), (frame, place, change) => {
        const changed = encodeFrame(frame)
        changed[place % changed.length] = (changed[place % changed.length] ?? 0) ^ change
        const code = codeOf(() => expect(Buffer.from(encodeFrame(decodeFrame(changed)))).toEqual(Buffer.from(changed)))
        expect(['nothing', 'RZ_SYNC_FRAME_INVALID', 'RZ_SYNC_VERSION']).toContain(code)
      }),
    )
  })

  it('of another version of the protocol says so, whatever follows', () => {
    expect(codeOf(() => decodeFrame(frameOf('hello', 2, 'whatever comes')))).toBe('RZ_SYNC_VERSION')
  })

  const key = new Uint8Array(32)
  const id = new Uint8Array(16)
  const deep = Buffer.concat([Buffer.from([0x82, 0x02]), Buffer.alloc(2_000, 0x81), Buffer.from([0x00])])
  it.each<[string, Uint8Array]>([
    ['no list', encode('hello')],
    ['an empty list', encode([])],
    ['an unknown kind', encode([99])],
    ['a kind that is no number', encode(['hello'])],
    ['a list nested 2,000 deep', deep],
    ['a list that claims a billion items', Buffer.from([0x9a, 0x40, 0x00, 0x00, 0x00, 0x00])],
    ['a field too many', frameOf('served', 1)],
    ['a field too few', frameOf('turn')],
    ['a refusal for an unknown reason', frameOf('refuse', 'no mood')],
    ['a hello without a namespace', frameOf('hello', 1, id, 'x', key, 0, [id, 0], null, 0, null)],
    ['a hello with a name of 300 bytes', frameOf('hello', 1, key, 'x'.repeat(300), key, 0, [id, 0], null, 0, null)],
    ['a hello with a clock that is no number', frameOf('hello', 1, key, 'x', key, 0, [id, 0], null, 'noon', null)],
    ['a negative count', frameOf('hello', 1, key, 'x', key, -1, [id, 0], null, 0, null)],
    ['an entry with a seq and no hash', frameOf('claims', [[key, id, 0, null, null]])],
    ['an entry of a short key', frameOf('claims', [[id, id, null, null, 0]])],
    ['an entry with a fraction for a seq', frameOf('claims', [[key, id, 0.5, key, null]])],
    ['a range that is no range', frameOf('compare', [['xyz', []]])],
    ['a range longer than keys are', frameOf('compare', [['0'.repeat(17), []]])],
    ['fingerprints of another length', frameOf('compare', [['', new Uint8Array(100)]])],
    [
      '257 wants',
      frameOf(
        'want',
        Array.from({ length: 257 }, () => [key, id, 0, null]),
      ),
    ],
    ['a head without a header', frameOf('heads', [[[], new Uint8Array(64)]])],
    ['a head with a short signature', frameOf('heads', [[[key], key]])],
    ['a head with 1,025 headers', frameOf('heads', [[Array.from({ length: 1_025 }, () => id), new Uint8Array(64)]])],
    ['an empty run', frameOf('runs', [[]])],
    ['a run of 1,025 blocks', frameOf('runs', [Array.from({ length: 1_025 }, () => id)])],
    ['a block over 1 MiB', frameOf('runs', [[new Uint8Array(1_048_577)]])],
    ['a block that is no bytes', frameOf('runs', [['block']])],
    ['a proof over its limit', frameOf('proof', new Uint8Array(2 * 1_048_576 + 513))],
    ['an end without a digest', frameOf('done', null, false, false)],
  ])('is refused when it is %s', (_, bad) => {
    expect(codeOf(() => decodeFrame(bad))).toBe('RZ_SYNC_FRAME_INVALID')
  })
})
