/** The public SDK, and the only barrel. design.md 6. */
export { ERROR_CODES, RhizomeError } from './errors.ts'
export type { ErrorCode } from './errors.ts'
