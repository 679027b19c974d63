/** The commands for records: put, get, delete, ids. */

import type { Json } from '../delta/json.ts'
import { parseAssignments, parseRecordName } from './assignment.ts'
import type { Call } from './call.ts'
import { type Door, openDoor } from './door.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import { type Held, heldCode, tellHeld, writingQuery } from './held.ts'
import { readingQuery } from './reading.ts'
import { columnsOf, visible } from './terminal.ts'

interface Entity {
  readonly id: string
  readonly properties: { readonly [property: string]: Json }
  readonly errors?: { readonly [property: string]: Told }
  readonly references?: References
}

interface Told {
  readonly code: string
  readonly message: string
}

/** A record that is referred to, or why it is not shown. */
interface Referred {
  readonly collection: string
  readonly id: string
  readonly properties?: { readonly [property: string]: Json }
  readonly error?: Told
  readonly references?: References
}

interface References {
  readonly [property: string]: Referred | readonly Referred[]
}

const CREATED = 201

export async function put(call: Call): Promise<ExitCode> {
  const [record = '', ...words] = call.words
  const { collection, id } = parseRecordName(record)
  const properties = parseAssignments(words)
  await using door = await openDoor(call, { about: 'data', changes: true, mayMake: true })
  const path = recordPath(door, collection, id)
  const query = writingQuery(call)
  const { status, body } = await door.control.ask<Entity & Held>(path, { method: 'PUT', query, body: { properties } })
  if (call.config.json) call.terminal.out(JSON.stringify(body))
  else call.terminal.out(`${visible(record)} ${status === CREATED ? 'created' : 'updated'} in ${door.topic}`)
  tellHeld(body, call)
  noteOffline(door, call)
  return heldCode(body)
}

export async function get(call: Call): Promise<ExitCode> {
  const [record = ''] = call.words
  const { collection, id } = parseRecordName(record)
  await using door = await openDoor(call)
  const query = { ...readingQuery(call), expand: call.options['expand'] }
  const { body } = await door.control.ask<Entity>(recordPath(door, collection, id), { query })
  if (call.config.json) call.terminal.out(JSON.stringify(body))
  else {
    for (const line of propertyLines(body.properties, call)) call.terminal.out(line)
    for (const [name, { code, message }] of Object.entries(body.errors ?? {})) {
      call.terminal.err(`note: ${visible(name)} has no value: ${visible(message)} (${code})`)
    }
    tellReferences(body.references, call, '')
  }
  return EXIT.ok
}

function listOf(referred: Referred | readonly Referred[]): readonly Referred[] {
  return 'id' in referred ? [referred] : referred
}

/** Below the record, a line for each that it refers to, and indented what that holds. */
function tellReferences(references: References | undefined, call: Call, indent: string): void {
  for (const [property, referred] of Object.entries(references ?? {})) {
    for (const each of listOf(referred)) {
      const { collection, id, properties = {}, error } = each
      const why = error === undefined ? '' : `: ${error.message} (${error.code})`
      call.terminal.out(visible(`${indent}${property} → ${collection}/${id}${why}`))
      for (const line of propertyLines(properties, call)) call.terminal.out(`${indent}  ${line}`)
      tellReferences(each.references, call, `${indent}  `)
    }
  }
}

export async function remove(call: Call): Promise<ExitCode> {
  const [record = ''] = call.words
  const { collection, id } = parseRecordName(record)
  await using door = await openDoor(call, { about: 'data', changes: true })
  const query = writingQuery(call)
  const { body } = await door.control.ask<Held>(recordPath(door, collection, id), { method: 'DELETE', query })
  call.terminal.out(call.config.json ? JSON.stringify(body) : `${visible(record)} deleted in ${door.topic}`)
  tellHeld(body, call)
  noteOffline(door, call)
  return heldCode(body)
}

export async function ids(call: Call): Promise<ExitCode> {
  const [collection] = call.words
  await using door = await openDoor(call)
  const query = readingQuery(call)
  if (collection === undefined) {
    const { body } = await door.control.ask<readonly string[]>(['api', 'ns', door.topic, 'collections'], { query })
    for (const name of body) call.terminal.out(call.config.json ? JSON.stringify(name) : visible(name))
    return EXIT.ok
  }
  const path = ['api', 'ns', door.topic, 'collections', collection, 'ids']
  for await (const id of door.control.follow<string>(path, { query, signal: call.signal })) {
    call.terminal.out(call.config.json ? JSON.stringify(id) : visible(id))
  }
  return EXIT.ok
}

export function recordPath({ topic }: Door, collection: string, id: string): readonly string[] {
  return ['api', 'ns', topic, 'collections', collection, 'entities', id]
}

/** Tells one who wrote while no node ran that nobody else has it yet. */
export function noteOffline({ isRunning, topic }: Door, { config, terminal }: Call): void {
  if (!isRunning && !config.json)
    terminal.err(`note: no node runs here; start one to share ${topic}: npx rhizome-node --topic ${topic}`)
}

/** In the form in which `put` takes them: `name=Alice`, `age:=3`; aligned where somebody looks. */
function propertyLines(properties: Entity['properties'], { terminal }: Call): readonly string[] {
  const names = Object.keys(properties)
  const columns = terminal.isTty ? Math.max(0, ...names.map((name) => columnsOf(visible(name)))) : 0
  return Object.entries(properties).map(([name, value]) => {
    const operator = typeof value === 'string' ? '=' : ':='
    const text = visible(typeof value === 'string' ? value : JSON.stringify(value))
    if (!terminal.isTty) return `${visible(name)}${operator}${text}`
    return `${visible(name).padEnd(columns)} ${terminal.style('dim', operator.padStart(2))} ${text}`
  })
}
