/**
 * What a rule says about one column: stretches of values outside of which it is false for certain. They may hold more than
 * passes, since every row is asked the rule itself. Sources: the operators in view/rules/operators/comparison.ts.
 */

import type { Json } from '../delta/json.ts'
import { RhizomeError } from '../errors.ts'
import { truthy } from '../view/rules/coerce.ts'
import { compileRule } from '../view/rules/rule.ts'
import type { Rule } from './algebra.ts'
import {
  ALL_KEYS,
  type Comparable,
  intersection,
  type KeyRange,
  rangeBeside,
  rangeOf,
  rangesOfOthers,
} from './index-key.ts'
import { argumentsOf, entryOf, pathOf } from './rule.ts'
import { isJsonObject } from './shape.ts'

interface Bounds {
  readonly ranges: readonly KeyRange[]
  /** Whether null passes, which is in no index. */
  readonly passesNull: boolean
}

const ANYTHING: Bounds = { ranges: [ALL_KEYS], passesNull: true }
const COMPARISONS = new Set(['<', '<=', '>', '>='])

/** Of the value at `path` where the rule is true; undefined when it may be null or anything. */
export function boundsOf(rule: Rule, path: string): readonly KeyRange[] | undefined {
  const { ranges, passesNull } = bounds(rule, path)
  return passesNull ? undefined : ranges
}

function bounds(rule: Rule, path: string): Bounds {
  if (!isJsonObject(rule) || Object.keys(rule).length !== 1) return ANYTHING
  const [operator, given] = entryOf(rule)
  const parts = argumentsOf(given)
  if (operator === 'and' && parts.length > 0) return parts.map((part) => bounds(part, path)).reduce(both)
  if (operator === 'or' && parts.length > 0) return parts.map((part) => bounds(part, path)).reduce(either)
  const ranges = compared(operator, parts, path)
  return ranges === undefined ? ANYTHING : { ranges, passesNull: isTrueOfNull(rule) }
}

function both(a: Bounds, b: Bounds): Bounds {
  return { ranges: intersection(a.ranges, b.ranges), passesNull: a.passesNull && b.passesNull }
}

function either(a: Bounds, b: Bounds): Bounds {
  return { ranges: [...a.ranges, ...b.ranges], passesNull: a.passesNull || b.passesNull }
}

/** Of a comparison of the column with constants, and of nothing else. */
function compared(operator: string, parts: readonly Json[], path: string): readonly KeyRange[] | undefined {
  const [a, b, c] = parts
  if (a === undefined || b === undefined) return undefined
  if (operator === 'in') return pathOf(a) === path && parts.length === 2 ? among(b) : undefined
  if (COMPARISONS.has(operator) && parts.length === 3 && c !== undefined && operator.startsWith('<')) {
    return pathOf(b) === path && isComparable(a) && isComparable(c)
      ? intersection(towards(a, 'more'), towards(c, 'less'))
      : undefined
  }
  if (parts.length !== 2) return undefined
  const constant = pathOf(a) === path ? b : pathOf(b) === path ? a : undefined
  if (constant === undefined || !isComparable(constant)) return undefined
  const exactly = rangeOf(constant)
  if (operator === '===') return exactly && [exactly]
  // What coerces may find values of other types equal, or less.
  if (operator === '==') return exactly && [exactly, ...rangesOfOthers(constant)]
  if (!COMPARISONS.has(operator)) return undefined
  const isLess = operator.startsWith('<') === (pathOf(a) === path)
  return towards(constant, isLess ? 'less' : 'more')
}

function towards(constant: Comparable, side: 'less' | 'more'): readonly KeyRange[] {
  return [rangeBeside(constant, side), ...rangesOfOthers(constant)]
}

function among(list: Json): readonly KeyRange[] | undefined {
  if (!Array.isArray(list)) return undefined
  const ranges = (list as readonly Json[]).map((item) => (isComparable(item) ? rangeOf(item) : undefined))
  return ranges.every((range) => range !== undefined) ? ranges : undefined
}

function isComparable(json: Json): json is Comparable {
  return typeof json === 'string' ? json.isWellFormed() : typeof json === 'number' || typeof json === 'boolean'
}

/** Whether a comparison with constants is true of a row without the column. */
function isTrueOfNull(rule: Rule): boolean {
  try {
    return truthy(compileRule(rule).run({}).value)
  } catch (error) {
    if (error instanceof RhizomeError) return true
    throw error
  }
}
