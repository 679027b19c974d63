/** What an operator is: from the expressions of its arguments it makes the expression of its application. */

import type { Value } from '../../delta/delta.ts'
import { RhizomeError } from '../../errors.ts'
import { isList } from '../../delta/value.ts'
import { PRICES } from './semantics.ts'
import type { Computed, Expression, Run } from './run.ts'

/** Where an operator stands in a rule. */
export interface Application {
  readonly name: string
  readonly arguments: readonly Expression[]
  /** The arguments as they are written. */
  readonly written: readonly Value[]
  /** Notes that the rule reads this property of the entity. */
  readonly reads: (property: string) => void
}

export type Operator = (application: Application) => Expression

export type Operators = Readonly<Record<string, Operator>>

/** The argument that a rule does not have. */
export const NOTHING: Expression = () => undefined

/** An operator of up to three arguments, each evaluated before; further ones are not evaluated. */
export function eager(apply: (run: Run, a: Computed, b: Computed, c: Computed, scope: Value) => Computed): Operator {
  return ({ arguments: [a = NOTHING, b = NOTHING, c] }) => {
    if (c === undefined) {
      return (scope, run) => {
        run.spend(PRICES.step)
        return apply(run, a(scope, run), b(scope, run), undefined, scope)
      }
    }
    return (scope, run) => {
      run.spend(PRICES.step)
      return apply(run, a(scope, run), b(scope, run), c(scope, run), scope)
    }
  }
}

/** An operator of any number of arguments, all evaluated before. */
export function eagerAll(apply: (run: Run, values: readonly Computed[], scope: Value) => Computed): Operator {
  return ({ arguments: expressions }) =>
    (scope, run) => {
      run.spend(PRICES.step)
      const values: Computed[] = []
      for (const expression of expressions) values.push(expression(scope, run))
      return apply(run, values, scope)
    }
}

/**
 * An operator over a list: its first argument says which, its second is evaluated once for each element, which `var`
 * then reads. What is no list is handed on as undefined. Without a second argument, `body` is undefined.
 */
export function overList(
  apply: (run: Run, list: readonly Value[] | undefined, body: Expression | undefined) => Computed,
): Operator {
  return ({ arguments: [from = NOTHING, body] }) =>
    (scope, run) => {
      run.spend(PRICES.step)
      const list = from(scope, run)
      return apply(run, isList(list) ? list : undefined, body)
    }
}

/** Nothing, where a value has to be, is null. */
export function present(value: Computed): Value {
  return value === undefined ? null : value
}

export function misused(name: string, why: string): RhizomeError {
  return new RhizomeError('RZ_RULE_INVALID', `"${name}" ${why}`)
}
