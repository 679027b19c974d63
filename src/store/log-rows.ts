/**
 * Records as rows of log.db. A block up to `ROW_BYTES_MAX` is one row that holds exactly its bytes as sent; a larger one
 * is its head and then its payload in pieces of whole deltas, so that reading one delta never reads a mebibyte, and
 * several rows share a page. Each row carries a checksum over its place and all that it holds.
 */

import { crc32 } from 'node:zlib'
import { decode, encode } from '../delta/cbor.ts'
import type { Value } from '../delta/delta.ts'
import { hashBytes, hashText } from '../delta/identifiers.ts'
import { RhizomeError } from '../errors.ts'
import { type Block, type BlockHash, BLOCK_DELTAS_MAX, type Header, SIGNATURE_BYTES } from '../log/block.ts'
import { decodeForkProof, encodeForkProof, verifyForkProof } from '../log/fork.ts'
import { decodeHeader, hashHeader } from '../log/header.ts'
import type { LogRecord, PlacedRecord } from './log-file.ts'

/** Three to a page of 4,096 bytes with what SQLite puts around them: less is lost at the end of a page. */
const ROW_BYTES_MAX = 1_280

export const ROW_KINDS = { block: 0, more: 1, fork: 2 } as const

export interface Row {
  readonly kind: number
  /** Of the block; of a fork proof, none. */
  readonly hash: Uint8Array
  readonly bytes: Uint8Array
}

export interface StoredRow extends Row {
  readonly place: number
  readonly sum: number
}

/** The part of a payload that lies in one row: each item a view into the row's bytes. */
export interface Piece {
  readonly place: number
  readonly bytes: Uint8Array
  readonly items: readonly Uint8Array[]
}

/** A record as read, with where its payload lies. */
export type StoredRecord = PlacedRecord & { readonly pieces: readonly Piece[] }

const LIMITS = { depthMax: 2, itemsMax: BLOCK_DELTAS_MAX + 8 }
const NO_HASH = new Uint8Array(0)
const sumPrefix = Buffer.alloc(9 + 32)

/** A checksum that a row in the wrong place fails too. */
export function sumOf(place: number, { kind, hash, bytes }: Row): number {
  sumPrefix.writeDoubleBE(place, 0)
  sumPrefix[8] = kind
  sumPrefix.set(hash, 9)
  return crc32(bytes, crc32(sumPrefix.subarray(0, 9 + hash.length)))
}

export function rowsOf(record: LogRecord): readonly Row[] {
  if (record.kind === 'fork') return [{ kind: ROW_KINDS.fork, hash: NO_HASH, bytes: encodeForkProof(record.proof) }]
  const { block } = record
  const hash = hashBytes(block.hash)
  const around = block.headerBytes.length + SIGNATURE_BYTES + 16
  const [first = [], ...rest] = piecesOf(block.payload, around)
  return [
    { kind: ROW_KINDS.block, hash, bytes: encode([block.headerBytes, block.signature ?? null, first]) },
    ...rest.map((items) => ({ kind: ROW_KINDS.more, hash, bytes: encode(items) })),
  ]
}

/** Payload items by row; `around` is what stands beside them in the first. */
function piecesOf(payload: readonly Uint8Array[], around: number): readonly (readonly Uint8Array[])[] {
  const pieces: Uint8Array[][] = [[]]
  let room = ROW_BYTES_MAX - around
  for (const item of payload) {
    const bytes = item.length + 3
    if (bytes > room) {
      // The first row may hold no items; any other holds one at least, however large.
      if (pieces.length === 1 || (pieces.at(-1) as Uint8Array[]).length > 0) pieces.push([])
      room = ROW_BYTES_MAX
    }
    ;(pieces.at(-1) as Uint8Array[]).push(item)
    room -= bytes
  }
  return pieces
}

/** The records in rows that begin with the first row of one. Throws RZ_STORE_DAMAGED. */
export function* recordsIn(rows: Iterable<StoredRow>): Generator<StoredRecord> {
  let open: OpenBlock | undefined
  for (const row of rows) {
    const { place, kind } = row
    if (row.sum !== sumOf(place, row)) throw damagedRow(place, 'its checksum does not match')
    if ((kind === ROW_KINDS.more) !== (open !== undefined)) throw damagedRow(place, 'a row before it is missing')
    if (kind === ROW_KINDS.fork) {
      yield forkRecord(row)
      continue
    }
    open = open === undefined ? openBlock(row) : more(open, row)
    if (open.count > open.block.header.count) throw damagedRow(place, 'it holds more deltas than its header says')
    if (open.count < open.block.header.count) continue
    yield blockRecord(open, place)
    open = undefined
  }
  if (open !== undefined) throw damagedRow(open.place, 'a row after it is missing')
}

interface OpenBlock {
  readonly place: number
  readonly block: Omit<Block, 'payload'>
  readonly pieces: readonly Piece[]
  readonly count: number
  readonly bytes: number
}

function openBlock({ place, hash, bytes }: StoredRow): OpenBlock {
  const parts = decodeRow(place, bytes)
  if (!Array.isArray(parts) || parts.length !== 3) throw damagedRow(place, 'it holds no block')
  const [headerBytes, signature, items] = parts as [Uint8Array, Uint8Array | null, readonly Uint8Array[]]
  const block = {
    header: decodeHeader(headerBytes),
    hash: hashText(hash) as BlockHash,
    headerBytes,
    ...(signature === null ? {} : { signature }),
  }
  return { place, block, pieces: [{ place, bytes, items }], count: items.length, bytes: bytes.length }
}

function more(open: OpenBlock, { place, bytes }: StoredRow): OpenBlock {
  const items = decodeRow(place, bytes) as readonly Uint8Array[]
  const pieces = [...open.pieces, { place, bytes, items }]
  return { ...open, pieces, count: open.count + items.length, bytes: open.bytes + bytes.length }
}

function blockRecord({ place, block, pieces, bytes }: OpenBlock, end: number): StoredRecord {
  const [only, ...rest] = pieces
  const payload = rest.length === 0 && only !== undefined ? only.items : pieces.flatMap(({ items }) => items)
  return { kind: 'block', block: { ...block, payload }, bytes, place, end, pieces }
}

function forkRecord({ place, bytes }: StoredRow): StoredRecord {
  const proof = decodeForkProof(bytes)
  // Checked when it was committed; checked again because a cut that nothing proves would hide data.
  return { kind: 'fork', proof, fork: verifyForkProof(proof), bytes: bytes.length, place, end: place, pieces: [] }
}

/** The header in a damaged row, when that part of it is whole: its hash stands beside it. */
export function headerIn({ place, hash, bytes }: StoredRow): Header | undefined {
  try {
    const { headerBytes, header } = openBlock({ place, kind: ROW_KINDS.block, sum: 0, hash, bytes }).block
    return Buffer.compare(hashBytes(hashHeader(headerBytes)), hash) === 0 ? header : undefined
  } catch (error) {
    if (error instanceof Error) return undefined
    throw error
  }
}

function decodeRow(place: number, bytes: Uint8Array): Value {
  try {
    return decode(bytes, LIMITS)
  } catch (cause) {
    throw damagedRow(place, 'its bytes cannot be decoded', cause)
  }
}

export function damagedRow(place: number, why: string, cause?: unknown): RhizomeError {
  const message = `row ${place} of the store's log is damaged: ${why}. Keep a copy of the directory and run rhizome-node repair`
  return new RhizomeError('RZ_STORE_DAMAGED', message, { cause })
}
