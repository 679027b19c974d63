/** What every command that reads takes: a context and a moment, for the query string of what it asks. */

import type { Call } from './call.ts'

/** The flag of the moment; the context is a setting, since a node has one as well. */
export const AS_OF = ['--as-of <moment>', 'a frontier, a day, or a time such as 2026-11-20T18:00:00Z'] as const

export function readingQuery({ config, options }: Call): { readonly context?: string; readonly asOf?: string } {
  const { asOf } = options
  return {
    ...(config.context !== undefined && { context: config.context }),
    ...(typeof asOf === 'string' && { asOf }),
  }
}
