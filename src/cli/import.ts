/**
 * The command `import`: reads a file twice. The first time it finds out what the columns hold, which column has the ids and
 * how many rows there are; the second time it puts them, in batches whose good rows are durable before the next begins.
 * Ids come from the file or are made of the content, so importing twice adds nothing. Refused rows go to a file.
 */

import { hash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { Json } from '../delta/json.ts'
import { RhizomeError } from '../errors.ts'
import { Columns } from './columns.ts'
import type { Call } from './call.ts'
import { type Door, openDoor } from './door.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import { type BadLine, type Format, FORMATS, formatOf, readRows, type Row } from './input.ts'
import { nearest } from '../node/nearest.ts'
import { noteOffline } from './records.ts'
import { duration } from './status.ts'
import { printTable } from './table.ts'
import { counted, grouped, type Terminal, visible } from './terminal.ts'

/** What was asked for. */
interface Plan {
  /** Where the rows are read from: for stdin, a copy of it. */
  readonly path: string
  readonly format: Format
  readonly collection: string
  readonly rejectedPath: string
  readonly idColumn?: string
  readonly as?: string
}

/** What the first reading found. */
interface Survey {
  readonly columns: Columns
  readonly rowCount: number
  /** Absent: ids are made of the content. */
  readonly idColumn: string | undefined
  readonly isKeyed: boolean
}

/** How many rows a request carries: also how many refused ones its answer can name. */
const BATCH_COUNT = 1_000
/** Bytes after which a request ends before it has so many rows. */
const BATCH_BYTES = 4 * 1_048_576
const EXAMPLE_COLUMNS = 32
const ID_CHARACTERS = 26

export async function importFile(call: Call): Promise<ExitCode> {
  await using temporary = new AsyncDisposableStack()
  const plan = await planOf(call, temporary)
  const survey = await takeSurvey(plan, call)
  tellSurvey(plan, survey, call)
  await using door = await openDoor(call, { about: 'data', changes: true, mayMake: true })
  const work = new ImportWork(plan, survey, door, call)
  try {
    await work.run()
  } finally {
    call.terminal.progress('')
    await work.close()
  }
  tellResult(plan, work, door.topic, call)
  noteOffline(door, call)
  if (call.signal.aborted) return EXIT.failed
  return work.rejectedCount > 0 ? EXIT.partly : EXIT.ok
}

async function planOf({ words, options, stdin }: Call, temporary: AsyncDisposableStack): Promise<Plan> {
  const [file = ''] = words
  const { into, id, format, as } = options
  if (typeof into !== 'string' || into === '' || into.includes('/')) {
    throw usage('say which collection the records go into, such as --into user')
  }
  if (format !== undefined && !FORMATS.some((known) => known === format)) {
    const guess = nearest(String(format), FORMATS)
    throw usage(
      `--format is ndjson, csv or json, not ${String(format)}${guess === undefined ? '' : `; did you mean ${guess}?`}`,
    )
  }
  const path = file === '-' ? await spool(stdin, temporary) : file
  const guessed = await formatOf(path)
  return {
    path,
    format: format === undefined ? guessed : (format as Format),
    collection: into,
    rejectedPath: `${file === '-' ? 'stdin' : file}.rejected.ndjson`,
    ...(typeof id === 'string' ? { idColumn: id } : {}),
    ...(typeof as === 'string' ? { as } : {}),
  }
}

/** Stdin cannot be read twice, so a copy of it is. */
async function spool(stdin: NodeJS.ReadableStream, temporary: AsyncDisposableStack): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'rhizome-import-'))
  temporary.defer(() => rm(folder, { recursive: true, force: true }))
  const path = join(folder, 'stdin')
  await pipeline(stdin, createWriteStream(path, { mode: 0o600 }))
  return path
}

async function takeSurvey({ path, format, idColumn }: Plan, { terminal, signal }: Call): Promise<Survey> {
  const columns = new Columns(format === 'csv')
  let rowCount = 0
  let badCount = 0
  let withId = 0
  let isKeyed = false
  for await (const row of readRows(path, format)) {
    signal.throwIfAborted()
    if (row.kind === 'bad') badCount++
    else {
      if (isDelta(row.properties)) throw deltasInstead(path)
      columns.add(row.properties)
      rowCount++
      if (isId(row.properties['id'])) withId++
      isKeyed ||= row.key !== undefined
      if (rowCount % 10_000 === 0) terminal.progress(`reading: ${grouped(rowCount)} rows`)
    }
  }
  terminal.progress('')
  const names = columns.summaries().map(({ name }) => name)
  if (rowCount === 0 && badCount === 0) throw new RhizomeError('RZ_CLI_INPUT', `${path} holds no row`)
  if (idColumn !== undefined && rowCount > 0 && !names.includes(idColumn)) {
    const guess = nearest(idColumn, names)
    throw usage(
      `there is no column "${idColumn}"; ${guess === undefined ? `there is ${names.join(', ')}` : `did you mean ${guess}?`}`,
    )
  }
  // One row with an id is enough: ids made of the content for all would let rows that repeat an id pass.
  const found = withId > 0 ? 'id' : undefined
  return { columns, rowCount, isKeyed, idColumn: idColumn ?? (isKeyed ? undefined : found) }
}

