/** What rules cost, that it is the same everywhere and every time, and that every limit ends a rule with its code. */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Value } from '../../../src/delta/delta.ts'
import { compileRule } from '../../../src/view/rules/rule.ts'
import { DEFAULT_LIMITS, PRICES, RULE_VALUE_DEPTH_MAX, SEMANTICS_VERSION } from '../../../src/view/rules/semantics.ts'
import { codeOf } from '../../support/expect.ts'
import { ruleCases } from '../../support/rule-cases.ts'
import { rulesWithData } from '../../support/rules.ts'

describe('the price of a rule', () => {
  test.each(ruleCases('gas').map(({ parts: [rule, data, gas] }) => ({ rule, data: data as Value, gas })))(
    '$rule of $data costs $gas',
    ({ rule, data, gas }) => {
      expect(compileRule(rule).run(data).gasUsed).toBe(gas)
    },
  )

  test('belongs to the version of the semantics: whoever changes a number here makes a new version', () => {
    expect(SEMANTICS_VERSION).toBe(1)
    expect(RULE_VALUE_DEPTH_MAX).toBe(48)
    expect(PRICES).toEqual({ step: 1, element: 1, entry: 8, textUnits: 32, searchProduct: 64, resultItems: 8 })
    expect(DEFAULT_LIMITS).toEqual({
      gasMax: 100_000,
      depthMax: 64,
      ruleItemsMax: 16_384,
      textUnitsMax: 262_144,
      elementsMax: 1_048_576,
      resultSizeMax: 16_777_216,
    })
  })

  test('is the same at every run, whatever ran before, compiled anew or not, data shared or copied', () => {
    fc.assert(
      fc.property(rulesWithData, ([rule, data]) => {
        const compiled = compileRule(rule)
        const gas = gasOf(() => compiled.run(data).gasUsed)
        expect(gasOf(() => compiled.run(data).gasUsed)).toBe(gas)
        expect(gasOf(() => compileRule(structuredClone(rule)).run(structuredClone(data)).gasUsed)).toBe(gas)
      }),
    )
  })

  test('decides where a rule ends: with exactly its price it runs, with one less it does not', () => {
    fc.assert(
      fc.property(rulesWithData, ([rule, data]) => {
        const compiled = compileRule(rule)
        const gas = gasOf(() => compiled.run(data).gasUsed)
        if (typeof gas === 'string') return
        expect(compiled.run(data, { gasMax: gas }).gasUsed).toBe(gas)
        expect(codeOf(() => compiled.run(data, { gasMax: gas - 1 }))).toBe('RZ_RULE_GAS')
      }),
    )
  })

  test('of a sort grows with n log n, of a search with the product of the lengths', () => {
    const sorted = (count: number) =>
      compileRule({ length: { sort: { var: '' } } }).run(
        Array.from({ length: count }, (_, index) => (index * 7_919) % count),
      ).gasUsed
    expect(sorted(4_096) / sorted(1_024)).toBeLessThan(5)
    const searched = (units: number) =>
      compileRule({ in: [{ var: 'a' }, { var: 'b' }] }).run({ a: 'x'.repeat(units), b: 'y'.repeat(units) }).gasUsed
    expect(searched(1_600) / searched(400)).toBeGreaterThan(12)
  })
})

describe('a limit that is reached', () => {
  const cases: readonly (readonly [string, unknown, Value, string])[] = [
    ['gas', { all: [{ var: '' }, 1] }, Array.from({ length: 500 }, () => 0), 'RZ_RULE_GAS'],
    ['the nesting of the rule', { '!': [{ '!': [{ '!': [{ '!': [1] }] }] }] }, null, 'RZ_RULE_DEPTH'],
    ['the values in the rule', Array.from({ length: 100 }, () => 1), null, 'RZ_RULE_TOO_LARGE'],
    ['a text', { cat: [{ var: '' }, 'x'] }, 'x'.repeat(100), 'RZ_RULE_TOO_LARGE'],
    ['a list', { merge: { var: '' } }, Array.from({ length: 60 }, () => 1), 'RZ_RULE_TOO_LARGE'],
    ['the result', { var: '' }, 'x'.repeat(600), 'RZ_RULE_TOO_LARGE'],
    ['the nesting of a value', { reduce: [[...'x'.repeat(60)], [{ var: 'accumulator' }], 1] }, null, 'RZ_RULE_DEPTH'],
  ]
  const limits = { gasMax: 400, depthMax: 6, ruleItemsMax: 80, textUnitsMax: 100, elementsMax: 50, resultSizeMax: 500 }

  test.each(cases)('ends the rule: %s', (_, rule, data, code) => {
    expect(codeOf(() => compileRule(rule, limits).run(data))).toBe(code)
  })

  test('says what to do', () => {
    expect(() => compileRule({ map: [{ var: '' }, 1] }, { gasMax: 3 }).run([1, 2, 3])).toThrow(
      'the rule needs more than 3 gas: make it simpler, or let it look at less',
    )
  })
})

/** The gas of a run, or the code with which it ends. */
function gasOf(run: () => number): number | string {
  let gas: number | string = 'none'
  const code = codeOf(() => (gas = run()))
  return code === 'nothing' ? gas : code
}
