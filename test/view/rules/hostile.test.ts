/**
 * Rules and data that mean harm: each ends within its budget with one of our codes or with a harmless value, in bounded
 * memory, and none reaches a prototype, a function or the machine.
 */

import { describe, expect, test } from 'vitest'
import type { Value } from '../../../src/delta/delta.ts'
import { RhizomeError } from '../../../src/errors.ts'
import { runRuleLine } from '../../../src/view/rules/line.ts'
import { OPERATORS } from '../../../src/view/rules/operators.ts'
import { compileRule } from '../../../src/view/rules/rule.ts'
import { DEFAULT_LIMITS } from '../../../src/view/rules/semantics.ts'
import { codeOf } from '../../support/expect.ts'

const CODES = ['RZ_RULE_INVALID', 'RZ_RULE_OPERATOR', 'RZ_RULE_GAS', 'RZ_RULE_DEPTH', 'RZ_RULE_TOO_LARGE']

const INHERITED = [
  '__proto__',
  'constructor',
  'prototype',
  'hasOwnProperty',
  'isPrototypeOf',
  'propertyIsEnumerable',
  'toString',
  'toLocaleString',
  'valueOf',
  '__defineGetter__',
  '__defineSetter__',
  '__lookupGetter__',
  '__lookupSetter__',
] as const

const PATHS = [
  'constructor.constructor',
  '__proto__.__proto__',
  'constructor.prototype',
  'toString.call',
  'a.constructor',
]

/** What each way in makes of a name that only a prototype has: harmless, and the same for all names. */
const reaches = (name: string): readonly (readonly [string, unknown, Value, unknown])[] => [
  ['var of an object', { var: name }, { a: 1 }, null],
  ['var of a list', { var: name }, [1], null],
  ['var of a text', { var: name }, 'text', null],
  ['var of a number', { var: name }, 5, null],
  ['var of a truth', { var: name }, true, null],
  ['var with a default', { var: [name, 'none'] }, {}, 'none'],
  ['a path into it', { var: `${name}.${name}` }, {}, null],
  ['a path through data', { var: `a.${name}` }, { a: { b: 1 } }, null],
  ['a computed path', { var: { cat: [name.slice(0, 3), name.slice(3)] } }, {}, null],
  ['missing', { missing: [name] }, {}, [name]],
  ['missing_some', { missing_some: [1, [name]] }, {}, [name]],
  ['map', { map: [[{}, []], { var: name }] }, null, [null, null]],
  ['filter', { filter: [[1, 'a', []], { var: name }] }, null, []],
  ['reduce', { reduce: [[1], { var: name }, 0] }, null, null],
  ['the accumulator', { reduce: [[1], { var: `accumulator.${name}` }, []] }, null, null],
  ['at', { at: [{ var: '' }, name, 'none'] }, {}, 'none'],
  ['at of a list', { at: [[1], name, 'none'] }, null, 'none'],
  ['group', { map: [{ group: [[name]] }, { var: `items.0` }] }, null, [name]],
  ['distinct', { distinct: [[name, name]] }, null, [name]],
  ['property', { property: [name, 'none'] }, {}, 'none'],
]

describe('a name of the prototype', () => {
  const cases = [...INHERITED, ...PATHS].flatMap((name) =>
    reaches(name)
      .filter(([way]) => !name.includes('.') || (way !== 'at' && way !== 'at of a list'))
      .map(([way, rule, data, harmless]) => ({ name, way, rule, data, harmless })),
  )
  test.each(cases)('$name by $way reaches nothing', ({ rule, data, harmless }) => {
    expect(compileRule(rule).run(data).value).toEqual(harmless)
  })

  test.each(INHERITED)('%s is no operator', (name) => {
    expect(() => compileRule(JSON.parse(`{${JSON.stringify(name)}:[]}`))).toThrow(
      expect.objectContaining({ code: 'RZ_RULE_OPERATOR' }),
    )
  })

  test.each(INHERITED)('%s as a key of the data is data', (name) => {
    const data = JSON.parse(`{${JSON.stringify(name)}:{"x":1}}`) as Value
    expect(compileRule({ var: `${name}.x` }).run(data).value).toBe(1)
    const whole = compileRule({ var: '' }).run(data).value as object
    expect(Object.keys(whole)).toEqual([name])
    expect(Object.getPrototypeOf(whole)).toBe(Object.prototype)
  })

  test('that a result has to rewrite stays a key of its own', () => {
    const rule = compileRule(JSON.parse('{"__proto__":{"polluted":1},"other":"\\ud800"}'))
    const value = rule.run(null).value as object
    expect(Object.keys(value)).toEqual(['__proto__', 'other'])
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
  })
})

