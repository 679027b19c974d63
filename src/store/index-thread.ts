/**
 * The index as the engine sees it: read here, built by a worker that is started when there is work for it. Past
 * `unindexedBytesMax` that no index covers, every commit waits for the worker's next slice: writers go at its rate.
 */

import type { DatabaseSync } from 'node:sqlite'
import { Worker } from 'node:worker_threads'
import type { Delta } from '../delta/delta.ts'
import { RhizomeError } from '../errors.ts'
import type { Block, LogKey } from '../log/block.ts'
import type { NamespaceId } from '../log/namespace.ts'
import type { HeldBlock } from './draft.ts'
import type { Admits, LogIndex, ReadDeltas } from './log-index.ts'
import { IndexReader } from './index-reader.ts'
import { openIndexDatabase } from './index-schema.ts'
import { IndexSignals } from './index-signals.ts'
import { IndexWriter } from './index-writer.ts'
import type { IndexWorkerStart } from './index-worker.ts'
import type { ReadLimits } from './log-file.ts'
import type { SqliteLog } from './log-sqlite.ts'
import { removeDatabase } from './files.ts'
import { isDamage, storeError } from './sqlite-errors.ts'

export interface ThreadedIndexOptions {
  readonly indexPath: string
  readonly logPath: string
  /** Bytes that may wait for the index before writers wait for it. */
  readonly unindexedBytesMax: number
}

/** Rows that may wait for a worker; the worker itself waits for more than these. */
const START_ROWS = 256
const START_MS = 1_000
/** One slice takes 50 ms; a disk that needs longer for it slows writers a little more than it must. */
const SLICE_WAIT_MS = 200
const POLL_MS = 10

/** It makes short-lived objects alone: a larger young generation holds 120 MB more and is no faster. */
const WORKER_LIMITS = { maxYoungGenerationSizeMb: 16 }

/** In a checkout the worker is TypeScript as this file is; in the published package both are compiled. */
const WORKER = new URL(import.meta.url.endsWith('.ts') ? './index-worker.ts' : './index-worker.js', import.meta.url)

export class ThreadedIndex implements LogIndex {
  readonly reader: IndexReader
  /** As found on opening (index-schema.ts). */
  readonly logLostRows: boolean
  readonly #path: string
  readonly #logPath: string
  readonly #unindexedBytesMax: number
  readonly #log: SqliteLog
  readonly #db: DatabaseSync
  readonly #signals = new IndexSignals()
  #worker: Worker | undefined
  #ended: Promise<void> = Promise.resolve()
  #failure: Error | undefined
  #listener: () => void = () => {}
  #seenEnd = -1
  #timer: NodeJS.Timeout | undefined
  /** Found damaged: it goes when the store is closed, and is built anew at the next opening. */
  #condemned = false

