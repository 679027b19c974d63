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

/** Hands each line that it prints to `line`, until it ends. Answers its exit code. */
export function followLaunch(launch: Launch, line: (text: string) => void): Promise<number | null> {
  return follow(launch, { out: line, err: line })
}

export interface Collected {
  readonly exitCode: number | null
  /** Of stdout. */
  readonly lines: readonly string[]
  /** Of stdout and stderr, as they came. */
  readonly said: readonly string[]
}

/** Runs it to its end. */
export async function collect(launch: Launch): Promise<Collected> {
  const [lines, said]: [string[], string[]] = [[], []]
  const out = (line: string): void => {
    lines.push(line)
    said.push(line)
  }
  const exitCode = await follow(launch, { out, err: (line) => said.push(line) })
  return { exitCode, lines, said }
}

/** A launch of these words, in the environment of this command unless told otherwise. */
export function launched(words: readonly string[], environment: Launch['environment'] = process.env): Launch {
  const [program = '', ...rest] = words
  return { argv: [program, ...rest], environment }
}

interface Readers {
  readonly out: (line: string) => void
  readonly err: (line: string) => void
}

async function follow(
  { argv: [program, ...words], environment }: Launch,
  { out, err }: Readers,
): Promise<number | null> {
  const child = spawn(program, words, { env: environment, stdio: ['ignore', 'pipe', 'pipe'] })
  const end = ended(child, program)
  const read = async (input: NodeJS.ReadableStream, line: (text: string) => void) => {
    for await (const text of createInterface({ input, crlfDelay: Infinity })) line(text)
  }
  const [[exitCode]] = await Promise.all([end, read(child.stdout, out), read(child.stderr, err)])
  return exitCode
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
