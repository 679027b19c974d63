/**
 * What a line asks for, by its words alone. A line that the original understands means what it meant there: CREATE with one
 * word, PUT with three, GET and DELETE with two, in capitals. Only others may mean more: they begin with another word, or a
 * statement's in small letters. Whatever is left is `unknown`.
 */

import { isUtf8 } from 'node:buffer'
import type { Value } from '../delta/delta.ts'
import { valueOf } from './line-value.ts'
import { STATEMENT_WORDS } from './parse.ts'
import { wordsOf } from './words.ts'

export type Command =
  | { readonly kind: 'put'; readonly bucket: Name; readonly key: Name; readonly value: Value }
  | { readonly kind: 'get' | 'delete'; readonly bucket: Name; readonly key: Name }
  | { readonly kind: 'create' | 'keys' | 'watch'; readonly bucket: Name }
  | { readonly kind: 'auth'; readonly token: string }
  | { readonly kind: 'statement'; readonly text: string }
  | { readonly kind: 'buckets' | 'help' | 'quit' | 'blank' | 'unknown' }
  /** What only a browser sends, and never a user of this protocol. */
  | { readonly kind: 'http' }

export interface Name {
  /** Undefined when it is no UTF-8: then nothing is called so. */
  readonly text: string | undefined
  /** Bytes of the line before it. */
  readonly at: number
}

export function readCommand(line: Buffer): Command {
  const words = wordsOf(line)
  const [first] = words
  if (first === undefined) return { kind: 'blank' }
  const name = (index: number): Name => nameOf(words[index] as Buffer, line)
  const word = first.length > WORD_BYTES_MAX ? '' : first.toString('latin1')
  const shape = `${word}/${words.length - 1}`
  switch (shape) {
    case 'PUT/3':
      return { kind: 'put', bucket: name(1), key: name(2), value: valueOf(words[3] as Buffer) }
    case 'GET/2':
      return { kind: 'get', bucket: name(1), key: name(2) }
    case 'DELETE/2':
      return { kind: 'delete', bucket: name(1), key: name(2) }
    case 'CREATE/1':
      return { kind: 'create', bucket: name(1) }
    case 'KEYS/1':
      return { kind: 'keys', bucket: name(1) }
    case 'WATCH/1':
      return { kind: 'watch', bucket: name(1) }
    case 'BUCKETS/0':
      return { kind: 'buckets' }
    case 'HELP/0':
      return { kind: 'help' }
    case 'QUIT/0':
      return { kind: 'quit' }
    case 'AUTH/1':
      return { kind: 'auth', token: (words[1] as Buffer).toString('latin1') }
    default:
      if (isStatementWord(word) && isUtf8(line)) return { kind: 'statement', text: line.toString() }
      return OF_HTTP.test(word) ? { kind: 'http' } : { kind: 'unknown' }
  }
}

/** Longer than any word that means something. */
const WORD_BYTES_MAX = 16

/**
 * A web page may have the user's browser send any text to this port, behind a request line and headers that it cannot leave
 * out. Closing at the first of them keeps whatever stands in the body from being done.
 */
const OF_HTTP = /^(?:POST|OPTIONS|HEAD|PATCH|CONNECT|host:|origin:|content-type:|connection:|user-agent:)$/i

function isStatementWord(word: string): boolean {
  return (STATEMENT_WORDS as readonly string[]).includes(word)
}

function nameOf(word: Buffer, line: Buffer): Name {
  return { text: isUtf8(word) ? word.toString() : undefined, at: word.byteOffset - line.byteOffset }
}
