import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encode } from '../../../src/delta/cbor.ts'
import type { Value } from '../../../src/delta/delta.ts'
import { decodeHeartbeat, encodeHeartbeat } from '../../../src/sync/members/heartbeat-frame.ts'
import {
  decodeMemberMessage,
  encodeMemberMessage,
  type MemberMessage,
  type Presence,
} from '../../../src/sync/members/message.ts'
import { decodeRollAnswer, decodeRollCall, encodeRollAnswer, encodeRollCall } from '../../../src/sync/members/roll.ts'
import { NAMESPACE, signer, START_MS } from '../../support/blocks.ts'

const ME = signer(1)
const OTHER = signer(2).id
const PRESENCE: Presence = {
  kind: 'presence',
  namespace: NAMESPACE,
  peer: ME.id,
  incarnation: START_MS,
  counter: 3,
  nextMs: 37_500,
  leaving: false,
  name: 'Ännchen',
  version: '1.2.3',
  addresses: ['/ip4/192.0.2.1/tcp/4000'],
  namespaces: ['users', 'music'],
  tags: ['book', 'user'],
  tagsCut: false,
  digest: new Uint8Array(32).fill(7),
}
const MESSAGES: readonly MemberMessage[] = [
  PRESENCE,
  { ...PRESENCE, counter: 4, leaving: true, addresses: [], namespaces: [], tags: [], tagsCut: true, name: '' },
  { kind: 'accusation', namespace: NAMESPACE, peer: ME.id, suspect: OTHER, incarnation: START_MS },
  { kind: 'probe', namespace: NAMESPACE, peer: ME.id, number: 77 },
  { kind: 'answer', namespace: NAMESPACE, peer: ME.id, asker: OTHER, number: 77, heldMs: 12 },
]
const BEATS = [
  { number: 0, intervalMs: 400, clockMs: START_MS },
  { number: 70_000, intervalMs: 2_000, clockMs: START_MS, echo: { number: 69_999, heldMs: 150 } },
]
const invalid = expect.objectContaining({ code: 'RZ_SYNC_MEMBER_INVALID' }) as Error

function line(name: string, bytes: Uint8Array): string {
  return `${name} ${Buffer.from(bytes).toString('hex')}\n`
}

it('messages, heartbeats and rolls are written byte for byte as they were', async () => {
  const signed = MESSAGES.map((message) => encodeMemberMessage(message, ME))
  const roll = [{ peer: OTHER, incarnation: START_MS, counter: 9 }]
  const lines = [
    ...MESSAGES.map((message, index) => line(message.kind, signed[index] as Uint8Array)),
    ...BEATS.map((beat) => line('heartbeat', encodeHeartbeat(beat))),
    line('roll-call', encodeRollCall(NAMESPACE, roll)),
    ...encodeRollAnswer([{ bytes: signed[0] as Uint8Array, ageMs: 1_500 }]).map((frame) => line('roll-answer', frame)),
  ]
  await expect(lines.join('')).toMatchFileSnapshot('../../../fixtures/members-0/messages.txt')
})

