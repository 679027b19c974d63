/** Schemas of people who mean ill: each is refused with a code, or ends within its gas with one. None hangs or overflows. */

import { describe, expect, test } from 'vitest'
import type { Value } from '../../../src/delta/delta.ts'
import { compileJsonSchema } from '../../../src/view/schemas/json-schema.ts'
import {
  GAS_BASE,
  GAS_PER_ITEM,
  PATTERN_STEPS_MAX,
  PATTERN_UNITS_MAX,
  SCHEMA_DEPTH_MAX,
  SCHEMA_ITEMS_MAX,
} from '../../../src/view/schemas/limits.ts'
import { codeOf } from '../../support/expect.ts'

const nested = (keyword: string, depth: number): Value => {
  let schema: Value = {}
  for (let level = 0; level < depth; level++) schema = keyword === 'allOf' ? { allOf: [schema] } : { [keyword]: schema }
  return schema
}
const list = (count: number, item: Value = {}): readonly Value[] => Array.from({ length: count }, () => item)

describe('what is no JSON Schema is refused', () => {
  test.each<[string, unknown, string]>([
    ['a text', 'x', 'RZ_SCHEMA_INVALID'],
    ['a list', [], 'RZ_SCHEMA_INVALID'],
    ['null', null, 'RZ_SCHEMA_INVALID'],
    ['nothing', undefined, 'RZ_SCHEMA_INVALID'],
    ['a function', () => true, 'RZ_SCHEMA_INVALID'],
    ['an object of a class', new Map(), 'RZ_SCHEMA_INVALID'],
    ['bytes', new Uint8Array(), 'RZ_SCHEMA_INVALID'],
    ['a number that is none', { minimum: Number.NaN }, 'RZ_SCHEMA_INVALID'],
    ['a type that is none', { type: 'text' }, 'RZ_SCHEMA_INVALID'],
    ['a type named as what objects inherit', { type: 'toString' }, 'RZ_SCHEMA_INVALID'],
    ['no type at all', { type: [] }, 'RZ_SCHEMA_INVALID'],
    ['a type that is a number', { type: 1 }, 'RZ_SCHEMA_INVALID'],
    ['an enum that is no list', { enum: 'a' }, 'RZ_SCHEMA_INVALID'],
    ['a minimum in words', { minimum: '1' }, 'RZ_SCHEMA_INVALID'],
    ['multiples of 0', { multipleOf: 0 }, 'RZ_SCHEMA_INVALID'],
    ['multiples of less', { multipleOf: -1 }, 'RZ_SCHEMA_INVALID'],
    ['a length below 0', { minLength: -1 }, 'RZ_SCHEMA_INVALID'],
    ['half a length', { maxItems: 1.5 }, 'RZ_SCHEMA_INVALID'],
    ['a pattern that is no text', { pattern: 1 }, 'RZ_SCHEMA_INVALID'],
    ['a format that is no text', { format: {} }, 'RZ_SCHEMA_INVALID'],
    ['required that is no list', { required: true }, 'RZ_SCHEMA_INVALID'],
    ['required of numbers', { required: [1] }, 'RZ_SCHEMA_INVALID'],
    ['uniqueItems in words', { uniqueItems: 'yes' }, 'RZ_SCHEMA_INVALID'],
    ['properties as a list', { properties: [] }, 'RZ_SCHEMA_INVALID'],
    ['a property that is no schema', { properties: { a: 1 } }, 'RZ_SCHEMA_INVALID'],
    ['dependentRequired that is no object', { dependentRequired: [] }, 'RZ_SCHEMA_INVALID'],
    ['dependentRequired of texts', { dependentRequired: { a: 'b' } }, 'RZ_SCHEMA_INVALID'],
    ['items of an older draft', { items: [{}] }, 'RZ_SCHEMA_INVALID'],
    ['no allOf', { allOf: [] }, 'RZ_SCHEMA_INVALID'],
    ['no anyOf', { anyOf: [] }, 'RZ_SCHEMA_INVALID'],
    ['no oneOf', { oneOf: [] }, 'RZ_SCHEMA_INVALID'],
    ['no prefixItems', { prefixItems: [] }, 'RZ_SCHEMA_INVALID'],
    ['not of nothing', { not: null }, 'RZ_SCHEMA_INVALID'],
    ['$defs as a list', { $defs: [] }, 'RZ_SCHEMA_INVALID'],
    ['another draft', { $schema: 'http://json-schema.org/draft-07/schema#' }, 'RZ_SCHEMA_INVALID'],
    ['an $id that is no text', { $id: 1 }, 'RZ_SCHEMA_INVALID'],
    ['an $id with a fragment', { $id: 'a#b' }, 'RZ_SCHEMA_INVALID'],
    ['an $id that is no URI', { $id: 'http://[' }, 'RZ_SCHEMA_INVALID'],
    ['one $id twice', { $defs: { a: { $id: 'x' }, b: { $id: 'x' } } }, 'RZ_SCHEMA_INVALID'],
    ['one anchor twice', { $defs: { a: { $anchor: 'x' }, b: { $anchor: 'x' } } }, 'RZ_SCHEMA_INVALID'],
    ['an anchor that is no name', { $anchor: '#x' }, 'RZ_SCHEMA_INVALID'],
    ['a $ref that is no text', { $ref: {} }, 'RZ_SCHEMA_INVALID'],
    ['a $ref to elsewhere', { $ref: 'https://example.org/schema' }, 'RZ_SCHEMA_REF'],
    ['a $ref to a file', { $ref: 'file:///etc/passwd' }, 'RZ_SCHEMA_REF'],
    ['a $ref to the meta-schema', { $ref: 'https://json-schema.org/draft/2020-12/schema' }, 'RZ_SCHEMA_REF'],
    ['a $ref to a name that is nowhere', { $ref: 'other' }, 'RZ_SCHEMA_REF'],
    ['a $ref that is no URI', { $ref: 'http://[' }, 'RZ_SCHEMA_REF'],
    ['a $ref to nothing', { $ref: '#/$defs/a' }, 'RZ_SCHEMA_REF'],
    ['a $ref to what objects inherit', { $ref: '#/toString' }, 'RZ_SCHEMA_REF'],
    ['a $ref to __proto__', { $ref: '#/__proto__' }, 'RZ_SCHEMA_REF'],
    ['a $ref to no anchor', { $ref: '#a' }, 'RZ_SCHEMA_REF'],
    ['a $ref that is cut off', { $ref: '#/%E0%A4%A' }, 'RZ_SCHEMA_REF'],
    ['a $ref to what is no schema', { $ref: '#/title', title: 'x' }, 'RZ_SCHEMA_INVALID'],
    ['a $ref to a list', { $ref: '#/allOf', allOf: [{}] }, 'RZ_SCHEMA_INVALID'],
    ['a $dynamicRef to nothing', { $dynamicRef: '#a' }, 'RZ_SCHEMA_REF'],
    ['a $dynamicRef to elsewhere', { $dynamicRef: 'https://example.org/#a' }, 'RZ_SCHEMA_REF'],
    ['schemas too deep', nested('not', SCHEMA_DEPTH_MAX + 1), 'RZ_SCHEMA_TOO_LARGE'],
    ['lists too deep', nested('allOf', SCHEMA_DEPTH_MAX), 'RZ_SCHEMA_TOO_LARGE'],
    ['too many values', { enum: list(SCHEMA_ITEMS_MAX, 1) }, 'RZ_SCHEMA_TOO_LARGE'],
  ])('%s', (_, schema, code) => {
    expect(codeOf(() => compileJsonSchema(schema))).toBe(code)
  })

  test('one that holds itself', () => {
    const schema: { not?: unknown } = {}
    schema.not = schema
    expect(codeOf(() => compileJsonSchema(schema))).toBe('RZ_SCHEMA_TOO_LARGE')
  })
})