const nest = (times: number, wrap: (inner: unknown) => unknown, inner: unknown): unknown => {
  let rule = inner
  for (let index = 0; index < times; index++) rule = wrap(rule)
  return rule
}
const many = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index)
const self = { var: '' }
const accumulated = { var: 'accumulator' }
const doubled = { merge: [accumulated, accumulated] }
const deepList = (levels: number): Value => JSON.parse('['.repeat(levels) + ']'.repeat(levels)) as Value

const ATTACKS: readonly (readonly [string, unknown, Value])[] = [
  // Doubling.
  ['merge doubles a list 64 times', { reduce: [many(64), doubled, [1]] }, null],
  ['merge doubles a nested list', { reduce: [many(64), { merge: [[accumulated], [accumulated]] }, [1]] }, null],
  ['cat doubles a text 64 times', { reduce: [many(64), { cat: [accumulated, accumulated] }, 'x'] }, null],
  ['join doubles a text', { reduce: [many(64), { join: [[accumulated, accumulated], ','] }, 'xx'] }, null],
  ['cat doubles within the rule', nest(20, (inner) => ({ cat: [inner, inner] }), 'x'), null],
  ['cat doubles through map', nest(20, (inner) => ({ map: [[inner, inner], { cat: [self, self] }] }), 'x'), null],
  ['a list of itself, doubled', { reduce: [many(64), [accumulated, accumulated], 1] }, null],
  ['the text of a list of itself', { cat: { reduce: [many(30), [accumulated, accumulated], 1] } }, null],
  ['the number of a list of itself', { '-': { reduce: [many(30), [accumulated, accumulated], 1] } }, null],
  ['comparing lists of themselves', { '<': [{ reduce: [many(30), [accumulated, accumulated], 1] }, 'x'] }, null],
  [
    'same on lists of themselves',
    { same: nest(2, (r) => ({ reduce: [many(25), [accumulated, accumulated], r] }), 1) },
    null,
  ],
  ['distinct on lists of themselves', { distinct: [[{ reduce: [many(25), [accumulated, accumulated], 1] }]] }, null],
  ['sort by lists of themselves', { sort: [[1, 2, 3], { reduce: [many(25), [accumulated, accumulated], 1] }] }, null],
  ['a result of shared texts', { map: [many(1_000), { var: 'x' }] }, null],
  ['one long text a thousand times', { reduce: [many(1_000), { merge: [accumulated, { var: 'current' }] }, []] }, null],

  // Loops in loops.
  ['map in map in map in map', nest(4, (inner) => ({ map: [many(60), inner] }), 1), null],
  ['reduce in reduce', nest(4, (inner) => ({ reduce: [many(60), inner, 0] }), 1), null],
  ['filter in filter', nest(4, (inner) => ({ filter: [many(60), inner] }), 1), null],
  ['all in some in none', { none: [many(300), { all: [many(300), { some: [many(300), false] }] }] }, null],
  ['sort in sort', nest(3, (inner) => ({ sort: [many(100), inner] }), 1), null],
  ['group in group', nest(3, (inner) => ({ group: [many(100), inner] }), 1), null],
  ['in over a long list, often', { map: [many(1_000), { in: [-1, many(1_000)] }] }, null],
  [
    'many equal alternatives',
    { or: Array.from({ length: 5_000 }, () => ({ map: [many(3), 0] })).slice(0, 2_000) },
    null,
  ],
  ['exponential conditions', nest(30, (inner) => ({ if: [inner, false, false] }), false), null],
  ['a chain of and', { and: Array.from({ length: 5_000 }, () => ({ '!': false })) }, null],

  // Depth.
  ['a rule 100 deep', nest(100, (inner) => ({ '!': inner }), true), null],
  ['a rule 100,000 deep', nest(100_000, (inner) => ({ '!': inner }), true), null],
  ['a rule of lists 100,000 deep', nest(100_000, (inner) => [inner], 1), null],
  ['a literal object 100,000 deep', nest(100_000, (inner) => ({ a: inner, b: 1 }), 1), null],
  ['a value nested by reduce', { reduce: [many(1_000), [accumulated], 1] }, null],
  ['the text of a value nested by reduce', { cat: { reduce: [many(1_000), [accumulated], 1] } }, null],
  ['data nested deeply', self, deepList(10_000)],
  ['the text of data nested deeply', { cat: self }, deepList(10_000)],
  ['the number of data nested deeply', { '+': self }, deepList(10_000)],
  ['the order of data nested deeply', { sort: [[self, self]] }, deepList(10_000)],
  ['the key of data nested deeply', { distinct: [[self]] }, deepList(10_000)],
  ['a path of 100,000 dots', { var: 'a.'.repeat(100_000) }, { a: 1 }],
  [
    'a computed path of many dots',
    { var: { reduce: [many(17), { cat: [accumulated, accumulated] }, '.'] } },
    { '': {} },
  ],

  // Size.
  ['a rule of 100,000 values', many(100_000), null],
  ['a rule with 100,000 arguments', { '+': many(100_000) }, null],
  ['100,000 keys in a literal', Object.fromEntries(many(100_000).map((key) => [`k${key}`, 1])), null],
  ['a long text in a rule', { cat: ['x'.repeat(5_000_000), 'y'] }, null],
  ['a long text in the data, joined', { cat: [self, self] }, 'x'.repeat(5_000_000)],
  ['a long text in the data, as it is', { map: [many(10), { var: '' }] }, 'x'.repeat(500_000)],
  [
    'a result of long texts',
    { map: [{ var: 'xs' }, { var: '' }] },
    { xs: Array.from({ length: 40 }, () => 'x'.repeat(500_000)) },
  ],
  ['a list of a million', { map: [{ var: '' }, self] }, many(1_000_000)],
  ['a merge of a million', { merge: [self, self] }, many(1_000_000)],
  ['a sort of a million', { sort: self }, many(1_000_000)],
  ['the length of a million keys', { length: self }, Object.fromEntries(many(200_000).map((key) => [`k${key}`, 1]))],
  [
    'objects of many keys compared',
    { same: [self, self] },
    Object.fromEntries(many(200_000).map((key) => [`k${key}`, 1])),
  ],

  // Numbers.
  ['a number of 300,000 digits', { '+': self }, '9'.repeat(300_000)],
  ['a number of many zeros', { '*': [self, self] }, `${'0'.repeat(300_000)}1`],
  ['a number of many fractions', { '-': self }, `0.${'3'.repeat(300_000)}`],
  ['a hexadecimal number of 300,000 digits', { '-': self }, `0x${'f'.repeat(300_000)}`],
  ['spaces before a number', { '-': self }, `${' '.repeat(300_000)}1`],
  ['an exponent beyond all', { '+': '1e999999999' }, null],
  ['the largest number, often', { '*': [1.7e308, 1.7e308, 1.7e308] }, null],
  ['the smallest number', { '/': [5e-324, 2] }, null],
  ['a remainder of extremes', { '%': [1.7e308, 5e-324] }, null],
  ['an index beyond all', { at: [[1], 1e308] }, null],
  ['an index of no number', { at: [[1], { '/': [0, 0] }] }, null],
  ['a start beyond all', { substr: ['x', 1e308, 1e308] }, null],
  ['a start before all', { substr: ['x', -1e308, -1e308] }, null],
  ['infinities for a slice', { substr: ['x', { '/': [-1, 0] }, { '/': [1, 0] }] }, null],
  ['many numbers read, long each', { map: [many(50), { '+': [{ var: '' }, '9'.repeat(10_000)] }] }, null],

  // Texts.
  ['substr upon substr', { reduce: [many(10_000), { substr: [accumulated, 1] }, 'x'.repeat(200_000)] }, null],
  [
    'a search that almost matches',
    { in: [{ var: 'part' }, { var: 'whole' }] },
    { part: `b${'a'.repeat(100_000)}`, whole: 'a'.repeat(250_000) },
  ],
  [
    'a search for a periodic part',
    { in: [{ var: 'part' }, { var: 'whole' }] },
    { part: `${'ab'.repeat(50_000)}c`, whole: 'ab'.repeat(120_000) },
  ],
  [
    'equal long texts compared often',
    { map: [many(1_000), { '===': [{ cat: ['x'.repeat(5_000)] }, 'x'.repeat(5_000)] }] },
    null,
  ],
  ['a sort of long texts with one beginning', { sort: self }, many(1_000).map((index) => 'x'.repeat(5_000) + index)],
  [
    'keys of one long beginning',
    { sort: [[self, self, self]] },
    Object.fromEntries(many(200).map((key) => ['x'.repeat(2_000) + key, 1])),
  ],
  ['halves of pairs', { map: [many(4), { substr: ['𝒳𝒳', self, 1] }] }, null],
  ['what looks like an expression', { in: ['(a+)+$', 'a'.repeat(10_000)] }, null],
  ['a template', { cat: ['${process.exit(1)}', '`'] }, null],
  ['a zero', { in: ['\u0000', 'a\u0000b'] }, null],

  // Shapes.
  ['no arguments', Object.fromEntries([...OPERATORS.keys()].slice(0, 2).map((name) => [name, []])), null],
  ['an object where a list is meant', { merge: { length: 1e9 } }, null],
  ['an object that says it is long', { map: [self, 1] }, { length: 4_294_967_295 }],
  ['an object that says it is long, joined', { join: [self, ','] }, { length: 4_294_967_295 }],
  ['an object with a text for a method', { cat: self }, { toString: 'boom', valueOf: 'boom' }],
  ['an object with a text for a method, calculated', { '-': self }, { toString: 'boom', valueOf: 'boom' }],
  ['an object with toJSON', self, { toJSON: 'boom' }],
  ['an object like an iterator', { merge: [self] }, { next: 1, done: false }],
  ['keys that are rules', { missing: self }, [{ cat: ['a', 'b'] }, { var: '' }]],
  ['keys that are lists of lists', { missing: self }, [[[['a']]], [], [[]]]],
  ['operators in the data', { map: [self, self] }, [{ '+': [1, 2] }]],
]