/** A line of an export of deltas, which would become records with a cursor, a creator and pointers for properties. */
function isDelta({ creator, pointers }: Readonly<Record<string, Json>>): boolean {
  if (typeof creator !== 'string' || !Array.isArray(pointers) || pointers.length === 0) return false
  return (pointers as readonly Json[]).every(
    (pointer) => typeof pointer === 'object' && pointer !== null && 'localContext' in pointer && 'target' in pointer,
  )
}

function deltasInstead(path: string): RhizomeError {
  const message =
    `${path} holds deltas, which are signed and stay with their namespace; import takes records: ` +
    'export them with --collection <name>'
  return new RhizomeError('RZ_CLI_INPUT', message)
}

function tellSurvey(
  { collection, format }: Plan,
  { columns, rowCount, idColumn, isKeyed }: Survey,
  { config, terminal }: Call,
): void {
  if (config.json) return
  const idSource = idColumn ?? (isKeyed ? 'the keys of the object' : 'made of the content')
  terminal.err(`${counted(rowCount, 'row')} of ${format} into ${collection}; ids: ${visible(idSource)}`)
  const rows = columns
    .summaries()
    .slice(0, EXAMPLE_COLUMNS)
    .map(({ name, types, filledCount, example }) => [
      name,
      types,
      filledCount === rowCount ? 'all' : grouped(filledCount),
      example === undefined ? '-' : abbreviated(typeof example === 'string' ? example : JSON.stringify(example)),
    ])
  printTable({ ...terminal, out: (line) => terminal.err(line) }, ['column', 'type', 'rows', 'such as'], rows)
}

function abbreviated(text: string): string {
  return text.length > 40 ? `${text.slice(0, 39)}…` : text
}

/** What the HTTP API answers to an import. */
interface ImportedJson {
  readonly records: number
  readonly deltas: number
  readonly unchanged: number
  readonly failed: readonly { readonly line: number; readonly code: string; readonly message: string }[]
}

/** The second reading. */
class ImportWork {
  records = 0
  deltas = 0
  unchanged = 0
  rejectedCount = 0
  duplicateCount = 0
  readonly startedMs = performance.now()
  readonly #plan: Plan
  readonly #survey: Survey
  readonly #door: Door
  readonly #call: Call
  /** Where each id was first, to refuse what would overwrite it: else each import would write both again. */
  readonly #lineOfId = new Map<string, number>()
  #batch: { readonly row: Row; readonly text: string }[] = []
  #batchBytes = 0
  #rejected: Awaited<ReturnType<typeof open>> | undefined

  constructor(plan: Plan, survey: Survey, door: Door, call: Call) {
    this.#plan = plan
    this.#survey = survey
    this.#door = door
    this.#call = call
  }

