/** Errors of a disk that is full or fails: they pass, and what met one is tried again. */

import { RhizomeError } from '../errors.ts'

export function isOfDisk(error: unknown): boolean {
  return error instanceof RhizomeError && error.code.startsWith('RZ_STORE_') && error.code !== 'RZ_STORE_CLOSED'
}