describe('patterns that are no patterns, or take more than linear time, are refused', () => {
  test.each([
    '(?=a)b',
    '(?!a)b',
    '(?<=a)b',
    '(?<!a)b',
    '(a)\\1',
    '(?<n>a)\\k<n>',
    '(',
    ')',
    '(a',
    'a)',
    '[a',
    '[b-a]',
    '[\\w-z]',
    '*a',
    '+',
    '?',
    'a**',
    'a{2,1}',
    'a{,2}',
    'a{x}',
    '{',
    'a}',
    ']',
    '\\',
    '\\y',
    '\\x1',
    '\\u12',
    '\\u{110000}',
    '\\u{}',
    '\\c1',
    '\\p',
    '\\p{Nonsense}',
    '\\p{L',
    '\\p{L}}',
    '(?<1>a)',
    '(?<>a)',
    '(?i:a)',
    '^*',
    '\\b+',
    'a{99999}',
    `(${'a{50}'.repeat(2)}){50}`,
    '((a{100}){100}){100}',
    'a'.repeat(PATTERN_UNITS_MAX + 1),
    '('.repeat(600),
  ])('%s', (pattern) => {
    expect(codeOf(() => compileJsonSchema({ pattern }))).toBe('RZ_SCHEMA_PATTERN')
    expect(codeOf(() => compileJsonSchema({ patternProperties: { [pattern]: {} } }))).toBe('RZ_SCHEMA_PATTERN')
  })

  test('together they have a limit, too', () => {
    const pattern = (index: number) => `${index}a{${PATTERN_STEPS_MAX - 20}}`
    const schema = { allOf: Array.from({ length: 20 }, (_, index) => ({ pattern: pattern(index) })) }
    expect(codeOf(() => compileJsonSchema(schema))).toBe('RZ_SCHEMA_PATTERN')
  })
})

