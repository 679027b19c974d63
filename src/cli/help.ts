/** `--help`: one screen of 80 columns, made of the table of settings; and what follows the help of each command. */

import { EXIT_MEANINGS, type ExitCode } from './exit-codes.ts'
import { flagOf, type Setting, SETTINGS } from './settings.ts'

const HEAD = `Usage: rhizome-node --topic <name> [flags]        runs a node
       rhizome-node <command> [arguments]         talks to it (see its --help)
  npx rhizome-node --topic users                  in sync with everyone here
  npx rhizome-node --topic users --peer 192.168.1.5 --secret 'correct horse'

Commands (<command> --help says more):
  put get delete ids      one record; the ids of a collection
  explain history diff    why a property has its value, and how it came to it
  query shell lossless frontier   rows; statements; every claim; this moment
  import export verify    many records, from a file and into one; proofs
  tail status peers ping say   what comes in; what is held; who is there
  invite join identity    a line that brings a colleague in; keys that sign
  backup repair doctor token rule   copy; mend; why nodes do not meet; the token
  resolver context schema violations   how records are read, and are to be
`

const FOOT = `Each flag is also a variable (--http-port: RHIZOME_HTTP_PORT) and a key of
rhizome.config.json (httpPort). Data lies under RHIZOME_HOME. Ctrl-C stops.`

const OWN_FLAGS = `  --help, --version       this text; the version`

const FLAG_COLUMNS = 23

export function mainHelp(): string {
  return [HEAD, 'Flags:', ...(SETTINGS as readonly Setting[]).map(flagLine), OWN_FLAGS, FOOT].join('\n')
}

function flagLine({ key, argument, help }: Setting): string {
  const flag = argument === undefined ? flagOf(key) : `${flagOf(key)} ${argument}`
  return `  ${flag.padEnd(FLAG_COLUMNS)} ${help}`
}

/** Examples and exit codes, below what commander writes of a command. */
export function commandFoot(examples: readonly string[], codes: readonly ExitCode[]): string {
  const meanings = codes.map((code) => `  ${code}  ${EXIT_MEANINGS[code]}`)
  return ['', 'Examples:', ...examples.map((line) => `  ${line}`), '', 'Exit codes:', ...meanings].join('\n')
}
