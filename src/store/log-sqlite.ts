/**
 * log.db: the truth on disk. One transaction a commit, rows in the order of commit, nothing ever changed or removed.
 * WAL with synchronous=NORMAL survives a killed process; `full` syncs each transaction before it is acknowledged.
 * Anyone may read it with the `sqlite3` command while a node runs.
 */

import type { DatabaseSync } from 'node:sqlite'
import { crc32 } from 'node:zlib'
import { RhizomeError } from '../errors.ts'
import type { Block } from '../log/block.ts'
import { decodeBlock } from '../log/block-bytes.ts'
import type { ForkProof } from '../log/fork.ts'
import type { NamespaceId } from '../log/namespace.ts'
import type { LogFile, LogRecord, PlacedRecord, Placement, ReadLimits } from './log-file.ts'
import type { Notes } from './store.ts'
import { LogReader } from './log-reader.ts'
import { damagedRow, rowsOf, sumOf } from './log-rows.ts'
import { type Durability, openLogDatabase, randomId, type SqliteLogOptions, synchronous } from './log-schema.ts'
import { leavesNothing, storeError } from './sqlite-errors.ts'

export class SqliteLog implements LogFile {
  readonly reader: LogReader
  #instance: string
  readonly #path: string
  readonly #durability: Durability
  readonly #db: DatabaseSync
  readonly #statements: Statements
  #namespaces: readonly { readonly id: NamespaceId; readonly name: string }[]
  /** Undefined after a failed write: what it left is read again before the next. */
  #end: number | undefined
  #firstWrite: Readonly<Record<string, string>> | undefined

  private constructor(path: string, db: DatabaseSync, durability: Durability) {
    this.#path = path
    this.#durability = durability
    this.#db = db
    this.#statements = prepare(db)
    this.reader = new LogReader(db)
    this.#instance = this.#meta('instance') ?? ''
    this.#namespaces = this.#statements.namespaces.all().map(parseNamespace)
  }

  /** Throws RZ_STORE_UNWRITABLE, RZ_STORE_NEWER, RZ_STORE_DAMAGED, RZ_STORE_FULL. */
  static open(path: string, options: SqliteLogOptions): SqliteLog {
    let db: DatabaseSync | undefined
    try {
      db = openLogDatabase(path, options)
      return new SqliteLog(path, db, options.durability)
    } catch (error) {
      if (db?.isOpen === true) db.close()
      throw storeError(error, path)
    }
  }

  get instance(): string {
    return this.#instance
  }

  get isOpen(): boolean {
    return this.#db.isOpen
  }

  /** What other lives of this log are told apart by: unlike `instance` it changes with a repair alone. */
  get identity(): string {
    return this.#meta('identity') ?? ''
  }

  end(): number {
    return this.reader.end()
  }

