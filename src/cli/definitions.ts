/** The commands `resolver`, `context` and `schema`: definitions that are records, listed, shown, put and deleted. */

import type { Json } from '../delta/json.ts'
import { RhizomeError } from '../errors.ts'
import { SHIPPED_RULES } from '../node/rules.ts'
import type { Call } from './call.ts'
import { openDoor, type Door } from './door.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import { parseJson, readJson } from './json-source.ts'
import { noteOffline } from './records.ts'
import { readingQuery } from './reading.ts'
import { printTable } from './table.ts'
import { visible } from './terminal.ts'

type Kind = 'resolver' | 'context' | 'schema'

/** What a list tells of each definition. */
const HEADERS: { readonly [kind in Kind]: readonly string[] } = {
  resolver: ['of', 'rule'],
  context: ['negations', 'filter', 'resolvers'],
  schema: ['of', 'version', 'references'],
}

interface Defined {
  readonly id: string
  readonly definition: Json
  readonly problems?: readonly { readonly code: string; readonly message: string }[]
}

const ACTIONS = ['list', 'show', 'put', 'delete']

export async function defined(kind: Kind, call: Call): Promise<ExitCode> {
  const [action = 'list', id] = call.words
  if (!ACTIONS.includes(action)) throw usage(`"${action}" is none of ${ACTIONS.join(', ')}`)
  if (action === 'list') return list(kind, call)
  if (id === undefined) throw usage(`say which ${kind}: ${kind} ${action} <id>`)
  if (action === 'show') return show(kind, id, call)
  return action === 'put' ? put(kind, id, call) : remove(kind, id, call)
}

async function list(kind: Kind, call: Call): Promise<ExitCode> {
  const { config, terminal, signal } = call
  await using door = await openDoor(call)
  const query = { context: '', prefix: `${kind}/`, asOf: readingQuery(call).asOf }
  const path = ['api', 'ns', door.topic, 'entities']
  const rows: (readonly string[])[] = []
  const views = door.control.follow<{ readonly id: string; readonly properties: { readonly definition?: Json } }>(
    path,
    {
      query,
      signal,
    },
  )
  for await (const { id: entity, properties } of views) {
    const id = entity.slice(kind.length + 1)
    const { definition = null } = properties
    if (config.json) terminal.out(JSON.stringify({ id, definition }))
    else rows.push([id, ...cellsOf(kind, definition)])
  }
  if (!config.json) {
    printTable(terminal, ['id', ...HEADERS[kind]], rows)
  }
  await tellProblems(kind, door, call)
  return EXIT.ok
}

function cellsOf(kind: Kind, definition: Json): readonly string[] {
  if (typeof definition !== 'object' || definition === null || Array.isArray(definition)) {
    return HEADERS[kind].map((_, index) => (index === 1 ? JSON.stringify(definition) : '?'))
  }
  const { collection, property, rule, negations, filter, resolvers, version, references } = definition as {
    readonly [key: string]: Json
  }
  if (kind === 'schema') {
    return [textOf(collection ?? null), textOf(version ?? 1), Object.keys(references ?? {}).join(' ')]
  }
  if (kind === 'resolver') return [`${textOf(collection ?? null)}/${textOf(property ?? null)}`, shortRule(rule)]
  return [
    negations === undefined ? 'everyone' : textOf(negations),
    filter === undefined ? '-' : JSON.stringify(filter),
    String(Array.isArray(resolvers) ? resolvers.length : 0),
  ]
}

/** The name of a rule that comes with the package, else the rule. */
function shortRule(rule: Json | undefined): string {
  const text = JSON.stringify(rule ?? null)
  return Object.entries(SHIPPED_RULES).find(([, shipped]) => JSON.stringify(shipped) === text)?.[0] ?? text
}

function textOf(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** What was passed over of the definitions that are there, on stderr. */
async function tellProblems(kind: Kind, { control, topic }: Door, { terminal }: Call): Promise<void> {
  const { body } = await control.ask<
    readonly { readonly record: string; readonly code: string; readonly message: string }[]
  >(['api', 'ns', topic, 'problems'])
  for (const { record, code, message } of body) {
    if (record.startsWith(`${kind}/`))
      terminal.err(`note: ${visible(record)} was passed over: ${visible(message)} (${code})`)
  }
}

async function show(kind: Kind, id: string, call: Call): Promise<ExitCode> {
  const { config, terminal } = call
  await using door = await openDoor(call)
  const { asOf } = readingQuery(call)
  const { body } = await door.control.ask<Defined>(pathOf(door, kind, id), { query: { asOf } })
  terminal.out(config.json ? JSON.stringify(body) : JSON.stringify(body.definition, undefined, 2))
  tellFaults(body, call)
  return EXIT.ok
}

async function put(kind: Kind, id: string, call: Call): Promise<ExitCode> {
  const body = await definitionOf(kind, call)
  await using door = await openDoor(call, { about: 'data', changes: true, mayMake: true })
  const query = { as: call.options['as'] }
  const answer = await door.control.ask<Defined>(pathOf(door, kind, id), { method: 'PUT', query, body })
  if (call.config.json) call.terminal.out(JSON.stringify(answer.body))
  else call.terminal.out(`${kind} ${visible(id)} ${answer.status === CREATED ? 'created' : 'updated'} in ${door.topic}`)
  tellFaults(answer.body, call)
  noteOffline(door, call)
  return EXIT.ok
}

const CREATED = 201

function tellFaults({ problems = [] }: Defined, { terminal }: Call): void {
  for (const { code, message } of problems) terminal.err(`note: it is passed over: ${visible(message)} (${code})`)
}

async function remove(kind: Kind, id: string, call: Call): Promise<ExitCode> {
  await using door = await openDoor(call, { about: 'data', changes: true })
  const query = { as: call.options['as'] }
  const { body } = await door.control.ask(pathOf(door, kind, id), { method: 'DELETE', query })
  call.terminal.out(call.config.json ? JSON.stringify(body) : `${kind} ${visible(id)} deleted in ${door.topic}`)
  noteOffline(door, call)
  return EXIT.ok
}

function pathOf({ topic }: Door, kind: Kind, id: string): readonly string[] {
  return ['api', 'ns', topic, `${kind}s`, id]
}

/** From `--of` and `--rule`, or from a text, a file or stdin. */
async function definitionOf(kind: Kind, { words, options, stdin }: Call): Promise<Json> {
  const [, , source] = words
  const { of, rule } = options
  if (typeof of === 'string' && typeof rule === 'string' && source === undefined) {
    const slash = of.indexOf('/')
    if (slash < 1 || slash === of.length - 1) throw usage('--of takes collection/property, such as book/stars')
    return { collection: of.slice(0, slash), property: of.slice(slash + 1), rule: ruleOf(rule) }
  }
  if (of !== undefined || rule !== undefined) throw usage('--of and --rule go together, and alone')
  if (source === undefined) throw usage(`say how it is defined: ${kind} put <id> '{…}', a file with it, or - for stdin`)
  return readJson(source, stdin, 'the definition')
}

function ruleOf(text: string): Json {
  const shipped = (SHIPPED_RULES as { readonly [name: string]: Json })[text]
  if (Object.hasOwn(SHIPPED_RULES, text) && shipped !== undefined) return shipped
  if (/^\s*[{["]/.test(text)) return parseJson(text, '--rule')
  throw usage(`--rule takes JSON-Logic, or one of ${Object.keys(SHIPPED_RULES).join(', ')}`)
}

function usage(message: string): RhizomeError {
  return new RhizomeError('RZ_CLI_USAGE', message)
}
