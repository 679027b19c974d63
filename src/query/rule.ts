/**
 * Rules over rows: JSON-Logic whose `var` reads columns. Compiled once per query, run once per row, its gas counted as
 * steps. A `var` that names a column which cannot be there is refused before anything is read.
 * Throws RZ_QUERY_COLUMN, RZ_QUERY_INVALID, and what `compileRule` and its runs throw (RZ_RULE_…).
 */

import type { Value } from '../delta/delta.ts'
import type { Json } from '../delta/json.ts'
import { truthy } from '../view/rules/coerce.ts'
import { compileRule } from '../view/rules/rule.ts'
import type { Rule } from './algebra.ts'
import { checkPath, type Plan, type Running } from './plan.ts'
import type { Row } from './row.ts'
import { invalid, isJsonObject, type JsonObject } from './shape.ts'

export type RowRule = (row: Row, run: Running) => Value

/** Operators whose second argument is about the elements of the first. */
const OVER_LISTS = new Set(['map', 'filter', 'reduce', 'all', 'none', 'some', 'sort', 'distinct', 'group'])

/** A rule over the rows of `input`. */
export function rowRule(json: Rule, input: Plan, where: string): RowRule {
  const rule = compileRule(json)
  if (rule.reads.length > 0) throw invalid(where, '"property" is for resolvers: read a column with "var"')
  for (const path of pathsIn(json)) checkPath(input, path, where)
  return (row, { meter }) => {
    const { value, gasUsed } = rule.run(row)
    meter.spendGas(gasUsed)
    return value
  }
}

export function rowFilter(json: Rule, input: Plan, where: string): (row: Row, run: Running) => boolean {
  const rule = rowRule(json, input, where)
  return (row, run) => truthy(rule(row, run))
}

/** The path of a rule that is one `var` and nothing else. */
export function pathOf(rule: Rule): string | undefined {
  if (!isJsonObject(rule) || Object.keys(rule).length !== 1 || !Object.hasOwn(rule, 'var')) return undefined
  const [path, ...rest] = argumentsOf(rule['var'])
  return typeof path === 'string' && path !== '' && rest.length === 0 ? path : undefined
}

/**
 * Values at `path` of which the row must have one for the rule to be true; undefined when the rule does not say. `==` says
 * it only of what is always a text: a list of one text equals that text too.
 */
export function wantedValues(rule: Rule, path: string, isText: boolean): readonly string[] | undefined {
  if (!isJsonObject(rule) || Object.keys(rule).length !== 1) return undefined
  const [operator, given] = entryOf(rule)
  const [a, b, ...rest] = argumentsOf(given)
  if (operator === 'and') {
    for (const part of argumentsOf(given)) {
      const wanted = wantedValues(part, path, isText)
      if (wanted !== undefined) return wanted
    }
    return undefined
  }
  if (a === undefined || b === undefined || rest.length > 0) return undefined
  if (operator === '===' || (operator === '==' && isText)) {
    const [value, other] = pathOf(a) === path ? [b, a] : [a, b]
    return pathOf(other) === path && typeof value === 'string' ? [value] : undefined
  }
  if (operator !== 'in' || pathOf(a) !== path || !Array.isArray(b)) return undefined
  const values: readonly Json[] = b
  return values.every((value) => typeof value === 'string') ? [...new Set(values)] : undefined
}

function* pathsIn(rule: Json): Iterable<string> {
  if (Array.isArray(rule)) {
    for (const part of rule as readonly Json[]) yield* pathsIn(part)
    return
  }
  if (!isJsonObject(rule) || Object.keys(rule).length !== 1) return
  const [operator, given] = entryOf(rule)
  const [first, ...rest] = argumentsOf(given)
  if (operator === 'var' && typeof first === 'string' && first !== '') yield first
  yield* pathsIn(first ?? null)
  if (!OVER_LISTS.has(operator)) yield* pathsIn(rest)
}

/** Of an object with one key. */
export function entryOf(rule: JsonObject): readonly [string, Json] {
  return Object.entries(rule)[0] ?? ['', null]
}

export function argumentsOf(given: Json | undefined): readonly Json[] {
  if (given === undefined) return []
  return Array.isArray(given) ? (given as readonly Json[]) : [given]
}
