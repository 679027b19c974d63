/** `export --proof`: a proof of one record or entity, as the node made it, to stdout or a file. */

import { writeFile } from 'node:fs/promises'
import { RhizomeError } from '../errors.ts'
import type { Call } from './call.ts'
import { openDoor } from './door.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import { shellWord } from './paths.ts'
import { readingQuery } from './reading.ts'
import { visible } from './terminal.ts'

/** Flags that mean something beside `--proof` alone. */
const OF_PROOFS = { property: '--property', out: '--out' } as const

/** Throws RZ_CLI_USAGE for a flag that would say nothing. */
export function refuseWithoutProof(options: Call['options']): void {
  for (const [name, flag] of Object.entries(OF_PROOFS)) {
    if (options[name] !== undefined) throw usage(`${flag} is for a proof: say of what, such as --proof user/alice`)
  }
}

export async function exportProof(call: Call): Promise<ExitCode> {
  const { options, terminal } = call
  const { proof: entity, property, out, collection } = options
  if (typeof entity !== 'string' || entity === '') throw usage('say of what, such as --proof user/alice')
  if (collection !== undefined) throw usage('--proof is of one record, and --collection of many: give one of them')
  await using door = await openDoor(call)
  const path = ['api', 'ns', door.topic, 'entities', entity, 'proof']
  const { context, ...moment } = readingQuery(call)
  const reading = context === '' ? moment : { ...moment, context }
  const text = await door.control.text(path, { query: { property, ...reading } })
  if (typeof out !== 'string') {
    // The terminal ends the line.
    terminal.out(text.trimEnd())
    return EXIT.ok
  }
  await write(out, text)
  terminal.err(`proof of ${visible(entity)} in ${door.topic} written; check it anywhere:`)
  terminal.err(`  npx rhizome-node verify ${shellWord(out)}`)
  return EXIT.ok
}

async function write(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text)
  } catch (cause) {
    throw new RhizomeError('RZ_CLI_INPUT', `${path} cannot be written: ${String(cause)}`, { cause })
  }
}

function usage(message: string): RhizomeError {
  return new RhizomeError('RZ_CLI_USAGE', message)
}
