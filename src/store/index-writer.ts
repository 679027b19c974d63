/**
 * Writes the index, slice by slice: the rows of a few thousand deltas, sorted, in one transaction. Sorting is what makes
 * an index cheap: keys that are neighbours share a page that is written once. choices.md, Storage.
 */

import type { DatabaseSync } from 'node:sqlite'
import { crc32 } from 'node:zlib'
import { negatedIds } from '../delta/delta.ts'
import { hashBytes } from '../delta/identifiers.ts'
import { type Block, SALT_BYTES } from '../log/block.ts'
import { deltaAt } from '../log/block-bytes.ts'
import { isShown } from '../log/shown.ts'
import { chunkSumStart, deltaSum, EntryWriter, hashPrefix } from './index-entries.ts'
import type { Piece, StoredRecord } from './log-rows.ts'
import { targetsOf } from './shown.ts'
import { compareUtf8 } from '../delta/order.ts'

/** A chunk that has grown past this is left as it is, and a new one begun. */
const CHUNK_BYTES_MAX = 1_024
const NUMBERS_MAX = 65_536

interface LogTop {
  readonly number: number
  readonly seq: number
  readonly hash: Uint8Array
  readonly ms: number
  readonly counter: number
  readonly deltas: number
}

interface EntitySlice {
  readonly namespace: number
  readonly entity: string
  readonly first: number
  readonly entries: EntryWriter
}

export class IndexWriter {
  readonly #db: DatabaseSync
  readonly #statements: ReturnType<typeof prepare>
  readonly #numbers = new Map<string, number>()
  readonly #tops = new Map<string, LogTop>()

  constructor(db: DatabaseSync) {
    this.#db = db
    this.#statements = prepare(db)
  }

