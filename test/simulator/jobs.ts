/**
 * Runs many histories at once, each process a share of the seeds. A worker process is this file, run by Node with an IPC
 * channel; seeds are handed out a few at a time, so that no core waits for another.
 */

import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { type HistoryOptions, type HistoryOutcome, runHistory } from './history.ts'

export interface JobsOptions {
  readonly jobs: number
  readonly seeds: readonly number[]
  readonly history: (seed: number) => HistoryOptions
  readonly onOutcome: (outcome: HistoryOutcome) => void
  /** Asked before seeds are handed out: false ends it when those under way are done. */
  readonly goesOn?: () => boolean
  /** Where the code lies that is run. Default: here. */
  readonly file?: string
  /** Ends it, by rejecting with its reason. */
  readonly signal?: AbortSignal
}

/** Seeds that a worker gets at once. */
const SHARE = 5

const HERE = fileURLToPath(import.meta.url)

/** Resolves when all are run. Rejects when a worker dies, with what it printed. */
export async function runJobs(options: JobsOptions): Promise<void> {
  const left = [...options.seeds]
  const workers = Array.from({ length: Math.min(options.jobs, Math.ceil(left.length / SHARE)) }, () =>
    fork(options.file ?? HERE, { stdio: ['ignore', 'inherit', 'pipe', 'ipc'] }),
  )
  try {
    const ended = options.signal === undefined ? [] : [rejected(options.signal)]
    await Promise.race([Promise.all(workers.map((worker) => drive(worker, left, options))), ...ended])
  } finally {
    for (const worker of workers) worker.kill('SIGKILL')
  }
}

/** Rejects when the signal ends. */
function rejected(signal: AbortSignal): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>()
  signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
  return promise
}

function drive(
  worker: ChildProcess,
  left: number[],
  { history, onOutcome, goesOn = () => true }: JobsOptions,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  let underWay = 0
  let printed = ''
  const handOut = (): void => {
    const share = goesOn() ? left.splice(0, SHARE) : []
    underWay = share.length
    if (underWay === 0) resolve()
    else worker.send(share.map(history))
  }
  worker.stderr?.on('data', (chunk: Buffer) => (printed += chunk.toString()))
  worker.on('message', (outcome) => {
    onOutcome(outcome as HistoryOutcome)
    if (--underWay === 0) handOut()
  })
  worker.on('error', reject)
  worker.on('exit', (code) => reject(new Error(`a worker ended with ${code}: ${printed}`)))
  handOut()
  return promise
}

if (process.send !== undefined && process.argv[1] === HERE) {
  process.on('message', (histories) => {
    void (async () => {
      for (const history of histories as readonly HistoryOptions[]) process.send?.(await runHistory(history))
    })()
  })
}
