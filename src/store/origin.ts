/**
 * Tells whether a directory's life simply goes on, or whether another copy of it may have gone on as well: then logs
 * written before are left for new ones, and positions get a new instance. design.md 3, "Logs never fork by honest accident".
 */

import { hash as digest } from 'node:crypto'
import { readFileSync, realpathSync, statSync, writeFileSync } from 'node:fs'
import { hostname, uptime } from 'node:os'
import { join } from 'node:path'
import type { Durability } from './log-schema.ts'
import type { SqliteLog } from './log-sqlite.ts'
import type { StoreOrigin } from './store.ts'

/** Boots further apart than this are different ones, where the system does not name its boots. */
const BOOT_TOLERANCE_MS = 60_000

type Traces = Readonly<Record<'machine' | 'directory' | 'boot', string>>

export interface Life {
  readonly directory: string
  readonly durability: Durability
  /** Something else remembers rows that the log no longer has. */
  readonly logLostRows: boolean
  /** `changedSinceClosing`, asked before the log was opened. */
  readonly logChanged: boolean
}

/** Holds the time at which log.db was last changed, as the system knew it when the store was closed. */
const CLOSED_FILE = 'closed'

/**
 * Whether log.db was written since it was closed: a backup laid over it leaves its place and number as they were, but nobody
 * can set the time of a change back. False when nothing is known of a closing.
 */
export function changedSinceClosing(directory: string): boolean {
  const noted = readIfThere(join(directory, CLOSED_FILE))
  return noted !== '' && noted !== changeTimeOf(directory)
}

/**
 * Compares the traces that the last life left with those of today, and begins a new life: its traces are written with its
 * first write, and it counts as unclean until `endLife`.
 */
export function beginLife(log: SqliteLog, life: Life): StoreOrigin {
  const { directory, durability, logChanged } = life
  const now = tracesOf(directory)
  const renewal = life.logLostRows ? 'the newest writes of the store were lost' : renewalOf(log, now, logChanged)
  log.beginLife({ ...now, durability, clean: 'no', repaired: 'no' }, renewal !== undefined)
  return renewal === undefined ? {} : { renewal }
}

export function endLife(log: SqliteLog): void {
  if (log.hasWritten) log.setMeta({ clean: 'yes' })
}

/** Once log.db is closed. Of a life that wrote nothing nothing is noted: what it found is still to be told. */
export function noteClosing(directory: string): void {
  try {
    writeFileSync(join(directory, CLOSED_FILE), `${changeTimeOf(directory)}\n`)
  } catch (error) {
    // An older note or none: at worst a new log is begun for nothing.
    if (!(error instanceof Error)) throw error
  }
}

function changeTimeOf(directory: string): string {
  return String(statSync(join(directory, 'log.db'), { bigint: true, throwIfNoEntry: false })?.ctimeNs)
}

function renewalOf(log: SqliteLog, now: Traces, logChanged: boolean): string | undefined {
  if (log.meta('repaired') === 'yes') return 'the store was repaired: blocks of its logs may be lacking'
  const before = log.meta('machine')
  if (before === undefined) return undefined
  if (before !== now.machine) return 'the store was last used on another machine'
  if (log.meta('directory') !== now.directory) return 'the store was last used in another directory'
  if (log.meta('clean') === 'yes' && logChanged) return 'the store was written by something else, as from a backup'
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
