/** What a function is made of, as applications write it, with the defaults together. */

import type { Delta, DeltaId, Pointer, Value } from '../../delta/delta.ts'
import type { PropertyInput } from '../../delta/record.ts'
import { RhizomeError } from '../../errors.ts'
import type { Position } from '../../store/store.ts'
import { compileFilter } from '../../view/contexts/filter.ts'
import type { Fault } from '../../view/fault.ts'
import type { OwnDelta } from '../transaction.ts'

/**
 * Adds a delta to what is committed once the handler is done: all of it in one block, together with the function's cursor.
 * What it answers stands for the delta within this emission. Throws RZ_TRANSACTION_OVER after the handler has returned.
 */
export interface Emit {
  (pointers: readonly Pointer[]): OwnDelta
  /** A delta per property of record `id`. Throws RZ_RECORD_INVALID. */
  put(collection: string, id: string, properties: Readonly<Record<string, PropertyInput>>): readonly OwnDelta[]
  /** A negation of a delta of the log, or of an earlier one of this emission. */
  negate(delta: DeltaId | OwnDelta): OwnDelta
}

/** Beside the delta. */
export interface Occasion {
  /** Of the block in which this node learnt of it. */
  readonly position: Position
  /** Of what is emitted now: how long the chain of causes is by then. */
  readonly depth: number
  /** 1, and more for a delta on which the handler has thrown. */
  readonly attempt: number
  /** Ends when the function does: what the handler does after that counts for nothing. */
  readonly signal: AbortSignal
}

export type Handler = (delta: Delta, emit: Emit, occasion: Occasion) => void | Promise<void>

/** What became of a delta that the function was handed. */
export interface StandingChange {
  /**
   * `hidden`: a negation now stands against it. `restored`: none does any more. `voided`: it lies behind a fork, for good;
   * one that was void before its turn came is told as well, though it was never handed out.
   */
  readonly kind: 'hidden' | 'restored' | 'voided'
  readonly delta: Delta
  /** What this function has emitted because of the delta, negations apart, and still stands: to be taken back, as a rule. */
  readonly emitted: readonly DeltaId[]
}

export type StandingHandler = (change: StandingChange, emit: Emit, occasion: Occasion) => void | Promise<void>

export interface FunctionOptions {
  /** Under which the cursor is kept: the same after a restart. `[a-z0-9][a-z0-9._-]{0,63}`, one at a time in a namespace. */
  readonly name: string
  /**
   * Which deltas it is handed: a rule over the delta as in a context's filter, or a function that answers the same whenever
   * it is asked. Default: all. A delta on which it fails is not handed out, and is listed among the failures.
   */
  readonly filter?: Value | ((delta: Delta) => boolean)
  /** Where it begins the first time. Default `start`: with the first delta held. */
  readonly from?: 'start' | 'now'
  /** Told what became of deltas that were handed out, by the function's own doing too. Default: nobody is. */
  readonly onStanding?: StandingHandler
  /** Hands out what the function has emitted itself, under this identity, too: the depth limit ends it. Default false. */
  readonly own?: boolean
  /** Name of the identity that asserts what is emitted. Default: the node's own. */
  readonly as?: string
  /** Longest chain of causes: what would be emitted past it is refused with RZ_FUNCTION_DEPTH. 1 to 1,000. Default 16. */
  readonly depthMax?: number
  /** How often a delta is handed out on which the handler throws. 1 to Infinity. Default 8, over some 13 seconds. */
  readonly attemptsMax?: number
  /** Wait before the second attempt; it doubles for each further one, up to 30 s. 1 to 30,000. Default 100. */
  readonly retryMs?: number
  /**
   * After the last attempt: `skip` lists the delta among the failures and goes on, `stop` ends the function, which begins
   * with the same delta when it is started again. Default `skip`: one delta of a peer cannot stop what is to come.
   */
  readonly onFailure?: 'skip' | 'stop'
  /** Ends the function. */
  readonly signal?: AbortSignal
}

/** Options with the defaults in their place. */
export interface Settings {
  readonly name: string
  readonly sees: (delta: Delta) => boolean | Fault
  readonly from: 'start' | 'now'
  readonly own: boolean
  readonly as: string | undefined
  readonly depthMax: number
  readonly attemptsMax: number
  readonly retryMs: number
  readonly onFailure: 'skip' | 'stop'
}

const NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/
const DEPTH_DEFAULT = 16
const DEPTH_MAX = 1_000
const ATTEMPTS_DEFAULT = 8
const RETRY_MS_DEFAULT = 100
export const RETRY_MS_MAX = 30_000

/** Throws RZ_FUNCTION_INVALID, or what `refuse` makes of it, and RZ_RULE_… for a filter that cannot be read. */
export function settingsOf(
  options: FunctionOptions,
  refuse: (why: string) => RhizomeError = (why) => new RhizomeError('RZ_FUNCTION_INVALID', `not a function: ${why}`),
): Settings {
  const { name, filter, from = 'start', own = false, as, onFailure = 'skip' } = options
  const { depthMax = DEPTH_DEFAULT, attemptsMax = ATTEMPTS_DEFAULT, retryMs = RETRY_MS_DEFAULT } = options
  if (typeof name !== 'string') throw refuse('it needs a "name", under which its cursor is kept')
  if (!NAME.test(name)) {
    throw refuse(`"${name}" is no name for one: it is made of a-z, 0-9, ".", "_" and "-", 64 at most`)
  }
  if (from !== 'start' && from !== 'now') throw refuse('"from" is "start" or "now"')
  if (onFailure !== 'skip' && onFailure !== 'stop') throw refuse('"onFailure" is "skip" or "stop"')
  const counts = {
    depthMax: [depthMax, DEPTH_MAX],
    attemptsMax: [attemptsMax, Infinity],
    retryMs: [retryMs, RETRY_MS_MAX],
  } as const
  for (const [option, [count, max]] of Object.entries(counts)) {
    if (!isCount(count, max)) throw refuse(`"${option}" is a whole number from 1 to ${max}`)
  }
  return { name, sees: seesBy(filter), from, own, as, depthMax, attemptsMax, retryMs, onFailure }
}

function seesBy(filter: FunctionOptions['filter']): Settings['sees'] {
  if (filter === undefined) return () => true
  if (typeof filter !== 'function') {
    const compiled = compileFilter(filter)
    return (delta) => compiled.sees(delta)
  }
  return (delta) => {
    try {
      return filter(delta)
    } catch (error) {
      return faultOf(error)
    }
  }
}

/** What was thrown, as it is told: with its own code if it has one of ours. */
export function faultOf(error: unknown): Fault {
  if (error instanceof RhizomeError) return { code: error.code, message: error.message }
  return { code: 'RZ_FUNCTION_FAILED', message: error instanceof Error ? error.message : String(error) }
}

function isCount(count: number, max: number): boolean {
  return (Number.isInteger(count) || count === max) && count >= 1 && count <= max
}
