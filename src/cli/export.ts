/**
 * The command `export`: everything as NDJSON on stdout, for other programs and for `import`; with `--proof` a proof of one
 * record, for whoever has no node.
 */

import type { Json } from '../delta/json.ts'
import type { Call } from './call.ts'
import type { Ask, Control } from './control.ts'
import { type Door, openDoor } from './door.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import { exportProof, refuseWithoutProof } from './export-proof.ts'
import { readingQuery } from './reading.ts'
import { counted } from './terminal.ts'

export async function exportData(call: Call): Promise<ExitCode> {
  const { options, signal, terminal } = call
  if (options['proof'] !== undefined) return exportProof(call)
  refuseWithoutProof(options)
  await using door = await openDoor(call)
  const collection = options['collection']
  const query = readingQuery(call)
  const lines =
    typeof collection === 'string'
      ? recordLines(door, collection, { query, signal })
      : deltaLines(door.control, door.topic, { query, signal })
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

async function* deltaLines(control: Control, topic: string, ask: Ask): AsyncIterable<ExportedLine> {
  for await (const delta of control.follow<Json>(['api', 'ns', topic, 'deltas'], ask))
    yield { text: JSON.stringify(delta), hides: false }
}

/** `{ "id", …properties }`: the form that `import` reads. A property called `id` gives way to the record's. */
async function* recordLines({ control, topic }: Door, collection: string, ask: Ask): AsyncIterable<ExportedLine> {
  const prefix = `${collection}/`
  const views = control.follow<{ readonly id: string; readonly properties: { readonly [property: string]: Json } }>(
    ['api', 'ns', topic, 'entities'],
    { ...ask, query: { ...ask.query, prefix } },
  )
  for await (const { id: entity, properties } of views) {
    const id = entity.slice(prefix.length)
    if (id === '') continue
    const { id: own = id } = properties
    yield { text: JSON.stringify({ ...properties, id }), hides: own !== id }
  }
}
