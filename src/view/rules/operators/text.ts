/** What JSON-Logic does with texts: `cat` and `substr`; positions count UTF-16 units. And `log`, which only hands on. */

import { joinTexts, toInteger, toText } from '../coerce.ts'
import { eager, eagerAll, type Operators, present } from '../operator.ts'
import type { Computed, Run } from '../run.ts'

export const TEXT: Operators = {
  cat: eagerAll((run, values) => joinTexts(values, '', run)),
  substr: eager(substr),
  // Rules have no output: the value goes on as it came.
  log: eager((_, value) => present(value)),
}

/** From `start`, counted from the end if negative; so many units, or if negative up to so many before the end. */
function substr(run: Run, source: Computed, start: Computed, count: Computed): string {
  const text = toText(source, run)
  const offset = toInteger(start, run)
  const from = offset < 0 ? Math.max(0, text.length + offset) : Math.min(offset, text.length)
  const wanted = count === undefined ? Infinity : toInteger(count, run)
  const to = Math.min(text.length, wanted < 0 ? text.length + wanted : from + wanted)
  if (to <= from) return ''
  run.makeText(to - from)
  return text.slice(from, to)
}
