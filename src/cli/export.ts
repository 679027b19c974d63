/**
 * The command `export`: everything as NDJSON on stdout, for other programs and for `import`; with `--proof` a proof of one
 * record, for whoever has no node.
 */

import type { Json } from '../delta/json.ts'
import type { Call } from './call.ts'
import { AnswerError, type Control } from './control.ts'
import { type Door, openDoor } from './door.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import { exportProof, refuseWithoutProof } from './export-proof.ts'
import { recordPath } from './records.ts'
import { counted } from './terminal.ts'

/** Records asked for at once. */
const PARALLEL_COUNT = 32

export async function exportData(call: Call): Promise<ExitCode> {
  const { options, signal, terminal } = call
  if (options['proof'] !== undefined) return exportProof(call)
  refuseWithoutProof(options)
  await using door = await openDoor(call)
  const collection = options['collection']
  const lines =
    typeof collection === 'string'
      ? recordLines(door, collection, signal)
      : deltaLines(door.control, door.topic, signal)
  let count = 0
  let hiddenCount = 0
  for await (const { text, hides } of lines) {
    if (signal.aborted) return EXIT.failed
    terminal.out(text)
    count++
    if (hides) hiddenCount++
  }
  terminal.err(`exported ${counted(count, typeof collection === 'string' ? 'record' : 'delta')} of ${door.topic}`)
  if (hiddenCount > 0) {
    const records = counted(hiddenCount, 'record has', 'records have')
    terminal.err(`note: ${records} a property "id" of another value, which is left out; without --collection it is not`)
  }
  return EXIT.ok
}

interface ExportedLine {
  readonly text: string
  /** A property of the record is not in it. */
  readonly hides: boolean
}

async function* deltaLines(control: Control, topic: string, signal: AbortSignal): AsyncIterable<ExportedLine> {
  for await (const delta of control.follow<Json>(['api', 'ns', topic, 'deltas'], { signal }))
    yield { text: JSON.stringify(delta), hides: false }
}

/** `{ "id", …properties }`: the form that `import` reads. A property called `id` gives way to the record's. */
async function* recordLines(door: Door, collection: string, signal: AbortSignal): AsyncIterable<ExportedLine> {
  const path = ['api', 'ns', door.topic, 'collections', collection, 'ids']
  let batch: string[] = []
  for await (const id of door.control.follow<string>(path, { signal })) {
    batch.push(id)
    if (batch.length < PARALLEL_COUNT) continue
    yield* await readBatch(door, collection, batch)
    batch = []
  }
  yield* await readBatch(door, collection, batch)
}

async function readBatch(door: Door, collection: string, ids: readonly string[]): Promise<readonly ExportedLine[]> {
  const lines = await Promise.all(ids.map((id) => recordLine(door, collection, id)))
  return lines.filter((line) => line !== undefined)
}

/** Undefined for a record that was deleted meanwhile. */
async function recordLine(door: Door, collection: string, id: string): Promise<ExportedLine | undefined> {
  try {
    const { body } = await door.control.ask<{ readonly properties: { readonly [property: string]: Json } }>(
      recordPath(door, collection, id),
    )
    const { id: own = id } = body.properties
    return { text: JSON.stringify({ ...body.properties, id }), hides: own !== id }
  } catch (error) {
    if (error instanceof AnswerError && error.code === 'RZ_HTTP_NOT_FOUND') return undefined
    throw error
  }
}
