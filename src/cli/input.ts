/**
 * Records in a file: NDJSON, CSV or JSON, one at a time, each with its line. A line that does not parse is told and the
 * rest goes on. Refuses what no line can be read of, and what is not UTF-8, which would change as it is read (RZ_CLI_INPUT). Types of CSV are the affair of columns.ts.
 */

import { isUtf8 } from 'node:buffer'
import { createReadStream } from 'node:fs'
import { open, readFile, stat } from 'node:fs/promises'
import { extname } from 'node:path'
import type { Json } from '../delta/json.ts'
import { RhizomeError } from '../errors.ts'
import { CsvRecord, delimiterOf } from './csv.ts'

export type Format = 'csv' | 'ndjson' | 'json'
export const FORMATS: readonly Format[] = ['csv', 'ndjson', 'json']

export interface Row {
  readonly kind: 'row'
  /** From 1, in the file; for JSON the place in the list. */
  readonly line: number
  readonly properties: Readonly<Record<string, Json>>
  /** The key under which a JSON object held it. */
  readonly key?: string
}

export interface BadLine {
  readonly kind: 'bad'
  readonly line: number
  readonly why: string
  /** What stood there. */
  readonly text: string
}

/** Longest line or CSV record that is read: a delta holds half of it. */
const LINE_BYTES_MAX = 1_048_576
const TOO_LONG = `longer than ${LINE_BYTES_MAX} bytes`
const NOT_UTF8 = 'not UTF-8'
/** JSON is parsed whole, in memory of some ten times its size. */
const JSON_BYTES_MAX = 400 * 1_048_576
const SNIFF_BYTES = 65_536

/** What the file is by its name, else by how it begins. Throws RZ_CLI_INPUT when it cannot be read, or is not text. */
export async function formatOf(path: string): Promise<Format> {
  const head = (await readHead(path)).trimStart()
  const extension = extname(path).toLowerCase()
  if (extension === '.csv' || extension === '.tsv') return 'csv'
  if (extension === '.ndjson' || extension === '.jsonl') return 'ndjson'
  if (head.startsWith('[')) return 'json'
  if (!head.startsWith('{')) return extension === '.json' ? 'json' : 'csv'
  const [first = '', second = ''] = head.split('\n')
  return second.trim() !== '' && isJson(first) ? 'ndjson' : 'json'
}

export function readRows(path: string, format: Format): AsyncIterable<Row | BadLine> {
  switch (format) {
    case 'ndjson':
      return readNdjson(path)
    case 'csv':
      return readCsv(path)
    case 'json':
      return readJson(path)
  }
}

async function* readNdjson(path: string): AsyncIterable<Row | BadLine> {
  for await (const { line, text, fault } of linesOf(path)) {
    if (fault !== undefined) yield { kind: 'bad', line, why: fault, text }
    else if (text.trim() !== '') yield parseLine(line, text)
  }
}

function parseLine(line: number, text: string): Row | BadLine {
  try {
    const value = parseJson(text)
    if (isObject(value)) return { kind: 'row', line, properties: value }
    return { kind: 'bad', line, why: 'not an object', text }
  } catch (error) {
    return { kind: 'bad', line, why: `not JSON: ${messageOf(error)}`, text }
  }
}

/** Numbered from 1. */
interface Line {
  readonly line: number
  readonly text: string
  /** Why it cannot be used; of one that is too long only the beginning is here. */
  readonly fault: string | undefined
}

/** Lines without their ends. */
async function* linesOf(path: string): AsyncIterable<Line> {
  let line = 1
  let rest: Buffer = Buffer.alloc(0)
  let skipping = false
  for await (const chunk of chunksOf(path)) {
    let from = 0
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
      const whole = Buffer.concat([rest, chunk.subarray(from, end)])
      if (!skipping) yield lineOf(line, whole)
      skipping = false
      rest = Buffer.alloc(0)
      from = end + 1
      line++
    }
    if (skipping) continue
    rest = Buffer.concat([rest, chunk.subarray(from)])
    if (rest.length > LINE_BYTES_MAX) {
      yield lineOf(line, rest)
      rest = Buffer.alloc(0)
      skipping = true
    }
  }
  if (rest.length > 0 && !skipping) yield lineOf(line, rest)
}

function lineOf(line: number, bytes: Buffer): Line {
  const isLong = bytes.length > LINE_BYTES_MAX
  const text = (isLong ? bytes.subarray(0, 200) : bytes).toString('utf8')
  const fault = isLong ? TOO_LONG : isUtf8(bytes) ? undefined : NOT_UTF8
  return { line, text: line === 1 ? withoutMark(text) : text, fault }
}

async function* chunksOf(path: string): AsyncIterable<Buffer> {
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 262_144 })) yield chunk as Buffer
  } catch (cause) {
    throw unreadable(path, cause)
  }
}

async function* readCsv(path: string): AsyncIterable<Row | BadLine> {
  let header: readonly string[] | undefined
  for await (const record of recordsOf(path)) {
    if (record.kind === 'bad') yield record
    else if (header === undefined) header = checkHeader(path, record.cells)
    else yield csvRow(header, record)
  }
}

interface CsvCells {
  readonly kind: 'cells'
  readonly line: number
  readonly text: string
  readonly cells: readonly string[]
}

