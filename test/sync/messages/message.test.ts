import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encode } from '../../../src/delta/cbor.ts'
import type { Value } from '../../../src/delta/delta.ts'
import { keyOfPeerId } from '../../../src/delta/identifiers.ts'
import { HEARD_MAX, MESSAGE_AGE_MS_MAX, MESSAGE_BYTES_MAX } from '../../../src/sync/messages/limits.ts'
import { decodeMessage, encodeMessage, type Message } from '../../../src/sync/messages/message.ts'
import { Heard } from '../../../src/sync/messages/heard.ts'
import { NAMESPACE, signer, START_MS } from '../../support/blocks.ts'

const ME = signer(1)
const HELLO: Message = { from: ME.id, atMs: START_MS, value: 'hello' }
const MESSAGES: readonly Message[] = [
  HELLO,
  { ...HELLO, to: signer(2).id, atMs: START_MS + 1, value: { cursor: [1, -2.5], typing: true, on: null } },
  { ...HELLO, atMs: START_MS + 2, value: new Uint8Array([0, 255]) },
]
const invalid = expect.objectContaining({ code: 'RZ_SYNC_MESSAGE_INVALID' }) as Error
const write = (message: Message): Uint8Array => encodeMessage(NAMESPACE, message, ME)

it('messages are written byte for byte as they were', async () => {
  const lines = MESSAGES.map((message) => `${Buffer.from(write(message)).toString('hex')}\n`)
  await expect(lines.join('')).toMatchFileSnapshot('../../../fixtures/messages-0/messages.txt')
})

describe('a message', () => {
  it.each(MESSAGES)('is read as it was written, and is its signer’s (%#)', (message) => {
    const read = decodeMessage(write(message))
    expect(read).toMatchObject({ namespace: NAMESPACE, message })
    expect(read.isSigned()).toBe(true)
  })

  it('of another signer is not signed', () => {
    expect(decodeMessage(encodeMessage(NAMESPACE, HELLO, signer(2))).isSigned()).toBe(false)
  })

  it('altered anywhere is no message, or not signed', () => {
    const bytes = write(HELLO)
    for (let index = 0; index < bytes.length; index++) {
      const altered = bytes.slice()
      altered[index] = (altered[index] ?? 0) ^ 1
      let isSigned = false
      try {
        isSigned = decodeMessage(altered).isSigned()
      } catch {
        continue
      }
      expect(isSigned, `byte ${index}`).toBe(false)
    }
  })

  it('that is anything else is refused with a code', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(() => decodeMessage(bytes)).toThrow(invalid)
      }),
    )
  })

  it('over its limit is neither written nor read', () => {
    const room = MESSAGE_BYTES_MAX - write({ ...HELLO, value: 'x'.repeat(10_000) }).length + 10_000
    expect(write({ ...HELLO, value: 'x'.repeat(room) })).toHaveLength(MESSAGE_BYTES_MAX)
    const tooLarge = expect.objectContaining({ code: 'RZ_MESSAGE_TOO_LARGE' }) as Error
    expect(() => write({ ...HELLO, value: 'x'.repeat(room + 1) })).toThrow(tooLarge)
    expect(() => write({ ...HELLO, value: 'x'.repeat(5_000_000) })).toThrow(tooLarge)
    expect(() => decodeMessage(new Uint8Array(MESSAGE_BYTES_MAX + 1))).toThrow(invalid)
  })

  it.each([[Number.NaN], [undefined], [new Date(0)], ['\uD800']])('is not made of %s', (value: unknown) => {
    expect(() => write({ ...HELLO, value: value as Value })).toThrow(
      expect.objectContaining({ code: 'RZ_MESSAGE_INVALID' }) as Error,
    )
  })

  it('of a later version is told apart', () => {
    expect(() => decodeMessage(encode([1, 'anything']))).toThrow(
      expect.objectContaining({ code: 'RZ_SYNC_VERSION' }) as Error,
    )
  })
})

describe('a signed body is refused', () => {
  const [namespace, key] = [Buffer.from(NAMESPACE, 'hex'), keyOfPeerId(ME.id)]
  const deep = Array.from({ length: 33 }).reduce<Value>((inner) => [inner], 1)
  it.each<[string, Value]>([
    ['with a short namespace', [new Uint8Array(31), key, 1, null, 'x']],
    ['with a short key', [namespace, new Uint8Array(31), 1, null, 'x']],
    ['with a date that is none', [namespace, key, 1.5, null, 'x']],
    ['with a date before 1970', [namespace, key, -1, null, 'x']],
    ['to nobody', [namespace, key, 1, 'bob', 'x']],
    ['without a value', [namespace, key, 1, null]],
    ['with a field too many', [namespace, key, 1, null, 'x', 0]],
    ['with a value nested too deeply', [namespace, key, 1, null, deep]],
    ['that is no list', 'hello'],
  ])('%s', (_, body) => {
    expect(() => decodeMessage(encode([0, encode(body), new Uint8Array(64)]))).toThrow(invalid)
  })
})

describe('what was heard', () => {
  const at = (atMs: number): Message => ({ ...HELLO, atMs })

  it('is remembered for as long as it could come again, and no longer', () => {
    const heard = new Heard()
    heard.note(at(1), 0)
    expect(heard.has(at(1))).toBe(true)
    expect(heard.has(at(2))).toBe(false)
    expect(heard.has({ ...at(1), from: signer(2).id })).toBe(false)
    heard.note(at(2), 2 * MESSAGE_AGE_MS_MAX)
    expect(heard.has(at(1))).toBe(true)
    heard.note(at(3), 4 * MESSAGE_AGE_MS_MAX)
    expect([1, 2, 3].map((atMs) => heard.has(at(atMs)))).toEqual([false, true, true])
  })

  it('takes bounded memory: past the limit the older goes', () => {
    const heard = new Heard()
    for (let atMs = 0; atMs <= 2 * HEARD_MAX; atMs++) heard.note(at(atMs), 0)
    expect(heard.has(at(0))).toBe(false)
    expect(heard.has(at(HEARD_MAX))).toBe(true)
  })
})
