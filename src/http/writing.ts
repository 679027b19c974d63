/** What writes take in their query string, and what their answers say of who holds it. */

import type { HeldResult, Until, UntilOptions } from '../node/delivery/until.ts'
import type { WriteOptions } from '../node/records.ts'

export interface WriteQuery {
  readonly as?: string
  /** `local`, `uniform`, `alive` or `copies:<n>`. */
  readonly until?: string
  readonly deadlineMs?: number
}

const COPIES = 'copies:'

export function writingOf({ as, until, deadlineMs }: WriteQuery): WriteOptions {
  return {
    ...(as !== undefined && { as }),
    ...(until !== undefined && { until: untilOf(until) }),
    ...(deadlineMs !== undefined && { deadlineMs }),
  } satisfies UntilOptions & WriteOptions
}

/** Empty where nothing was waited for. */
export function heldOf({ achieved, holders, fault }: HeldResult): HeldResult {
  return {
    ...(achieved !== undefined && { achieved }),
    ...(holders && { holders }),
    ...(fault && { fault }),
  }
}

function untilOf(text: string): Until {
  if (text.startsWith(COPIES)) return { copies: Number(text.slice(COPIES.length)) }
  // Any other word is refused by the node.
  return text as Until
}
