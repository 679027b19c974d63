/** Rules for the command line: a stream of lines, and those that come with the package. Needs no open node. */

import { SHIPPED_RESOLVERS } from '../view/resolvers/shipped.ts'
import { RULE_LINE_UNITS_MAX, runRuleLine } from '../view/rules/line.ts'

/** By name, for those who type: as JSON, which all of them are. */
export const SHIPPED_RULES = SHIPPED_RESOLVERS

/** Answers each line `{ "rule": …, "data": … }` of UTF-8 text with a line `{ "result": … }` or `{ "error": … }`; blank ones with none. */
export async function* answerRules(chunks: AsyncIterable<Uint8Array | string>): AsyncGenerator<string> {
  const utf8 = new TextDecoder()
  let pending = ''
  for await (const chunk of chunks) {
    pending += typeof chunk === 'string' ? chunk : utf8.decode(chunk, { stream: true })
    const lines = pending.split('\n')
    pending = lines.pop() ?? ''
    yield* answers(lines)
    // What is too long is answered as such when its end comes; its middle need not be kept.
    if (pending.length > RULE_LINE_UNITS_MAX) pending = pending.slice(0, RULE_LINE_UNITS_MAX + 1)
  }
  yield* answers([pending])
}

function* answers(lines: readonly string[]): Generator<string> {
  for (const line of lines) if (line.trim() !== '') yield runRuleLine(line)
}
