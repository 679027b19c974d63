/**
 * The command `shell`: the line protocol with history, completion and tables on a terminal; from a pipe, lines in and lines out.
 * It speaks over the control socket of a running node, or of a store that is opened here, as every command does. What lines
 * mean is the node's doing.
 */

import type { Json } from '../delta/json.ts'
import type { Call } from './call.ts'
import { Conversation } from './conversation.ts'
import { type Door, openDoor } from './door.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import { SHELL_PROTOCOL } from './faces.ts'
import { linesIn } from './lines.ts'
import { printRows } from './query.ts'
import { ShellPrompt } from './shell-prompt.ts'
import { counted, visible } from './terminal.ts'

type JsonObject = { readonly [name: string]: Json }

/** Rows of one table: as wide as the widest of so many. */
const TABLE_ROWS_MAX = 1_000
const WORDS_OF_END = /^(?:exit|quit|QUIT)$/

export async function shell(call: Call): Promise<ExitCode> {
  await using door = await openDoor(call, { about: 'data', changes: true })
  const isInteractive = 'isTTY' in call.stdin && call.stdin.isTTY === true && call.terminal.isTty
  return isInteractive ? await talk(door, call) : await pipe(door, call)
}

async function open({ control, topic }: Door): Promise<Conversation> {
  const conversation = new Conversation(await control.upgrade(SHELL_PROTOCOL))
  await gather(conversation, `use ${JSON.stringify(topic)}`)
  return conversation
}

/** A whole answer: its lines, and its last one. */
async function gather(
  conversation: Conversation,
  line: string,
): Promise<{ readonly lines: readonly string[]; readonly end: string }> {
  conversation.send(line)
  const answer = conversation.answer()
  const lines: string[] = []
  for (;;) {
    const { value, done } = await answer.next()
    if (done === true) return { lines, end: value }
    lines.push(value)
  }
}

// ------------------------------------------------------------------------------------------------- from a pipe

/** A line after the other; fails if one of them did. */
async function pipe(door: Door, call: Call): Promise<ExitCode> {
  using conversation = await open(door)
  let exitCode: ExitCode = EXIT.ok
  let count = 0
  for await (const line of linesIn(call.stdin)) {
    count++
    if (line.trim() === '') continue
    if (WORDS_OF_END.test(line.trim()) || call.signal.aborted) break
    conversation.send(line)
    const end = await show(conversation, isStatement(line), call)
    if (end === 'OK') continue
    call.terminal.err(`line ${count}: ${visible(end)}`)
    exitCode = EXIT.failed
  }
  return exitCode
}

/** Statements begin with a small letter; their answers are rows. Values of the key-value commands may only look like it. */
function isStatement(line: string): boolean {
  return /^\s*[a-z]/.test(line)
}

/** Prints an answer as it comes; answers its last line. */
async function show(conversation: Conversation, isRows: boolean, call: Call): Promise<string> {
  const answer = conversation.answer()
  const { terminal, config } = call
  const rows: JsonObject[] = []
  let rowsCount = 0
  const print = () => printRows(rows.splice(0), call)
  const startedMs = performance.now()
  for (;;) {
    const { value, done } = await answer.next()
    if (done === true) {
      if (rows.length > 0) print()
      if (rowsCount > 0 && terminal.isTty && !config.json) {
        const tookMs = Math.max(1, Math.round(performance.now() - startedMs))
        terminal.out(terminal.style('dim', `${counted(rowsCount, 'row')} in ${tookMs} ms`))
      }
      return value
    }
    const row = isRows && terminal.isTty && !config.json ? (JSON.parse(value) as JsonObject) : undefined
    if (row === undefined) {
      if (rows.length > 0) print()
      terminal.out(terminal.isTty ? visible(value) : value)
      continue
    }
    rowsCount++
    rows.push(row)
    if (rows.length === TABLE_ROWS_MAX) print()
  }
}

// ---------------------------------------------------------------------------------------------- on a terminal

/** Until Ctrl-D, or a word that ends it. */
async function talk(door: Door, call: Call): Promise<ExitCode> {
  const { terminal, signal } = call
  let { topic } = door
  let conversation = await open(door)
  /** Of what the completion asks, beside that. */
  using asking = await open(door)
  // One question after the other, or their answers would mix.
  let asked: Promise<unknown> = Promise.resolve()
  const look = async (line: string): Promise<readonly string[]> => {
    const answer = asked.then(() => gather(asking, line))
    asked = answer.catch(() => undefined)
    return (await answer).lines
  }
  await using prompt = await ShellPrompt.open({ ...call, directory: door.directory, look })
  signal.addEventListener('abort', () => prompt.close(), { once: true })
  terminal.out(terminal.style('dim', 'HELP says what can be typed, Tab completes, Ctrl-D ends.'))
  try {
    for (;;) {
      const label = `${topic}> `
      const line = await prompt.ask(label)
      if (line === undefined) terminal.out('')
      if (line === undefined || WORDS_OF_END.test(line.trim())) return EXIT.ok
      if (line.trim() === '') continue
      const isWatching = /^\s*WATCH\s/.test(line)
      if (isWatching) terminal.out(terminal.style('dim', 'Enter or Ctrl-C ends it.'))
      conversation.send(line)
      const shown = show(conversation, isStatement(line), call)
      let isCancelled = false
      const stop = () => {
        if (isWatching) {
          conversation.send('')
          return
        }
        isCancelled = true
        conversation[Symbol.dispose]()
      }
      let end: string
      try {
        end = await prompt.during(stop, shown, isWatching)
      } catch (error) {
        if (!isCancelled) throw error
        // What was under way may have been done all the same, as when a connection breaks.
        terminal.err('stopped')
        conversation = await open({ ...door, topic })
        continue
      }
      const used = /^\s*use\s+("[^"]*"|\S+)/.exec(line)?.[1]
      if (end === 'OK' && used !== undefined) {
        topic = used.replace(/^"(.*)"$/, '$1')
        await look(`use ${JSON.stringify(topic)}`)
      }
      tellEnd(end, label, call)
    }
  } finally {
    conversation[Symbol.dispose]()
  }
}

function tellEnd(end: string, label: string, { terminal }: Call): void {
  if (end === 'OK') return terminal.out(terminal.style('dim', end))
  const [, code, column, message] = /^ERROR (\S+) (\d+) (.*)$/s.exec(end) ?? []
  if (code === undefined || message === undefined) {
    const hint = end === 'COMMAND NOT IMPLEMENTED' ? ' (HELP says what there is)' : ''
    return terminal.err(`${terminal.style('yellow', end)}${hint}`)
  }
  const indent = label.length + Number(column) - 1
  if (Number(column) > 1 && indent < terminal.columns)
    terminal.out(`${' '.repeat(indent)}${terminal.style('red', '^')}`)
  terminal.err(`${terminal.style('red', `error ${code}:`)} ${visible(message)}`)
}
