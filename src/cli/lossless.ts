/** The command `lossless`: every claim about some entities or all, as it is read, a view at a time. */

import type { Json } from '../delta/json.ts'
import { RhizomeError } from '../errors.ts'
import type { Call } from './call.ts'
import { openDoor } from './door.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import { shortId } from './paths.ts'
import { readingQuery } from './reading.ts'
import { printTable } from './table.ts'
import { visible } from './terminal.ts'
import { timeText, valueText } from './value-text.ts'

interface LosslessView {
  readonly id: string
  readonly properties?: { readonly [property: string]: readonly Claim[] }
  readonly deltas?: { readonly [id: string]: { readonly time: { readonly ms: number }; readonly creator: string } }
  readonly error?: { readonly code: string; readonly message: string }
}

interface Claim {
  readonly delta: string
  readonly value: Json
  readonly standing: boolean
}

export async function lossless(call: Call): Promise<ExitCode> {
  const { words: ids, options, config, signal, terminal } = call
  const prefix = typeof options['prefix'] === 'string' ? options['prefix'] : undefined
  if ([ids.length > 0, options['all'] === true, prefix !== undefined].filter(Boolean).length !== 1) {
    throw new RhizomeError('RZ_CLI_USAGE', 'say of what: entities such as user/alice, --prefix user/, or --all')
  }
  await using door = await openDoor(call)
  const path = ['api', 'ns', door.topic, 'lossless']
  const query = { ...readingQuery(call), prefix }
  const some = { method: 'POST', body: { ids } } as const
  const views = door.control.follow<LosslessView>(path, { query, signal, ...(ids.length > 0 && some) })
  const missing = new Set(ids)
  let isFirst = true
  for await (const view of views) {
    if (signal.aborted) return EXIT.failed
    missing.delete(view.id)
    if (config.json) terminal.out(JSON.stringify(view))
    else {
      if (!isFirst) terminal.out('')
      printView(view, call)
    }
    isFirst = false
  }
  for (const id of missing) terminal.err(`note: nothing is held about ${visible(id)}`)
  return missing.size > 0 ? EXIT.notFound : EXIT.ok
}

function printView({ id, properties = {}, deltas = {}, error }: LosslessView, { terminal }: Call): void {
  terminal.out(terminal.style('bold', visible(id)))
  if (error !== undefined) {
    terminal.out(`${visible(error.message)} (${error.code})`)
    return
  }
  const rows = Object.entries(properties).flatMap(([property, claims]) =>
    claims.map(({ delta: name, value, standing }) => {
      const delta = deltas[name]
      const [time, creator] = delta === undefined ? ['?', '?'] : [timeText(delta.time), shortId(delta.creator)]
      return [property, valueText(value), time, creator, standing ? 'stands' : 'negated']
    }),
  )
  printTable(terminal, ['property', 'value', 'time', 'creator', 'claim'], rows)
}
