/**
 * Where a JSON text (RFC 8259) ends that begins in the middle of a line, and where it stops being one. It builds nothing: what
 * it has passed, `JSON.parse` reads. Throws SyntaxFault.
 */

import { JSON_DEPTH_MAX } from './options.ts'
import { SyntaxFault } from './syntax-fault.ts'

const SPACE = /[ \t\n\r]*/y
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y
const PLAIN = /[^"\\\u0000-\u001F]*/y
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y
const WORD = /true|false|null/y

/** The place behind the value that begins at `at`. */
export function jsonEnd(line: string, at: number): number {
  return valueEnd(line, at, JSON_DEPTH_MAX)
}

/** The place behind the string whose quote is at `at`. */
export function stringEnd(line: string, at: number): number {
  let end = at + 1
  for (;;) {
    end = past(PLAIN, line, end) ?? end
    if (line[end] === '"') return end + 1
    if (end >= line.length) throw new SyntaxFault(at, 'this text has no closing quote')
    const escaped = past(ESCAPE, line, end)
    if (escaped === undefined) throw new SyntaxFault(end, 'a text of JSON has no such character: escape it')
    end = escaped
  }
}

function valueEnd(line: string, at: number, levelsLeft: number): number {
  const first = line[at]
  if (first === '"') return stringEnd(line, at)
  if (first === '{' || first === '[') {
    if (levelsLeft === 0) throw new SyntaxFault(at, `JSON is nested more than ${JSON_DEPTH_MAX} levels deep`)
    return first === '{' ? objectEnd(line, at, levelsLeft) : listEnd(line, at, levelsLeft)
  }
  const end = past(first === '-' || (first !== undefined && first >= '0' && first <= '9') ? NUMBER : WORD, line, at)
  if (end === undefined) throw new SyntaxFault(at, 'JSON has a value here')
  return end
}

function listEnd(line: string, at: number, levelsLeft: number): number {
  let next = spaceEnd(line, at + 1)
  if (line[next] === ']') return next + 1
  for (;;) {
    next = spaceEnd(line, valueEnd(line, next, levelsLeft - 1))
    if (line[next] === ']') return next + 1
    if (line[next] !== ',') throw new SyntaxFault(next, 'a list of JSON goes on with a comma, or ends with ]')
    next = spaceEnd(line, next + 1)
  }
}

function objectEnd(line: string, at: number, levelsLeft: number): number {
  let next = spaceEnd(line, at + 1)
  if (line[next] === '}') return next + 1
  for (;;) {
    if (line[next] !== '"') throw new SyntaxFault(next, 'a key of JSON stands in quotes')
    next = spaceEnd(line, stringEnd(line, next))
    if (line[next] !== ':') throw new SyntaxFault(next, 'a colon stands behind a key of JSON')
    next = spaceEnd(line, valueEnd(line, spaceEnd(line, next + 1), levelsLeft - 1))
    if (line[next] === '}') return next + 1
    if (line[next] !== ',') throw new SyntaxFault(next, 'an object of JSON goes on with a comma, or ends with }')
    next = spaceEnd(line, next + 1)
  }
}

function spaceEnd(line: string, at: number): number {
  return past(SPACE, line, at) ?? at
}

/** The place behind what the sticky pattern takes at `at`; undefined when it takes nothing there. */
function past(pattern: RegExp, line: string, at: number): number | undefined {
  pattern.lastIndex = at
  return pattern.test(line) ? pattern.lastIndex : undefined
}
