/**
 * From the JSON of a rule to an expression that is ready to run: closures over closures, made once.
 *
 * An object with exactly one key is the application of an operator; its value is the list of arguments, or the only one.
 * A list is the list of its elements, evaluated. All else is a literal, objects with other numbers of keys included:
 * they are copied, so that nobody changes a rule that was read. Refuses what is no JSON or bytes, unknown operators,
 * and what is nested too deeply or too large. Generates no code.
 */

import type { Value } from '../../delta/delta.ts'
import { compareUtf8 } from '../../delta/order.ts'
import { isList } from '../../delta/value.ts'
import { RhizomeError } from '../../errors.ts'
import { OPERATORS } from './operators.ts'
import type { Expression } from './run.ts'
import { PRICES, type RuleLimits } from './semantics.ts'

export interface ParsedRule {
  readonly expression: Expression
  /** The properties that `property` names in it, each once, in the order of their UTF-8 bytes. */
  readonly reads: readonly string[]
}

/** Throws RZ_RULE_INVALID, RZ_RULE_OPERATOR, RZ_RULE_DEPTH or RZ_RULE_TOO_LARGE. */
export function parseRule(rule: unknown, limits: RuleLimits): ParsedRule {
  const parser = new Parser(limits)
  const expression = parser.expression(parser.literal(rule, 0))
  return { expression, reads: [...parser.reads].sort(compareUtf8) }
}

class Parser {
  readonly reads = new Set<string>()
  readonly #limits: RuleLimits
  #items = 0

  constructor(limits: RuleLimits) {
    this.#limits = limits
  }

  /** A copy of what was handed in, checked to be a value within the limits. */
  literal(written: unknown, depth: number): Value {
    this.#count()
    switch (typeof written) {
      case 'string':
      case 'boolean':
        return written
      case 'number':
        if (!Number.isFinite(written)) throw invalid(`${written} is no JSON`)
        return written + 0
      case 'object':
        return written === null ? null : this.#composite(written, depth)
      default:
        throw invalid(`a value of type ${typeof written} is no JSON`)
    }
  }

  #composite(written: object, depth: number): Value {
    if (written instanceof Uint8Array) return written.slice()
    if (depth >= this.#limits.depthMax) {
      throw new RhizomeError('RZ_RULE_DEPTH', `a rule is nested at most ${this.#limits.depthMax} deep: make it flatter`)
    }
    if (Array.isArray(written)) {
      const items: Value[] = []
      // By index: a hole in a list, which JSON cannot have, is refused like any other undefined.
      for (let index = 0; index < written.length; index++) items.push(this.literal(written[index], depth + 1))
      return items
    }
    const prototype: unknown = Object.getPrototypeOf(written)
    if (prototype !== Object.prototype && prototype !== null) throw invalid('only plain objects and lists are JSON')
    const keys = Object.keys(written)
    this.#count(keys.length)
    return Object.fromEntries(
      keys.map((key) => [key, this.literal((written as { readonly [key: string]: unknown })[key], depth + 1)]),
    )
  }

  #count(items = 1): void {
    this.#items += items
    if (this.#items <= this.#limits.ruleItemsMax) return
    throw new RhizomeError('RZ_RULE_TOO_LARGE', `a rule holds at most ${this.#limits.ruleItemsMax} values: shorten it`)
  }

  expression(value: Value): Expression {
    if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return () => value
    if (isList(value)) return listOf(value.map((item) => this.expression(item)))
    const entries = Object.entries(value)
    const [only] = entries
    if (only === undefined || entries.length > 1) return () => value
    return this.#application(...only)
  }

  #application(name: string, value: Value): Expression {
    const operator = OPERATORS.get(name)
    if (operator === undefined) throw unknownOperator(name)
    const written = isList(value) ? value : [value]
    return operator({
      name,
      written,
      arguments: written.map((argument) => this.expression(argument)),
      reads: (property) => this.reads.add(property),
    })
  }
}

/** A new list each time: no two evaluations share one. */
function listOf(elements: readonly Expression[]): Expression {
  if (elements.length === 0) return () => []
  return (scope, run) => {
    run.spend(elements.length * PRICES.element)
    return elements.map((element) => element(scope, run) ?? null)
  }
}

function unknownOperator(name: string): RhizomeError {
  const shown = name.length > 40 ? `${name.slice(0, 40).toWellFormed()}…` : name.toWellFormed()
  return new RhizomeError(
    'RZ_RULE_OPERATOR',
    `there is no operator "${shown}"; the table is in view/README.md, and a literal object needs two keys or none`,
  )
}

function invalid(why: string): RhizomeError {
  return new RhizomeError('RZ_RULE_INVALID', `not a rule: ${why}; view/README.md tells what is one`)
}
