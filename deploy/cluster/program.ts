/** From words to exit code: which verb, on which cluster, and what a failure looks like. verbs.ts says what verbs there are. */

import { fileURLToPath } from 'node:url'
import { parseArgs, type ParseArgsConfig } from 'node:util'
import { nearest } from '../../src/node/nearest.ts'
import type { Terminal } from '../../src/cli/terminal.ts'
import type { Flag, Verb } from './call.ts'
import { ClusterError, usage } from './cluster-error.ts'
import { parseProject, projectOf } from './names.ts'
import { State } from './state.ts'
import { COMMON_FLAGS, VERBS } from './verbs.ts'

const CHECKOUT = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '')
const INTERRUPTED = 130

export interface ProgramParts {
  readonly argv: readonly string[]
  readonly environment: NodeJS.ProcessEnv
  readonly terminal: Terminal
}

/** Answers the exit code. */
export async function runProgram(parts: ProgramParts): Promise<number> {
  const { argv, terminal } = parts
  const { out, err, style } = terminal
  try {
    const [word, ...words] = argv
    if (word === undefined || ['help', '--help', '-h'].includes(word)) {
      out(helpText())
      return word === undefined ? 2 : 0
    }
    return await run(verbOf(word), words, parts)
  } catch (error) {
    terminal.progress('')
    if (!(error instanceof ClusterError)) {
      err(`${style('red', 'error:')} ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
      return 1
    }
    err(`${style('red', 'error:')} ${error.message}`)
    return error.exitCode
  }
}

async function run(verb: Verb, words: readonly string[], { environment, terminal }: ProgramParts): Promise<number> {
  const { positionals, flags, rest } = parse(verb, words)
  if (flags['help'] === true) {
    terminal.out(verbHelp(verb))
    return 0
  }
  if (environment['CLUSTER_NODE'] !== undefined && verb.isReading !== true)
    throw new ClusterError(
      `this is inside node ${environment['CLUSTER_NODE']}: ${verb.name} is for the terminal outside; exit leads there`,
    )
  const named = flags['project'] ?? environment['CLUSTER_PROJECT']
  const project = typeof named === 'string' ? parseProject(named) : projectOf(CHECKOUT)
  const state = new State(project.name, environment)
  if (verb.name === 'up' || verb.name === 'start') process.once('SIGINT', () => interrupted(terminal))
  const directory = environment['INIT_CWD'] ?? process.cwd()
  return verb.run({
    words: positionals,
    rest,
    flags,
    state,
    project,
    checkout: CHECKOUT,
    directory,
    environment,
    terminal,
  })
}

function interrupted(terminal: Terminal): never {
  terminal.err('\ninterrupted: what is up stays; npm run cluster -- status shows it, down ends it')
  process.exit(INTERRUPTED)
}

function verbOf(word: string): Verb {
  const verb = VERBS.find(({ name }) => name === word)
  if (verb !== undefined) return verb
  const guess = nearest(
    word,
    VERBS.map(({ name }) => name),
  )
  throw usage(
    `there is no verb ${word}; ${guess === undefined ? 'npm run cluster -- help lists them' : `did you mean ${guess}?`}`,
  )
}

interface Parsed {
  readonly positionals: readonly string[]
  readonly flags: Readonly<Record<string, string | boolean | undefined>>
  readonly rest: readonly string[]
}

function parse(verb: Verb, words: readonly string[]): Parsed {
  const end = words.indexOf('--')
  const [own, rest] = end < 0 ? [words, []] : [words.slice(0, end), words.slice(end + 1)]
  const known = [...(verb.flags ?? []), ...COMMON_FLAGS]
  const options = Object.fromEntries(
    known.map(
      ({ name, short, argument }) =>
        [
          name,
          { type: argument === undefined ? 'boolean' : 'string', ...(short === undefined ? {} : { short }) },
        ] as const,
    ),
  ) satisfies ParseArgsConfig['options']
  let parsed: { readonly positionals: string[]; readonly values: Parsed['flags'] }
  try {
    parsed = parseArgs({ args: [...own], options, allowPositionals: true })
  } catch (cause) {
    throw usage(`${(cause as Error).message.split('. ')[0]}; see npm run cluster -- ${verb.name} --help`)
  }
  const extra = parsed.positionals[verb.wordsMax]
  if (extra !== undefined)
    throw usage(`${verb.name} does not take ${JSON.stringify(extra)}; see npm run cluster -- ${verb.name} --help`)
  if (rest.length > 0 && verb.takesRest !== true) throw usage(`${verb.name} takes nothing after --`)
  return { positionals: parsed.positionals, flags: parsed.values, rest }
}

function helpText(): string {
  const calls = VERBS.map((verb) => `${verb.name} ${verb.words}`.trimEnd())
  const columns = Math.max(...calls.map(({ length }) => length))
  return [
    'npm run cluster -- <verb> …    several nodes on this machine',
    '',
    ...VERBS.map(({ help }, index) => `  ${(calls[index] ?? '').padEnd(columns)}  ${help}`),
    '',
    'Nodes go by their index, from 1; where several are meant: 1,2 or 1-3.',
    `They are called ${projectOf(CHECKOUT).name}_node_1 and so on.`,
    'Flags of a verb: npm run cluster -- up --help. More: deploy/cluster/README.md.',
  ].join('\n')
}

function verbHelp({ name, words, help, flags = [] }: Verb): string {
  const all = [...flags, ...COMMON_FLAGS].map((flag) => [flagText(flag), flag.help] as const)
  const columns = Math.max(...all.map(([text]) => text.length))
  return [
    `npm run cluster -- ${name} ${words}`.trimEnd(),
    '',
    help,
    '',
    ...all.map(([text, meaning]) => `  ${text.padEnd(columns)}  ${meaning}`),
  ].join('\n')
}

function flagText({ name, short, argument }: Flag): string {
  return `${short === undefined ? '' : `-${short}, `}--${name}${argument === undefined ? '' : ` ${argument}`}`
}
