/** A rule over deltas: which of them a context sees. It reads creator, host, time, id, log, seq, index and pointers. */

import type { Delta, Value } from '../../delta/delta.ts'
import { attempt, type Fault } from '../fault.ts'
import type { GasMeter } from '../lossy.ts'
import { truthy } from '../rules/coerce.ts'
import { compileRule } from '../rules/rule.ts'

/** Gas for one delta. */
const FILTER_GAS = 10_000

export interface DeltaFilter {
  /** True when the rule says so; the fault when it fails: then the delta is not seen, and that is to be reported. */
  sees(delta: Delta, meter?: GasMeter): boolean | Fault
}

/** Throws as `compileRule` does. */
export function compileFilter(rule: Value): DeltaFilter {
  const compiled = compileRule(rule, { gasMax: FILTER_GAS })
  return {
    sees: (delta, spent) => {
      const options = spent === undefined ? {} : { spent }
      const attempted = attempt(() => truthy(compiled.run(readableDelta(delta), options).value))
      return 'value' in attempted ? attempted.value : attempted.fault
    },
  }
}

/** A delta as rules read it. */
export function readableDelta({ id, time, creator, host, log, seq, index, pointers }: Delta): Value {
  const when = { ms: time.ms, counter: time.counter }
  return { id, time: when, creator, host, log, seq, index, pointers: pointers.map((pointer) => ({ ...pointer })) }
}
