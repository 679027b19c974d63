/** Runs a command before the person's eyes, or collects or marks what it prints. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { constants } from 'node:os'
import { createInterface } from 'node:readline'
import type { Launch } from './backend.ts'
import { ClusterError } from './cluster-error.ts'

/** It has the terminal until it ends, Ctrl-C included. Answers its exit code. */
export async function runLaunch({ argv: [program, ...words], environment }: Launch): Promise<number> {
  // The command is told by the terminal as well; this one waits for it.
  process.on('SIGINT', ignore)
  try {
    const child = spawn(program, words, { env: environment, stdio: 'inherit' })
    const [exitCode, signal] = await ended(child, program)
    return exitCode ?? 128 + (signal === null ? 0 : constants.signals[signal])
  } finally {
    process.removeListener('SIGINT', ignore)
  }
}

/** Hands each line that it prints to `line`, until it ends. */
export async function followLaunch(
  { argv: [program, ...words], environment }: Launch,
  line: (text: string) => void,
): Promise<void> {
  const child = spawn(program, words, { env: environment, stdio: ['ignore', 'pipe', 'pipe'] })
  const end = ended(child, program)
  const readers = [child.stdout, child.stderr].map(async (input) => {
    for await (const text of createInterface({ input, crlfDelay: Infinity })) line(text)
  })
  await Promise.all([end, ...readers])
}

function ignore(): void {}

async function ended(
  child: ReturnType<typeof spawn>,
  program: string,
): Promise<[number | null, NodeJS.Signals | null]> {
  try {
    return (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
  } catch (cause) {
    throw new ClusterError(`${program} could not be run: ${(cause as Error).message}`)
  }
}