describe('an attack ends with a code or a harmless value:', () => {
  test.each(ATTACKS)('%s', (_, rule, data) => {
    expectHarmless(rule, data)
  })
})

describe('an operator takes whatever it is given:', () => {
  const extremes: readonly Value[] = [
    null,
    true,
    Number.MAX_VALUE,
    '',
    '9'.repeat(100_000),
    [],
    many(10_000),
    [[[[]]], {}],
    {},
    { a: 1, b: 2 },
    Uint8Array.of(1, 2, 3),
  ]
  test.each([...OPERATORS.keys()])('%s', (name) => {
    for (const count of [0, 1, 2, 3, 5])
      expectHarmless({ [name]: Array.from({ length: count }, () => ({ var: '' })) }, null)
    for (const first of extremes) {
      for (const second of extremes) {
        expectHarmless({ [name]: [{ var: '0' }, { var: '1' }, { var: '0' }] }, [first, second])
        expectHarmless({ [name]: [first, second] }, first)
      }
    }
  })
})

describe('what JSON cannot be, but a caller can hand in:', () => {
  const ring: unknown[] = []
  ring.push(ring)
  const loop: { a: unknown; b: number } = { a: 1, b: 2 }
  loop.a = loop
  test.each([
    ['a list that holds itself', ring],
    ['an object that holds itself', loop],
  ])('%s, as a rule or as data, ends', (_, value) => {
    const data = value as Value
    for (const rule of [value, { '!': [value] }]) expectCode('RZ_RULE_DEPTH', () => compileRule(rule))
    expectCode('RZ_RULE_DEPTH', () => compileRule({ var: '' }).run(data))
    for (const name of OPERATORS.keys()) expectHarmless({ [name]: [{ var: '' }, { var: '' }] }, data)
  })
})

