/**
 * Processes that outlive the command which started them: known by process id, start time and boot, so that an id which
 * the system has given to another meanwhile is never mistaken for ours, and ended by that, never by name.
 *
 * A process may start others. They are in its group unless they leave it, and carry its environment: where /proc is there,
 * those that left are found by a marker in it.
 */

import { execFileSync, spawn } from 'node:child_process'
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { ClusterError } from './cluster-error.ts'

export interface Life {
  readonly pid: number
  /** As the system tells it, compared as text. */
  readonly started: string
  readonly boot: string
}

export interface StartOptions {
  /** The program and its arguments. */
  readonly words: readonly string[]
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly folder: string
  /** Receives what it prints, at the end of what is there. */
  readonly logPath: string
}

const END_MS = 5_000
const POLL_MS = 10

/** Starts a process in a session of its own, so that neither Ctrl-C nor the end of a terminal reaches it. */
export function startLife({
  words: [program = '', ...rest],
  environment,
  folder,
  logPath,
}: StartOptions): Promise<Life> {
  const { promise, resolve, reject } = Promise.withResolvers<Life>()
  const log = openSync(logPath, 'a', 0o600)
  const child = spawn(program, rest, {
    cwd: folder,
    env: environment,
    detached: true,
    stdio: ['ignore', log, log],
  })
  closeSync(log)
  child.on('error', (cause) => reject(new ClusterError(`${program} could not be started: ${cause.message}`)))
  child.on('spawn', () => {
    child.unref()
    const pid = child.pid ?? 0
    // One that has ended already has no start time, and is nobody.
    resolve({ pid, started: startOf(pid) ?? 'ended', boot: bootOf() })
  })
  return promise
}

/** Of the process that asks. */
export function ownLife(): Life {
  return { pid: process.pid, started: startOf(process.pid) ?? '', boot: bootOf() }
}

/** Whether this very process runs; a zombie does not. */
export function lives({ pid, started, boot }: Life): boolean {
  return boot === bootOf() && startOf(pid) === started
}

/** Sends a signal to the process and its group. False: it runs no more, and nothing was sent. */
export function signalLife(life: Life, signal: NodeJS.Signals): boolean {
  if (!lives(life)) return false
  try {
    process.kill(-life.pid, signal)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
    throw error
  }
}

/** Ends the process at once, and every other that carries `NAME=value` of `marker` in its environment. */
export async function endLife(life: Life | undefined, marker: string): Promise<void> {
  if (life !== undefined) signalLife(life, 'SIGKILL')
  const deadlineMs = performance.now() + END_MS
  for (;;) {
    const left = carriersOf(marker)
    for (const pid of left) signalOne(pid, 'SIGKILL')
    if (left.length === 0 && (life === undefined || !lives(life))) return
    if (performance.now() > deadlineMs) {
      const pids = [...new Set([...left, ...(life !== undefined && lives(life) ? [life.pid] : [])])]
      throw new ClusterError(
        `processes of this cluster do not end: ${pids.join(', ')}; end them with kill -9, then again`,
      )
    }
    await setTimeout(POLL_MS)
  }
}

/** Processes that were started with this in their environment, and what they started; this one left out. */
function carriersOf(marker: string): readonly number[] {
  if (process.platform !== 'linux') return []
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => pid !== process.pid && environmentOf(pid).includes(marker) && startOf(pid) !== undefined)
}

function environmentOf(pid: number): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0')
  } catch {
    // It has ended, or belongs to somebody else.
    return []
  }
}

function signalOne(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** When a running process started; undefined for none and for a zombie. */
function startOf(pid: number): string | undefined {
  return process.platform === 'linux' ? startInProc(pid) : startByPs(pid)
}

/** proc_pid_stat(5): the name, in parentheses, may hold spaces; field 3 is the state, field 22 the start in ticks. */
function startInProc(pid: number): string | undefined {
  let stat: string
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  } catch {
    return undefined
  }
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19]
}

function startByPs(pid: number): string | undefined {
  try {
    const text = execFileSync('ps', ['-o', 'state=,lstart=', '-p', String(pid)], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    const [state = '', ...started] = text.trim().split(/\s+/)
    return state === '' || state.startsWith('Z') ? undefined : started.join(' ')
  } catch {
    return undefined
  }
}

let boot: string | undefined

function bootOf(): string {
  boot ??= process.platform === 'linux' ? readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim() : 'unknown'
  return boot
}
