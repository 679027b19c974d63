/**
 * One run of a rule: the gas that it has used, the limits that end it, and the properties that it may read.
 * Throws RZ_RULE_GAS, RZ_RULE_TOO_LARGE and RZ_RULE_DEPTH, always before the work that they are about.
 */

import type { Value } from '../../delta/delta.ts'
import { RhizomeError } from '../../errors.ts'
import { PRICES, RULE_VALUE_DEPTH_MAX, type RuleLimits } from './semantics.ts'

/** A value, or nothing: an argument that the rule does not have. */
export type Computed = Value | undefined

/** A rule, or a part of it, made ready: `scope` is what `var` reads. */
export type Expression = (scope: Value, run: Run) => Computed

/** Reads another property of the entity whose property is resolved; undefined where it has none. */
export type PropertyReader = (name: string) => Computed

export class Run {
  gasUsed = 0
  readonly property: PropertyReader
  readonly #gasMax: number
  readonly #limits: RuleLimits

  constructor(limits: RuleLimits, gasMax: number, property: PropertyReader) {
    this.#limits = limits
    this.#gasMax = gasMax
    this.property = property
  }

  spend(gas: number): void {
    this.gasUsed += gas
    if (this.gasUsed <= this.#gasMax) return
    throw new RhizomeError(
      'RZ_RULE_GAS',
      `the rule needs more than ${this.#gasMax} gas: make it simpler, or let it look at less`,
    )
  }

  /** To be called before text of so many UTF-16 units is made. */
  makeText(units: number): void {
    if (units > this.#limits.textUnitsMax) throw tooLarge('text', this.#limits.textUnitsMax, 'UTF-16 units')
    this.spend(Math.floor(units / PRICES.textUnits))
  }

  /** To be called before so many units of text are compared, converted or searched. */
  readText(units: number): void {
    this.spend(Math.floor(units / PRICES.textUnits))
  }

  /** To be called before a list of so many elements is made. */
  makeList(count: number): void {
    if (count > this.#limits.elementsMax) throw tooLarge('a list', this.#limits.elementsMax, 'elements')
    this.spend(count * PRICES.element)
  }

  /** To be called with the size of the result so far. */
  growResult(size: number): void {
    if (size > this.#limits.resultSizeMax) throw tooLarge('a result', this.#limits.resultSizeMax, 'in size')
  }
}

/** Walks of a value pass this with the levels that are left, so that none is deeper than a value may be. */
export function descend(levels: number): number {
  if (levels > 0) return levels - 1
  throw new RhizomeError(
    'RZ_RULE_DEPTH',
    `the rule makes a value nested deeper than ${RULE_VALUE_DEPTH_MAX}: make it flatter`,
  )
}

function tooLarge(what: string, max: number, unit: string): RhizomeError {
  return new RhizomeError('RZ_RULE_TOO_LARGE', `the rule makes ${what} of more than ${max} ${unit}: let it keep less`)
}
