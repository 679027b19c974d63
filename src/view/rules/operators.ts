/** The table of operators of semantics version 1: what is not in it is refused when a rule is read. */

import type { Operator } from './operator.ts'
import { ACCESS } from './operators/access.ts'
import { ARITHMETIC } from './operators/arithmetic.ts'
import { BEYOND } from './operators/beyond.ts'
import { COMPARISON } from './operators/comparison.ts'
import { LIST } from './operators/list.ts'
import { LOGIC } from './operators/logic.ts'
import { TEXT } from './operators/text.ts'

/** A map, so that no name of an object's prototype is an operator. */
export const OPERATORS: ReadonlyMap<string, Operator> = new Map(
  [ACCESS, LOGIC, COMPARISON, ARITHMETIC, LIST, TEXT, BEYOND].flatMap((family) => Object.entries(family)),
)
