/** A context with one more filter in front of its own: what either says no to is not seen. */

import type { Delta, Value } from '../../delta/delta.ts'
import type { Context } from './context.ts'
import { compileFilter, type DeltaFilter } from './filter.ts'

/** A rule over a delta, as a context holds it, or a function. */
export type DeltaFilterInput = Value | ((delta: Delta) => boolean)

/** Rules of callers that ask again and again, by the objects that they are. */
const compiled = new WeakMap<object, DeltaFilter>()

/** The context itself without a filter. Throws as `compileRule` does; a function's own failure is its caller's. */
export function narrowed(context: Context, input: DeltaFilterInput | undefined): Context {
  if (input === undefined) return context
  const { filter: own } = context
  const added = filterOf(input)
  if (own === undefined) return { ...context, filter: added }
  const filter: DeltaFilter = {
    sees: (delta, meter) => {
      const sees = own.sees(delta, meter)
      return sees === true ? added.sees(delta, meter) : sees
    },
  }
  return { ...context, filter }
}

function filterOf(input: DeltaFilterInput): DeltaFilter {
  if (typeof input === 'function') return { sees: (delta) => input(delta) }
  if (typeof input !== 'object' || input === null) return compileFilter(input)
  const known = compiled.get(input) ?? compileFilter(input)
  compiled.set(input, known)
  return known
}
