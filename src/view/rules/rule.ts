/**
 * A rule: JSON-Logic of a stranger's making, read once and then run over data within a budget of gas.
 *
 * The same rule and data give the same value for the same gas on every machine: nothing here reads a clock, a locale,
 * a prototype or what ran before, and no code is generated. design.md 5; choices.md, JSON-Logic.
 */

import type { Value } from '../../delta/delta.ts'
import { parseRule } from './parse.ts'
import { settle } from './result.ts'
import { type PropertyReader, Run } from './run.ts'
import { DEFAULT_LIMITS, type RuleLimits, SEMANTICS_VERSION } from './semantics.ts'

export interface RuleResult {
  readonly value: Value
  readonly gasUsed: number
}

export interface RunOptions {
  /** Reads the other properties of the entity. Default: it has none. */
  readonly property?: PropertyReader
  /** Units of gas for this run. Default: the rule's limit. */
  readonly gasMax?: number
  /** Told what the run has used of it, however it ends. */
  readonly spent?: (gas: number) => void
}

export interface Rule {
  readonly semantics: typeof SEMANTICS_VERSION
  /** The properties that it reads with `property`, in the order of their UTF-8 bytes. */
  readonly reads: readonly string[]
  /** The value for `data`. Throws RZ_RULE_GAS, RZ_RULE_DEPTH or RZ_RULE_TOO_LARGE. */
  run(data: Value, options?: RunOptions): RuleResult
}

/** Throws RZ_RULE_INVALID, RZ_RULE_OPERATOR, RZ_RULE_DEPTH or RZ_RULE_TOO_LARGE. Linear in the rule. */
export function compileRule(json: unknown, limits: Partial<RuleLimits> = {}): Rule {
  const bounds = { ...DEFAULT_LIMITS, ...limits }
  const { expression, reads } = parseRule(json, bounds)
  return {
    semantics: SEMANTICS_VERSION,
    reads,
    run: (data, { property = noProperty, gasMax = bounds.gasMax, spent } = {}) => {
      const run = new Run(bounds, gasMax, property)
      try {
        const value = settle(expression(data, run), run)
        return { value, gasUsed: run.gasUsed }
      } finally {
        spent?.(Math.min(run.gasUsed, gasMax))
      }
    },
  }
}

function noProperty(): undefined {
  return undefined
}
