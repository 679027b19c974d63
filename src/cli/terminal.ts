/**
 * Where text goes: lines to stdout and stderr, with colours only where somebody looks. Owns what a terminal may be sent:
 * text from peers and files passes through `visible`, so that no value can move the cursor or colour the screen.
 */

import { stripVTControlCharacters, styleText } from 'node:util'

export type Style = 'bold' | 'dim' | 'green' | 'yellow' | 'red' | 'cyan'

export interface Terminal {
  /** A line for stdout, where results go. */
  readonly out: (line: string) => void
  /** A line for stderr, where everything else goes. */
  readonly err: (line: string) => void
  /** Replaces the last line of stderr; does nothing where nobody looks. The empty text removes it. */
  readonly progress: (line: string) => void
  readonly style: (style: Style, text: string) => string
  /** Whether somebody looks at stdout. */
  readonly isTty: boolean
  readonly columns: number
}

const COLUMNS_DEFAULT = 80

export interface TerminalParts {
  readonly stdout: NodeJS.WriteStream
  readonly stderr: NodeJS.WriteStream
  readonly env: Readonly<Record<string, string | undefined>>
}

export function openTerminal({ stdout, stderr, env }: TerminalParts): Terminal {
  const isTty = stdout.isTTY
  const isColoured = isTty && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb'
  const showsProgress = stderr.isTTY && env['TERM'] !== 'dumb'
  let drawn = ''
  const clear = () => {
    if (drawn !== '') stderr.write('\r\u001B[K')
    drawn = ''
  }
  return {
    out(line) {
      clear()
      stdout.write(`${line}\n`)
    },
    err(line) {
      clear()
      // What begins with spaces is a command or a trace, which must stay as it is.
      const isProse = stderr.isTTY && !line.startsWith(' ') && !line.includes('\n')
      const lines = isProse ? wrapped(line, stderr.columns || COLUMNS_DEFAULT, 2) : [line]
      for (const each of lines) stderr.write(`${each}\n`)
    },
    progress(line) {
      if (!showsProgress) return
      clear()
      drawn = line.slice(0, (stderr.columns || COLUMNS_DEFAULT) - 1)
      stderr.write(drawn)
    },
    style: (style, text) => (isColoured ? styleText(style, text, { validateStream: false }) : text),
    isTty,
    get columns() {
      return stdout.columns || COLUMNS_DEFAULT
    },
  }
}

/** C0 and C1 controls, and the marks that turn the direction of writing. */
const UNSEEN = /[\u0000-\u001F\u007F-\u009F\u200E\u200F\u202A-\u202E\u2066-\u2069]/g

/** The text with what a terminal would obey instead of show written out, on one line. */
export function visible(text: string): string {
  return text.replace(UNSEEN, (unit) => {
    if (unit === '\n') return '\\n'
    if (unit === '\t') return '\\t'
    return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
}

/** Columns that the text takes, colours not counted; a wide character counts as one. */
export function columnsOf(text: string): number {
  return [...stripVTControlCharacters(text)].length
}

/** The text in lines of so many columns, broken between words, all but the first indented. A longer word stays whole. */
export function wrapped(text: string, columns: number, indent: number): readonly string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    if (last === undefined) lines.push(word)
    else if (columnsOf(last) + 1 + columnsOf(word) <= columns) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(' '.repeat(indent) + word)
  }
  return lines
}

/** `12,345`, whatever the locale. */
export function grouped(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',')
}

/** `1 delta`, `2 deltas`. */
export function counted(count: number, one: string, many: string = `${one}s`): string {
  return `${grouped(count)} ${count === 1 ? one : many}`
}
