/** What was typed into the shell, kept beside the data of the node it was typed at, for its owner alone to read. */

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { replaceFile } from '../node/whole-file.ts'

const FILE = 'shell-history'
const LINES_MAX = 1_000
/** Tokens are kept nowhere. */
const SECRET = /^\s*AUTH\b/

export class ShellHistory {
  readonly #path: string
  #writing: Promise<void> = Promise.resolve()

  constructor(directory: string) {
    this.#path = join(directory, FILE)
  }

  /** The newest first, as readline has it. */
  async read(): Promise<string[]> {
    try {
      const lines = (await readFile(this.#path, 'utf8')).split('\n').filter((line) => line !== '')
      return lines.slice(-LINES_MAX).reverse()
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
      throw error
    }
  }

  /** Replaces the file, one after the other. A folder that cannot be written to costs the history, and nothing else. */
  keep(newestFirst: readonly string[]): void {
    const lines = newestFirst.filter((line) => !SECRET.test(line)).slice(0, LINES_MAX)
    const text = lines
      .toReversed()
      .map((line) => `${line}\n`)
      .join('')
    this.#writing = this.#writing.then(() => replaceFile(this.#path, text)).catch(() => undefined)
  }

  /** Resolves once what was to be kept is. */
  settled(): Promise<void> {
    return this.#writing
  }
}
