/**
 * One line of JSON `{ "rule": …, "data": … }` to one line `{ "result": … }` or `{ "error": { "code", "message" } }`:
 * what `rhizome-node rule` does with each line. Answers every input; data that is absent is null.
 */

import type { Value } from '../../delta/delta.ts'
import { RhizomeError } from '../../errors.ts'
import { compileRule } from './rule.ts'

/** UTF-16 units of a line. */
export const RULE_LINE_UNITS_MAX = 4_194_304

export function runRuleLine(line: string): string {
  try {
    const { rule, data } = parseLine(line)
    return JSON.stringify({ result: compileRule(rule).run(data).value })
  } catch (error) {
    if (!(error instanceof RhizomeError)) throw error
    return JSON.stringify({ error: { code: error.code, message: error.message } })
  }
}

function parseLine(line: string): { readonly rule: unknown; readonly data: Value } {
  if (line.length > RULE_LINE_UNITS_MAX) {
    throw new RhizomeError(
      'RZ_RULE_TOO_LARGE',
      `a line has at most ${RULE_LINE_UNITS_MAX} characters: let the rule or its data be shorter`,
    )
  }
  let json: unknown
  try {
    json = JSON.parse(line)
  } catch (cause) {
    throw notLine('it is no JSON', cause)
  }
  if (typeof json !== 'object' || json === null || !Object.hasOwn(json, 'rule')) throw notLine('it has no "rule"')
  const { rule, data = null } = json as { readonly rule: unknown; readonly data?: Value }
  return { rule, data }
}

function notLine(why: string, cause?: unknown): RhizomeError {
  return new RhizomeError('RZ_RULE_INVALID', `not a line { "rule": …, "data": … }: ${why}`, { cause })
}
