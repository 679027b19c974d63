/**
 * The command `query`: rows for a query in its JSON form, or of one that is stored, a page at a time; or how it would be run.
 * A table for people, an object a line for programs. The grammar is the node's: what is no query is told with its code.
 */

import type { Json } from '../delta/json.ts'
import { RhizomeError } from '../errors.ts'
import type { Call } from './call.ts'
import { openDoor, type Door } from './door.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import { readJson } from './json-source.ts'
import { readingQuery } from './reading.ts'
import { printTable } from './table.ts'
import { visible } from './terminal.ts'
import { valueText } from './value-text.ts'

type JsonObject = { readonly [name: string]: Json }

interface Page {
  readonly rows: readonly JsonObject[]
  readonly next?: string
}

interface Plan {
  readonly does: string
  readonly of: readonly Plan[]
}

/** As the API has it. */
const PAGE_ROWS_DEFAULT = 1_000

export async function query(call: Call): Promise<ExitCode> {
  if (call.options['list'] === true) return await list(call)
  const asked = await queryOf(call)
  await using door = await openDoor(call)
  if (call.options['explain'] === true) return await explain(door, asked, call)
  const { after, all } = call.options
  let next = typeof after === 'string' ? after : undefined
  do {
    const body = paged(asked, rowsWanted(call), next)
    const answer = await door.control.ask<Page>(pathOf(door), { ...posted(body, call), signal: call.signal })
    printRows(answer.body.rows, call)
    next = answer.body.next
  } while (all === true && next !== undefined && !call.signal.aborted)
  if (next !== undefined) call.terminal.err(`note: there is more: the same with --after ${next}, or with --all`)
  return EXIT.ok
}

async function list(call: Call): Promise<ExitCode> {
  const { config, terminal, words, options } = call
  if (words.length > 0 || options['view'] !== undefined) throw usage('--list stands alone: it lists what is stored')
  await using door = await openDoor(call)
  const { asOf } = readingQuery(call)
  const rows: (readonly string[])[] = []
  for (let after: string | undefined; ;) {
    const { body } = await door.control.ask<DefinitionPage>(['api', 'ns', door.topic, 'queries'], {
      query: { asOf, after },
    })
    for (const stored of body.definitions) {
      if (config.json) terminal.out(JSON.stringify(stored))
      else rows.push([stored.id, describe(stored.definition)])
    }
    if (body.next === undefined) break
    after = body.definitions.at(-1)?.id
  }
  if (config.json) return EXIT.ok
  if (rows.length === 0) terminal.err(`none: no query is stored in ${door.topic}`)
  else printTable(terminal, ['id', 'query'], rows)
  return EXIT.ok
}

interface DefinitionPage {
  readonly definitions: readonly { readonly id: string; readonly definition: Json }[]
  readonly next?: string
}

/** What its author says of it, else what it asks. */
function describe(definition: Json): string {
  if (typeof definition !== 'object' || definition === null || Array.isArray(definition))
    return JSON.stringify(definition)
  const { description, query: asked = null } = definition as JsonObject
  return typeof description === 'string' ? description : JSON.stringify(asked)
}

async function queryOf({ words: [word], options: { view }, stdin }: Call): Promise<JsonObject> {
  if (typeof view === 'string' && word === undefined) return { view }
  if (word === undefined)
    throw usage(`say what to ask: query '{"collection":"user"}', a file, - for stdin, or --view <id>`)
  if (view !== undefined)
    throw usage('a query and --view do not go together: { "view": "<id>" } names a view inside a query')
  const json = await readJson(word, stdin, 'the query')
  if (typeof json === 'object' && json !== null && !Array.isArray(json)) return json as JsonObject
  throw new RhizomeError('RZ_CLI_INPUT', 'a query is an object, such as { "collection": "user" }')
}

function rowsWanted({ options: { limit } }: Call): number | undefined {
  if (typeof limit !== 'string') return undefined
  if (/^[1-9][0-9]{0,4}$/.test(limit) && Number(limit) <= 10_000) return Number(limit)
  throw usage('--limit takes a number of rows, 1 to 10000')
}

/** The query as it is, or its page of so many rows behind a cursor. */
function paged(asked: JsonObject, limit: number | undefined, after: string | undefined): JsonObject {
  if (limit === undefined && after === undefined) return asked
  const isPage = Object.hasOwn(asked, 'limit')
  const count = limit ?? (isPage ? asked['count'] : undefined) ?? PAGE_ROWS_DEFAULT
  return { limit: (isPage ? asked['limit'] : asked) ?? null, count, ...(after !== undefined && { after }) }
}

/** A table for people, an object a line for programs. */
export function printRows(rows: readonly JsonObject[], { config, terminal }: Pick<Call, 'config' | 'terminal'>): void {
  if (config.json || !terminal.isTty) {
    for (const row of rows) terminal.out(JSON.stringify(row))
    return
  }
  if (rows.length === 0) return terminal.err('no rows')
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))]
  const cells = rows.map((row) =>
    columns.map((column) => (Object.hasOwn(row, column) ? valueText(row[column] ?? null) : '')),
  )
  printTable(terminal, columns.map(visible), cells)
}

async function explain(door: Door, asked: JsonObject, call: Call): Promise<ExitCode> {
  const { body } = await door.control.ask<Plan>([...pathOf(door), 'plan'], posted(asked, call))
  const tell = ({ does, of }: Plan, level: number): void => {
    call.terminal.out(`${'  '.repeat(level)}${visible(does)}`)
    for (const step of of) tell(step, level + 1)
  }
  if (call.config.json) call.terminal.out(JSON.stringify(body))
  else tell(body, 0)
  return EXIT.ok
}

function posted(body: JsonObject, call: Call) {
  return { method: 'POST', query: readingQuery(call), body } as const
}

function pathOf({ topic }: Door): readonly string[] {
  return ['api', 'ns', topic, 'query']
}

function usage(message: string): RhizomeError {
  return new RhizomeError('RZ_CLI_USAGE', message)
}
