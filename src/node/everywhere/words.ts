/**
 * What nodes say to each other on `/rhizome/query/1`: the words, and what their contents are made of, as plain values. What
 * comes from another node is read here and in record-words.ts, view-words.ts and writing-words.ts, once; what it says of
 * records is its word, as the answer's `answeredBy` tells. Throws RZ_SYNC_QUESTION_INVALID for contents of another form.
 */

import { decodePointers, encodePointers } from '../../delta/bytes.ts'
import { COUNTER_MAX, type Time } from '../../delta/clock.ts'
import type { Delta, DeltaId, Value } from '../../delta/delta.ts'
import { parseDeltaId, parsePeerId } from '../../delta/identifiers.ts'
import { isList } from '../../delta/value.ts'
import { ERROR_CODES, type ErrorCode, RhizomeError } from '../../errors.ts'
import type { Fault } from '../../view/fault.ts'
import type { AsOfInput } from '../moment.ts'
import type { ViewOptions } from '../views.ts'

export type Word =
  | 'get'
  | 'lossless'
  | 'explain'
  | 'history'
  | 'diff'
  | 'delta'
  | 'proof'
  | 'entities'
  | 'ids'
  | 'collections'
  | 'query'
  | 'rows'
  | 'records'
  | 'changes'
  | 'known'
  | 'prepare'
  | 'standing'
  | 'take'
  | 'hold'

type Fields = { readonly [field: string]: Value }

// --------------------------------------------------------------------------------------------------- reading

/** How a view is to be read, where it can be told to another node: contexts pinned here and functions cannot. */
export function readingValue({ context, asOf, filter }: ViewOptions, isPinned: (context: string) => boolean): Value {
  if (typeof filter === 'function') throw unsayable('a filter that is a function: give a rule')
  if (typeof context === 'string' && isPinned(context)) {
    throw unsayable(`the context "${context}", which is pinned on this node alone: write it as a record`)
  }
  return {
    context: context ?? false,
    ...(asOf !== undefined && { asOf: momentValue(asOf) }),
    ...(filter !== undefined && { filter }),
  }
}

export function parseReading(value: Value | undefined): ViewOptions {
  const { context, asOf, filter } = fieldsIn(value)
  if (typeof context !== 'string' && context !== false) throw invalid('no context')
  return {
    context,
    ...(asOf !== undefined && { asOf: parseMoment(asOf) }),
    ...(filter !== undefined && { filter }),
  }
}

export function momentValue(asOf: AsOfInput): Value {
  return asOf instanceof Date ? asOf.getTime() : asOf
}

export function parseMoment(value: Value | undefined): string | number {
  if (typeof value === 'string' || typeof value === 'number') return value
  throw invalid('no moment')
}

// ---------------------------------------------------------------------------------------------- faults and deltas

/** What a holder says of one record that it could not read. */
export function faultIn(value: Value): RhizomeError {
  const { code, message } = parseFault(value)
  return new RhizomeError(code, message)
}

export function faultValue({ code, message }: Fault): Value {
  return [code, message]
}

export function parseFault(value: Value): Fault {
  const [code, message] = listIn(value)
  const known: readonly string[] = ERROR_CODES
  // A code of a later release is none of ours.
  const told = known.includes(textIn(code)) ? (textIn(code) as ErrorCode) : 'RZ_SHARD_UNANSWERED'
  return { code: told, message: textIn(message) }
}

export function deltaValue({ id, time, creator, host, log, seq, index, pointers }: Delta): Value {
  return [id, time.ms, time.counter, creator, host, log, seq, index, encodePointers(pointers)]
}

export function parseDelta(value: Value | undefined): Delta {
  const [id, ms, counter, creator, host, log, seq, index, pointers] = listIn(value)
  return inWords(() => ({
    id: parseDeltaId(textIn(id)).id,
    time: parseTime([ms ?? null, counter ?? null]),
    creator: parsePeerId(textIn(creator)),
    host: parsePeerId(textIn(host)),
    log: textIn(log),
    seq: integerIn(seq),
    index: integerIn(index),
    pointers: decodePointers(bytesIn(pointers)),
  }))
}

export function timeValue({ ms, counter }: Time): Value {
  return [ms, counter]
}

export function parseTime(value: Value | undefined): Time {
  const [ms, counter] = listIn(value)
  return { ms: integerIn(ms), counter: Math.min(integerIn(counter), COUNTER_MAX) }
}

export function parseDeltaIds(items: readonly Value[]): readonly DeltaId[] {
  return inWords(() => items.map((item) => parseDeltaId(textIn(item)).id))
}

/** A value whose maps come back in the order of their keys, which CBOR has one of its own for. */
export function orderedValue(value: Value): Value {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value
  if (isList(value)) return [false, ...value.map(orderedValue)]
  return [true, ...Object.entries(value).flatMap(([key, item]) => [key, orderedValue(item)])]
}

export function parseOrdered(value: Value | undefined): Value {
  if (value === undefined) throw invalid('no value')
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value
  const [isMap, ...items] = listIn(value)
  if (isMap === false) return items.map(parseOrdered)
  if (isMap !== true || items.length % 2 !== 0) throw invalid('no ordered map')
  return Object.fromEntries(
    Array.from({ length: items.length / 2 }, (_, index) => [
      textIn(items[2 * index]),
      parseOrdered(items[2 * index + 1]),
    ]),
  )
}

export function parseOrderedFields(value: Value | undefined): Fields {
  return fieldsIn(parseOrdered(value))
}

// ---------------------------------------------------------------------------------------------------- small things

export function fieldsIn(value: Value | undefined): Fields {
  if (typeof value === 'object' && value !== null && !isList(value) && !(value instanceof Uint8Array)) return value
  throw invalid('no map')
}

export function listIn(value: Value | undefined): readonly Value[] {
  if (value !== undefined && isList(value)) return value
  throw invalid('no list')
}

export function textsIn(value: Value | undefined): readonly string[] {
  return listIn(value).map(textIn)
}

export function textIn(value: Value | undefined): string {
  if (typeof value === 'string') return value
  throw invalid('no text')
}

export function bytesIn(value: Value | undefined): Uint8Array {
  if (value instanceof Uint8Array) return value
  throw invalid('no bytes')
}

export function integerIn(value: Value | undefined): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
  throw invalid('no integer')
}

/** Own properties, whatever their names. */
export function mapped<Item, Result>(
  map: { readonly [key: string]: Item },
  make: (item: Item) => Result,
): { readonly [key: string]: Result } {
  return Object.fromEntries(Object.entries(map).map(([key, item]) => [key, make(item)]))
}

/** What another node says is read by the one reader of its kind: what that refuses is no answer. */
export function inWords<Result>(read: () => Result): Result {
  try {
    return read()
  } catch (cause) {
    if (!(cause instanceof RhizomeError)) throw cause
    throw invalid(cause.message, cause)
  }
}

function unsayable(what: string): RhizomeError {
  return new RhizomeError('RZ_SHARD_ACROSS', `another node is asked, and cannot be told of ${what}`)
}

export function invalid(why: string, cause?: unknown): RhizomeError {
  return new RhizomeError('RZ_SYNC_QUESTION_INVALID', `another node says what cannot be read: ${why}`, { cause })
}
