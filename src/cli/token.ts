/** The command `token`: makes the HTTP API's bearer token anew and shows it once. Refuses where a setting gives the token. */

import type { Call } from './call.ts'
import { findDirectory } from './door.ts'
import { RhizomeError } from '../errors.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import { shortPath } from './paths.ts'
import { flagOf, variableOf } from './settings.ts'

export async function token(call: Call): Promise<ExitCode> {
  const { config, faces, terminal } = call
  if (config.httpToken !== undefined) {
    const names = `${flagOf('httpToken')}, ${variableOf('httpToken')}`
    const message = `the token is given by a setting (${names}): change it there, and start the node anew`
    throw new RhizomeError('RZ_CLI_USAGE', message)
  }
  const { directory } = await findDirectory(call, { changes: true })
  const fresh = await faces.renewToken(directory)
  if (config.json) {
    terminal.out(JSON.stringify({ token: fresh, directory }))
    return EXIT.ok
  }
  terminal.out(fresh)
  terminal.err(
    `For the node in ${shortPath(directory)}; the token before it has ended, and this one is not shown again.\n` +
      'Send it with each HTTP request as Authorization: Bearer <token>, and as the first line of text as AUTH <token>',
  )
  return EXIT.ok
}
