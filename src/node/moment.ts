/**
 * Moments as callers name them: a frontier as text, exact and repeatable, or a time, which means what is dated up to then
 * as it is known now. design.md 5, asOf.
 */

import { COUNTER_MAX } from '../delta/clock.ts'
import type { Delta } from '../delta/delta.ts'
import { RhizomeError } from '../errors.ts'
import type { LogKey } from '../log/block.ts'
import { isFrontierText, parseFrontierText } from '../log/frontier-text.ts'
import type { NamespaceId } from '../log/namespace.ts'
import type { Store } from '../store/store.ts'
import { type AsOf, belongsTo } from '../view/as-of.ts'

/**
 * A frontier of `Namespace.frontier()`, or a time: ISO 8601 with its zone (a day alone begins at midnight UTC),
 * milliseconds since 1970 as number or text, or a `Date`.
 */
export type AsOfInput = string | number | Date

export interface Moment {
  /** Equal for equal moments. */
  readonly key: string
  /** A time; else a frontier, which is one namespace's. */
  readonly isTime: boolean
  /** Whether a delta is part of it. */
  readonly admits: (delta: Delta) => boolean
}

/** Throws RZ_AS_OF_INVALID for what names no moment, RZ_AS_OF_AHEAD for a frontier that this node does not hold whole. */
export function momentOf(input: AsOfInput, store: Store, namespace: NamespaceId): Moment {
  if (typeof input === 'string' && isFrontierText(input)) {
    const heads = headsOf(input)
    for (const [log, seq] of heads) checkHeld(store, namespace, log, seq)
    return moment(input, { kind: 'frontier', heads })
  }
  const ms = millisecondsOf(input)
  return moment(String(ms), { kind: 'time', time: { ms, counter: COUNTER_MAX } })
}

function moment(key: string, asOf: AsOf): Moment {
  return { key, isTime: asOf.kind === 'time', admits: belongsTo(asOf) }
}

function headsOf(text: string): ReadonlyMap<LogKey, number> {
  try {
    return parseFrontierText(text)
  } catch (cause) {
    throw invalid('the frontier is damaged: hand it in as it was given out', cause)
  }
}

/** What lies past a cut is void, and held by nobody. */
function checkHeld(store: Store, namespace: NamespaceId, log: LogKey, seq: number): void {
  const state = store.logState(namespace, log)
  const wanted = Math.min(seq, (state?.cut ?? Infinity) - 1)
  if (state !== undefined && (state.seq ?? -1) >= wanted) return
  throw new RhizomeError(
    'RZ_AS_OF_AHEAD',
    'this node does not hold all that the frontier names: wait until it is in sync, or ask the node that gave it out',
  )
}

const DIGITS = /^[0-9]{1,16}$/
const ISO =
  /^([0-9]{4})-([0-9]{2})-([0-9]{2})(T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?(Z|[+-][0-9]{2}:[0-9]{2}))?$/

function millisecondsOf(input: AsOfInput): number {
  const ms = typeof input === 'string' ? parseTime(input) : Number(input)
  if (Number.isSafeInteger(ms) && ms >= 0) return ms
  throw invalid(
    `a moment is a frontier as it was given out, or a time: 2026-11-20T18:00:00Z, or milliseconds since 1970`,
  )
}

function parseTime(text: string): number {
  if (DIGITS.test(text)) return Number(text)
  const [, year, month, day] = ISO.exec(text) ?? []
  // Date.parse takes 31 February for a day of March.
  const isDay = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day))).getUTCDate() === Number(day)
  return isDay ? Date.parse(text) : Number.NaN
}

function invalid(message: string, cause?: unknown): RhizomeError {
  return new RhizomeError('RZ_AS_OF_INVALID', message, { cause })
}
