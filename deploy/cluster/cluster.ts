/** `npm run cluster -- <verb> …`: several nodes on this machine, for a look and for trials. README.md tells of it. */

import { openTerminal } from '../../src/cli/terminal.ts'
import { runProgram } from './program.ts'

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // Whoever read it has seen enough.
  if (error.code === 'EPIPE') process.exit(0)
  throw error
})
const terminal = openTerminal({ stdout: process.stdout, stderr: process.stderr, env: process.env })
process.exitCode = await runProgram({ argv: process.argv.slice(2), environment: process.env, terminal })