  constructor(log: SqliteLog, { indexPath, logPath, unindexedBytesMax }: ThreadedIndexOptions) {
    this.#path = indexPath
    this.#logPath = logPath
    this.#unindexedBytesMax = unindexedBytesMax
    this.#log = log
    const opened = openIndexDatabase(indexPath, log)
    this.#db = opened.db
    this.logLostRows = opened.logLostRows
    this.reader = new IndexReader(this.#db, log)
    this.#signals.indexed = this.reader.end()
    this.#signals.wanted = this.#signals.indexed
  }

  indexedEnd(): number {
    const end = this.#signals.indexed
    if (end === this.#seenEnd) return end
    // Before anything leaves the overlay: a negation must be found in one of the two.
    this.reader.readNegations()
    this.#seenEnd = end
    return end
  }

  onIndexed(listener: () => void): void {
    this.#listener = listener
  }

  /** Indexes up to `end` before anything is read: for a tail too long for memory. Throws what stopped it. */
  async catchUp(end: number, signal?: AbortSignal): Promise<void> {
    this.#signals.wanted = end
    this.#start()
    while (this.#signals.indexed < end) {
      signal?.throwIfAborted()
      if (this.#failure !== undefined) throw this.#failure
      if (this.#signals.stalled) throw noRoom(this.#path)
      await new Promise((resolve) => {
        setTimeout(resolve, POLL_MS)
      })
    }
  }

  recorded(end: number): void {
    this.#signals.wanted = end
    if (this.#worker !== undefined) return
    if (end - this.#signals.indexed >= START_ROWS) this.#start()
    else this.#timer ??= setTimeout(() => this.#start(), START_MS).unref()
  }

  makeRoom(unindexedBytes: number): void {
    if (unindexedBytes <= this.#unindexedBytesMax) return
    if (this.#failure !== undefined) throw this.#failure
    if (this.#signals.stalled) throw noRoom(this.#path)
    this.#start()
    this.#signals.waitForIndexed(this.#signals.indexed, SLICE_WAIT_MS)
  }

  heldBlock(namespace: NamespaceId, log: LogKey, seq: number): HeldBlock | undefined {
    return this.#read(() => this.reader.heldBlock(namespace, log, seq))
  }

  blocksFrom(namespace: NamespaceId, log: LogKey, fromSeq: number, limits: ReadLimits): readonly Block[] {
    return this.#read(() => this.reader.blocksFrom(namespace, log, fromSeq, limits))
  }

  block(hash: string): Block | undefined {
    return this.#read(() => this.reader.block(hash))
  }

  positionOf(hash: string): number | undefined {
    return this.#read(() => this.reader.positionOf(hash))
  }

  deltas(namespace: NamespaceId, entity: string, end: number, admits: Admits, read?: ReadDeltas): readonly Delta[] {
    return this.#read(() => this.reader.deltas(namespace, entity, end, admits, read))
  }

  mayBeNegated(blockHash: string): boolean {
    return this.reader.mayBeNegated(blockHash)
  }

  nextEntity(namespace: NamespaceId, from: string, inclusive: boolean, admits?: Admits): string | undefined {
    return this.#read(() => this.reader.nextEntity(namespace, from, inclusive, admits))
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer)
    this.#signals.stop = true
    // Whoever waits for this must not find the process at its end for want of anything to do.
    this.#worker?.ref()
    await this.#ended
    try {
      if (!this.#condemned && this.#failure === undefined) this.#indexRest()
    } finally {
      this.#db.close()
      if (this.#condemned) removeDatabase(this.#path)
    }
  }

  /** What no worker was started for is little enough to be indexed here. */
  #indexRest(): void {
    if (this.#signals.wanted <= this.#signals.indexed) return
    try {
      const writer = new IndexWriter(this.#db)
      const records = this.#log.reader.after(this.#signals.indexed, { countMax: Infinity, bytesMax: Infinity })
      writer.write(records, this.#log.reader.sumAt(this.#signals.wanted) ?? 0)
    } catch (error) {
      // The next opening does it, or says what is wrong with the log.
      if (!(error instanceof Error)) throw error
    }
  }

  #start(): void {
    if (this.#worker !== undefined || this.#failure !== undefined) return
    clearTimeout(this.#timer)
    const start: IndexWorkerStart = { logPath: this.#logPath, indexPath: this.#path, signals: this.#signals.buffer }
    const worker = new Worker(WORKER, { workerData: start, name: 'rhizome index', resourceLimits: WORKER_LIMITS })
    this.#worker = worker
    worker.on('message', () => this.#listener())
    worker.on('error', (error: Error) => {
      this.#failure = workerError(error, this.#path)
    })
    this.#ended = new Promise((resolve) => {
      worker.on('exit', () => resolve())
    })
    // The process may end without it: what is not indexed then is indexed after the next opening.
    worker.unref()
  }

  #read<Answer>(read: () => Answer): Answer {
    try {
      return read()
    } catch (error) {
      if (isDamage(error)) this.#condemned = true
      throw storeError(error, this.#path)
    }
  }
}

/** An error that crossed the thread boundary has lost its class, and kept its code. */
function workerError(error: Error, path: string): Error {
  if (!('code' in error) || error.code !== 'RZ_STORE_DAMAGED') return storeError(error, path)
  return new RhizomeError('RZ_STORE_DAMAGED', error.message, { cause: error })
}

function noRoom(path: string): RhizomeError {
  return new RhizomeError('RZ_STORE_FULL', `no room on the disk for ${path}: free some and write again; reads go on`)
}
