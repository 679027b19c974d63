/**
 * What every node must agree on to get the same answer from the same rule: the version of the semantics, its prices and
 * its limits. Whoever changes a price, a limit or an operator makes a new version; the old one keeps its numbers.
 * design.md 5; stack-notes.md, Untrusted input.
 */

/** Named by every stored rule. Covers the operators, coercions, prices and default limits of this folder. */
export const SEMANTICS_VERSION = 1

/**
 * Gas of semantics version 1. One unit is ten to three hundred nanoseconds of work, so a budget of 100,000 ends within 30 ms;
 * what counts is only that the sum is the same everywhere. It is a sum over the rule and its data, never a measurement.
 */
export const PRICES = {
  /** Each evaluation of an operator. Literals are free. */
  step: 1,
  /** Each element that a list operator visits or puts into a list, each comparison of a sort, each part of a path. */
  element: 1,
  /** Each entry of an object whose keys are listed: to be counted, or sorted for a comparison. */
  entry: 8,
  /** UTF-16 units of text that one unit of gas makes or reads: concatenation, conversion to a number, comparison. */
  textUnits: 32,
  /** Of a search for one text in another: the product of their lengths that one unit of gas covers. */
  searchProduct: 64,
  /** Values in the result that one unit of gas hands out. */
  resultItems: 8,
} as const

/**
 * Nesting of a value whose text, order or content is asked for, and of a result: more than a delta's value may have, as
 * rules put such values into lists and groups, and less than an encoding may have.
 */
export const RULE_VALUE_DEPTH_MAX = 48

export interface RuleLimits {
  /** Units of gas for one run. */
  readonly gasMax: number
  /** Nesting of a rule. */
  readonly depthMax: number
  /** Values in a rule, keys included. */
  readonly ruleItemsMax: number
  /** UTF-16 units of a text that a rule makes. */
  readonly textUnitsMax: number
  /** Elements of a list that a rule makes. */
  readonly elementsMax: number
  /** Of a result: UTF-16 units of its texts and keys, bytes of its bytes, and 8 for every value. */
  readonly resultSizeMax: number
}

export const DEFAULT_LIMITS: RuleLimits = {
  gasMax: 100_000,
  depthMax: 64,
  ruleItemsMax: 16_384,
  textUnitsMax: 262_144,
  elementsMax: 1_048_576,
  resultSizeMax: 16_777_216,
}
