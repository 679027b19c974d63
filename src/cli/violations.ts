/** The command `violations`: records that break the schemas in force, a line for each reason. */

import type { Call } from './call.ts'
import { openDoor } from './door.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import { shortId } from './paths.ts'
import { printTable } from './table.ts'
import { visible } from './terminal.ts'

interface Violation {
  readonly collection: string
  readonly id: string
  readonly faults: readonly {
    readonly path: string
    readonly code: string
    readonly message: string
    readonly deltas: readonly { readonly creator: string }[]
  }[]
}

interface Page {
  readonly violations: readonly Violation[]
  readonly next?: string
}

const PAGE_COUNT = 1_000

export async function violations(call: Call): Promise<ExitCode> {
  const [collection] = call.words
  const { config, terminal } = call
  await using door = await openDoor(call)
  const rows: (readonly string[])[] = []
  for (let after: string | undefined; ;) {
    const query = { collection, limit: String(PAGE_COUNT), after }
    const { body } = await door.control.ask<Page>(['api', 'ns', door.topic, 'violations'], { query })
    for (const violation of body.violations) {
      if (config.json) terminal.out(JSON.stringify(violation))
      else rows.push(...rowsOf(violation))
    }
    const last = body.violations.at(-1)
    if (body.next === undefined || last === undefined) break
    after = `${last.collection}/${last.id}`
  }
  if (config.json) return EXIT.ok
  if (rows.length === 0) terminal.err(`none: no record of ${collection ?? door.topic} breaks a schema in force`)
  else printTable(terminal, ['record', 'property', 'reason', 'claimed by'], rows)
  return EXIT.ok
}

function rowsOf({ collection, id, faults }: Violation): readonly (readonly string[])[] {
  return faults.map(({ path, message, code, deltas }) => {
    const creators = [...new Set(deltas.map(({ creator }) => shortId(creator)))]
    return [`${collection}/${id}`, path, visible(`${message} (${code})`), creators.join(' ')]
  })
}
