/**
 * Finds rows of log.db in a file that SQLite itself can no longer read: every page that looks like a leaf of a table is
 * searched for cells of the log, and a row is believed when its checksum holds. Format: https://www.sqlite.org/fileformat2.html
 */

import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs'
import { HASH_BYTES } from '../delta/identifiers.ts'
import { ROW_KINDS, type StoredRow, sumOf } from './log-rows.ts'

const PAGE_BYTES = 4_096
const LEAF_PAGE = 0x0d
/** Of a page of the write-ahead log: what stands before the first, and before each. */
const WAL_HEADER_BYTES = 32
const FRAME_HEADER_BYTES = 24
/** The first page begins with the header of the file. */
const FILE_HEADER_BYTES = 100
/** No row of ours is larger: a fork proof of two mebibytes. */
const ROW_BYTES_LIMIT = 4_194_304

/** Rows of the database at `path` and of its write-ahead log, in no order; the same row may come twice. */
export function* salvagedRows(path: string): Generator<StoredRow> {
  if (existsSync(path)) yield* rowsInFile(path, 0, PAGE_BYTES)
  if (existsSync(`${path}-wal`))
    yield* rowsInFile(`${path}-wal`, WAL_HEADER_BYTES + FRAME_HEADER_BYTES, PAGE_BYTES + FRAME_HEADER_BYTES)
}

function* rowsInFile(path: string, firstOffset: number, stepBytes: number): Generator<StoredRow> {
  const file = openSync(path, 'r')
  try {
    const { size } = fstatSync(file)
    // In the write-ahead log a page's place says nothing about its number, so chains of overflow pages cannot be followed.
    const overflow =
      stepBytes === PAGE_BYTES ? (number: number) => pageAt(file, (number - 1) * PAGE_BYTES) : () => undefined
    for (let offset = firstOffset; offset + PAGE_BYTES <= size; offset += stepBytes) {
      const page = pageAt(file, offset)
      if (page !== undefined) yield* rowsInPage(page, offset === 0 ? FILE_HEADER_BYTES : 0, overflow)
    }
  } finally {
    closeSync(file)
  }
}

type Overflow = (pageNumber: number) => Buffer | undefined

function pageAt(file: number, offset: number): Buffer | undefined {
  const page = Buffer.alloc(PAGE_BYTES)
  return readSync(file, page, 0, PAGE_BYTES, offset) === PAGE_BYTES ? page : undefined
}

function* rowsInPage(page: Buffer, start: number, overflow: Overflow): Generator<StoredRow> {
  if (page[start] !== LEAF_PAGE) return
  const cells = page.readUInt16BE(start + 3)
  for (let cell = 0; cell < cells; cell++) {
    const pointer = start + 8 + cell * 2
    if (pointer + 2 > PAGE_BYTES) return
    const row = rowAt(page, page.readUInt16BE(pointer), overflow)
    if (row !== undefined) yield row
  }
}

/** A cell: payload length, rowid, payload. The payload: lengths and types of the columns, then the columns. */
function rowAt(page: Buffer, offset: number, overflow: Overflow): StoredRow | undefined {
  const cell = new Varints(page, offset)
  const payloadBytes = cell.next()
  const place = cell.next()
  if (payloadBytes > ROW_BYTES_LIMIT) return undefined
  const payload = payloadAt(page, cell.at, payloadBytes, overflow)
  if (payload === undefined) return undefined
  const header = new Varints(payload, 0)
  const headerBytes = header.next()
  const [, kindType, sumType, hashType, bytesType] = [
    header.next(),
    header.next(),
    header.next(),
    header.next(),
    header.next(),
  ]
  if (header.at !== headerBytes) return undefined
  const sumAt = headerBytes + integerBytes(kindType)
  const hashAt = sumAt + integerBytes(sumType)
  const kind = integerAt(payload, headerBytes, kindType)
  const sum = integerAt(payload, sumAt, sumType)
  const hashBytes = blobBytes(hashType)
  const bytes = blobBytes(bytesType)
  if (kind === undefined || sum === undefined || hashAt + hashBytes + bytes !== payload.length) return undefined
  if (hashBytes !== (kind === ROW_KINDS.fork ? 0 : HASH_BYTES)) return undefined
  const row = { kind, hash: payload.subarray(hashAt, hashAt + hashBytes), bytes: payload.subarray(hashAt + hashBytes) }
  return sum === sumOf(place, row) ? { place, sum, ...row } : undefined
}

/** The part of a payload in its cell, and the rest in overflow pages; by the formula of the file format. */
function payloadAt(page: Buffer, offset: number, payloadBytes: number, overflow: Overflow): Buffer | undefined {
  const most = PAGE_BYTES - 35
  if (payloadBytes <= most)
    return offset + payloadBytes <= PAGE_BYTES ? page.subarray(offset, offset + payloadBytes) : undefined
  const least = Math.floor(((PAGE_BYTES - 12) * 32) / 255) - 23
  const spilled = least + ((payloadBytes - least) % (PAGE_BYTES - 4))
  const local = spilled <= most ? spilled : least
  if (offset + local + 4 > PAGE_BYTES) return undefined
  const parts = [page.subarray(offset, offset + local)]
  let left = payloadBytes - local
  let next = page.readUInt32BE(offset + local)
  while (left > 0) {
    const more = next === 0 ? undefined : overflow(next)
    if (more === undefined) return undefined
    parts.push(more.subarray(4, Math.min(PAGE_BYTES, 4 + left)))
    left -= PAGE_BYTES - 4
    next = more.readUInt32BE(0)
  }
  return Buffer.concat(parts)
}

/** Serial types of integers: 1 to 6 are of 1, 2, 3, 4, 6 and 8 bytes, 8 and 9 are the constants 0 and 1. */
const INTEGER_BYTES = [0, 1, 2, 3, 4, 6, 8, 0, 0, 0]

function integerBytes(type: number): number {
  return INTEGER_BYTES[type] ?? 0
}

function integerAt(payload: Buffer, offset: number, type: number): number | undefined {
  if (type === 8 || type === 9) return type - 8
  const bytes = integerBytes(type)
  if (bytes === 0 || bytes > 6 || offset + bytes > payload.length) return undefined
  return payload.readIntBE(offset, bytes)
}

function blobBytes(type: number): number {
  return type >= 12 && type % 2 === 0 ? (type - 12) / 2 : 0
}

/** SQLite's variable-length integers: seven bits a byte, the highest first. Past the end they are zero. */
class Varints {
  at: number
  readonly #bytes: Buffer

  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes
    this.at = at
  }

  next(): number {
    let value = 0
    for (let count = 0; count < 8; count++) {
      const byte = this.#bytes[this.at++] ?? 0
      value = value * 0x80 + (byte & 0x7f)
      if (byte < 0x80) return value
    }
    return value * 0x100 + (this.#bytes[this.at++] ?? 0)
  }
}
