/** Random rules over random data: equal to json-logic-js where the two mean the same, and always to the naive one. */

import fc from 'fast-check'
import jsonLogic from 'json-logic-js'
import { expect, test } from 'vitest'
import { RhizomeError } from '../../../src/errors.ts'
import { type Rule, compileRule } from '../../../src/view/rules/rule.ts'
import { naiveRule } from '../../naive/rules.ts'
import { plainRulesWithData, rulesWithData } from '../../support/rules.ts'

/** What a random rule may meet that is no matter of meaning; the naive one has no limits. */
const LIMITS = new Set<string>(['RZ_RULE_GAS', 'RZ_RULE_DEPTH', 'RZ_RULE_TOO_LARGE'])

function resultOf(rule: unknown, run: Parameters<Rule['run']>[0]): { readonly value: unknown } | undefined {
  try {
    return compileRule(rule).run(run)
  } catch (error) {
    if (error instanceof RhizomeError && LIMITS.has(error.code)) return undefined
    throw error
  }
}

test('JSON-Logic gives what json-logic-js gives', () => {
  fc.assert(
    fc.property(plainRulesWithData, ([rule, data]) => {
      const ours = resultOf(rule, data)
      if (ours === undefined) return
      expect(ours.value).toEqual((JSON.parse(JSON.stringify([jsonLogic.apply(rule, data)])) as unknown[])[0])
    }),
    { numRuns: 5_000 },
  )
})

test('every rule gives what the naive implementation gives', () => {
  fc.assert(
    fc.property(rulesWithData, ([rule, data]) => {
      const ours = resultOf(rule, data)
      if (ours === undefined) return
      expect(ours.value).toStrictEqual(naiveRule(rule, data))
    }),
    { numRuns: 5_000 },
  )
})

test('a rule changes neither its data nor itself', () => {
  fc.assert(
    fc.property(rulesWithData, ([rule, data]) => {
      const before = JSON.stringify([rule, data])
      resultOf(rule, data)
      expect(JSON.stringify([rule, data])).toBe(before)
    }),
  )
})
