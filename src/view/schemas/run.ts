/** One validation under way: its gas, how deep it is, and the reasons found so far. */

import { RhizomeError } from '../../errors.ts'
import { APPLIED_DEPTH_MAX, FAULTS_MAX, GAS_TEXT_UNITS } from './limits.ts'

/** Where in the record: the way from its root. Undefined is the root itself. */
export type Path = { readonly outer: Path; readonly key: string | number } | undefined

/** Why a record breaks its schema. */
export interface SchemaFault {
  /** JSON pointer into the record: `/address/city`; empty for the record as a whole. */
  readonly path: string
  /** The keyword of JSON Schema that it breaks. */
  readonly keyword: string
  /** RZ_SCHEMA_VIOLATION; RZ_SCHEMA_PROPERTY for a property that is not allowed; RZ_SCHEMA_GAS when it was not decided. */
  readonly code: 'RZ_SCHEMA_VIOLATION' | 'RZ_SCHEMA_PROPERTY' | 'RZ_SCHEMA_GAS'
  /** What is wrong, said of the value at `path`. */
  readonly message: string
}

export class Run {
  readonly faults: SchemaFault[] = []
  #gas: number
  #depth = 0
  #quiet = 0

  constructor(gas: number) {
    this.#gas = gas
  }

  /** Throws RZ_SCHEMA_GAS. */
  spend(units: number): void {
    this.#gas -= units
    if (this.#gas < 0) {
      throw new RhizomeError('RZ_SCHEMA_GAS', 'to hold the record against its schema takes too many steps')
    }
  }

  /** Throws RZ_SCHEMA_GAS. */
  spendText(units: number): void {
    this.spend(1 + Math.floor(units / GAS_TEXT_UNITS))
  }

  /** Throws RZ_SCHEMA_GAS where schemas lead back to themselves without end. */
  enter(): void {
    this.spend(1)
    if (++this.#depth <= APPLIED_DEPTH_MAX) return
    const message = `the schema leads back to itself: more than ${APPLIED_DEPTH_MAX} schemas apply within one another`
    throw new RhizomeError('RZ_SCHEMA_GAS', message)
  }

  leave(): void {
    this.#depth--
  }

  /** Whether one more reason changes nothing: the first decides, or there are enough. */
  get isDecided(): boolean {
    return this.#quiet > 0 || this.faults.length >= FAULTS_MAX
  }

  /** Tries something whose reasons are of no interest. */
  quietly<Result>(attempt: () => Result): Result {
    this.#quiet++
    const result = attempt()
    this.#quiet--
    return result
  }

  /** Notes a reason, and is false: what a check that fails returns. */
  fail(path: Path, keyword: string, message: string, code: SchemaFault['code'] = 'RZ_SCHEMA_VIOLATION'): false {
    if (!this.isDecided) this.faults.push({ path: pointerOf(path), keyword, code, message })
    return false
  }
}

function pointerOf(path: Path): string {
  const keys: string[] = []
  for (let at = path; at !== undefined; at = at.outer) {
    keys.push(String(at.key).replaceAll('~', '~0').replaceAll('/', '~1'))
  }
  return keys.reduceRight((pointer, key) => `${pointer}/${key}`, '')
}
