/** The command `backup`: a whole copy of a node's directory, whether it runs or not. */

import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { backupDirectory } from '../node/backup.ts'
import type { Call } from './call.ts'
import { findDirectory } from './door.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import { shellWord, shortPath } from './paths.ts'
import { grouped } from './terminal.ts'

export async function backup(call: Call): Promise<ExitCode> {
  const { config, terminal, words } = call
  const [target = ''] = words
  const { directory } = await findDirectory(call, { changes: true })
  await backupDirectory(directory, target)
  const { size: bytes } = await stat(join(target, 'store', 'log.db'))
  if (config.json) {
    terminal.out(JSON.stringify({ directory, target, bytes }))
    return EXIT.ok
  }
  terminal.out(
    `${shortPath(directory)} is copied to ${target}, ${grouped(bytes)} bytes of log; its private keys are in it`,
  )
  terminal.out(`to go on from there: npx rhizome-node --topic <name> --data ${shellWord(target)}`)
  return EXIT.ok
}
