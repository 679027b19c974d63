/**
 * The command line as commander parses it: the default command, which runs a node, and the commands of commands.ts.
 * Owns which flags stand where; a wrong one is RZ_CLI_USAGE with the nearest right one. It runs nothing.
 */

import { Command, CommanderError, Option } from 'commander'
import { RhizomeError } from '../errors.ts'
import type { Call, CommandSpec } from './call.ts'
import { COMMANDS } from './commands.ts'
import type { Flags } from './config.ts'
import { commandFoot, mainHelp } from './help.ts'
import { nearest } from '../node/nearest.ts'
import { flagOf, inverseFlagOf, type Setting, type SettingKey, SETTINGS } from './settings.ts'

/** What was typed, taken apart. */
export type Invocation =
  | { readonly kind: 'help'; readonly text: string }
  | { readonly kind: 'version' }
  | { readonly kind: 'run'; readonly flags: Flags }
  | {
      readonly kind: 'command'
      readonly spec: CommandSpec
      readonly words: readonly string[]
      readonly options: Call['options']
      readonly flags: Flags
    }

const HELP_COLUMNS = 80

/** Throws RZ_CLI_USAGE. */
export function parseArguments(argv: readonly string[]): Invocation {
  const seen: { invocation?: Invocation; help: string } = { help: '' }
  const program = new Command('rhizome-node')
  program
    .enablePositionalOptions()
    .option('-V, --version')
    .helpOption('-h, --help')
    .helpCommand(false)
    .argument('[words...]')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => (seen.help += text),
      writeErr: () => {},
      getOutHelpWidth: () => HELP_COLUMNS,
    })
    .configureHelp({ formatHelp: mainHelp })
    .action((words: readonly string[]) => {
      const [word] = words
      if (word !== undefined) throw unknownCommand(word)
      const isVersion = program.opts()['version'] === true
      seen.invocation = isVersion ? { kind: 'version' } : { kind: 'run', flags: flagsOf(program, SETTINGS) }
    })
  for (const setting of SETTINGS) addSetting(program, setting)
  for (const spec of COMMANDS) {
    addCommand(program, spec, (invocation) => {
      seen.invocation = invocation
    })
  }
  try {
    program.parse(asFlags(argv), { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.code === 'commander.helpDisplayed') return { kind: 'help', text: seen.help.trimEnd() }
    throw usage(error, program, argv)
  }
  if (seen.invocation === undefined)
    throw new RhizomeError('RZ_CLI_USAGE', 'nothing to do: see npx rhizome-node --help')
  return seen.invocation
}

/** What many programs take beside flags: `help`, `help put`, and `-v` alone. */
function asFlags(argv: readonly string[]): readonly string[] {
  const [first, ...rest] = argv
  if (first === 'help') return [...rest, '--help']
  return first === '-v' && rest.length === 0 ? ['--version'] : argv
}

function addCommand(program: Command, spec: CommandSpec, tell: (invocation: Invocation) => void): void {
  const command = program
    .command(spec.name)
    .summary(spec.summary)
    .description(spec.summary)
    .configureHelp({ showGlobalOptions: false })
    .addHelpText('after', commandFoot(spec.examples, spec.exits))
  for (const [name, description] of spec.words) command.argument(name, description)
  for (const [flags, description] of spec.options ?? []) command.option(flags, description)
  const allowed = SETTINGS.filter(({ key }) => spec.settings.includes(key))
  for (const setting of allowed) addSetting(command, setting)
  command.action((...parameters: readonly unknown[]) => {
    const words = parameters
      .slice(0, spec.words.length)
      .flat()
      .filter((word) => typeof word === 'string')
    const before = flagsOf(program, SETTINGS)
    const stray = Object.keys(before).find((key) => !spec.settings.includes(key as SettingKey))
    if (stray !== undefined) throw meaningless(flagOf(stray), spec)
    const flags = { ...before, ...flagsOf(command, allowed) }
    const options = Object.fromEntries(
      Object.entries(command.opts<Call['options']>()).filter(([name]) => !SETTINGS.some(({ key }) => key === name)),
    )
    tell({ kind: 'command', spec, words, options, flags })
  })
}