/** Records with the number of their first line. Of one that is broken the first line is told, and the next is read anew. */
async function* recordsOf(path: string): AsyncIterable<CsvCells | BadLine> {
  let delimiter: string | undefined
  let lines: Line[] = []
  let record: CsvRecord | undefined
  let sizeBytes = 0
  const take = (line: Line): readonly (CsvCells | BadLine)[] => {
    delimiter ??= delimiterOf(line.text)
    if (record === undefined && line.text.trim() === '') return []
    record ??= new CsvRecord(delimiter)
    lines.push(line)
    sizeBytes += line.text.length
    const fed = line.fault === undefined ? record.feed(line.text) : ({ kind: 'broken', why: line.fault } as const)
    if (fed.kind === 'open' && sizeBytes <= LINE_BYTES_MAX) return []
    const done = forget()
    if (fed.kind !== 'cells') return giveUp(done, fed.kind === 'open' ? `a record ${TOO_LONG}` : fed.why)
    return [{ kind: 'cells', line: done[0].line, text: done.map(({ text }) => text).join('\n'), cells: fed.cells }]
  }
  const forget = (): [Line, ...Line[]] => {
    const done = lines as [Line, ...Line[]]
    lines = []
    record = undefined
    sizeBytes = 0
    return done
  }
  const giveUp = ([first, ...rest]: [Line, ...Line[]], why: string): readonly (CsvCells | BadLine)[] => {
    return [{ kind: 'bad', line: first.line, why, text: first.text }, ...rest.flatMap(take)]
  }
  for await (const line of linesOf(path)) yield* take(line)
  while (lines.length > 0) yield* giveUp(forget(), 'a quote that never ends')
}

function csvRow(header: readonly string[], { cells, line, text }: CsvCells): Row | BadLine {
  if (cells.length !== header.length) {
    return { kind: 'bad', line, why: `${cells.length} cells where the header has ${header.length}`, text }
  }
  return { kind: 'row', line, properties: Object.fromEntries(header.map((name, index) => [name, cells[index] ?? ''])) }
}

function checkHeader(path: string, cells: readonly string[]): readonly string[] {
  const names = cells.map((cell) => cell.trim())
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (names.includes('')) throw input(`${path}: column ${names.indexOf('') + 1} of the header has no name`)
  if (twice !== undefined) throw input(`${path}: the header has two columns "${twice}"`)
  return names
}

async function* readJson(path: string): AsyncIterable<Row | BadLine> {
  const bytes = await stat(path).catch((error: unknown) => Promise.reject(unreadable(path, error)))
  if (bytes.size > JSON_BYTES_MAX) {
    throw input(
      `${path} has more than ${JSON_BYTES_MAX} bytes: make it NDJSON (one object per line), which has no limit`,
    )
  }
  const whole = await readFile(path)
  if (!isUtf8(whole)) throw notText(path)
  let content: Json
  try {
    content = parseJson(withoutMark(whole.toString('utf8')))
  } catch (cause) {
    throw input(`${path} is not JSON: ${messageOf(cause)}`, cause)
  }
  if (Array.isArray(content)) {
    for (const [index, item] of (content as readonly Json[]).entries()) yield jsonRow(index + 1, item)
    return
  }
  if (!isObject(content)) throw input(`${path} holds neither a list nor an object`)
  const entries = Object.entries(content)
  if (!entries.every(([, value]) => isObject(value))) yield { kind: 'row', line: 1, properties: content }
  else for (const [index, [key, item]] of entries.entries()) yield keyedRow(index + 1, key, item)
}

function jsonRow(line: number, item: Json): Row | BadLine {
  if (isObject(item)) return { kind: 'row', line, properties: item }
  return { kind: 'bad', line, why: 'not an object', text: JSON.stringify(item) }
}

function keyedRow(line: number, key: string, item: Json): Row | BadLine {
  const row = jsonRow(line, item)
  return row.kind === 'row' ? { ...row, key } : row
}

/** As JSON.parse, but an integer that a number cannot hold exactly stays the text it was. */
export function parseJson(text: string): Json {
  if (!/\d{16}/.test(text)) return JSON.parse(text) as Json
  return JSON.parse(text, exactly) as Json
}

function exactly(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  const source = context?.source
  if (typeof value !== 'number' || source === undefined || String(value) === source) return value
  return /^-?\d+$/.test(source) ? source : value
}

async function readHead(path: string): Promise<string> {
  try {
    const file = await open(path)
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(SNIFF_BYTES), 0, SNIFF_BYTES, 0)
      const head = buffer.subarray(0, bytesRead)
      if (!isText(head)) throw notText(path)
      return withoutMark(head.toString('utf8'))
    } finally {
      await file.close()
    }
  } catch (cause) {
    if (cause instanceof RhizomeError) throw cause
    throw unreadable(path, cause)
  }
}

/** Whether the first line is UTF-8, and no byte is zero, as some are in UTF-16 and in whatever is no text. */
function isText(head: Buffer): boolean {
  if (head.includes(0)) return false
  const end = head.indexOf(10)
  if (end >= 0) return isUtf8(head.subarray(0, end))
  // The end of a long line may be in the middle of a character.
  return [0, 1, 2, 3].some((count) => isUtf8(head.subarray(0, head.length - count)))
}

/** Without the byte order mark that some programs put first. */
function withoutMark(text: string): string {
  return text.startsWith('\uFEFF') ? text.slice(1) : text
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

function isObject(value: Json): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function notText(path: string): RhizomeError {
  return input(`${path} is not text in UTF-8: save NDJSON, CSV or JSON as UTF-8 (spreadsheets say "CSV UTF-8")`)
}

function unreadable(path: string, cause: unknown): RhizomeError {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  if (code === 'ENOENT') return input(`there is no file ${path}`, cause)
  if (code === 'EISDIR') return input(`${path} is a directory: name a file in it`, cause)
  return input(`${path} cannot be read: ${messageOf(cause)}`, cause)
}

function input(message: string, cause?: unknown): RhizomeError {
  return new RhizomeError('RZ_CLI_INPUT', message, { cause })
}
