/** What calculates, on numbers of 64 bits (IEEE 754): `+ - * / %`, `max`, `min`. No result is −0. */

import { toFloat, toNumber } from '../coerce.ts'
import { eager, eagerAll, type Operators, present } from '../operator.ts'
import type { Computed, Run } from '../run.ts'

export const ARITHMETIC: Operators = {
  '+': eagerAll((run, values) => fold(values, 0, (sum, value) => sum + toFloat(value, run))),
  '*': eagerAll(multiply),
  '-': eager((run, a, b) => (b === undefined ? 0 - toNumber(a, run) : toNumber(a, run) - toNumber(b, run)) + 0),
  '/': eager((run, a, b) => toNumber(a, run) / toNumber(b, run) + 0),
  '%': eager((run, a, b) => (toNumber(a, run) % toNumber(b, run)) + 0),
  max: eagerAll((run, values) => fold(values, -Infinity, (most, value) => Math.max(most, toNumber(value, run)))),
  min: eagerAll((run, values) => fold(values, Infinity, (least, value) => Math.min(least, toNumber(value, run)))),
}

function fold(values: readonly Computed[], initial: number, step: (sum: number, value: Computed) => number): number {
  let result = initial
  for (const value of values) result = step(result, value)
  return result
}

/** A single factor is handed back as it is, as json-logic-js does. */
function multiply(run: Run, values: readonly Computed[]): Computed {
  if (values.length === 1) return present(values[0])
  return fold(values, 1, (product, value) => product * toFloat(value, run)) + 0
}
