/** What tests of bytes and codes say often. */

import { RhizomeError } from '../../src/errors.ts'

/** The code of the RhizomeError that `work` throws; 'nothing' when it throws none; any other error passes through. */
export function codeOf(work: () => unknown): string {
  try {
    work()
  } catch (error) {
    if (error instanceof RhizomeError) return error.code
    throw error
  }
  return 'nothing'
}

export function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
