/** Every operator, by the cases under fixtures/rules; the standard ones are held against json-logic-js too. */

import jsonLogic from 'json-logic-js'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { Value } from '../../../src/delta/delta.ts'
import { OPERATORS } from '../../../src/view/rules/operators.ts'
import { compileRule } from '../../../src/view/rules/rule.ts'
import { naiveRule } from '../../naive/rules.ts'
import { codeOf } from '../../support/expect.ts'
import { ruleCases } from '../../support/rule-cases.ts'

const STANDARD = ['access', 'logic', 'comparison', 'arithmetic', 'list', 'text'] as const

const named = (file: string) =>
  ruleCases(file).map(({ about, parts }) => ({
    title: `${JSON.stringify(parts[0])} of ${JSON.stringify(parts[1])} · ${about}`,
    rule: parts[0],
    data: parts[1] as Value,
    expected: parts[2],
  }))

// The reference implementation prints what is logged; ours is silent.
beforeAll(() => void vi.spyOn(console, 'log').mockImplementation(() => {}))
afterAll(() => void vi.restoreAllMocks())

describe.each(STANDARD)('JSON-Logic, %s', (file) => {
  test.each(named(file))('$title', ({ rule, data, expected }) => {
    expect(compileRule(rule).run(data).value).toStrictEqual(expected)
    expect(naiveRule(rule, data)).toStrictEqual(expected)
    // Through JSON, as it has no other way to say NaN or nothing.
    expect(JSON.parse(JSON.stringify([jsonLogic.apply(rule, data)]))).toEqual([expected])
  })
})

describe.each(['differs', 'beyond'])('our own, %s', (file) => {
  test.each(named(file))('$title', ({ rule, data, expected }) => {
    expect(compileRule(rule).run(data).value).toStrictEqual(expected)
    expect(naiveRule(rule, data)).toStrictEqual(expected)
  })
})

describe('a rule is refused when it is read', () => {
  test.each(ruleCases('refused').map(({ about, parts: [rule, code] }) => ({ about, rule, code })))(
    '$rule · $about',
    ({ rule, code }) => {
      expect(codeOf(() => compileRule(rule))).toBe(code)
    },
  )

  test('with a message that can be shown, whatever the name', () => {
    for (const name of ['\ud800', `${'x'.repeat(39)}𝒳`, 'x'.repeat(100_000)]) {
      const shown = expect.objectContaining({ code: 'RZ_RULE_OPERATOR', message: expect.toSatisfy(isShort) as string })
      expect(() => compileRule({ [name]: 1 })).toThrow(shown as Error)
    }
  })

  test.each([
    ['undefined', undefined],
    ['a function', () => 1],
    ['NaN', { '+': [Number.NaN] }],
    ['an infinity', [Infinity]],
    ['a big integer', { '+': [1n] }],
    ['a symbol', Symbol('x')],
    ['a date', { a: 1, b: new Date(0) }],
    ['a map', new Map()],
    // oxlint-disable-next-line no-sparse-arrays -- that is the case
    ['a list with a hole', [1, , 2]],
    ['an instance of a class', { var: new (class Path {})() }],
  ])('when it holds %s', (_, rule) => {
    expect(codeOf(() => compileRule(rule))).toBe('RZ_RULE_INVALID')
  })
})

test('there are cases for every operator, and at least 200 of them', () => {
  const cases = [...STANDARD, 'beyond'].flatMap((file) => ruleCases(file))
  const text = JSON.stringify(cases)
  expect([...OPERATORS.keys()].filter((name) => !text.includes(`{${JSON.stringify(name)}:`))).toEqual([])
  expect(cases.length).toBeGreaterThanOrEqual(200)
})

test('a rule that was read does not change with the object it was read from', () => {
  const written = { a: [1, 2], b: 3 }
  const rule = compileRule(written)
  written.a.push(3)
  expect(rule.run(null).value).toEqual({ a: [1, 2], b: 3 })
})

test('bytes are values of their own: a literal, compared by their content, without parts', () => {
  const data = { a: Uint8Array.of(1, 2), b: Uint8Array.of(1, 2), c: Uint8Array.of(2) }
  const value = (rule: unknown) => compileRule(rule).run(data).value
  expect(value({ var: 'a' })).toEqual(Uint8Array.of(1, 2))
  expect(value(Uint8Array.of(7))).toEqual(Uint8Array.of(7))
  expect(value({ type: { var: 'a' } })).toBe('bytes')
  expect(value({ length: { var: 'a' } })).toBe(2)
  expect(value({ same: [{ var: 'a' }, { var: 'b' }] })).toBe(true)
  expect(value({ same: [{ var: 'a' }, { var: 'c' }] })).toBe(false)
  expect(value({ '==': [{ var: 'a' }, { var: 'b' }] })).toBe(false)
  expect(value({ var: ['a.0', 'none'] })).toBe('none')
  expect(value({ cat: [{ var: 'a' }] })).toBe('[object Object]')
  expect(
    value({ distinct: [[{ var: 'a' }, { var: 'b' }, { var: 'c' }, [{ var: 'a' }], [{ var: 'b' }]]] }),
  ).toHaveLength(3)
  expect(value({ sort: [[{ var: 'c' }, { var: 'a' }]] })).toEqual([Uint8Array.of(1, 2), Uint8Array.of(2)])
})

function isShort(message: string): boolean {
  return message.isWellFormed() && message.length < 200
}