function addSetting(command: Command, setting: Setting): void {
  const { key, kind, argument, help: meaning } = setting
  if (kind === 'switch') {
    command.addOption(new Option(flagOf(key), meaning))
    command.addOption(new Option(inverseFlagOf(key)).hideHelp())
    return
  }
  const option = new Option(`${flagOf(key)} ${argument ?? '<value>'}`, meaning)
  if (kind === 'list') option.argParser((value: string, before?: readonly string[]) => [...(before ?? []), value])
  command.addOption(option)
}

/** What was typed of these settings, and nothing else. */
function flagsOf(command: Command, settings: readonly Setting[]): Flags {
  const typed: Record<string, string | boolean | readonly string[]> = {}
  const values = command.opts<Record<string, string | boolean | readonly string[]>>()
  for (const { key, kind } of settings) {
    const isNegative = kind === 'switch' && flagOf(key).startsWith('--no-')
    const attribute = isNegative ? lowerFirst(key.slice(2)) : key
    const value = values[attribute]
    if (command.getOptionValueSource(attribute) !== 'cli' || value === undefined) continue
    typed[key] = isNegative ? value === false : value
  }
  return typed
}

function lowerFirst(text: string): string {
  return text.slice(0, 1).toLowerCase() + text.slice(1)
}

function unknownCommand(word: string): RhizomeError {
  // A topic without its flag is as likely as a slip, so a word must be close to be held one.
  const guess = nearest(
    word,
    COMMANDS.map(({ name }) => name),
    Math.max(1, Math.floor(word.length / 4)),
  )
  const hint = guess === undefined ? `to share a topic of that name: --topic ${word}` : `did you mean ${guess}?`
  return new RhizomeError('RZ_CLI_USAGE', `unknown command ${word}; ${hint}`)
}

/** Commander's complaint as ours. */
function usage(error: CommanderError, program: Command, argv: readonly string[]): RhizomeError {
  const spec = COMMANDS.find(({ name }) => argv.includes(name))
  const command = program.commands.find((candidate) => candidate.name() === spec?.name) ?? program
  const [plain = ''] = error.message.replace(/^error: /, '').split('\n')
  if (error.code === 'commander.excessArguments' && spec !== undefined) throw tooMany(spec, argv)
  const unknown = /^unknown option '([^'=]+)/.exec(plain)?.[1]
  if (unknown === undefined) return new RhizomeError('RZ_CLI_USAGE', `${plain}; see ${help(spec)}`, { cause: error })
  if (program.options.some(({ long }) => long === unknown)) throw meaningless(unknown, spec)
  const guess = nearest(unknown, ['--help', ...command.options.map(({ long }) => long ?? '')])
  const hint = guess === undefined ? `see ${help(spec)}` : `did you mean ${guess}?`
  return new RhizomeError('RZ_CLI_USAGE', `unknown flag ${unknown}; ${hint}`, { cause: error })
}

function tooMany({ name, words, examples }: CommandSpec, argv: readonly string[]): RhizomeError {
  const takes = words.length === 0 ? 'no words' : words.map(([word]) => word).join(' ')
  const given = argv.slice(argv.indexOf(name) + 1).filter((word) => !word.startsWith('-'))
  const [first = ''] = examples
  const stray = given[words.length] ?? given.at(-1) ?? ''
  return new RhizomeError(
    'RZ_CLI_USAGE',
    `${name} takes ${takes}, and "${stray}" is one word too many; such as: ${first}`,
  )
}

function meaningless(flag: string, spec: CommandSpec | undefined): RhizomeError {
  return new RhizomeError('RZ_CLI_USAGE', `${flag} has no meaning here; see ${help(spec)}`)
}

function help(spec: CommandSpec | undefined): string {
  return `npx rhizome-node${spec === undefined ? '' : ` ${spec.name}`} --help`
}
