import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encode } from '../../../src/delta/cbor.ts'
import type { Value } from '../../../src/delta/delta.ts'
import { RhizomeError } from '../../../src/errors.ts'
import { ITEM_BYTES_MAX, PART_ITEMS_MAX, QUESTION_BYTES_MAX } from '../../../src/sync/questions/limits.ts'
import {
  type AnswerFrame,
  decodeAnswer,
  decodeItem,
  decodeQuestion,
  encodeAnswer,
  encodeItem,
  encodeQuestion,
  type Question,
} from '../../../src/sync/questions/wire.ts'
import { NAMESPACE } from '../../support/blocks.ts'

const QUESTIONS: readonly Question[] = [
  { namespace: NAMESPACE, word: 'get', content: { collection: 'user', id: 'alice', reading: { context: false } } },
  { namespace: NAMESPACE, word: 'take', content: [Uint8Array.of(1, 2, 3)] },
]
const ANSWERS: readonly AnswerFrame[] = [
  { kind: 'part', items: [encodeItem('alice'), encodeItem({ name: 'Bob', age: 3 })] },
  { kind: 'part', items: [] },
  { kind: 'end', content: null },
  { kind: 'end', content: { id: 'alice', properties: { bytes: Uint8Array.of(9) } } },
  { kind: 'fault', code: 'RZ_SHARD_UNHELD', text: 'this node does not hold it' },
]
const invalid = expect.objectContaining({ code: 'RZ_SYNC_QUESTION_INVALID' }) as Error
const newer = expect.objectContaining({ code: 'RZ_SYNC_VERSION' }) as Error

it('questions and answers are written byte for byte as they were', async () => {
  const lines = [
    ...QUESTIONS.map((question) => `ask ${Buffer.from(encodeQuestion(question)).toString('hex')}\n`),
    ...ANSWERS.map((frame) => `${frame.kind} ${Buffer.from(encodeAnswer(frame)).toString('hex')}\n`),
  ]
  await expect(lines.join('')).toMatchFileSnapshot('../../../fixtures/query-1/frames.txt')
})

describe('a question', () => {
  it.each(QUESTIONS)('is read as it was written (%#)', (question) => {
    expect(decodeQuestion(encodeQuestion(question))).toEqual(question)
  })

  it('of another version is told apart from what is none', () => {
    expect(() => decodeQuestion(encode([2, 0, new Uint8Array(32), 'get', null]))).toThrow(newer)
    expect(() => decodeAnswer(encode([2, 9]))).toThrow(newer)
  })

  it.each<readonly [string, Value]>([
    ['no list', { a: 1 }],
    ['no version', ['1', 0, new Uint8Array(32), 'get', null]],
    ['an answer', [1, 2, null]],
    ['a short namespace', [1, 0, new Uint8Array(31), 'get', null]],
    ['a namespace of text', [1, 0, 'x'.repeat(32), 'get', null]],
    ['no word', [1, 0, new Uint8Array(32), '', null]],
    ['a long word', [1, 0, new Uint8Array(32), 'x'.repeat(33), null]],
    ['no content', [1, 0, new Uint8Array(32), 'get']],
    ['more than that', [1, 0, new Uint8Array(32), 'get', null, null]],
  ])('is not %s', (_, value) => {
    expect(() => decodeQuestion(encode(value))).toThrow(invalid)
  })

  it('has a size that it keeps to, written and read', () => {
    const content = new Uint8Array(QUESTION_BYTES_MAX)
    expect(() => encodeQuestion({ namespace: NAMESPACE, word: 'take', content })).toThrow(
      expect.objectContaining({ code: 'RZ_BYTES_TOO_LARGE' }),
    )
    expect(() => decodeQuestion(content)).toThrow(invalid)
  })
})

describe('an answer', () => {
  it.each(ANSWERS)('is read as it was written (%#)', (frame) => {
    expect(decodeAnswer(encodeAnswer(frame))).toEqual(frame)
  })

  it.each<readonly [string, Value]>([
    ['an unknown kind', [1, 7, null]],
    ['items that are no bytes', [1, 1, ['a']]],
    ['items without a list', [1, 1, new Uint8Array(3)]],
    ['an end without content', [1, 2]],
    ['a fault without a code', [1, 3, 'something', 'went wrong']],
    ['a fault without a text', [1, 3, 'RZ_SHARD_UNHELD', 3]],
    ['a fault with a text that is too long', [1, 3, 'RZ_SHARD_UNHELD', 'x'.repeat(5_000)]],
    ['too many items', [1, 1, Array.from({ length: PART_ITEMS_MAX + 1 }, () => new Uint8Array(1))]],
  ])('is not %s', (_, value) => {
    expect(() => decodeAnswer(encode(value))).toThrow(invalid)
  })

  it('tells a long reason shortened', () => {
    const frame = decodeAnswer(encodeAnswer({ kind: 'fault', code: 'RZ_SHARD_UNHELD', text: '🌱'.repeat(9_000) }))
    expect(frame).toMatchObject({ kind: 'fault', text: expect.stringMatching(/^(🌱)+.?$/u) })
  })

  it('has items that keep to a size', () => {
    expect(() => encodeItem(new Uint8Array(ITEM_BYTES_MAX))).toThrow(
      expect.objectContaining({ code: 'RZ_BYTES_TOO_LARGE' }),
    )
    expect(() => decodeItem(Uint8Array.of(0xff))).toThrow(invalid)
  })
})

it('whatever comes is a value or a code', () => {
  const codes = new Set<string>()
  const read = (decode: (bytes: Uint8Array) => unknown, bytes: Uint8Array): void => {
    try {
      decode(bytes)
    } catch (error) {
      if (!(error instanceof RhizomeError)) throw error
      codes.add(error.code)
    }
  }
  const frames = [...QUESTIONS.map(encodeQuestion), ...ANSWERS.map(encodeAnswer)]
  fc.assert(
    fc.property(fc.nat(frames.length - 1), fc.nat(200), fc.uint8Array({ maxLength: 64 }), (which, at, bytes) => {
      const altered = Buffer.from(frames[which] ?? [])
      altered.set(bytes.subarray(0, Math.max(0, altered.length - at)), Math.min(at, altered.length))
      for (const each of [altered, bytes])
        for (const decode of [decodeQuestion, decodeAnswer, decodeItem]) read(decode, each)
    }),
    { numRuns: 2_000 },
  )
  for (const code of codes) expect(['RZ_SYNC_QUESTION_INVALID', 'RZ_SYNC_VERSION']).toContain(code)
})