describe('patterns that make other engines go back end at once', () => {
  test.each([
    ['^(a+)+$', 'a'.repeat(5_000)],
    ['^(a|a)*$', 'a'.repeat(5_000)],
    ['^(a*)*$', 'a'.repeat(5_000)],
    ['(x+x+)+y', 'x'.repeat(5_000)],
    ['^(([a-z])+.)+[A-Z]([a-z])+$', 'a'.repeat(3_000)],
    ['(.*)*(.*)*(.*)*z', 'a'.repeat(3_000)],
    ['^(|a|b)*(|a|b)*$', 'ab'.repeat(2_000)],
    ['(?:){1000}(?:(?:){1000}){1000}x', 'a'.repeat(3_000)],
    ['a?'.repeat(60) + 'a'.repeat(60), 'a'.repeat(60)],
  ])('%s', (pattern, text) => {
    const { faultsOf } = compileJsonSchema({ pattern })
    for (const value of [text, `${text}!`]) {
      expect(faultsOf(value).every(({ code }) => code === 'RZ_SCHEMA_VIOLATION' || code === 'RZ_SCHEMA_GAS')).toBe(true)
    }
  })
})

describe('a schema that asks for too much work ends with RZ_SCHEMA_GAS', () => {
  const doubling = (keyword: string, levels: number): Value => ({
    $ref: '#/$defs/l0',
    $defs: Object.fromEntries(
      Array.from({ length: levels + 1 }, (_, level) => [
        `l${level}`,
        level === levels
          ? { type: 'null' }
          : { [keyword]: [{ $ref: `#/$defs/l${level + 1}` }, { $ref: `#/$defs/l${level + 1}` }] },
      ]),
    ),
  })
  const words = Array.from({ length: 20_000 }, (_, index) => `a${index}`)

  test.each<[string, Value, Value]>([
    ['a $ref to itself', { $ref: '#' }, 1],
    [
      'two that refer to one another',
      { $ref: '#/$defs/a', $defs: { a: { $ref: '#/$defs/b' }, b: { $ref: '#/$defs/a' } } },
      1,
    ],
    ['a $dynamicRef to itself', { $dynamicAnchor: 'a', $dynamicRef: '#a' }, 1],
    ['allOf of itself', { allOf: [{ $ref: '#' }] }, {}],
    ['not of itself', { not: { $ref: '#' } }, {}],
    ['if of itself', { if: { $ref: '#' } }, {}],
    ['anyOf that doubles 30 times', doubling('anyOf', 30), 1],
    ['oneOf that doubles 30 times', doubling('oneOf', 30), 1],
    ['allOf that doubles 30 times', doubling('allOf', 30), null],
    ['items that each try thousands', { items: { anyOf: [...list(4_000, { const: 1 }), {}] } }, words],
    [
      'names that each try thousands',
      { propertyNames: { anyOf: [...list(4_000, { const: 1 }), {}] } },
      Object.fromEntries(words.map((word) => [word, 1])),
    ],
    [
      'names held against hundreds of patterns',
      { patternProperties: Object.fromEntries(Array.from({ length: 400 }, (_, index) => [`${index}x+y`, {}])) },
      Object.fromEntries(words.map((word) => [word, 1])),
    ],
    ['a pattern of a thousand ways for a long text', { pattern: 'a?'.repeat(250) + 'b' }, 'a'.repeat(100_000)],
    [
      'many patterns for one long text',
      { allOf: Array.from({ length: 100 }, (_, index) => ({ pattern: `x*${index}y` })) },
      'x'.repeat(100_000),
    ],
    [
      'a great value compared again and again',
      { allOf: list(200, { const: 'x' }).map((schema) => ({ not: schema })) },
      words,
    ],
    [
      'unevaluated ones merged again and again',
      {
        allOf: list(50, { properties: {}, additionalProperties: true }).map((schema) => ({ allOf: [schema] })),
        unevaluatedProperties: false,
      },
      Object.fromEntries(words.map((word) => [word, 1])),
    ],
  ])('%s', (_, schema, value) => {
    expect(compileJsonSchema(schema).faultsOf(value)).toMatchObject([{ code: 'RZ_SCHEMA_GAS' }])
  })

  test('a value nested deeper than any record is not walked', () => {
    let value: Value = 1
    for (let level = 0; level < 100_000; level++) value = [value]
    expect(compileJsonSchema({ uniqueItems: true }).faultsOf(value)).toMatchObject([{ code: 'RZ_SCHEMA_GAS' }])
  })

  test('a great record that is in order has gas enough', () => {
    const record = {
      rows: list(20_000, { name: 'a', tags: ['x', 'y'], at: '2024-05-01' }).map((row, n) => ({
        ...(row as object),
        n,
      })),
    }
    const { faultsOf } = compileJsonSchema({
      type: 'object',
      properties: {
        rows: {
          type: 'array',
          uniqueItems: true,
          items: {
            type: 'object',
            properties: {
              name: { type: 'string', maxLength: 10 },
              tags: { type: 'array', items: { enum: ['x', 'y'] }, uniqueItems: true },
              at: { type: 'string', format: 'date', pattern: '^\\d{4}-\\d{2}-\\d{2}$' },
              n: { type: 'integer' },
            },
            required: ['name', 'n'],
            additionalProperties: false,
          },
        },
      },
    })
    expect(faultsOf(record)).toEqual([])
  })

  test('how much gas there is belongs to the version of the semantics', () => {
    expect([GAS_BASE, GAS_PER_ITEM]).toEqual([100_000, 64])
  })
})
