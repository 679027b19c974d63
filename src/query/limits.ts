/**
 * What a query may cost: limits of its text, checked while it is parsed, and of its run, kept by a `Meter`. A query is
 * answered in one go, from one state of the store, while the node waits: so the limits of a run are those of that wait.
 * Throws RZ_QUERY_LIMIT, always before more is taken. design.md 5 and 6.
 */

import { RhizomeError } from '../errors.ts'
import { type Row, sizeOf } from './row.ts'

/** Operators within operators. */
export const QUERY_DEPTH_MAX = 32
/** Values in a query, keys included; rules count too. */
export const QUERY_ITEMS_MAX = 16_384
/** UTF-16 units of its texts and keys. */
export const QUERY_TEXT_UNITS_MAX = 262_144
/** Operators of a query with all views that it names. */
export const OPERATORS_MAX = 4_096
/** Views that name views: a plan is as deep as they are together. */
export const VIEWS_DEPTH_MAX = 8
export const CLOSURE_DEPTH_MAX = 1_000
export const CLOSURE_DEPTH_DEFAULT = 64
export const PAGE_ROWS_MAX = 10_000
export const PAGE_ROWS_DEFAULT = 1_000
/** A page ends after the row that reaches this size. */
export const PAGE_BYTES_MAX = 4_194_304
/** A cursor holds what the last row is ordered by. */
export const CURSOR_UNITS_MAX = 65_536
/** Keys that a join looks up before it reads the whole other side: some 50 ms of look-ups. */
export const LOOKUPS_MAX = 1_000

/** Limits of one run. Raising them costs memory and the time in which the node does nothing else. */
export interface RunLimits {
  /** Rows passed from one operator to the next, `READ_STEPS` and a step per delta for every entity read, gas / 10. */
  readonly stepsMax: number
  /** Rows remembered for a join, a group, an order, a set or the answer. */
  readonly rowsHeldMax: number
  /** Their size as `sizeOf` has it. */
  readonly bytesHeldMax: number
}

/** Some 100,000 entities of three properties: two to four seconds on a small machine (20 to 40 µs for each). */
export const DEFAULT_LIMITS: RunLimits = { stepsMax: 3_000_000, rowsHeldMax: 500_000, bytesHeldMax: 134_217_728 }

/** Reading an entity takes as long as this many steps. */
export const READ_STEPS = 16
/** Gas of a rule that takes as long as a step. */
const STEP_GAS = 10

/** Counts what one run has used. Nothing is given back: the sums bound the peak. */
export class Meter {
  readonly #limits: RunLimits
  #steps = 0
  #rows = 0
  #bytes = 0

  constructor(limits: RunLimits = DEFAULT_LIMITS) {
    this.#limits = limits
  }

  step(count = 1): void {
    this.#steps += count
    if (this.#steps > this.#limits.stepsMax) throw past('takes', this.#limits.stepsMax, 'steps')
  }

  spendGas(gas: number): void {
    this.step(Math.ceil(gas / STEP_GAS))
  }

  /** To be called before a row is remembered. */
  hold(row: Row): void {
    this.holdBytes(sizeOf(row))
  }

  /** As `hold`, for something of a row's role whose size is known. */
  holdBytes(bytes: number): void {
    this.#rows++
    this.#bytes += bytes
    if (this.#rows > this.#limits.rowsHeldMax) throw past('holds', this.#limits.rowsHeldMax, 'rows')
    if (this.#bytes > this.#limits.bytesHeldMax) throw past('holds', this.#limits.bytesHeldMax, 'bytes')
  }
}

export function past(verb: string, max: number, unit: string): RhizomeError {
  const message = `the query ${verb} more than ${max} ${unit}: select sooner, by the record's id or a property that the collection's schema names in "indexes", or project to fewer columns`
  return new RhizomeError('RZ_QUERY_LIMIT', message)
}