  append(records: readonly LogRecord[], notes: Notes = NO_NOTES): readonly Placement[] {
    const { insert } = this.#statements
    const rows = records.map((record) => rowsOf(record))
    const count = rows.reduce((sum, { length }) => sum + length, 0)
    const placements: Placement[] = []
    const end = this.#endOnDisk()
    this.#write(count + notes.size > 1, () => {
      let place = end
      for (const recordRows of rows) {
        const first = place + 1
        for (const row of recordRows) insert.run(++place, row.kind, sumOf(place, row), row.hash, row.bytes)
        placements.push({ place: first, end: place })
      }
      for (const [key, value] of notes) this.#putNote(key, value)
    })
    this.#end = end + count
    return placements
  }

  after(position: number, limits: ReadLimits): readonly PlacedRecord[] {
    return this.#read(() => this.reader.after(position, limits))
  }

  blockAt(place: number): Block {
    const record = this.#read(() => this.reader.at(place))
    if (record.kind !== 'block') throw damagedRow(place, 'it holds no block')
    return record.block
  }

  positionAt(place: number): number {
    return this.#read(() => this.reader.at(place)).end
  }

  /** As `LogReader.at` for each of them, up to `bytesMax`. */
  blocksAt(places: readonly number[], bytesMax: number): readonly Block[] {
    return this.#read(() => this.reader.recordsAt(places, bytesMax)).map((record) => {
      if (record.kind !== 'block') throw damagedRow(record.place, 'it holds no block')
      return record.block
    })
  }

  forkProofAt(place: number): ForkProof {
    const record = this.#read(() => this.reader.at(place))
    if (record.kind !== 'fork') throw damagedRow(place, 'it holds no fork proof')
    return record.proof
  }

  namespaces(): readonly { readonly id: NamespaceId; readonly name: string }[] {
    return this.#namespaces
  }

  addNamespace(id: NamespaceId, name: string): void {
    this.#write(false, () => this.#statements.addNamespace.run(id, name, textSum(id, name)))
    this.#namespaces = [...this.#namespaces, { id, name }]
  }

  note(key: string): string | undefined {
    const row = this.#read(() => this.#statements.note.get(key))
    if (row === undefined) return undefined
    const value = String(row['value'])
    if (Number(row['sum']) !== textSum(key, value)) throw damagedNote(key)
    return value
  }

  setNote(key: string, value: string | undefined): void {
    this.#write(false, () => this.#putNote(key, value))
  }

  #putNote(key: string, value: string | undefined): void {
    const { setNote, removeNote } = this.#statements
    if (value === undefined) removeNote.run(key)
    else setNote.run(key, value, textSum(key, value))
  }

  meta(key: string): string | undefined {
    return this.#read(() => this.#meta(key))
  }

  setMeta(values: Readonly<Record<string, string>>): void {
    this.#write(true, () => this.#putMeta(values))
  }

  /** Has the positions of a log without records begin after `position`. */
  startAfter(position: number): void {
    this.setMeta({ start: String(position) })
    this.#end = undefined
  }

  /** Gives the store another instance, and `values` to be kept from the first write on: until then nothing has changed. */
  beginLife(values: Readonly<Record<string, string>>, renewed: boolean): void {
    if (renewed) this.#instance = randomId()
    this.#firstWrite = { ...values, instance: this.#instance }
  }

  get hasWritten(): boolean {
    return this.#firstWrite === undefined
  }

  /** Keeps what repair took out of a log. */
  addAside(bytes: Uint8Array, whole: boolean, why: string): void {
    this.#write(false, () => this.#statements.addAside.run(Number(whole), bytes, why))
  }

  /** Blocks that repair took out although they are whole: what they follow is damaged. */
  setAside(): readonly Block[] {
    return this.#read(() => this.#statements.setAside.all()).map((row) => decodeBlock(row['bytes'] as Uint8Array))
  }

  close(): void {
    if (this.#db.isOpen) this.#db.close()
  }

  #meta(key: string): string | undefined {
    const value = this.#statements.meta.get(key)?.['value']
    return value === undefined ? undefined : String(value)
  }

  #read<Answer>(read: () => Answer): Answer {
    try {
      return read()
    } catch (error) {
      throw storeError(error, this.#path)
    }
  }

  #putMeta(values: Readonly<Record<string, string>>): void {
    for (const [key, value] of Object.entries(values)) this.#statements.setMeta.run(key, value)
  }

  /** One transaction; a single statement is one by itself. */
  #write(several: boolean, change: () => void): void {
    const first = this.#firstWrite
    const explicit = several || first !== undefined
    const end = this.#endOnDisk()
    try {
      // That this life began must outlive a power cut: else the next would take the one before for its own, which ended well.
      if (first !== undefined) this.#db.exec(synchronous('full'))
      if (explicit) this.#statements.begin.run()
      if (first !== undefined) this.#putMeta(first)
      change()
      if (explicit) this.#statements.commit.run()
    } catch (error) {
      throw this.#writeError(error, end)
    }
    if (first !== undefined) this.#db.exec(synchronous(this.#durability))
    this.#firstWrite = undefined
  }

  #endOnDisk(): number {
    this.#end ??= this.#read(() => this.end())
    return this.#end
  }

  /** Tells a write that surely left nothing from one that may have left something. */
  #writeError(error: unknown, endBefore: number): unknown {
    this.#end = undefined
    try {
      if (this.#db.isTransaction) this.#statements.rollback.run()
      if (leavesNothing(error) && this.end() === endBefore) return storeError(error, this.#path)
    } catch {
      // The disk cannot even be read: the outcome stays unknown, and the first failure is the one to report.
    }
    const message = error instanceof Error ? error.message : String(error)
    return new RhizomeError('RZ_STORE_FAILED', `writing ${this.#path} failed (${message}): look after the disk`, {
      cause: error,
    })
  }
}

const NO_NOTES: Notes = new Map()

type Statements = ReturnType<typeof prepare>

function prepare(db: DatabaseSync) {
  return {
    begin: db.prepare('BEGIN IMMEDIATE'),
    commit: db.prepare('COMMIT'),
    rollback: db.prepare('ROLLBACK'),
    insert: db.prepare('INSERT INTO log (place, kind, sum, hash, bytes) VALUES (?, ?, ?, ?, ?)'),
    namespaces: db.prepare('SELECT id, name, sum FROM namespaces ORDER BY number'),
    addNamespace: db.prepare('INSERT INTO namespaces (id, name, sum) VALUES (?, ?, ?)'),
    note: db.prepare('SELECT value, sum FROM notes WHERE key = ?'),
    setNote: db.prepare(
      'INSERT INTO notes (key, value, sum) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value, sum = excluded.sum',
    ),
    removeNote: db.prepare('DELETE FROM notes WHERE key = ?'),
    addAside: db.prepare('INSERT INTO aside (whole, bytes, why) VALUES (?, ?, ?)'),
    setAside: db.prepare('SELECT bytes FROM aside WHERE whole = 1 ORDER BY number'),
    meta: db.prepare('SELECT value FROM meta WHERE key = ?'),
    setMeta: db.prepare('INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value'),
  }
}

function parseNamespace(row: Record<string, unknown>): { readonly id: NamespaceId; readonly name: string } {
  const { id, name, sum } = row as { id: NamespaceId; name: string; sum: number }
  if (sum !== textSum(id, name)) throw damagedNote(name)
  return { id, name }
}

export function textSum(key: string, value: string): number {
  return crc32(value, crc32(`${key}\0`))
}

function damagedNote(key: string): RhizomeError {
  return new RhizomeError('RZ_STORE_DAMAGED', `the note "${key}" of the store is damaged: run rhizome-node repair`)
}
