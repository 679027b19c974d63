/** What compares two values, or three for "between". The coercions are in `coerce.ts`. */

import { compare, looselyEqual, strictlyEqual } from '../coerce.ts'
import { compareValues } from '../order.ts'
import { eager, type Operator, type Operators, present } from '../operator.ts'

export const COMPARISON: Operators = {
  '==': eager((run, a, b) => looselyEqual(a, b, run)),
  '!=': eager((run, a, b) => !looselyEqual(a, b, run)),
  '===': eager((run, a, b) => strictlyEqual(a, b, run)),
  '!==': eager((run, a, b) => !strictlyEqual(a, b, run)),
  '<': between((order) => order < 0),
  '<=': between((order) => order <= 0),
  '>': eager((run, a, b) => compare(a, b, run) > 0),
  '>=': eager((run, a, b) => compare(a, b, run) >= 0),
  same: eager((run, a, b) => compareValues(present(a), present(b), run) === 0),
}

function between(holds: (order: number) => boolean): Operator {
  return eager((run, a, b, c) => holds(compare(a, b, run)) && (c === undefined || holds(compare(b, c, run))))
}