test('there are at least 200 of them', () => {
  const names = (INHERITED.length + PATHS.length) * (reaches('x').length - 2)
  expect(names + ATTACKS.length + OPERATORS.size).toBeGreaterThanOrEqual(200)
})

describe('a line of JSON is answered, whatever it holds:', () => {
  test.each([
    ['nothing', ''],
    ['no JSON', '{"rule":'],
    ['a list', '[1]'],
    ['null', 'null'],
    ['no rule', '{"data":1}'],
    ['only an inherited rule', '{"__proto__":{"rule":1}}'],
    ['deep nesting', `{"rule":${'['.repeat(100_000)}${']'.repeat(100_000)}}`],
    ['deep data', `{"rule":{"var":""},"data":${'['.repeat(100_000)}${']'.repeat(100_000)}}`],
    ['a long line', `{"rule":"${'x'.repeat(5_000_000)}"}`],
    ['an unknown operator', '{"rule":{"__proto__":[]}}'],
    ['a number beyond all', '{"rule":{"var":""},"data":1e999}'],
  ])('%s', (_, line) => {
    const answer = runRuleLine(line)
    expect(answer).not.toContain('\n')
    const parsed = JSON.parse(answer) as { result?: unknown; error?: { code: string } }
    expect(parsed.result === null || CODES.includes(parsed.error?.code ?? '')).toBe(true)
  })
})

function expectCode(code: string, work: () => unknown): void {
  expect(codeOf(work)).toBe(code)
}

/** Runs it under a budget that ten thousandths of a second suffice for, and looks at what comes out. */
function expectHarmless(rule: unknown, data: Value): void {
  try {
    const { value, gasUsed } = compileRule(rule).run(data)
    expect(gasUsed).toBeLessThanOrEqual(DEFAULT_LIMITS.gasMax)
    expect(isPlain(value)).toBe(true)
  } catch (error) {
    if (!(error instanceof RhizomeError)) throw error
    expect(CODES).toContain(error.code)
  }
}

/** Made of JSON and bytes, with their ordinary prototypes. */
function isPlain(value: Value): boolean {
  if (typeof value === 'number') return Number.isFinite(value) && !Object.is(value, -0)
  if (typeof value === 'string') return value.isWellFormed()
  if (typeof value !== 'object' || value === null) return typeof value === 'boolean' || value === null
  if (value instanceof Uint8Array) return true
  if (Array.isArray(value)) return Object.getPrototypeOf(value) === Array.prototype && value.every(isPlain)
  return Object.getPrototypeOf(value) === Object.prototype && Object.values(value).every(isPlain)
}
