/** Lines for the parser to be tried with, and what must hold of any. */

import fc from 'fast-check'
import { columnOfByte } from '../../src/text/answer.ts'
import { readCommand } from '../../src/text/command.ts'
import { compileLine } from '../../src/text/compile.ts'
import { expectedAfter } from '../../src/text/parse.ts'

const PIECES = [
  'insert',
  'select',
  'delete',
  'query',
  'tags',
  'peers',
  'topics',
  'use',
  'from',
  'into',
  'as',
  'join',
  'left',
  'semi',
  'anti',
  'on',
  'and',
  'where',
  'order',
  'by',
  'desc',
  'descending',
  'limit',
  'entity',
  '*',
  ',',
  '=',
  'dog',
  'owner',
  'dog.owner',
  'owner.id',
  'dog/rex',
  '"a b"',
  '"\\u0041"',
  '"',
  '\\',
  '[',
  ']',
  '{',
  '}',
  '[0]',
  '[0,255]',
  '[256]',
  '{}',
  '{"name":"Rex"}',
  '{"==":[{"var":"name"},1]}',
  '{"a":{"$bytes":"AA=="}}',
  '{"__proto__":1}',
  '{"constructor":{"prototype":1}}',
  '0',
  '1',
  '-1.5e3',
  '1e999',
  '9007199254740993',
  'true',
  'null',
  '\u0000',
  '\u2028',
  '\u00A0',
  '😀',
  '\uD800',
  'PUT',
  'GET',
  'CREATE',
  'DELETE',
  'KEYS',
  'WATCH',
  'AUTH',
  'QUIT',
  'Host:',
] as const

export const nearStatement: fc.Arbitrary<string> = fc
  .array(fc.tuple(fc.constantFrom(...PIECES), fc.constantFrom(' ', ' ', ' ', '', '\t', '  ')), { maxLength: 24 })
  .map((pieces) => pieces.flat().join(''))

export const anyLine: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.string({ unit: fc.constantFrom(...'[]{}",:= \\u0aeE+-.tfn'.split('')), maxLength: 200 }),
  fc
    .tuple(fc.constantFrom('select ', 'insert ', 'delete ', 'query '), fc.json({ maxDepth: 8 }))
    .map((parts) => parts.join('')),
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
)

/** Throws when the line is neither a statement nor a fault at a place that the line has. */
export function fuzzOne(line: string): void {
  const compiled = compileLine(line)
  if (compiled.kind === 'fault') {
    const { code, column, message } = compiled
    if (!/^RZ_[A-Z_]+$/.test(code) || message === '') throw new Error(`a fault without words: ${JSON.stringify(line)}`)
    if (!Number.isInteger(column) || column < 1 || column > [...line].length + 1) {
      throw new Error(`column ${column} of ${JSON.stringify(line)}`)
    }
  } else if (compiled.columnOf('RZ_RULE_GAS') < 1) {
    throw new Error(`no column: ${JSON.stringify(line)}`)
  }
  expectedAfter(line)
  const bytes = Buffer.from(line)
  const command = readCommand(bytes)
  if ('bucket' in command && columnOfByte(bytes, command.bucket.at) < 1)
    throw new Error(`no column: ${JSON.stringify(line)}`)
}
