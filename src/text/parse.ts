/**
 * The parser of statements: recursive descent over tokens, after the grammar in README.md. It loops where the grammar repeats,
 * and recurses in JSON alone, whose depth is limited: so every line ends it, whatever is in it. Words of the language are
 * those that it expects at a place; anywhere else they are names like others.
 */

import type { Json } from '../delta/json.ts'
import { JOINS_MAX } from './options.ts'
import type { ColumnSyntax, JoinSyntax, Placed, SelectSyntax, SourceSyntax, StatementSyntax } from './syntax.ts'
import { SyntaxFault } from './syntax-fault.ts'
import { type Token, Tokens } from './tokens.ts'

/** What may stand where a line ends: a word of the language, or a name of some kind. */
export type Expectation =
  | { readonly kind: 'word'; readonly word: string }
  | { readonly kind: 'name'; readonly name: NameKind }

/** `container`, `column`, `topic` and `record` can be looked up; the others are the writer's own. */
export type NameKind = 'container' | 'column' | 'topic' | 'record' | 'name' | 'value' | 'rule' | 'count' | 'query'

/** Words with which a statement begins. All of them are in small letters: capitals are the key-value commands. */
export const STATEMENT_WORDS = ['insert', 'select', 'delete', 'query', 'tags', 'peers', 'topics', 'use'] as const

/** Throws SyntaxFault. */
export function parseStatement(line: string): StatementSyntax {
  return new Parser(line).statement()
}

/** What may follow a line that is cut off at its end; nothing for a line that no statement begins with. */
export function expectedAfter(line: string): readonly Expectation[] {
  const parser = new Parser(line)
  try {
    parser.statement()
  } catch (error) {
    if (!(error instanceof SyntaxFault)) throw error
    // What is wrong before the end is not mended by more words.
    if (error.at < line.trimEnd().length) return []
  }
  return parser.expected
}

class Parser {
  readonly #tokens: Tokens
  /** What was looked for where the line ends. */
  readonly expected: Expectation[] = []

  constructor(line: string) {
    this.#tokens = new Tokens(line)
  }

  statement(): StatementSyntax {
    const statement = this.#statement()
    const { kind, at } = this.#tokens.peek()
    if (kind !== 'end') throw new SyntaxFault(at, 'the statement was complete before this')
    return statement
  }

