/** A statement as tokens, made one by one as they are asked for: words, texts in quotes, JSON, signs. Throws SyntaxFault. */

import type { Json } from '../delta/json.ts'
import { jsonEnd, stringEnd } from './json-span.ts'
import { TOKENS_MAX } from './options.ts'
import { SyntaxFault } from './syntax-fault.ts'

interface Spanned {
  /** UTF-16 units of the line before it, and up to its end. */
  readonly at: number
  readonly end: number
}

export type Token = Spanned &
  (
    | { readonly kind: 'word'; readonly text: string }
    /** In quotes, as JSON has them. */
    | { readonly kind: 'text'; readonly text: string }
    /** An object or a list. */
    | { readonly kind: 'json'; readonly json: Json }
    | { readonly kind: 'sign'; readonly sign: ',' | '=' }
    | { readonly kind: 'end' }
  )

const SPACE = /\s*/y
/** Whatever is no white space, sign, quote or bracket. */
const WORD = /[^\s,="{}[\]]+/y

export class Tokens {
  readonly #line: string
  #at = 0
  #count = 0
  #next: Token | undefined

  constructor(line: string) {
    this.#line = line
  }

  /** The next token, which stays the next one. */
  peek(): Token {
    return (this.#next ??= this.#read())
  }

  take(): Token {
    const token = this.peek()
    if (token.kind !== 'end') this.#next = undefined
    return token
  }

  #read(): Token {
    SPACE.lastIndex = this.#at
    SPACE.test(this.#line)
    const at = SPACE.lastIndex
    if (at >= this.#line.length) return { kind: 'end', at: this.#line.length, end: this.#line.length }
    if (++this.#count > TOKENS_MAX) {
      throw new SyntaxFault(at, `a statement has at most ${TOKENS_MAX} words, texts and signs`, 'RZ_TEXT_TOO_LONG')
    }
    const token = tokenAt(this.#line, at)
    this.#at = token.end
    return token
  }
}

function tokenAt(line: string, at: number): Token {
  const first = line[at]
  if (first === ',' || first === '=') return { kind: 'sign', sign: first, at, end: at + 1 }
  if (first === '"') {
    const end = stringEnd(line, at)
    return { kind: 'text', text: JSON.parse(line.slice(at, end)) as string, at, end }
  }
  if (first === '{' || first === '[') {
    const end = jsonEnd(line, at)
    return { kind: 'json', json: JSON.parse(line.slice(at, end)) as Json, at, end }
  }
  WORD.lastIndex = at
  if (!WORD.test(line)) throw new SyntaxFault(at, `nothing was opened that "${first ?? ''}" could close`)
  return { kind: 'word', text: line.slice(at, WORD.lastIndex), at, end: WORD.lastIndex }
}
