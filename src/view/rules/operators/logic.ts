/** What decides: `if`, `and`, `or`, `!`, `!!`. The first three evaluate no more than they need. */

import { truthy } from '../coerce.ts'
import { type Application, eager, type Operators, present } from '../operator.ts'
import type { Expression } from '../run.ts'
import { PRICES } from '../semantics.ts'

export const LOGIC: Operators = {
  if: chooseBranch,
  '?:': chooseBranch,
  and: firstThatIs(false),
  or: firstThatIs(true),
  '!': eager((_, value) => !truthy(value)),
  '!!': eager((_, value) => truthy(value)),
}

/** Condition, value, condition, value, …, and at the end perhaps a value for otherwise; without it null. */
function chooseBranch({ arguments: parts }: Application): Expression {
  return (scope, run) => {
    run.spend(PRICES.step)
    let index = 0
    for (; index + 1 < parts.length; index += 2) {
      if (truthy((parts[index] as Expression)(scope, run))) return (parts[index + 1] as Expression)(scope, run)
    }
    return present(parts[index]?.(scope, run))
  }
}

/** The first argument that counts as `truth`, else the last. */
function firstThatIs(truth: boolean) {
  return ({ arguments: parts }: Application): Expression =>
    (scope, run) => {
      run.spend(PRICES.step)
      let value = null as ReturnType<Expression>
      for (const part of parts) {
        value = part(scope, run)
        if (truthy(value) === truth) break
      }
      return value
    }
}
