/** What holds of all patterns and schemas: the same as others decide, and as is decided another way. */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Value } from '../../../src/delta/delta.ts'
import { contentKey } from '../../../src/view/schemas/content.ts'
import { compileJsonSchema } from '../../../src/view/schemas/json-schema.ts'
import { isMultiple } from '../../../src/view/schemas/multiple.ts'
import { codeOf } from '../../support/expect.ts'

const ATOMS = [
  'a',
  'b',
  'é',
  '😀',
  '.',
  '\\d',
  '\\W',
  '[ab]',
  '[^a]',
  '[a-c1]',
  '[\\s\\S]',
  '\\p{L}',
  '\\u{1F600}',
  '\\n',
]
const EDGES = ['^', '$', '\\b', '\\B']
const BOUNDS = ['', '*', '+', '?', '{2}', '{1,2}', '{0,1}', '{1,}', '*?', '{2,}?']

const patterns = fc.letrec<{ pattern: string }>((tie) => ({
  pattern: fc
    .array(
      fc.oneof(
        {
          weight: 5,
          arbitrary: fc.tuple(fc.constantFrom(...ATOMS), fc.constantFrom(...BOUNDS)).map((parts) => parts.join('')),
        },
        { weight: 1, arbitrary: fc.constantFrom(...EDGES) },
        { weight: 1, arbitrary: fc.constant('|') },
        {
          weight: 2,
          arbitrary: fc
            .tuple(fc.constantFrom('(', '(?:'), tie('pattern'), fc.constantFrom(...BOUNDS))
            .map(([open, inside, bounds]) => `${open}${inside})${bounds}`),
        },
      ),
      { maxLength: 4 },
    )
    .map((parts) => parts.join('')),
})).pattern

const texts = fc
  .array(fc.constantFrom('a', 'b', 'c', '1', ' ', 'é', '😀', '\n', '_'), { maxLength: 6 })
  .map((units) => units.join(''))

const works = (work: () => unknown) => {
  try {
    return work() !== undefined
  } catch {
    return false
  }
}

describe('a pattern', () => {
  test('matches what the engine of JavaScript matches', () => {
    fc.assert(
      fc.property(patterns, fc.array(texts, { minLength: 4, maxLength: 4 }), (pattern, drawn) => {
        // V8 takes the middle of a character beyond 16 bits for a place where \B matches, which ECMA-262 does not.
        const all = pattern.includes('\\B') ? drawn.map((text) => text.replaceAll('😀', 'a')) : drawn
        const native = new RegExp(pattern, 'u')
        const { faultsOf } = compileJsonSchema({ pattern })
        expect(all.map((text) => faultsOf(text).length === 0)).toEqual(all.map((text) => native.test(text)))
      }),
      { numRuns: 2_000 },
    )
  })

  test('that the engine of JavaScript refuses is refused with a code', () => {
    const units = Array.from('ab(|)[^]-{1,}*+?.\\$dwbBpPku<>=!:')
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...units), maxLength: 8 }), (pattern) => {
        const isNative = works(() => new RegExp(pattern, 'u'))
        const isOurs = works(() => compileJsonSchema({ pattern }))
        if (!isOurs) expect(codeOf(() => compileJsonSchema({ pattern }))).toBe('RZ_SCHEMA_PATTERN')
        // An escape of what needs none is taken here: what else is taken there as well.
        if (isOurs && !isNative) expect(pattern).toMatch(/\\[^\w]/)
      }),
      { numRuns: 5_000 },
    )
  })
})

const values = fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<Value>

describe('a value', () => {
  test('has the key of another exactly if JSON Schema holds the two equal', () => {
    const shuffled = (value: Value): Value => {
      if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value
      if (Array.isArray(value)) return (value as readonly Value[]).map(shuffled)
      return Object.fromEntries(
        Object.entries(value)
          .toReversed()
          .map(([key, item]) => [key, shuffled(item)]),
      )
    }
    fc.assert(
      fc.property(values, values, (a, b) => {
        expect(contentKey(shuffled(a))).toBe(contentKey(a))
        const { faultsOf } = compileJsonSchema({ const: a })
        expect(faultsOf(shuffled(a))).toEqual([])
        expect(faultsOf(b).length === 0).toBe(contentKey(a) === contentKey(b))
      }),
    )
  })

  test('that is a multiple of a decimal is one of it, at whatever scale', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -1e6, max: 1e6 }),
        fc.integer({ min: 1, max: 9_999 }),
        fc.nat({ max: 4 }),
        (times, digits, scale) => {
          const [value, divisor] = [Number(`${times * digits}e-${scale}`), Number(`${digits}e-${scale}`)]
          expect(isMultiple(value, divisor)).toBe(true)
          if (digits > 1) expect(isMultiple(Number(`${times * digits + 1}e-${scale}`), divisor)).toBe(false)
        },
      ),
    )
  })
})

describe('a schema', () => {
  const schemas = fc.letrec<{ schema: Value }>((tie) => ({
    schema: fc.oneof(
      { maxDepth: 3 },
      fc.boolean(),
      fc.record(
        {
          type: fc.constantFrom('number', 'string', 'array', 'object'),
          minimum: fc.constantFrom(0, 1),
          minLength: fc.constantFrom(1, 2),
          required: fc.constantFrom(['a'], ['a', 'b']),
          properties: fc.dictionary(fc.constantFrom('a', 'b'), tie('schema'), { maxKeys: 2, noNullPrototype: true }),
          items: tie('schema'),
        },
        { requiredKeys: [] },
      ) as fc.Arbitrary<Value>,
    ),
  })).schema
  const holds = (schema: Value, value: Value) => compileJsonSchema(schema).faultsOf(value).length === 0

  test('is satisfied exactly where its negation is not, and combines as logic does', () => {
    fc.assert(
      fc.property(schemas, schemas, values, (a, b, value) => {
        const [isA, isB] = [holds(a, value), holds(b, value)]
        expect(holds({ not: a }, value)).toBe(!isA)
        expect(holds({ allOf: [a, b] }, value)).toBe(isA && isB)
        expect(holds({ anyOf: [a, b] }, value)).toBe(isA || isB)
        expect(holds({ oneOf: [a, b] }, value)).toBe(isA !== isB)
        const names = ['if', 'then', 'else']
        const branches = Object.fromEntries([a, b, { not: b }].map((part, index) => [names[index] ?? '', part]))
        expect(holds(branches, value)).toBe(isA === isB)
        expect(holds({ $ref: '#/$defs/a', $defs: { a } }, value)).toBe(isA)
        expect(holds({ properties: { x: a } }, { x: value })).toBe(isA)
        expect(holds({ items: a }, [value])).toBe(isA)
        expect(holds({ contains: a }, [value])).toBe(isA)
      }),
    )
  })
})
