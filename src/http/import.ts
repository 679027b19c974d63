/**
 * Imports records from lines of `{ "id"?, "properties" }`, in bounded memory: so many are written at once that they share
 * blocks, and reading waits for the commits. A bad line is counted and listed; the good ones are written all the same.
 */

import { randomUUID } from 'node:crypto'
import type { PropertyInput } from '../delta/record.ts'
import { type ErrorCode, RhizomeError } from '../errors.ts'
import { readProperties } from '../node/record-json.ts'
import type { Line } from './lines.ts'
import { IMPORT_FAILED_LISTED_MAX, IMPORT_PENDING_BYTES_MAX, IMPORT_PENDING_MAX, LINE_BYTES_MAX } from './options.ts'
import { describe } from './problem.ts'

/** What an import has done: while it runs, so far. */
export interface Imported {
  /** Records of which something was written. */
  readonly records: number
  readonly deltas: number
  /** Records that were all there already. */
  readonly unchanged: number
  readonly failedCount: number
  /** The first `IMPORT_FAILED_LISTED_MAX` of them, in the order of their lines, as far as they were found in it. */
  readonly failed: readonly FailedLine[]
}

export interface FailedLine {
  readonly line: number
  readonly code: ErrorCode
  readonly message: string
}

/** Writes one record and resolves to how many deltas that took. */
export type WriteRecord = (id: string, properties: Readonly<Record<string, PropertyInput>>) => Promise<number>

/** What a line can be at fault for: its shape, its size, and the schema of its collection. */
const LINE_FAULTS: ReadonlySet<number> = new Set([400, 413, 422])

/** One import. */
export class Import {
  readonly #write: WriteRecord
  readonly #failed: FailedLine[] = []
  /** The last write under way of each record: a later line must see what an earlier one wrote. */
  readonly #pending = new Map<string, Promise<void>>()
  #pendingCount = 0
  #pendingBytes = 0
  #room: PromiseWithResolvers<void> | undefined
  #stopped: { readonly error: unknown } | undefined
  #records = 0
  #deltas = 0
  #unchanged = 0
  #failedCount = 0

  constructor(write: WriteRecord) {
    this.#write = write
  }

  get imported(): Imported {
    return {
      records: this.#records,
      deltas: this.#deltas,
      unchanged: this.#unchanged,
      failedCount: this.#failedCount,
      failed: this.#failed.toSorted((a, b) => a.line - b.line),
    }
  }

  /** Resolves when all is committed. Throws what stopped it, such as a full disk; what was written by then stays. */
  async run(lines: AsyncIterable<readonly Line[]>): Promise<Imported> {
    try {
      for await (const some of lines) for (const line of some) await this.#take(line)
    } finally {
      await Promise.all(this.#pending.values())
    }
    this.#rethrow()
    return this.imported
  }

  async #take(line: Line): Promise<void> {
    if (line.kind !== 'text') return this.#fail(line.number, unreadable(line.kind))
    if (line.text.trim() === '') return
    try {
      const { id, properties } = parse(line.text)
      await this.#makeRoom(id)
      this.#begin(line, id, properties)
    } catch (error) {
      this.#fail(line.number, error)
    }
    this.#rethrow()
  }

  async #makeRoom(id: string): Promise<void> {
    await this.#pending.get(id)
    while (this.#pendingCount >= IMPORT_PENDING_MAX || this.#pendingBytes >= IMPORT_PENDING_BYTES_MAX) {
      this.#room ??= Promise.withResolvers<void>()
      await this.#room.promise
    }
  }

  #begin(
    line: Line & { readonly kind: 'text' },
    id: string,
    properties: Readonly<Record<string, PropertyInput>>,
  ): void {
    this.#pendingCount++
    this.#pendingBytes += line.sizeBytes
    const writing = this.#write(id, properties).then(
      (deltas) => {
        this.#deltas += deltas
        if (deltas > 0) this.#records++
        else this.#unchanged++
      },
      (error: unknown) => this.#fail(line.number, error),
    )
    const done = writing.then(() => {
      this.#pendingCount--
      this.#pendingBytes -= line.sizeBytes
      this.#pending.delete(id)
      this.#room?.resolve()
      this.#room = undefined
    })
    this.#pending.set(id, done)
  }

  /** A fault of the line is the line's alone; any other would meet every line after it. */
  #fail(line: number, error: unknown): void {
    const { problem } = describe(error)
    if (!LINE_FAULTS.has(problem.status)) {
      this.#stopped ??= { error }
      return
    }
    this.#failedCount++
    if (this.#failed.length < IMPORT_FAILED_LISTED_MAX) {
      this.#failed.push({ line, code: problem.code, message: problem.detail })
    }
  }

  #rethrow(): void {
    if (this.#stopped !== undefined) throw this.#stopped.error
  }
}

function unreadable(kind: 'too large' | 'not UTF-8'): RhizomeError {
  return kind === 'too large'
    ? new RhizomeError('RZ_HTTP_TOO_LARGE', `the line has more than ${LINE_BYTES_MAX} bytes`)
    : new RhizomeError('RZ_HTTP_INPUT', 'the line is not UTF-8')
}

function parse(text: string): { readonly id: string; readonly properties: Record<string, PropertyInput> } {
  const { id = randomUUID(), properties, ...others } = parseObject(text)
  const [other] = Object.keys(others)
  if (other !== undefined) throw new RhizomeError('RZ_HTTP_INPUT', `"${other}" is neither "id" nor "properties"`)
  if (typeof id !== 'string' || id === '') throw new RhizomeError('RZ_HTTP_INPUT', '"id" must be text, and not empty')
  if (!isObject(properties) || Object.keys(properties).length === 0) {
    throw new RhizomeError('RZ_HTTP_INPUT', '"properties" must be an object that is not empty')
  }
  return { id, properties: readProperties(properties) }
}

function parseObject(text: string): { readonly [key: string]: unknown } {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (cause) {
    throw new RhizomeError('RZ_HTTP_INPUT', `the line is not JSON: ${(cause as Error).message}`, { cause })
  }
  if (isObject(json)) return json
  throw new RhizomeError('RZ_HTTP_INPUT', 'the line is no object { "id", "properties" }')
}

function isObject(json: unknown): json is { readonly [key: string]: unknown } {
  return typeof json === 'object' && json !== null && !Array.isArray(json)
}
