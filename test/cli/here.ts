/** The command line in this very process, with streams, signals and a working folder of its own: no start of Node to wait for. */

import { EventEmitter } from 'node:events'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import type { Host } from '../../src/cli/cli.ts'
import { main } from '../../src/main.ts'
import type { CommandOptions, Finished } from '../support/command.ts'

/** Paths in `words` that begin with `./` are taken in the command's directory, since a process has one working folder. */
export async function runHere(words: readonly string[], at: CommandOptions, input = ''): Promise<Finished> {
  const [out, err] = [new Written(), new Written()]
  const env = { RHIZOME_HOME: at.home, RHIZOME_NO_MDNS: '1', RHIZOME_LISTEN: '127.0.0.1:0', ...at.env }
  const host = Object.assign(new EventEmitter(), {
    env,
    cwd: () => at.directory,
    stdin: Readable.from([input]),
    stdout: out,
    stderr: err,
    exit: (code: number) => {
      throw new Error(`the command would have ended at once, with ${code}`)
    },
  })
  const argv = words.map((word) => (word.startsWith('./') ? join(at.directory, word) : word))
  const exitCode = await main(argv, host as unknown as Host)
  return { exitCode, out: out.text, err: err.text.replaceAll(`${at.directory}/`, './') }
}

class Written extends EventEmitter {
  readonly isTTY = false
  text = ''

  write(text: string): boolean {
    this.text += text
    return true
  }
}
