/**
 * What the index keeps of a delta that points at an entity: where its bytes lie in the log, and what of its header every
 * read needs. About 25 bytes; many to a chunk, so that an entity is one or two rows of index.db.
 */

import { crc32 } from 'node:zlib'

/** All numbers are whole and not negative. */
export interface IndexEntry {
  /** Row of the log, and the part of it that is the delta. */
  readonly place: number
  readonly offset: number
  readonly length: number
  readonly index: number
  /** Number of its log in index.db. */
  readonly log: number
  readonly seq: number
  readonly ms: number
  readonly counter: number
  /** Number of its host's name in index.db. */
  readonly host: number
  /** Over the block's hash and the delta's bytes. */
  readonly sum: number
}

/** Largest entry: eight numbers of up to eight bytes, the checksum. */
const ENTRY_BYTES_MAX = 9 * 8 + 4

export class EntryWriter {
  #bytes = Buffer.allocUnsafe(ENTRY_BYTES_MAX)
  #used = 0

  get length(): number {
    return this.#used
  }

  add(entry: IndexEntry): void {
    this.#reserve()
    this.#write(entry.place)
    this.#write(entry.offset)
    this.#write(entry.length)
    this.#write(entry.index)
    this.#write(entry.log)
    this.#write(entry.seq)
    this.#write(entry.ms)
    this.#write(entry.counter)
    this.#write(entry.host)
    this.#used = this.#bytes.writeUInt32LE(entry.sum, this.#used)
  }

  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#used)
  }

  /** Seven bits a byte, the lowest first. */
  #write(value: number): void {
    let rest = value
    while (rest > 0x7f) {
      this.#bytes[this.#used++] = (rest % 0x80) | 0x80
      rest = Math.floor(rest / 0x80)
    }
    this.#bytes[this.#used++] = rest
  }

  #reserve(): void {
    if (this.#used + ENTRY_BYTES_MAX <= this.#bytes.length) return
    const larger = Buffer.allocUnsafe(this.#bytes.length * 2 + ENTRY_BYTES_MAX)
    larger.set(this.#bytes.subarray(0, this.#used))
    this.#bytes = larger
  }
}

/** The entries of a chunk whose checksum has been checked. */
export function entriesIn(bytes: Uint8Array): readonly IndexEntry[] {
  const entries: IndexEntry[] = []
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  let at = 0
  const read = (): number => {
    let value = 0
    for (let scale = 1; ; scale *= 0x80) {
      const byte = view[at++] as number
      if (byte < 0x80) return value + byte * scale
      value += (byte & 0x7f) * scale
    }
  }
  while (at < view.length) {
    const [place, offset, length, index, log] = [read(), read(), read(), read(), read()]
    const [seq, ms, counter, host] = [read(), read(), read(), read()]
    const sum = view.readUInt32LE(at)
    at += 4
    entries.push({ place, offset, length, index, log, seq, ms, counter, host, sum })
  }
  return entries
}

/** The checksum of a chunk without entries: that of its key, so that a chunk under a wrong key fails. */
export function chunkSumStart(namespace: number, entity: string, first: number): number {
  return crc32(`${namespace} ${first} ${entity}`)
}

/** As `crc32` of both in one piece. */
export function deltaSum(hash: Uint8Array, bytes: Uint8Array): number {
  return crc32(bytes, crc32(hash))
}

/** The key under which a block's hash is found: its first 48 bits, so that it is a whole number in JavaScript. */
export function hashPrefix(hash: Uint8Array): number {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = hash
  return ((a << 16) | (b << 8) | c) * 0x1_00_00_00 + ((d << 16) | (e << 8) | f)
}