describe('a message', () => {
  it.each(MESSAGES)('of each kind is read as it was written, and is its signer’s ($kind)', (message) => {
    const { message: read, isSigned } = decodeMemberMessage(encodeMemberMessage(message, ME))
    expect(read).toEqual(message)
    expect(isSigned()).toBe(true)
  })

  it('altered anywhere is no message, or not signed', () => {
    const bytes = encodeMemberMessage(PRESENCE, ME)
    for (let index = 0; index < bytes.length; index++) {
      const altered = bytes.slice()
      altered[index] = (altered[index] ?? 0) ^ 1
      let isSigned = false
      try {
        isSigned = decodeMemberMessage(altered).isSigned()
      } catch {
        continue
      }
      expect(isSigned, `byte ${index}`).toBe(false)
    }
  })

  it('of somebody else, signed by this key, is not signed', () => {
    const forged = encodeMemberMessage({ ...PRESENCE, peer: OTHER }, ME)
    expect(decodeMemberMessage(forged).isSigned()).toBe(false)
  })

  it('cannot be shown as one of another kind: each has a domain of its own', () => {
    const [version, , body, signature] = fields(encodeMemberMessage(MESSAGES[3] as MemberMessage, ME))
    // A probe's body is too short for a presence; an accusation has the fields of neither, so kinds are tried in turn.
    for (const kind of [0, 1, 2, 3]) {
      try {
        const read = decodeMemberMessage(encode([version, kind, body, signature] as Value))
        expect(read.isSigned()).toBe(kind === 2)
      } catch (error) {
        expect(error).toMatchObject({ code: 'RZ_SYNC_MEMBER_INVALID' })
      }
    }
  })

  const over = (bytes: number): string => 'x'.repeat(bytes + 1)
  it.each([
    ['a name too long', { name: over(256) }],
    ['a version too long', { version: over(64) }],
    ['an address too long', { addresses: [over(256)] }],
    ['too many addresses', { addresses: Array.from({ length: 17 }, () => 'a') }],
    ['too many namespaces', { namespaces: Array.from({ length: 193 }, () => 'a') }],
    ['a tag too long', { tags: [over(128)] }],
    ['too many tags', { tags: Array.from({ length: 65 }, () => 'a') }],
    ['a digest too short', { digest: new Uint8Array(31) }],
    ['a promise too far', { nextMs: 3_600_001 }],
    ['a negative counter', { counter: -1 }],
    ['a counter that is no integer', { counter: 1.5 }],
    ['an incarnation that is text', { incarnation: '1' }],
    ['a leave that is a number', { leaving: 1 }],
    ['tags that are text', { tags: 'user' }],
  ])('with %s is refused', (_, wrong) => {
    const bytes = encodeMemberMessage({ ...PRESENCE, ...(wrong as Partial<Presence>) }, ME)
    expect(() => decodeMemberMessage(bytes)).toThrow(invalid)
  })

  it.each([
    ['nothing', new Uint8Array()],
    ['no list', encode(1)],
    ['no version', encode(['0', 0, new Uint8Array(), new Uint8Array(64)])],
    ['another kind', encode([0, 4, new Uint8Array(), new Uint8Array(64)])],
    ['a field too many', encode([0, 0, new Uint8Array(), new Uint8Array(64), 1])],
    ['a short signature', encode([0, 0, new Uint8Array(), new Uint8Array(63)])],
    ['no body', encode([0, 0, null, new Uint8Array(64)])],
    ['a body that is no CBOR', encode([0, 0, Uint8Array.of(0xff), new Uint8Array(64)])],
    ['a body without a namespace', encode([0, 0, encode([]), new Uint8Array(64)])],
    ['more bytes than any', new Uint8Array(32_769)],
  ])('that is %s is refused', (_, bytes) => {
    expect(() => decodeMemberMessage(bytes)).toThrow(invalid)
  })

  it('of a later version is told apart from an invalid one', () => {
    expect(() => decodeMemberMessage(encode([1, 0, 0, 0]))).toThrow(
      expect.objectContaining({ code: 'RZ_SYNC_VERSION' }) as Error,
    )
  })

  it('whatever its bytes, is read or refused', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        for (const read of [decodeMemberMessage, decodeHeartbeat, decodeRollCall, decodeRollAnswer]) {
          try {
            read(bytes)
          } catch (error) {
            expect(error).toMatchObject({ code: expect.stringMatching(/^RZ_(SYNC|BYTES)_/) as string })
          }
        }
      }),
    )
  })
})

describe('a heartbeat', () => {
  it.each(BEATS)('is read as it was written (%#)', (beat) => {
    expect(decodeHeartbeat(encodeHeartbeat(beat))).toEqual(beat)
    expect(encodeHeartbeat(beat).length).toBeLessThan(40)
  })

  it.each([
    ['no list', encode(1)],
    ['a field too few', encode([0, 400, 0, null])],
    ['an interval of nothing', encode([0, 0, 0, null, 0])],
    ['an interval of a day', encode([0, 86_400_000, 0, null, 0])],
    ['a number that is text', encode(['0', 400, 0, null, 0])],
    ['an echo below nothing', encode([0, 400, 0, -1, 0])],
    ['too long', new Uint8Array(65)],
  ])('that is %s is refused', (_, bytes) => {
    expect(() => decodeHeartbeat(bytes)).toThrow(invalid)
  })
})

describe('a roll', () => {
  it('is read as it was written, in frames of bounded size', () => {
    const known = [
      { peer: OTHER, incarnation: 1, counter: 2 },
      { peer: ME.id, incarnation: 3, counter: 4 },
    ]
    expect(decodeRollCall(encodeRollCall(NAMESPACE, known))).toEqual({ namespace: NAMESPACE, known })
    const messages = Array.from({ length: 2_500 }, (_, index) => ({
      bytes: new Uint8Array(300).fill(index),
      ageMs: index,
    }))
    const frames = encodeRollAnswer(messages)
    expect(Math.max(...frames.map((frame) => frame.length))).toBeLessThan(70_000)
    expect(frames.flatMap((frame) => decodeRollAnswer(frame))).toEqual(messages)
    expect(encodeRollAnswer([]).map((frame) => decodeRollAnswer(frame))).toEqual([[]])
  })

  it.each([
    ['a call of no list', encode(0)],
    ['a call without a namespace', encode([0, new Uint8Array(31), []])],
    ['a call with an entry that is none', encode([0, new Uint8Array(32), [[new Uint8Array(32)]]])],
  ])('that is %s is refused', (_, bytes) => {
    expect(() => decodeRollCall(bytes)).toThrow(invalid)
  })

  it.each([
    ['no list', encode(0)],
    ['an empty message', encode([[new Uint8Array(), 0]])],
    ['a message over the limit', encode([[new Uint8Array(32_769), 0]])],
    ['an age below nothing', encode([[new Uint8Array(1), -1]])],
  ])('whose answer is %s is refused', (_, bytes) => {
    expect(() => decodeRollAnswer(bytes)).toThrow(invalid)
  })
})

function fields(bytes: Uint8Array): readonly unknown[] {
  // The envelope is a list of four: version, kind, body, signature.
  const bodyAt = bytes.indexOf(0x58)
  const bodyLength = bytes[bodyAt + 1] ?? 0
  return [0, bytes[2], bytes.slice(bodyAt + 2, bodyAt + 2 + bodyLength), bytes.slice(-64)]
}
