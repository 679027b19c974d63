/** The store on disk: a directory with log.db (the truth), index.db (derived, deletable) and lock.db. design.md 6. */

import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { RhizomeError } from '../errors.ts'
import { SqliteDerived } from './derived-sqlite.ts'
import { Draft } from './draft.ts'
import { StoreEngine } from './engine.ts'
import { Heads } from './heads.ts'
import { ThreadedIndex } from './index-thread.ts'
import { lockDirectory } from './lock.ts'
import type { Durability } from './log-schema.ts'
import { SqliteLog } from './log-sqlite.ts'
import { repairStore } from './repair.ts'
import { beginLife, changedSinceClosing, endLife, noteClosing } from './origin.ts'
import { Overlay } from './overlay.ts'
import type { Store } from './store.ts'

export interface OpenStoreOptions {
  /**
   * `normal`: what was acknowledged survives a killed process; a power cut may take the newest writes. `full`: it survives
   * that too, for an fsync per commit. Default `normal`.
   */
  readonly durability?: Durability
  /** Whether a directory without a store gets one. Default true. */
  readonly create?: boolean
  /** Whether damage is looked for and mended first (repair.ts), which reads the whole log. Default false. */
  readonly repair?: boolean
  /**
   * Largest size of log.db in bytes: what would make it larger is refused as on a full disk. A few megabytes more lie in the
   * write-ahead log and the index. Default: the disk.
   */
  readonly logBytesMax?: number
  /**
   * Bytes of the log that may wait in memory for the index; past it writers go at the index's rate. Less makes bursts
   * slower, more takes that much memory. Default 64 MiB.
   */
  readonly unindexedBytesMax?: number
  /** Ends an opening that has to build the index first. */
  readonly signal?: AbortSignal
}

const UNINDEXED_BYTES_MAX = 64 * 1_048_576

/** A tail that no index covers is replayed into memory up to here, 100 ms; a longer one is indexed before opening. */
const TAIL_ROWS_MAX = 8_192

/**
 * Opens the store in `directory`. Throws RZ_STORE_LOCKED, RZ_STORE_UNWRITABLE, RZ_STORE_NEWER, RZ_STORE_DAMAGED,
 * RZ_STORE_FULL, and RZ_STORE_MISSING unless it may be created. Milliseconds, unless the index has to be built.
 */
export async function openStore(directory: string, options: OpenStoreOptions = {}): Promise<Store> {
  const { durability = 'normal', create = true, repair = false, signal } = options
  const { logBytesMax = Infinity, unindexedBytesMax = UNINDEXED_BYTES_MAX } = options
  const path = join(directory, 'log.db')
  if (create) makeDirectory(directory)
  else if (!existsSync(path)) throw new RhizomeError('RZ_STORE_MISSING', `${directory} holds no store`)

  if (repair && existsSync(path)) repairStore(directory)
  await using opening = new AsyncDisposableStack()
  const lock = opening.adopt(lockDirectory(directory), ({ release }) => release())
  const logChanged = changedSinceClosing(directory)
  const log = opening.adopt(SqliteLog.open(path, { durability, bytesMax: logBytesMax }), (opened) => opened.close())
  const index = opening.adopt(openIndex(directory, log, unindexedBytesMax), (opened) => opened.close())
  const start = log.reader.start()
  if (log.end() - Math.max(index.indexedEnd(), start) > TAIL_ROWS_MAX) await index.catchUp(log.end(), signal)

  const origin = beginLife(log, { directory, durability, logLostRows: index.logLostRows, logChanged })
  const { heads, forkPlaces } = loadHeads(log, index)
  const overlay = new Overlay(Math.max(index.indexedEnd(), start))
  const release = () => {
    endLife(log)
    const { hasWritten } = log
    log.close()
    if (hasWritten) noteClosing(directory)
    lock.release()
  }
  const derived = new SqliteDerived(join(directory, 'derived.db'), log)
  const store = new StoreEngine({ derived, log, heads, overlay, forkPlaces, index, origin, release })
  opening.move()
  return store
}

function openIndex(directory: string, log: SqliteLog, unindexedBytesMax: number): ThreadedIndex {
  const paths = { logPath: join(directory, 'log.db'), indexPath: join(directory, 'index.db') }
  return new ThreadedIndex(log, { ...paths, unindexedBytesMax })
}

function makeDirectory(directory: string): void {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
  } catch (cause) {
    throw new RhizomeError('RZ_STORE_UNWRITABLE', `${directory} cannot be made: choose another directory`, { cause })
  }
}

/** The logs as the index knows them, cut where proofs say so. */
function loadHeads(log: SqliteLog, index: ThreadedIndex) {
  const heads = new Heads()
  const forkPlaces = new Map<string, number>()
  for (const held of index.reader.logs()) heads.set(held)
  const draft = new Draft(heads, index)
  for (const place of index.reader.forks()) {
    const record = log.reader.at(place)
    if (record.kind !== 'fork') continue
    draft.replay(record)
    forkPlaces.set(`${record.fork.namespace}/${record.fork.log}`, place)
  }
  for (const held of draft.held()) heads.set(held)
  return { heads, forkPlaces }
}
