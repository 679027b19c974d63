/**
 * One call of the command line, from its words to its exit code: parses, reads the settings, runs the command, prints what
 * went wrong. Owns how a call ends: by itself, by Ctrl-C within two seconds, by a second Ctrl-C at once, or because nobody
 * reads its output any more.
 */

import type { Call } from './call.ts'
import { readConfig } from './config.ts'
import { EXIT, type ExitCode, exitCodeOf } from './exit-codes.ts'
import type { Faces } from './faces.ts'
import { type Invocation, parseArguments } from './program.ts'
import { run } from './run.ts'
import { openTerminal, type Terminal, visible } from './terminal.ts'

/** What is used of the process: environment, streams, signals, and the way out when nothing else is left. */
export type Host = Pick<
  NodeJS.Process,
  'env' | 'cwd' | 'stdin' | 'stdout' | 'stderr' | 'on' | 'removeListener' | 'exit'
>

export interface CliParts {
  readonly argv: readonly string[]
  readonly host: Host
  readonly version: string
  readonly faces: Faces
}

/** Ctrl-C is promised to end a node in two seconds; whatever hangs is left behind then. */
const STOP_MS = 2_000
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

export async function runCli({ argv, host, version, faces }: CliParts): Promise<ExitCode> {
  const { env, stdout, stderr, stdin } = host
  const terminal = openTerminal({ stdout, stderr, env })
  const stopping = stopWith(host, terminal)
  let isVerbose = argv.includes('--verbose')
  try {
    const invocation = parseArguments(argv)
    if (invocation.kind === 'help' || invocation.kind === 'version') {
      terminal.out(invocation.kind === 'help' ? invocation.text : version)
      return EXIT.ok
    }
    const config = readConfig({ flags: invocation.flags, env, directory: host.cwd() })
    isVerbose = config.verbose
    const common = { config, faces, terminal, signal: stopping.signal }
    return await dispatch(invocation, { ...common, words: [], options: {}, stdin, stdout })
  } catch (error) {
    if (stopping.signal.aborted && isAbort(error)) return EXIT.ok
    return tellFailure(error, terminal, isVerbose)
  } finally {
    stopping.leave()
  }
}

function dispatch(invocation: Extract<Invocation, { kind: 'run' | 'command' }>, call: Call): Promise<ExitCode> {
  if (invocation.kind === 'run') return run(call)
  const { spec, words, options } = invocation
  return spec.run({ ...call, words, options })
}

/** The first signal stops, the second ends the process, and so does a stop that takes too long. */
function stopWith(host: Host, terminal: Terminal): { readonly signal: AbortSignal; leave(): void } {
  const stopping = new AbortController()
  let deadline: NodeJS.Timeout | undefined
  const stop = (signal?: NodeJS.Signals) => {
    if (stopping.signal.aborted) host.exit(EXIT.interrupted)
    // The terminal has written ^C where the cursor was.
    if (signal === 'SIGINT' && host.stderr.isTTY) host.stderr.write('\n')
    deadline = setTimeout(() => {
      terminal.err('stopping took too long; what was acknowledged is kept')
      host.exit(EXIT.failed)
    }, STOP_MS)
    stopping.abort()
  }
  const onPipe = (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    if (!stopping.signal.aborted) stop()
  }
  for (const signal of SIGNALS) host.on(signal, stop)
  host.stdout.on('error', onPipe)
  host.stderr.on('error', onPipe)
  return {
    signal: stopping.signal,
    leave() {
      clearTimeout(deadline)
      for (const signal of SIGNALS) host.removeListener(signal, stop)
    },
  }
}

/** One line that says what to do; what else there is to know with --verbose. A failure without a code is a fault of ours. */
function tellFailure(error: unknown, terminal: Terminal, isVerbose: boolean): ExitCode {
  const code = codeOf(error)
  const message = visible(error instanceof Error ? error.message : String(error))
  terminal.progress('')
  if (code === undefined) {
    terminal.err(`${terminal.style('red', 'error:')} ${message} (a fault of rhizome-node: --verbose shows where)`)
  } else {
    terminal.err(`${terminal.style('red', `error ${code}:`)} ${message}`)
  }
  if (isVerbose && error instanceof Error) terminal.err(error.stack ?? '')
  return exitCodeOf(code)
}

function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return undefined
  return error.code.startsWith('RZ_') ? error.code : undefined
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && (error.name === 'AbortError' || ('code' in error && error.code === 'ABORT_ERR'))
}
