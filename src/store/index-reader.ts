/** Reads index.db on the main thread, and the deltas it points at from log.db. */

import type { DatabaseSync } from 'node:sqlite'
import { crc32 } from 'node:zlib'
import type { Delta, PeerId } from '../delta/delta.ts'
import { HASH_BYTES, hashBytes, hashText } from '../delta/identifiers.ts'
import { RhizomeError } from '../errors.ts'
import { type Block, type BlockHash, type LogKey, logKeyOf, splitLogKey } from '../log/block.ts'
import { deltaOf } from '../log/block-bytes.ts'
import type { NamespaceId } from '../log/namespace.ts'
import type { HeldBlock } from './draft.ts'
import type { Admits, ReadDeltas } from './log-index.ts'
import type { HeldLog } from './heads.ts'
import { chunkSumStart, entriesIn, hashPrefix, type IndexEntry } from './index-entries.ts'
import type { ReadLimits } from './log-file.ts'
import { damagedRow } from './log-rows.ts'
import type { SqliteLog } from './log-sqlite.ts'

interface NumberedLog {
  readonly namespace: NamespaceId
  readonly log: LogKey
  readonly creator: PeerId
  readonly logId: string
}

/** Bits of the filter of negated blocks: 1 MiB, wrong for 1 in 100 blocks when 80,000 hold negated deltas. */
const FILTER_BITS = 2 ** 23
const LOWER_A = 97
const DIGIT_2 = 50
const NUMBERS_MAX = 65_536

export class IndexReader {
  readonly #log: SqliteLog
  readonly #statements: ReturnType<typeof prepare>
  readonly #numbers = new Map<string, number>()
  readonly #names = new Map<number, string>()
  readonly #logs = new Map<number, NumberedLog>()
  readonly #negated = new Uint8Array(FILTER_BITS / 8)
  #negatedEnd = 0

  constructor(db: DatabaseSync, log: SqliteLog) {
    this.#log = log
    this.#statements = prepare(db)
  }