  #statement(): StatementSyntax {
    if (this.#accept('insert')) return this.#insert()
    if (this.#accept('select')) return this.#select()
    if (this.#accept('delete')) return this.#delete()
    if (this.#accept('query'))
      return { kind: 'query', json: this.#object('query', 'a query as JSON, such as {"collection":"dog"}') }
    for (const kind of ['tags', 'peers', 'topics'] as const) if (this.#accept(kind)) return { kind }
    if (this.#accept('use')) return { kind: 'use', topic: this.#name('topic', 'a topic') }
    throw new SyntaxFault(this.#tokens.peek().at, `a statement begins with ${STATEMENT_WORDS.join(', ')}`)
  }

  #insert(): StatementSyntax {
    const value = this.#value()
    this.#expect('into')
    const container = this.#name('container', 'a container')
    const id = this.#accept('as') ? this.#name('name', 'an id') : undefined
    return { kind: 'insert', value, container, ...(id && { id }) }
  }

  #select(): SelectSyntax {
    const columns = this.#columns()
    this.#expect('from')
    const source = this.#source()
    const joins = this.#joins()
    const where = this.#where()
    const order = this.#order()
    const limit = this.#accept('limit') ? this.#count() : undefined
    return {
      kind: 'select',
      source,
      joins,
      order,
      ...(columns && { columns }),
      ...(where && { where }),
      ...(limit !== undefined && { limit }),
    }
  }

  #delete(): StatementSyntax {
    if (!this.#accept('from')) return { kind: 'delete record', record: this.#name('record', 'from, or a record') }
    const container = this.#name('container', 'a container')
    const where = this.#where()
    return { kind: 'delete', container, ...(where && { where }) }
  }

  #columns(): readonly ColumnSyntax[] | undefined {
    if (this.#isWord('from') || this.#accept('*')) return undefined
    const columns = [this.#column()]
    while (this.#acceptSign(',')) columns.push(this.#column())
    return columns
  }

  #column(): ColumnSyntax {
    const path = this.#name('column', 'a column')
    const name = this.#accept('as') ? this.#name('name', 'a name for the column') : undefined
    return { path, ...(name && { name }) }
  }

  #source(): SourceSyntax {
    const container = this.#name('container', 'a container')
    const alias = this.#accept('as') ? this.#name('name', 'a name for the container') : undefined
    const entity = this.#accept('entity') ? this.#name('name', 'a name for the column of entity ids') : undefined
    return { container, ...(alias && { alias }), ...(entity && { entity }) }
  }

  #joins(): readonly JoinSyntax[] {
    const joins: JoinSyntax[] = []
    for (;;) {
      const { at } = this.#tokens.peek()
      const kind = (['left', 'semi', 'anti'] as const).find((word) => this.#accept(word))
      if (kind !== undefined) this.#expect('join')
      else if (!this.#accept('join')) return joins
      if (joins.length === JOINS_MAX) {
        throw new SyntaxFault(at, `a statement joins at most ${JOINS_MAX} times`, 'RZ_TEXT_TOO_LONG')
      }
      const source = this.#source()
      this.#expect('on')
      const on = [this.#pair()]
      while (this.#accept('and')) on.push(this.#pair())
      joins.push({ kind: kind ?? 'inner', source, on })
    }
  }

  #pair(): readonly [Placed<string>, Placed<string>] {
    const left = this.#name('column', 'a column')
    if (!this.#acceptSign('=')) throw this.#missing('=')
    return [left, this.#name('column', 'a column')]
  }

  #where(): Placed<Json> | undefined {
    return this.#accept('where')
      ? this.#object('rule', 'a rule in JSON-Logic, such as {"==":[{"var":"name"},"Rex"]}')
      : undefined
  }

  #order(): SelectSyntax['order'] {
    if (!this.#accept('order')) return []
    this.#expect('by')
    const terms = [this.#term()]
    while (this.#acceptSign(',')) terms.push(this.#term())
    return terms
  }

  #term(): SelectSyntax['order'][number] {
    const path = this.#name('column', 'a column')
    return { path, descending: this.#accept('descending') || this.#accept('desc') }
  }

  #count(): number {
    const token = this.#tokens.peek()
    this.#hope({ kind: 'name', name: 'count' }, token)
    const count = token.kind === 'word' && /^[1-9][0-9]*$/.test(token.text) ? Number(token.text) : 0
    if (!Number.isSafeInteger(count) || count === 0) throw this.#missing('a number of rows, from 1')
    this.#tokens.take()
    return count
  }

  /** Whatever JSON there is. */
  #value(): Placed<Json> {
    const token = this.#tokens.peek()
    this.#hope({ kind: 'name', name: 'value' }, token)
    const json = jsonIn(token)
    if (json === undefined) throw this.#missing('a value as JSON, such as [0] or {"name":"Rex"}')
    this.#tokens.take()
    return { what: json, at: token.at }
  }

  #object(name: NameKind, said: string): Placed<Json> {
    const token = this.#tokens.peek()
    this.#hope({ kind: 'name', name }, token)
    if (token.kind !== 'json' || Array.isArray(token.json)) throw this.#missing(said)
    this.#tokens.take()
    return { what: token.json, at: token.at }
  }

  /** A word, or any text in quotes. */
  #name(name: NameKind, said: string): Placed<string> {
    const token = this.#tokens.peek()
    this.#hope({ kind: 'name', name }, token)
    if ((token.kind !== 'word' && token.kind !== 'text') || token.text === '') throw this.#missing(said)
    this.#tokens.take()
    return { what: token.text, at: token.at }
  }

  #isWord(word: string): boolean {
    const token = this.#tokens.peek()
    this.#hope({ kind: 'word', word }, token)
    return token.kind === 'word' && token.text === word
  }

  #accept(word: string): boolean {
    if (!this.#isWord(word)) return false
    this.#tokens.take()
    return true
  }

  #acceptSign(sign: ',' | '='): boolean {
    const token = this.#tokens.peek()
    this.#hope({ kind: 'word', word: sign }, token)
    if (token.kind !== 'sign' || token.sign !== sign) return false
    this.#tokens.take()
    return true
  }

  #expect(word: string): void {
    if (!this.#accept(word)) throw this.#missing(word)
  }

  #hope(expectation: Expectation, { kind }: Token): void {
    if (kind === 'end') this.expected.push(expectation)
  }

  #missing(said: string): SyntaxFault {
    const { kind, at } = this.#tokens.peek()
    return new SyntaxFault(at, kind === 'end' ? `${said} is missing at the end` : `${said} belongs here`)
  }
}

/** The JSON that a token is; undefined when it is none. */
function jsonIn(token: Token): Json | undefined {
  switch (token.kind) {
    case 'json':
      return token.json
    case 'text':
      return token.text
    case 'word':
      return WORDS_OF_JSON.get(token.text) ?? (token.text === 'null' ? null : numberIn(token.text))
    case 'sign':
    case 'end':
      return undefined
  }
}

const WORDS_OF_JSON: ReadonlyMap<string, Json> = new Map([
  ['true', true],
  ['false', false],
])

function numberIn(text: string): number | undefined {
  return /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/.test(text) ? Number(text) : undefined
}
