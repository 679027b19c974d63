/**
 * The command line in processes of its own, as a person types it: `rhizome-node` with words, or a script of Node's. Nodes
 * started so keep to loopback, find each other through a registry in their home alone, and are gone after the test.
 */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import { until } from './nodes.ts'

const BIN = fileURLToPath(new URL('../../src/bin.ts', import.meta.url))
const LIFE_MS = 60_000

export interface CommandOptions {
  /** Working directory. */
  readonly directory: string
  /** RHIZOME_HOME. */
  readonly home: string
  readonly env?: Readonly<Record<string, string>>
  /** Command words to start it with: `host.enter` of a LAN. */
  readonly enter?: readonly string[]
}

export interface Finished {
  readonly exitCode: number | null
  readonly out: string
  readonly err: string
}

/** A process under way. */
export class Command {
  readonly #child: ChildProcess
  readonly #ended: Promise<unknown>
  #out = ''
  #err = ''

  constructor(argv: readonly string[], { directory, home, env, enter = [] }: CommandOptions) {
    const [program = '', ...words] = [...enter, process.execPath, ...argv]
    this.#child = spawn(program, words, {
      cwd: directory,
      env: { ...ownEnvironment(), ...loopbackOnly(home), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#ended = once(this.#child, 'close')
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.#out += text))
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.#err += text))
    onTestFinished(async () => {
      this.#child.kill('SIGKILL')
      await this.#ended
    })
  }

  /** What it has printed so far. */
  get out(): string {
    return this.#out
  }

  get err(): string {
    return this.#err
  }

  /** Waits until stdout matches; fails with all that was printed when the process ends or takes too long before. */
  async printed(pattern: RegExp): Promise<RegExpExecArray> {
    try {
      return await until(`stdout matches ${pattern}`, () => this.#match(pattern), LIFE_MS)
    } catch (cause) {
      throw new Error(`${pattern} was never printed, but ${JSON.stringify(this.#out)} and on stderr ${this.#err}`, {
        cause,
      })
    }
  }

  #match(pattern: RegExp): RegExpExecArray | undefined {
    const match = pattern.exec(this.#out)
    if (match === null && this.#child.exitCode !== null) throw new Error(`it has ended with ${this.#child.exitCode}`)
    return match ?? undefined
  }

  /** Sends signals one right after the other. */
  signal(...signals: readonly NodeJS.Signals[]): void {
    for (const signal of signals) this.#child.kill(signal)
  }

  /** Ctrl-C. */
  async interrupt(): Promise<Finished> {
    if (this.#child.exitCode === null) this.#child.kill('SIGINT')
    return this.finished()
  }

  /** Waits for its end; kills it when that takes too long. */
  async finished(deadlineMs = LIFE_MS): Promise<Finished> {
    const late = setTimeout(() => this.#child.kill('SIGKILL'), deadlineMs)
    await this.#ended
    clearTimeout(late)
    return { exitCode: this.#child.exitCode, out: this.#out, err: this.#err }
  }
}

/** `rhizome-node` with these words, under way. */
export function startRhizome(words: readonly string[], options: CommandOptions): Command {
  return new Command([BIN, ...words], options)
}

/** `rhizome-node` with these words, to its end. */
export function runRhizome(words: readonly string[], options: CommandOptions): Promise<Finished> {
  return startRhizome(words, options).finished()
}

function loopbackOnly(home: string): Record<string, string> {
  return { RHIZOME_HOME: home, RHIZOME_NO_MDNS: 'true', RHIZOME_LISTEN: '/ip4/127.0.0.1/tcp/0', NO_COLOR: '1' }
}

function ownEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('RHIZOME_')))
}
