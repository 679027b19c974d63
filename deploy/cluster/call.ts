/** What a verb is, and what it is given when it is called. */

import type { Terminal } from '../../src/cli/terminal.ts'
import type { Project } from './names.ts'
import type { State } from './state.ts'

export interface Call {
  /** What stands after the verb, flags left out. */
  readonly words: readonly string[]
  /** What stands after `--`. */
  readonly rest: readonly string[]
  readonly flags: Readonly<Record<string, string | boolean | undefined>>
  readonly state: State
  readonly project: Project
  /** The checkout that this command belongs to. */
  readonly checkout: string
  /** Where the person stands: npm goes to the checkout itself. */
  readonly directory: string
  readonly environment: NodeJS.ProcessEnv
  readonly terminal: Terminal
}

export interface Flag {
  readonly name: string
  readonly short?: string
  /** How its argument is called; absent: it takes none. */
  readonly argument?: string
  readonly help: string
}

export interface Verb {
  readonly name: string
  /** How the words are called in help. */
  readonly words: string
  readonly wordsMax: number
  readonly help: string
  readonly flags?: readonly Flag[]
  /** Whether words may follow `--`. */
  readonly takesRest?: boolean
  /** It may be called from inside a node as well. */
  readonly isReading?: boolean
  /** Answers the exit code. */
  readonly run: (call: Call) => Promise<number>
}