  async run(): Promise<void> {
    for await (const row of readRows(this.#plan.path, this.#plan.format)) {
      if (this.#call.signal.aborted) return
      if (row.kind === 'bad') await this.#reject(row)
      else await this.#take(row)
    }
    await this.#send()
  }

  async close(): Promise<void> {
    await this.#rejected?.close()
  }

  async #take(row: Row): Promise<void> {
    const properties = this.#survey.columns.convert(row.properties)
    const id = this.#idOf(row, properties)
    if (id === undefined) return this.#refuse(row, `no id in "${this.#survey.idColumn ?? 'id'}"`)
    const first = this.#lineOfId.get(id)
    if (first !== undefined) {
      if (this.#survey.idColumn !== undefined)
        return this.#refuse(row, `the id "${id}" is that of line ${first} already`)
      this.duplicateCount++
      return
    }
    this.#lineOfId.set(id, row.line)
    const { id: ownId, ...others } = properties
    const kept = ownId === id ? others : properties
    if (Object.keys(kept).length === 0) return this.#refuse(row, 'nothing but an id')
    const text = `${JSON.stringify({ id, properties: kept })}\n`
    this.#batch.push({ row, text })
    this.#batchBytes += text.length
    if (this.#batch.length >= BATCH_COUNT || this.#batchBytes >= BATCH_BYTES) await this.#send()
  }

  #idOf({ key }: Row, properties: Readonly<Record<string, Json>>): string | undefined {
    const { idColumn } = this.#survey
    if (idColumn === undefined) return key ?? contentId(properties)
    const value = properties[idColumn]
    return isId(value) ? String(value) : undefined
  }

  async #send(): Promise<void> {
    const batch = this.#batch
    if (batch.length === 0) return
    this.#batch = []
    this.#batchBytes = 0
    const { topic, control } = this.#door
    const { body } = await control.ask<ImportedJson>(
      ['api', 'ns', topic, 'collections', this.#plan.collection, 'import'],
      {
        method: 'POST',
        query: { as: this.#plan.as },
        lines: batch.map(({ text }) => text),
      },
    )
    this.records += body.records
    this.deltas += body.deltas
    this.unchanged += body.unchanged
    for (const { line, message, code } of body.failed) {
      const failed = batch[line - 1]
      if (failed !== undefined) await this.#refuse(failed.row, `${message} (${code})`)
    }
    this.#progress()
  }

  #progress(): void {
    const done = this.#doneCount()
    const elapsedMs = performance.now() - this.startedMs
    const rate = (done / elapsedMs) * 1_000
    const leftMs = ((this.#survey.rowCount - done) / rate) * 1_000
    this.#call.terminal.progress(
      `${grouped(done)} of ${counted(this.#survey.rowCount, 'row')}, ${grouped(Math.round(rate))}/s, ${duration(leftMs)} left`,
    )
  }

  #doneCount(): number {
    return this.records + this.unchanged + this.duplicateCount + this.rejectedCount
  }

  #refuse({ line, properties }: Row, why: string): Promise<void> {
    return this.#reject({ kind: 'bad', line, why, text: JSON.stringify(properties) })
  }

  async #reject({ line, why, text }: BadLine): Promise<void> {
    this.rejectedCount++
    try {
      this.#rejected ??= await open(this.#plan.rejectedPath, 'w', 0o600)
      await this.#rejected.write(`${JSON.stringify({ line, why, text })}\n`)
    } catch (cause) {
      const message = `${this.#plan.rejectedPath} cannot be written, where refused lines go: import from a folder where it can`
      throw new RhizomeError('RZ_CLI_INPUT', message, { cause })
    }
  }
}

function tellResult(
  { rejectedPath, collection }: Plan,
  work: ImportWork,
  topic: string,
  { config, terminal, signal }: Call,
): void {
  const { records, deltas, unchanged, duplicateCount, rejectedCount } = work
  const elapsedMs = performance.now() - work.startedMs
  if (config.json) {
    const rejected = rejectedCount === 0 ? {} : { rejectedTo: rejectedPath }
    terminal.out(
      JSON.stringify({
        topic,
        collection,
        records,
        deltas,
        unchanged,
        duplicateCount,
        rejectedCount,
        ...rejected,
        elapsedMs: Math.round(elapsedMs),
      }),
    )
    return
  }
  const took = `${(elapsedMs / 1_000).toFixed(1)} s`
  const stopped = signal.aborted ? 'stopped early: ' : ''
  terminal.out(
    `${stopped}${counted(records, 'record')} into ${collection} in ${topic}, ${counted(deltas, 'delta')}, in ${took}`,
  )
  if (unchanged > 0) terminal.out(`${counted(unchanged, 'record')} had nothing new`)
  if (duplicateCount > 0) terminal.out(`${counted(duplicateCount, 'row')} said the same as one before`)
  if (rejectedCount > 0) tellRejected(terminal, rejectedCount, rejectedPath)
}

function tellRejected(terminal: Terminal, count: number, path: string): void {
  terminal.err(`${counted(count, 'line')} refused: ${visible(basename(path))} has each with its number and why`)
}

/** The same content has the same id, whatever the order of its columns. */
function contentId(properties: Readonly<Record<string, Json>>): string {
  return hash('sha256', canonical(properties), 'hex').slice(0, ID_CHARACTERS)
}

function canonical(value: Json): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  const entries = Object.entries(value as { readonly [key: string]: Json }).sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${entries.map(([key, inner]) => `${JSON.stringify(key)}:${canonical(inner)}`).join(',')}}`
}

function isId(value: Json | undefined): value is string | number {
  return (typeof value === 'string' && value !== '') || typeof value === 'number'
}

function usage(message: string): RhizomeError {
  return new RhizomeError('RZ_CLI_USAGE', message)
}
