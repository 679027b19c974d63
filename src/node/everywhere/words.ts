/**
 * What nodes say to each other on `/rhizome/query/1`: the words, and their contents as plain values. What comes from another
 * node is read here, once; what it says of records is its word, as the answer's `answeredBy` tells. Throws
 * RZ_SYNC_QUESTION_INVALID for contents of another form.
 */

import { decodePointers, encodePointers } from '../../delta/bytes.ts'
import { COUNTER_MAX, type Time } from '../../delta/clock.ts'
import type { Delta, DeltaId, PeerId, Pointer, Value } from '../../delta/delta.ts'
import { parseDeltaId, parsePeerId } from '../../delta/identifiers.ts'
import { isList } from '../../delta/value.ts'
import { ERROR_CODES, type ErrorCode, RhizomeError } from '../../errors.ts'
import type { Fault } from '../../view/fault.ts'
import type { ReferredRecord, References } from '../expand.ts'
import type { Entity } from '../records.ts'
import type { ViewOptions } from '../views.ts'

export type Word =
  | 'get'
  | 'ids'
  | 'collections'
  | 'query'
  | 'rows'
  | 'records'
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
    ...(asOf !== undefined && { asOf: asOf instanceof Date ? asOf.getTime() : asOf }),
    ...(filter !== undefined && { filter }),
  }
}

export function parseReading(value: Value | undefined): ViewOptions {
  const { context, asOf, filter } = fieldsIn(value)
  if (typeof context !== 'string' && context !== false) throw invalid('no context')
  if (asOf !== undefined && typeof asOf !== 'string' && typeof asOf !== 'number') throw invalid('no moment')
  return {
    context,
    ...(asOf !== undefined && { asOf }),
    ...(filter !== undefined && { filter }),
  }
}

// ---------------------------------------------------------------------------------------------------- records

export function entityValue(entity: Entity | undefined): Value {
  if (entity === undefined) return null
  const { id, properties, errors, unseen, references } = entity
  return {
    id,
    properties,
    ...(errors && { errors: mapped(errors, faultValue) }),
    ...(unseen && {
      unseen: unseen.map(({ code, message, delta }) => [code, message, deltaValue(delta)]),
    }),
    ...(references && { references: mapped(references, referencesValue) }),
  }
}

export function parseEntity(value: Value): Entity | undefined {
  if (value === null) return undefined
  const { id, properties, errors, unseen, references } = fieldsIn(value)
  return {
    id: textIn(id),
    properties: fieldsIn(properties),
    ...(errors !== undefined && { errors: mapped(fieldsIn(errors), parseFault) }),
    ...(unseen !== undefined && {
      unseen: listIn(unseen).map((item) => {
        const [code, message, delta] = listIn(item)
        return { ...parseFault([code ?? null, message ?? null]), delta: parseDelta(delta) }
      }),
    }),
    ...(references !== undefined && { references: mapped(fieldsIn(references), parseReferences) }),
  }
}

function referencesValue(referred: References[string]): Value {
  return isMany(referred) ? referred.map(referredValue) : referredValue(referred)
}

/** Names alone, properties and what these refer to: plain values. */
function referredValue({ collection, id, properties, errors, error, references }: ReferredRecord): Value {
  return {
    collection,
    id,
    ...(properties && { properties }),
    ...(errors && { errors: mapped(errors, faultValue) }),
    ...(error && { error: faultValue(error) }),
    ...(references && { references: mapped(references, referencesValue) }),
  }
}

function parseReferences(value: Value): References[string] {
  return isList(value) ? value.map(parseReferred) : parseReferred(value)
}

function parseReferred(value: Value): ReferredRecord {
  const { collection, id, properties, errors, error, references } = fieldsIn(value)
  return {
    collection: textIn(collection),
    id: textIn(id),
    ...(properties !== undefined && { properties: fieldsIn(properties) }),
    ...(errors !== undefined && { errors: mapped(fieldsIn(errors), parseFault) }),
    ...(error !== undefined && { error: parseFault(error) }),
    ...(references !== undefined && { references: mapped(fieldsIn(references), parseReferences) }),
  }
}

function isMany(referred: References[string]): referred is Extract<References[string], readonly unknown[]> {
  return Array.isArray(referred)
}

/** What a holder says of one record that it could not read. */
export function faultIn(value: Value): RhizomeError {
  const { code, message } = parseFault(value)
  return new RhizomeError(code, message)
}

export function faultValue({ code, message }: Fault): Value {
  return [code, message]
}

function parseFault(value: Value): Fault {
  const [code, message] = listIn(value)
  const known: readonly string[] = ERROR_CODES
  // A code of a later release is none of ours.
  const told = known.includes(textIn(code)) ? (textIn(code) as ErrorCode) : 'RZ_SHARD_UNANSWERED'
  return { code: told, message: textIn(message) }
}

function deltaValue({ id, time, creator, host, log, seq, index, pointers }: Delta): Value {
  return [id, time.ms, time.counter, creator, host, log, seq, index, encodePointers(pointers)]
}

function parseDelta(value: Value | undefined): Delta {
  const [id, ms, counter, creator, host, log, seq, index, pointers] = listIn(value)
  return {
    id: parseDeltaId(textIn(id)).id,
    time: parseTime([ms ?? null, counter ?? null]),
    creator: parsePeerId(textIn(creator)),
    host: parsePeerId(textIn(host)),
    log: textIn(log),
    seq: integerIn(seq),
    index: integerIn(index),
    pointers: decodePointers(bytesIn(pointers)),
  }
}

// ----------------------------------------------------------------------------------------------------- writing

export interface Intended {
  readonly records: ReadonlySet<string>
  readonly deltas: readonly (readonly Pointer[])[]
  readonly checkReferences: boolean
  readonly creator: PeerId
}

export function intendedValue({ records, deltas, checkReferences, creator }: Intended): Value {
  return [[...records], deltas.map(encodePointers), checkReferences, creator]
}

export function parseIntended(value: Value): Intended {
  const [records, deltas, checkReferences, creator] = listIn(value)
  return {
    records: new Set(textsIn(records)),
    deltas: listIn(deltas).map((item) => decodePointers(bytesIn(item))),
    checkReferences: checkReferences === true,
    creator: parsePeerId(textIn(creator)),
  }
}

export function timeValue({ ms, counter }: Time): Value {
  return [ms, counter]
}

export function parseTime(value: Value | undefined): Time {
  const [ms, counter] = listIn(value)
  return { ms: integerIn(ms), counter: Math.min(integerIn(counter), COUNTER_MAX) }
}

export function parseDeltaIds(items: readonly Value[]): readonly DeltaId[] {
  return items.map((item) => parseDeltaId(textIn(item)).id)
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
function mapped<Item, Result>(
  map: { readonly [key: string]: Item },
  make: (item: Item) => Result,
): { readonly [key: string]: Result } {
  return Object.fromEntries(Object.entries(map).map(([key, item]) => [key, make(item)]))
}

function unsayable(what: string): RhizomeError {
  return new RhizomeError('RZ_SHARD_ACROSS', `another node is asked, and cannot be told of ${what}`)
}

function invalid(why: string): RhizomeError {
  return new RhizomeError('RZ_SYNC_QUESTION_INVALID', `another node says what cannot be read: ${why}`)
}
