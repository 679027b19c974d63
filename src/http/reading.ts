/** What reads take in their query string, as the SDK takes it: `context` and `asOf`. */

import type { ViewOptions } from '../node/views.ts'

export interface ReadQuery {
  readonly context?: string
  readonly asOf?: string
}

/** An empty `context` is none at all, also on a node that has one of its own. */
export function readingOf({ context, asOf }: ReadQuery): Pick<ViewOptions, 'context' | 'asOf'> {
  return {
    ...(context !== undefined && { context: context === '' ? false : context }),
    ...(asOf !== undefined && { asOf }),
  }
}