  end(): number {
    return Number(this.#statements.end.get()?.['end'])
  }

  /** Every log as indexed, without its cut. */
  logs(): readonly HeldLog[] {
    return this.#statements.logs.all().map((row) => {
      const { namespace, creator, log_id: logId, seq, hash, ms, counter, deltas } = row as unknown as LogRow
      const top = { seq, hash: hashText(hash) as BlockHash, time: { ms, counter } }
      const log = logKeyOf(creator as PeerId, logId)
      return { namespace: namespace as NamespaceId, log, top, head: top, topDeltas: deltas, headDeltas: deltas }
    })
  }

  /** Places of the fork proofs indexed, oldest first. */
  forks(): readonly number[] {
    return this.#statements.forks.all().map((row) => Number(row['place']))
  }

  heldBlock(namespace: NamespaceId, log: LogKey, seq: number): HeldBlock | undefined {
    const key = this.#logKeyNumbers(namespace, log)
    const row = key && this.#statements.block.get(...key, seq)
    if (row === undefined) return undefined
    return { block: this.#log.blockAt(Number(row['place'])), deltas: Number(row['deltas']) }
  }

  blocksFrom(namespace: NamespaceId, log: LogKey, fromSeq: number, limits: ReadLimits): readonly Block[] {
    const key = this.#logKeyNumbers(namespace, log)
    if (key === undefined) return []
    const rows = this.#statements.blocks.all(...key, fromSeq, limits.countMax) as unknown as readonly [number][]
    const places = rows.map(([place]) => place)
    return this.#log.blocksAt(places, limits.bytesMax)
  }

  block(hash: string): Block | undefined {
    return this.#found(hash)?.block
  }

  positionOf(hash: string): number | undefined {
    const found = this.#found(hash)
    return found === undefined ? undefined : this.#log.positionAt(found.place)
  }

  #found(hash: string): { readonly place: number; readonly block: Block } | undefined {
    for (const row of this.#statements.hash.all(hashPrefix(hashBytes(hash)))) {
      const place = Number(row['place'])
      const block = this.#log.blockAt(place)
      if (block.hash === hash) return { place, block }
    }
    return undefined
  }

  deltas(namespace: NamespaceId, entity: string, end: number, admits: Admits, read?: ReadDeltas): readonly Delta[] {
    const admitted = this.#entries(namespace, entity, end).filter(({ log: number, seq }) => {
      const log = this.#logOf(number)
      return admits(log.namespace, log.log, seq)
    })
    return read === undefined ? this.#deltas(admitted) : this.#deltasNotRead(admitted, read)
  }

  #deltas(entries: readonly IndexEntry[]): readonly Delta[] {
    const slices = this.#log.reader.slices(entries)
    return entries.map((entry, index) => this.#delta(entry, slices[index] as Uint8Array))
  }

  #deltasNotRead(entries: readonly IndexEntry[], read: ReadDeltas): readonly Delta[] {
    const lacking = entries.filter((entry) => !read.has(placeOf(entry)))
    for (const [index, delta] of this.#deltas(lacking).entries()) read.set(placeOf(lacking[index] as IndexEntry), delta)
    return entries.map((entry) => read.get(placeOf(entry)) as Delta)
  }

  /** Takes note of negations indexed since the last call. */
  readNegations(): void {
    for (const row of this.#statements.negated.all(this.#negatedEnd)) {
      const [place, prefix] = row as unknown as [number, number]
      const bit = filterBit(prefix)
      this.#negated[bit >> 3] = (this.#negated[bit >> 3] as number) | (1 << (bit & 7))
      this.#negatedEnd = place
    }
  }

  mayBeNegated(blockHash: string): boolean {
    const bit = filterBitOfText(blockHash)
    return ((this.#negated[bit >> 3] as number) & (1 << (bit & 7))) !== 0
  }

  nextEntity(namespace: NamespaceId, from: string, inclusive: boolean, admits?: Admits): string | undefined {
    const number = this.#nameNumber(namespace)
    if (number === undefined) return undefined
    let row = (inclusive ? this.#statements.entityFrom : this.#statements.entityAfter).get(number, from)
    while (row !== undefined && admits !== undefined && !this.#isAdmitted(namespace, String(row['entity']), admits)) {
      row = this.#statements.entityAfter.get(number, String(row['entity']))
    }
    return row === undefined ? undefined : String(row['entity'])
  }

  #isAdmitted(namespace: NamespaceId, entity: string, admits: Admits): boolean {
    return this.#entries(namespace, entity, Infinity).some((entry) => {
      const log = this.#logOf(entry.log)
      return admits(log.namespace, log.log, entry.seq)
    })
  }

  #entries(namespace: NamespaceId, entity: string, end: number): readonly IndexEntry[] {
    const number = this.#nameNumber(namespace)
    if (number === undefined) return []
    const entries: IndexEntry[] = []
    for (const row of this.#statements.chunks.all(number, entity)) {
      const [first, sum, bytes] = row as unknown as [number, number, Uint8Array]
      if (crc32(bytes, chunkSumStart(number, entity, first)) !== sum) throw damagedIndex(entity)
      for (const entry of entriesIn(bytes)) if (entry.place <= end) entries.push(entry)
    }
    return entries
  }

  #delta(entry: IndexEntry, slice: Uint8Array): Delta {
    const { place, index, seq, ms, counter, sum } = entry
    if (crc32(slice) !== sum) throw damagedRow(place, 'a delta in it is not what was written')
    const { creator, logId } = this.#logOf(entry.log)
    const hash = hashText(slice.subarray(0, HASH_BYTES)) as BlockHash
    const origin = { hash, time: { ms, counter }, creator, host: this.#name(entry.host) as PeerId, logId, seq }
    return deltaOf(origin, index, slice.subarray(HASH_BYTES))
  }

  /** By which the row of a log is found. */
  #logKeyNumbers(namespace: NamespaceId, log: LogKey): readonly [number, number, string] | undefined {
    const { creator, logId } = splitLogKey(log)
    const [namespaceNumber, creatorNumber] = [this.#nameNumber(namespace), this.#nameNumber(creator)]
    if (namespaceNumber === undefined || creatorNumber === undefined) return undefined
    return [namespaceNumber, creatorNumber, logId]
  }

  #logOf(number: number): NumberedLog {
    const known = this.#logs.get(number)
    if (known !== undefined) return known
    const row = this.#statements.log.get(number)
    if (row === undefined) throw damagedIndex(`log ${number}`)
    const creator = String(row['creator']) as PeerId
    const logId = String(row['log_id'])
    const log = { namespace: String(row['namespace']) as NamespaceId, log: logKeyOf(creator, logId), creator, logId }
    remember(this.#logs, number, log)
    return log
  }

  #name(number: number): string {
    const known = this.#names.get(number)
    if (known !== undefined) return known
    const row = this.#statements.name.get(number)
    if (row === undefined) throw damagedIndex(`name ${number}`)
    remember(this.#names, number, String(row['text']))
    return String(row['text'])
  }

  #nameNumber(text: string): number | undefined {
    const known = this.#numbers.get(text)
    if (known !== undefined) return known
    const row = this.#statements.nameNumber.get(text)
    if (row !== undefined) remember(this.#numbers, text, Number(row['number']))
    return row === undefined ? undefined : Number(row['number'])
  }
}

