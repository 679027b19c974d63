/** How long to wait after so many failures in a row. Pure: the random number is given. */

export interface BackoffOptions {
  readonly baseMs: number
  readonly capMs: number
  /** From 0 up to but not including 1. */
  readonly random: () => number
}

/** The base doubled with each failure up to the cap, then spread over half to the whole of it, so that crowds disperse. */
export function backoffMs(failureCount: number, { baseMs, capMs, random }: BackoffOptions): number {
  if (failureCount <= 0) return 0
  const fullMs = Math.min(capMs, baseMs * 2 ** Math.min(failureCount - 1, 30))
  return fullMs * (0.5 + random() / 2)
}
