/** Lines typed at a terminal: editing, history and completion, by Node's readline; and Ctrl-C while something is under way. */

import { createInterface, type Interface } from 'node:readline'
import type { Json } from '../delta/json.ts'
import type { Call } from './call.ts'
import type { Expected, Faces } from './faces.ts'
import { ShellHistory } from './shell-history.ts'

export interface PromptParts extends Pick<Call, 'stdin' | 'stdout' | 'terminal'> {
  readonly faces: Pick<Faces, 'expectedNext'>
  /** Where the history lies. */
  readonly directory: string
  /** The lines of the answer to a line, for completion. */
  readonly look: (line: string) => Promise<readonly string[]>
}

/** Names that are offered at most. */
const NAMES_MAX = 200
/** Rows whose columns are offered. */
const SAMPLE_ROWS = 50
/** Containers whose columns are offered before the line names one. */
const GUESSED_MAX = 8
const HISTORY_MAX = 1_000

export class ShellPrompt implements AsyncDisposable {
  readonly #interface: Interface
  readonly #history: ShellHistory
  /** Typed ahead. */
  readonly #typed: string[] = []
  #isClosed = false
  #wake = () => {}
  /** Ends what is under way; undefined while nothing is. */
  #stop: (() => void) | undefined
  #endsByLine = false

  static async open(parts: PromptParts): Promise<ShellPrompt> {
    const history = new ShellHistory(parts.directory)
    return new ShellPrompt(parts, history, await history.read())
  }

  private constructor(parts: PromptParts, history: ShellHistory, lines: string[]) {
    this.#history = history
    this.#interface = createInterface({
      input: parts.stdin,
      output: parts.stdout,
      terminal: true,
      history: lines,
      historySize: HISTORY_MAX,
      removeHistoryDuplicates: true,
      completer: (line: string, tell: (error: null, result: [string[], string]) => void) => {
        completionsOf(parts, line).then(
          (result) => tell(null, result),
          // Nothing is offered where nothing can be looked up.
          () => tell(null, [[], line]),
        )
      },
    })
    this.#interface.on('line', (line) => {
      if (this.#stop !== undefined && this.#endsByLine) this.#stop()
      else this.#typed.push(line)
      this.#wake()
    })
    this.#interface.on('history', (now: string[]) => history.keep(now))
    this.#interface.on('close', () => {
      this.#isClosed = true
      this.#stop?.()
      this.#wake()
    })
    this.#interface.on('SIGINT', () => {
      if (this.#stop !== undefined) this.#stop()
      else this.#clear(parts)
    })
  }

  /** The next line; undefined when there is none any more. */
  async ask(label: string): Promise<string | undefined> {
    for (;;) {
      const line = this.#typed.shift()
      if (line !== undefined) return line
      if (this.#isClosed) return undefined
      this.#interface.setPrompt(label)
      this.#interface.prompt()
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#wake = resolve
      await promise
    }
  }

  /** Waits for what is under way, which Ctrl-C stops, and Enter too where it says so. */
  async during<Result>(stop: () => void, work: Promise<Result>, endsByLine: boolean): Promise<Result> {
    this.#stop = () => {
      this.#stop = undefined
      stop()
    }
    this.#endsByLine = endsByLine
    try {
      return await work
    } finally {
      this.#stop = undefined
    }
  }

  close(): void {
    this.#interface.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#interface.close()
    await this.#history.settled()
  }

  /** Ctrl-C at the prompt gives up what was typed. */
  #clear({ stdout, terminal }: PromptParts): void {
    const isEmpty = this.#interface.line === ''
    if (!isEmpty) {
      this.#interface.write(null, { ctrl: true, name: 'e' })
      this.#interface.write(null, { ctrl: true, name: 'u' })
    }
    stdout.write('^C\n')
    if (isEmpty) terminal.err('Ctrl-D ends the shell')
    this.#interface.prompt()
  }
}

/** What the last word of the line may become, and that word. */
async function completionsOf({ faces, look }: PromptParts, line: string): Promise<[string[], string]> {
  const [word = ''] = /[^\s,=]*$/.exec(line) ?? []
  const expected = await faces.expectedNext(line.slice(0, line.length - word.length))
  const names = await Promise.all(expected.map((each) => namesOf(each, look, word)))
  const fitting = [...new Set(names.flat())].filter((name) => name.startsWith(word) && name !== word)
  return [fitting.slice(0, NAMES_MAX).map((name) => (/[\w*]$/.test(name) ? `${name} ` : name)), word]
}

async function namesOf(expected: Expected, look: PromptParts['look'], word: string): Promise<readonly string[]> {
  switch (expected.kind) {
    case 'word':
      return [expected.word]
    case 'container':
      return plain(await look('BUCKETS'))
    case 'topic':
      return (await look('topics')).map((line) => (JSON.parse(line) as { topic: string }).topic)
    case 'key':
      return plain(await look(`KEYS ${expected.container}`))
    case 'record':
      return recordsFor(word, look)
    case 'column':
      return columnsOf(expected.containers, look)
  }
}

/** Containers, and behind their slash the records of one. */
async function recordsFor(word: string, look: PromptParts['look']): Promise<readonly string[]> {
  const slash = word.indexOf('/')
  if (slash < 0) return plain(await look('BUCKETS')).map((name) => `${name}/`)
  const container = word.slice(0, slash)
  return plain(await look(`KEYS ${container}`)).map((key) => `${container}/${key}`)
}

/** As some of their records have them: by themselves, and in a join behind the container's name. */
async function columnsOf(named: readonly string[], look: PromptParts['look']): Promise<readonly string[]> {
  // Before it says from where, a line may mean any.
  const containers = named.length > 0 ? named : (await look('BUCKETS')).slice(0, GUESSED_MAX)
  const found = await Promise.all(
    containers.map(async (container) => {
      const lines = await look(`select from ${JSON.stringify(container)} limit ${SAMPLE_ROWS}`)
      const columns = [...new Set(lines.flatMap((line) => Object.keys(JSON.parse(line) as { [name: string]: Json })))]
      return named.length < 2 ? columns : columns.map((column) => `${container}.${column}`)
    }),
  )
  return plain(found.flat())
}

/** Those that need no quotes. */
function plain(names: readonly string[]): readonly string[] {
  return names.filter((name) => !/[\s,="{}[\]]/.test(name))
}
