/** The command `rule`: JSON-Logic rules from stdin, their results to stdout, a line each. */

import { answerRules } from '../node/rules.ts'
import type { Call } from './call.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'

export async function rule({ stdin, terminal, signal }: Call): Promise<ExitCode> {
  for await (const answer of answerRules(stdin as AsyncIterable<Uint8Array | string>)) {
    if (signal.aborted) break
    terminal.out(answer)
  }
  return EXIT.ok
}
