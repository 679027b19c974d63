/**
 * The thread that builds index.db: reads what is new in log.db, writes it in slices, and empties the write-ahead log of
 * log.db, so that the main thread never pauses for either. Started by `index-thread.ts`; ends when told to.
 */

import { DatabaseSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'
import { joinIndexDatabase } from './index-schema.ts'
import { IndexSignals } from './index-signals.ts'
import { IndexWriter } from './index-writer.ts'
import { LogReader } from './log-reader.ts'
import { isFull } from './sqlite-errors.ts'

export interface IndexWorkerStart {
  readonly logPath: string
  readonly indexPath: string
  readonly signals: SharedArrayBuffer
}

/** A slice: some 50 ms of work. More per slice costs less in all and lets the overlay wait longer. */
const SLICE = { countMax: 4_096, bytesMax: 1_048_576 }
/** Fewer new rows than this are left to gather for `GATHER_MS`: a trickle of writes shares a slice. */
const GATHER_ROWS = 2_048
const GATHER_MS = 1_000
/** After a full disk. */
const RETRY_MS = 500

function run({ logPath, indexPath, signals: buffer }: IndexWorkerStart): void {
  const signals = new IndexSignals(buffer)
  const logDatabase = new DatabaseSync(logPath, { timeout: 5_000 })
  const log = new LogReader(logDatabase)
  const index = joinIndexDatabase(indexPath)
  const writer = new IndexWriter(index)
  try {
    while (!isDone(signals)) {
      gather(signals)
      if (signals.wanted > signals.indexed) step(signals, log, writer)
    }
  } finally {
    index.close()
    logDatabase.close()
  }
}

function isDone(signals: IndexSignals): boolean {
  return signals.stop && (signals.wanted <= signals.indexed || signals.stalled)
}

/** Waits until there is a slice's worth of work, or some work and enough time. */
function gather(signals: IndexSignals): void {
  signals.waitForWanted(signals.indexed + 1, Infinity)
  signals.waitForWanted(signals.indexed + GATHER_ROWS, GATHER_MS)
}

function step(signals: IndexSignals, log: LogReader, writer: IndexWriter): void {
  try {
    const records = log.after(signals.indexed, SLICE)
    const last = records.at(-1)
    if (last === undefined) return
    writer.write(records, log.sumAt(last.end) ?? 0)
    signals.stalled = false
    signals.indexed = last.end
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker's port has no origin
    parentPort?.postMessage('indexed')
    log.checkpoint()
  } catch (error) {
    if (!isFull(error)) throw error
    signals.stalled = true
    signals.rest(RETRY_MS)
  }
}

run(workerData as IndexWorkerStart)