  /** The position up to which all is indexed. */
  end(): number {
    return Number(this.#statements.end.get()?.['end'])
  }

  /** Indexes the records that follow `end`, all or none; `endSum` is the checksum of the last row. */
  write(records: readonly StoredRecord[], endSum: number): void {
    const last = records.at(-1)
    if (last === undefined) return
    this.#statements.begin.run()
    try {
      this.#writeRecords(records)
      this.#statements.setEnd.run(last.end, endSum)
      this.#statements.commit.run()
    } catch (error) {
      // What was numbered in a transaction that is gone must be numbered again.
      this.#numbers.clear()
      this.#tops.clear()
      if (this.#db.isTransaction) this.#statements.rollback.run()
      throw error
    }
  }

  #writeRecords(records: readonly StoredRecord[]): void {
    const hashes: [prefix: number, place: number][] = []
    const tops = new Map<number, LogTop>()
    const slices = new Map<string, EntitySlice>()
    for (const record of records) {
      if (record.kind === 'fork') {
        this.#statements.fork.run(record.place)
        continue
      }
      const { block, place } = record
      const hash = hashBytes(block.hash)
      hashes.push([hashPrefix(hash), place])
      const top = this.#advance(block, hash)
      tops.set(top.number, top)
      this.#statements.block.run(top.number, top.seq, place, top.deltas)
      if (isShown(block.header)) this.#collect(slices, block, hash, top.number, record.pieces)
    }
    for (const [prefix, place] of hashes.sort(([a], [b]) => a - b)) this.#statements.hash.run(prefix, place)
    for (const { number, seq, hash, ms, counter, deltas } of tops.values()) {
      this.#statements.top.run(seq, hash, ms, counter, deltas, number)
    }
    for (const slice of [...slices.values()].sort(compareSlices)) this.#writeSlice(slice)
  }

  /** The log of a block, with the block as its newest. */
  #advance({ header }: Block, hash: Uint8Array): LogTop {
    const key = `${header.namespace}/${header.creator}/${header.logId}`
    const before = this.#tops.get(key) ?? this.#loadTop(header)
    const { ms, counter } = header.time
    const top = { number: before.number, seq: header.seq, hash, ms, counter, deltas: before.deltas + header.count }
    if (this.#tops.size >= NUMBERS_MAX) this.#tops.clear()
    this.#tops.set(key, top)
    return top
  }

  #loadTop({ namespace, creator, logId }: Block['header']): { readonly number: number; readonly deltas: number } {
    const key = [this.#nameNumber(namespace), this.#nameNumber(creator), logId] as const
    const known = this.#statements.log.get(...key)
    if (known !== undefined) {
      // The row lags behind by what this transaction has seen: tops are written at its end.
      return { number: Number(known['number']), deltas: this.#deltasOf(Number(known['number'])) }
    }
    return { number: Number(this.#statements.addLog.run(...key).lastInsertRowid), deltas: 0 }
  }

  #deltasOf(log: number): number {
    return Number(this.#statements.lastBlock.get(log)?.['deltas'] ?? 0)
  }

  #collect(
    slices: Map<string, EntitySlice>,
    block: Block,
    hash: Uint8Array,
    log: number,
    pieces: readonly Piece[],
  ): void {
    const { namespace, host, seq, time } = block.header
    const namespaceNumber = this.#nameNumber(namespace)
    const hostNumber = this.#nameNumber(host)
    let index = 0
    for (const { place, bytes, items } of pieces) {
      for (const item of items) {
        const delta = deltaAt(block, index)
        const entry = {
          place,
          offset: item.byteOffset - bytes.byteOffset + SALT_BYTES,
          length: item.length - SALT_BYTES,
          index,
          log,
          seq,
          ms: time.ms,
          counter: time.counter,
          host: hostNumber,
          sum: deltaSum(hash, item.subarray(SALT_BYTES)),
        }
        for (const target of targetsOf(delta)) sliceOf(slices, namespaceNumber, target, place).add(entry)
        for (const id of negatedIds(delta.pointers)) this.#negated(place, id)
        index++
      }
    }
  }

  #negated(place: number, id: string): void {
    const text = id.slice(0, id.indexOf('/'))
    // Anything may be written where a delta's id is expected; only an id can be found.
    if (/^[a-z2-7]{52}$/.test(text)) this.#statements.negated.run(place, hashPrefix(hashBytes(text)))
  }

  #writeSlice({ namespace, entity, first, entries }: EntitySlice): void {
    const { lastChunk, growChunk, addChunk } = this.#statements
    const fresh = entries.bytes()
    const last = lastChunk.get(namespace, entity) as unknown as [number, number, Uint8Array] | undefined
    if (last !== undefined) {
      const [lastFirst, sum, bytes] = last
      if (bytes.length + fresh.length <= CHUNK_BYTES_MAX || lastFirst === first) {
        growChunk.run(crc32(fresh, sum), Buffer.concat([bytes, fresh]), namespace, entity, lastFirst)
        return
      }
    }
    addChunk.run(namespace, entity, first, crc32(fresh, chunkSumStart(namespace, entity, first)), fresh)
  }

  #nameNumber(text: string): number {
    const known = this.#numbers.get(text)
    if (known !== undefined) return known
    const row = this.#statements.name.get(text)
    const number = Number(row === undefined ? this.#statements.addName.run(text).lastInsertRowid : row['number'])
    if (this.#numbers.size >= NUMBERS_MAX) this.#numbers.clear()
    this.#numbers.set(text, number)
    return number
  }
}

function sliceOf(slices: Map<string, EntitySlice>, namespace: number, entity: string, first: number): EntryWriter {
  const key = `${namespace} ${entity}`
  const known = slices.get(key)
  if (known !== undefined) return known.entries
  const entries = new EntryWriter()
  slices.set(key, { namespace, entity, first, entries })
  return entries
}

function compareSlices(a: EntitySlice, b: EntitySlice): number {
  return a.namespace - b.namespace || compareUtf8(a.entity, b.entity)
}

function prepare(db: DatabaseSync) {
  return {
    begin: db.prepare('BEGIN IMMEDIATE'),
    commit: db.prepare('COMMIT'),
    rollback: db.prepare('ROLLBACK'),
    end: db.prepare('SELECT "end" FROM meta'),
    setEnd: db.prepare('UPDATE meta SET "end" = ?, end_sum = ?'),
    name: db.prepare('SELECT number FROM names WHERE text = ?'),
    addName: db.prepare('INSERT INTO names (text) VALUES (?)'),
    log: db.prepare('SELECT number FROM logs WHERE namespace = ? AND creator = ? AND log_id = ?'),
    addLog: db.prepare(
      "INSERT INTO logs (namespace, creator, log_id, seq, hash, ms, counter, deltas) VALUES (?, ?, ?, 0, x'', 0, 0, 0)",
    ),
    top: db.prepare('UPDATE logs SET seq = ?, hash = ?, ms = ?, counter = ?, deltas = ? WHERE number = ?'),
    block: db.prepare('INSERT INTO blocks (log, seq, place, deltas) VALUES (?, ?, ?, ?)'),
    lastBlock: db.prepare('SELECT deltas FROM blocks WHERE log = ? ORDER BY seq DESC LIMIT 1'),
    hash: db.prepare('INSERT INTO hashes (prefix, place) VALUES (?, ?)'),
    fork: db.prepare('INSERT INTO forks (place) VALUES (?)'),
    negated: db.prepare('INSERT OR IGNORE INTO negated (place, prefix) VALUES (?, ?)'),
    lastChunk: db.prepare(
      'SELECT first, sum, bytes FROM entries WHERE namespace = ? AND entity = ? ORDER BY first DESC LIMIT 1',
      { returnArrays: true },
    ),
    growChunk: db.prepare('UPDATE entries SET sum = ?, bytes = ? WHERE namespace = ? AND entity = ? AND first = ?'),
    addChunk: db.prepare('INSERT INTO entries (namespace, entity, first, sum, bytes) VALUES (?, ?, ?, ?, ?)'),
  }
}
