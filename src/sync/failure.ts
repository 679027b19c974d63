/** How a failure is told to observers, and which failures are a peer's offence. */

import { RhizomeError } from '../errors.ts'

export interface Failure {
  /** A code of `errors.ts`, or `unexpected` for a bug. */
  readonly code: string
  readonly why: string
}

export function failureOf(error: unknown): Failure {
  if (error instanceof RhizomeError) return { code: error.code, why: error.message }
  return { code: 'unexpected', why: error instanceof Error ? error.message : String(error) }
}

const OFFENCES = new Set(['RZ_SYNC_FRAME_INVALID', 'RZ_BYTES_INVALID', 'RZ_SIGNATURE_INVALID', 'RZ_FORK_PROOF_INVALID'])

/** True for what is invalid in itself: no honest peer sends it. A block of a later format is none. */
export function isOffence({ code }: Failure): boolean {
  if (code === 'RZ_BLOCK_VERSION') return false
  return OFFENCES.has(code) || code.startsWith('RZ_BLOCK_') || code.startsWith('RZ_DELTA_')
}