interface LogRow {
  readonly namespace: string
  readonly creator: string
  readonly log_id: string
  readonly seq: number
  readonly hash: Uint8Array
  readonly ms: number
  readonly counter: number
  readonly deltas: number
}

function placeOf({ place, index }: IndexEntry): string {
  return `${place}.${index}`
}

/** The first 23 bits of a hash, of which `prefix` is the first 48. */
function filterBit(prefix: number): number {
  return Math.floor(prefix / 2 ** 25)
}

/** The same from its text: the first five characters of base32 are 25 bits. Asked for every delta that is read. */
function filterBitOfText(hash: string): number {
  let bits = 0
  for (let index = 0; index < 5; index++) {
    const code = hash.charCodeAt(index)
    bits = (bits << 5) | (code >= LOWER_A ? code - LOWER_A : code - DIGIT_2 + 26)
  }
  return bits >> 2
}

function remember<Key, Item>(cache: Map<Key, Item>, key: Key, item: Item): void {
  if (cache.size >= NUMBERS_MAX) cache.clear()
  cache.set(key, item)
}

function damagedIndex(what: string): RhizomeError {
  const message = `the index is damaged at ${what}: close the store and open it again, which builds it anew`
  return new RhizomeError('RZ_STORE_DAMAGED', message)
}

const LOGS = `
  SELECT n.text AS namespace, c.text AS creator, l.log_id, l.seq, l.hash, l.ms, l.counter, l.deltas
  FROM logs l JOIN names n ON n.number = l.namespace JOIN names c ON c.number = l.creator`

function prepare(db: DatabaseSync) {
  return {
    end: db.prepare('SELECT "end" FROM meta'),
    logs: db.prepare(LOGS),
    log: db.prepare(`${LOGS} WHERE l.number = ?`),
    forks: db.prepare('SELECT place FROM forks ORDER BY place'),
    block: db.prepare(`
      SELECT b.place, b.deltas FROM logs l JOIN blocks b ON b.log = l.number
      WHERE l.namespace = ? AND l.creator = ? AND l.log_id = ? AND b.seq = ?`),
    blocks: db.prepare(
      `SELECT b.place FROM logs l JOIN blocks b ON b.log = l.number
      WHERE l.namespace = ? AND l.creator = ? AND l.log_id = ? AND b.seq >= ? ORDER BY b.seq LIMIT ?`,
      { returnArrays: true },
    ),
    hash: db.prepare('SELECT place FROM hashes WHERE prefix = ?'),
    chunks: db.prepare('SELECT first, sum, bytes FROM entries WHERE namespace = ? AND entity = ? ORDER BY first', {
      returnArrays: true,
    }),
    negated: db.prepare('SELECT place, prefix FROM negated WHERE place > ? ORDER BY place', { returnArrays: true }),
    entityFrom: db.prepare('SELECT entity FROM entries WHERE namespace = ? AND entity >= ? ORDER BY entity LIMIT 1'),
    entityAfter: db.prepare('SELECT entity FROM entries WHERE namespace = ? AND entity > ? ORDER BY entity LIMIT 1'),
    name: db.prepare('SELECT text FROM names WHERE number = ?'),
    nameNumber: db.prepare('SELECT number FROM names WHERE text = ?'),
  }
}
