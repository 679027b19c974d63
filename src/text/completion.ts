/** What may stand next in a line, for a shell that completes it: of the key-value commands by their words, of statements by the parser. */

import { expectedAfter } from './parse.ts'
import { type Token, Tokens } from './tokens.ts'
import { SyntaxFault } from './syntax-fault.ts'

export type Expected =
  | { readonly kind: 'word'; readonly word: string }
  | { readonly kind: 'container' | 'topic' | 'record' }
  /** A key of that container. */
  | { readonly kind: 'key'; readonly container: string }
  /** A column of these containers. */
  | { readonly kind: 'column'; readonly containers: readonly string[] }

/** Commands, and what their words are. */
const COMMANDS: Readonly<Record<string, readonly ('container' | 'key')[]>> = {
  CREATE: [],
  PUT: ['container', 'key'],
  GET: ['container', 'key'],
  DELETE: ['container', 'key'],
  KEYS: ['container'],
  WATCH: ['container'],
  BUCKETS: [],
  HELP: [],
  QUIT: [],
}
/** Before a container. */
const BEFORE_CONTAINER = new Set(['from', 'join', 'into'])

/** `line` ends where the next word begins. */
export function expectedNext(line: string): readonly Expected[] {
  const words = line.split(/\s+/).filter((word) => word !== '')
  const [command] = words
  if (command !== undefined && Object.hasOwn(COMMANDS, command)) return ofCommand(command, words.slice(1))
  const containers = containersIn(line)
  const expected = expectedAfter(line).flatMap((each): readonly Expected[] => {
    if (each.kind === 'word') return [each]
    if (each.name === 'column') return [{ kind: 'column', containers }]
    return each.name === 'container' || each.name === 'topic' || each.name === 'record' ? [{ kind: each.name }] : []
  })
  if (command !== undefined) return expected
  return [...expected, ...Object.keys(COMMANDS).map((word) => ({ kind: 'word', word }) as const)]
}

function ofCommand(command: string, given: readonly string[]): readonly Expected[] {
  const kind = COMMANDS[command]?.[given.length]
  if (kind === 'container') return [{ kind }]
  const [container] = given
  return kind === 'key' && container !== undefined ? [{ kind, container }] : []
}

/** Those that the line names, as far as it can be read. */
function containersIn(line: string): readonly string[] {
  const tokens = new Tokens(line)
  const found = new Set<string>()
  try {
    for (
      let before: Token = tokens.take(), token = tokens.take();
      token.kind !== 'end';
      before = token, token = tokens.take()
    ) {
      if (before.kind !== 'word' || !BEFORE_CONTAINER.has(before.text)) continue
      if (token.kind === 'word' || token.kind === 'text') found.add(token.text)
    }
  } catch (error) {
    if (!(error instanceof SyntaxFault)) throw error
  }
  return [...found]
}
