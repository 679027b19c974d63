/** What another node says is read, or refused by a code, whatever it is; and values come back as they were said. */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { decode, encode } from '../../../src/delta/cbor.ts'
import type { Value } from '../../../src/delta/delta.ts'
import { RhizomeError } from '../../../src/errors.ts'
import { parseEntity } from '../../../src/node/everywhere/record-words.ts'
import {
  parseChange,
  parseExplanation,
  parseLossless,
  parseMomentItem,
} from '../../../src/node/everywhere/view-words.ts'
import { orderedValue, parseDelta, parseOrdered } from '../../../src/node/everywhere/words.ts'

const scalar = fc.oneof(
  fc.constantFrom<Value>(null, true, false, 0, 1, '', '__proto__', 'RZ_RULE_GAS'),
  fc.string({ unit: 'grapheme', maxLength: 6 }),
  fc.uint8Array({ maxLength: 4 }),
  fc.integer({ min: -5, max: 5 }),
)
const value = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    scalar,
    fc.array(tie('value'), { maxLength: 5 }),
    fc.dictionary(
      fc.oneof(fc.constantFrom('a', 'bb', '10', '2', '__proto__'), fc.string({ maxLength: 4 })),
      tie('value'),
    ),
  ),
})).value

const LIMITS = { depthMax: 32, itemsMax: 100_000, copyBytes: true }

it('a value comes back with its maps in the order in which they were', () => {
  fc.assert(
    fc.property(value, (said) => {
      const heard = parseOrdered(decode(encode(orderedValue(said)), LIMITS))
      expect(heard).toEqual(said)
      expect(JSON.stringify(heard)).toBe(JSON.stringify(said))
    }),
  )
})

it.each([
  ['a record', (items: readonly Value[]) => parseEntity(items[0] ?? null)],
  ['a lossless view', (items: readonly Value[]) => parseLossless('user/alice', items)],
  ['an explanation', (items: readonly Value[]) => parseExplanation('user/alice', 'age', items)],
  ['a moment', (items: readonly Value[]) => items.map(parseMomentItem)],
  ['a change', (items: readonly Value[]) => items.map(parseChange)],
  ['a delta', (items: readonly Value[]) => items.map(parseDelta)],
  ['an ordered value', (items: readonly Value[]) => items.map(parseOrdered)],
])('whatever is said in the place of %s is read, or no answer', (_, parse) => {
  fc.assert(
    fc.property(fc.array(value, { maxLength: 6 }), (items) => {
      try {
        parse(items)
      } catch (error) {
        if (!(error instanceof RhizomeError)) throw error
        expect(error.code).toBe('RZ_SYNC_QUESTION_INVALID')
      }
    }),
  )
})
