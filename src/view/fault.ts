/** A failure that belongs to one property, delta or definition of a view, and ends nothing else. */

import { type ErrorCode, RhizomeError } from '../errors.ts'

export interface Fault {
  readonly code: ErrorCode
  readonly message: string
}

/** What `work` returns, or the fault that it throws. What is no fault but a bug passes through. */
export function attempt<Result>(work: () => Result): { readonly value: Result } | { readonly fault: Fault } {
  try {
    return { value: work() }
  } catch (error) {
    if (!(error instanceof RhizomeError)) throw error
    return { fault: { code: error.code, message: error.message } }
  }
}
