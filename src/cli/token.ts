/** The command `token`: makes the HTTP API's bearer token anew and shows it once. */

import type { Call } from './call.ts'
import { findDirectory } from './door.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import { shortPath } from './paths.ts'

export async function token(call: Call): Promise<ExitCode> {
  const { config, faces, terminal } = call
  const { directory } = await findDirectory(call, { changes: true })
  const fresh = await faces.renewToken(directory)
  if (config.json) {
    terminal.out(JSON.stringify({ token: fresh, directory }))
    return EXIT.ok
  }
  terminal.out(fresh)
  terminal.err(
    `For the node in ${shortPath(directory)}; the token before it has ended, and this one is not shown again.\n` +
      'Send it with each request: Authorization: Bearer <token>',
  )
  return EXIT.ok
}
