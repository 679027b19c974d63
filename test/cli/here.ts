/** The command line in this very process, with streams, signals and a working folder of its own: no start of Node to wait for. */

import { EventEmitter } from 'node:events'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { stripVTControlCharacters } from 'node:util'
import type { Host } from '../../src/cli/cli.ts'
import { main } from '../../src/main.ts'
import type { CommandOptions, Finished } from '../support/command.ts'
import { until } from '../support/nodes.ts'

/** Paths in `words` that begin with `./` are taken in the command's directory, since a process has one working folder. */
export async function runHere(words: readonly string[], at: CommandOptions, input = ''): Promise<Finished> {
  const { host, out, err } = hostHere(at, input, false)
  const argv = words.map((word) => (word.startsWith('./') ? join(at.directory, word) : word))
  const exitCode = await main(argv, host as unknown as Host)
  return { exitCode, out: out.text, err: err.text.replaceAll(`${at.directory}/`, './') }
}

/** The command as on a terminal, stopped by Ctrl-C once it has said `said`. */
export async function interruptHere(words: readonly string[], at: CommandOptions, said: RegExp): Promise<Finished> {
  const { host, out, err } = hostHere(at, '', true)
  const ended = main(words, host as unknown as Host)
  await until(`${said} is said`, () => said.test(out.text + err.text))
  host.emit('SIGINT', 'SIGINT')
  return { exitCode: await ended, out: out.text, err: err.text }
}

/** The command as on a terminal at which somebody types. */
export function typeHere(words: readonly string[], at: CommandOptions) {
  const keys = Object.assign(new PassThrough(), { isTTY: true })
  const { host, out, err } = hostHere(at, keys, true)
  const ended = main(words, host as unknown as Host)
  return {
    ended,
    /** All that was printed since the last time that this was asked for. */
    printed: async (pattern: RegExp) => {
      const said = await until(`${pattern} is printed`, () =>
        pattern.test(out.text + err.text) ? out.text + err.text : undefined,
      )
      out.text = ''
      err.text = ''
      return stripVTControlCharacters(said)
    },
    type: (text: string) => keys.write(text),
    /** Ctrl-C. */
    interrupt: () => host.emit('SIGINT', 'SIGINT'),
  }
}

function hostHere(at: CommandOptions, input: string | Readable, isTTY: boolean) {
  const [out, err] = [new Written(isTTY), new Written(isTTY)]
  const own = { RHIZOME_HOME: at.home, RHIZOME_NO_MDNS: '1', RHIZOME_LISTEN: '127.0.0.1:0', NO_COLOR: '1' }
  const host = Object.assign(new EventEmitter(), {
    env: { ...own, ...at.env },
    cwd: () => at.directory,
    stdin: typeof input === 'string' ? Readable.from([input]) : input,
    stdout: out,
    stderr: err,
    exit: (code: number) => {
      throw new Error(`the command would have ended at once, with ${code}`)
    },
  })
  return { host, out, err }
}

class Written extends EventEmitter {
  readonly isTTY: boolean
  readonly columns = 80
  text = ''

  constructor(isTTY: boolean) {
    super()
    this.isTTY = isTTY
  }

  write(text: string): boolean {
    this.text += text
    return true
  }
}
