/**
 * The data model: deltas, pointers and the values they carry. Plain immutable data; nothing here touches bytes.
 * Words and shapes: design.md 2 and 3.
 */

import type { Brand } from './brand.ts'
import type { Time } from './clock.ts'

/** A libp2p peer id of an Ed25519 key in text form (`12D3KooW…`). Made by `peerIdOf` or `parsePeerId`. */
export type PeerId = Brand<string, 'PeerId'>

/** `<block hash, base32>/<index>`. Made by `deltaIdOf` or `parseDeltaId`. */
export type DeltaId = Brand<string, 'DeltaId'>

/** JSON with bytes: what a value pointer may hold. Numbers are finite; strings are well-formed Unicode; −0 is 0. */
export type Value = string | number | boolean | null | Uint8Array | readonly Value[] | { readonly [key: string]: Value }

/** `target` is the id of an entity or delta, `targetContext` the property of it that the delta speaks about. */
export interface ReferencePointer {
  readonly localContext: string
  readonly target: string
  readonly targetContext: string
}

/** `target` is a value taken whole. */
export interface ValuePointer {
  readonly localContext: string
  readonly target: Value
}

export type Pointer = ReferencePointer | ValuePointer

/** A signed claim, with the place in its creator's log where it stands. */
export interface Delta {
  readonly id: DeltaId
  readonly time: Time
  /** Who asserts it. */
  readonly creator: PeerId
  /** The node that first took it in: the creator's claim, not attested. */
  readonly host: PeerId
  /** Log id, 32 hex digits: which of the creator's logs. */
  readonly log: string
  /** Sequence number of the block in that log, from 0. */
  readonly seq: number
  /** Index in the block, from 0. */
  readonly index: number
  readonly pointers: readonly Pointer[]
}

/**
 * Limits of one delta. A reader rejects what exceeds them, so they may only ever grow with a format version.
 * Pointers are few, as a view shows a delta's value once for each property that it speaks about: the square of them.
 */
export const POINTERS_MAX = 256
export const ID_BYTES_MAX = 1_024
export const CONTEXT_BYTES_MAX = 256
export const DELTA_BYTES_MAX = 524_288
/** CBOR items, map keys included: bounds what a small delta takes in memory (an empty map is one byte, then 56). */
export const DELTA_ITEMS_MAX = 131_072
export const VALUE_DEPTH_MAX = 32

/** The pointer and property by which one delta negates another. design.md 2. */
export const NEGATES = 'negates'
export const NEGATED_BY = 'negated_by'

export function isReference(pointer: Pointer): pointer is ReferencePointer {
  return 'targetContext' in pointer
}

/** The pointers of a delta that negates another. */
export function negationPointers(target: DeltaId): readonly Pointer[] {
  return [{ localContext: NEGATES, target, targetContext: NEGATED_BY }]
}

/** The ids of the deltas that this one negates: empty for most. */
export function negatedIds(pointers: readonly Pointer[]): readonly string[] {
  const ids: string[] = []
  for (const pointer of pointers) {
    if (pointer.localContext === NEGATES && isReference(pointer) && pointer.targetContext === NEGATED_BY) {
      ids.push(pointer.target)
    }
  }
  return ids
}
