/** What a command is, and what it is given when it is called. */

import type { Config } from './config.ts'
import type { ExitCode } from './exit-codes.ts'
import type { Faces } from './faces.ts'
import type { SettingKey } from './settings.ts'
import type { Terminal } from './terminal.ts'

/** What a command is given. */
export interface Call {
  readonly words: readonly string[]
  /** The command's own flags, by their names in camel case. */
  readonly options: Readonly<Record<string, string | boolean | undefined>>
  readonly config: Config
  readonly faces: Faces
  readonly terminal: Terminal
  /** Ends what would go on for ever: Ctrl-C, a closed stdout. */
  readonly signal: AbortSignal
  readonly stdin: NodeJS.ReadableStream
  /** For what draws on it itself; all else is printed by `terminal`. */
  readonly stdout: NodeJS.WritableStream
}

export interface CommandSpec {
  readonly name: string
  readonly summary: string
  /** Commander's form, each with its meaning. */
  readonly words: readonly (readonly [name: string, meaning: string])[]
  readonly options?: readonly (readonly [flags: string, meaning: string])[]
  readonly settings: readonly SettingKey[]
  readonly examples: readonly string[]
  readonly exits: readonly ExitCode[]
  readonly run: (call: Call) => Promise<ExitCode>
}
