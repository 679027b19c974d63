/**
 * Tells whether a directory's life simply goes on, or whether another copy of it may have gone on as well: then logs
 * written before are left for new ones, and positions get a new instance. design.md 3, "Logs never fork by honest accident".
 */

import { hash as digest } from 'node:crypto'
import { readFileSync, realpathSync, statSync } from 'node:fs'
import { hostname, uptime } from 'node:os'
import { join } from 'node:path'
import type { Durability, SqliteLog } from './log-sqlite.ts'
import type { StoreOrigin } from './store.ts'

/** Boots further apart than this are different ones, where the system does not name its boots. */
const BOOT_TOLERANCE_MS = 60_000

type Traces = Readonly<Record<'machine' | 'directory' | 'boot', string>>

export interface Life {
  readonly directory: string
  readonly durability: Durability
  /** Something else remembers rows that the log no longer has. */
  readonly logLostRows: boolean
}

/**
 * Compares the traces that the last life left with those of today, and begins a new life: its traces are written with its
 * first write, and it counts as unclean until `endLife`.
 */
export function beginLife(log: SqliteLog, life: Life): StoreOrigin {
  const { directory, durability } = life
  const now = tracesOf(directory)
  const renewal = life.logLostRows ? 'the newest writes of the store were lost' : renewalOf(log, now)
  log.beginLife({ ...now, durability, clean: 'no', repaired: 'no' }, renewal !== undefined)
  return renewal === undefined ? {} : { renewal }
}

export function endLife(log: SqliteLog): void {
  if (log.hasWritten) log.setMeta({ clean: 'yes' })
}

function renewalOf(log: SqliteLog, now: Traces): string | undefined {
  if (log.meta('repaired') === 'yes') return 'the store was repaired: blocks of its logs may be lacking'
  const before = log.meta('machine')
  if (before === undefined) return undefined
  if (before !== now.machine) return 'the store was last used on another machine'
  if (log.meta('directory') !== now.directory) return 'the store was last used in another directory'
  const unclean = log.meta('clean') !== 'yes' && log.meta('durability') !== 'full'
  if (!unclean || sameBoot(log.meta('boot') ?? '', now.boot)) return undefined
  return 'the machine stopped while the store was open: its newest writes may be lost'
}

function tracesOf(directory: string): Traces {
  const path = realpathSync(directory)
  // A copy, a restore from a backup or a move to another disk gives the files new numbers.
  const numbers = [path, join(path, 'log.db')].map((file) => String(statSync(file, { bigint: true }).ino))
  return { machine: machineId(), directory: `${path} ${numbers.join(' ')}`, boot: bootId() }
}

/** A hash: the machine's own id is nobody else's business. */
function machineId(): string {
  return digest('sha256', `rhizome/machine\n${hostname()}\n${readIfThere('/etc/machine-id')}`, 'hex').slice(0, 32)
}

function bootId(): string {
  const named = readIfThere('/proc/sys/kernel/random/boot_id')
  return named === '' ? `at ${Math.round(Date.now() - uptime() * 1_000)}` : named
}

function sameBoot(a: string, b: string): boolean {
  if (a === b) return true
  if (!a.startsWith('at ') || !b.startsWith('at ')) return false
  return Math.abs(Number(a.slice(3)) - Number(b.slice(3))) < BOOT_TOLERANCE_MS
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch (error) {
    if (error instanceof Error) return ''
    throw error
  }
}
