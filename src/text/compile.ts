/**
 * From what was written to what is done: questions become the JSON form of queries (src/query/README.md) and nothing else, so
 * that a statement means what the same query means over HTTP. Throws SyntaxFault for what no query could say.
 */

import { fromJson, type Json } from '../delta/json.ts'
import { entityIdOf, parseEntityId, type PropertyInput } from '../delta/record.ts'
import { RhizomeError } from '../errors.ts'
import { readProperties } from '../node/record-json.ts'
import { parseStatement } from './parse.ts'
import type { ColumnSyntax, JoinSyntax, Placed, SelectSyntax, SourceSyntax, StatementSyntax } from './syntax.ts'
import { columnOf, SyntaxFault } from './syntax-fault.ts'
import type { ErrorCode } from '../errors.ts'

/** The property of a record that the key-value commands read and write, and what is inserted as a bare value. */
export const VALUE = 'value'

export type Statement =
  | {
      readonly kind: 'insert'
      readonly container: string
      /** Absent: one is made. */
      readonly id?: string
      readonly properties: Readonly<Record<string, PropertyInput>>
    }
  /** Rows of a query, all of them or the first so many. */
  | { readonly kind: 'rows'; readonly query: Json; readonly rowsMax?: number }
  /** Every record whose id the query finds. */
  | { readonly kind: 'delete'; readonly container: string; readonly ids: Json }
  | { readonly kind: 'delete record'; readonly container: string; readonly id: string }
  | { readonly kind: 'use'; readonly topic: string }
  | { readonly kind: 'tags' | 'peers' | 'topics' }

export type Compiled =
  /** `columnOf` tells which part of the line a failure of that code is about, as a column from 1. */
  | { readonly kind: 'statement'; readonly statement: Statement; readonly columnOf: (code: string) => number }
  | { readonly kind: 'fault'; readonly code: ErrorCode; readonly column: number; readonly message: string }

/** Any line, as what it says or as why it says nothing. */
export function compileLine(line: string): Compiled {
  try {
    const syntax = parseStatement(line)
    const statement = compile(syntax)
    return { kind: 'statement', statement, columnOf: (code) => columnOf(line, blamed(syntax, code)) }
  } catch (error) {
    if (!(error instanceof SyntaxFault)) throw error
    return { kind: 'fault', code: error.code, column: columnOf(line, error.at), message: error.message }
  }
}

function blamed(syntax: StatementSyntax, code: string): number {
  switch (syntax.kind) {
    case 'insert':
      return syntax.value.at
    case 'use':
      return syntax.topic.at
    case 'query':
      return syntax.json.at
    case 'select':
    case 'delete':
      return code.startsWith('RZ_RULE_') ? (syntax.where?.at ?? 0) : 0
    case 'delete record':
      return syntax.record.at
    case 'tags':
    case 'peers':
    case 'topics':
      return 0
  }
}

function compile(syntax: StatementSyntax): Statement {
  switch (syntax.kind) {
    case 'insert':
      return compileInsert(syntax)
    case 'select':
      return compileSelect(syntax)
    case 'query':
      return { kind: 'rows', query: syntax.json.what }
    case 'delete': {
      const container = nameOf(syntax.container)
      const ids: Json = { project: selected({ collection: container }, syntax.where), columns: ['id'] }
      return { kind: 'delete', container, ids }
    }
    case 'delete record': {
      const record = parseEntityId(syntax.record.what)
      if (record === undefined) {
        throw new SyntaxFault(
          syntax.record.at,
          'a record is written <container>/<id>, such as dog/rex; many are deleted from a container',
        )
      }
      return { kind: 'delete record', container: record.collection, id: record.id }
    }
    case 'use':
      return { kind: 'use', topic: syntax.topic.what }
    case 'tags':
    case 'peers':
    case 'topics':
      return syntax
  }
}

function compileInsert({ value, container, id }: Extract<StatementSyntax, { kind: 'insert' }>): Statement {
  return {
    kind: 'insert',
    container: nameOf(container),
    properties: propertiesOf(value),
    ...(id && { id: id.what }),
  }
}

/** An object is a record's properties; a list is bytes, and anything else a value: both become the property `value`. */
function propertiesOf({ what, at }: Placed<Json>): Readonly<Record<string, PropertyInput>> {
  try {
    if (Array.isArray(what)) return { [VALUE]: bytesOf(what, at) }
    if (typeof what !== 'object' || what === null) return { [VALUE]: fromJson(what) }
    const properties = readProperties(what as { readonly [property: string]: Json })
    if (Object.keys(properties).length === 0) throw new SyntaxFault(at, 'a record without properties would be none')
    return properties
  } catch (error) {
    if (error instanceof RhizomeError) throw new SyntaxFault(at, error.message, error.code)
    throw error
  }
}

function bytesOf(list: readonly Json[], at: number): Uint8Array {
  const wrong = list.find((item) => !(Number.isInteger(item) && (item as number) >= 0 && (item as number) <= 255))
  if (wrong === undefined) return Uint8Array.from(list as readonly number[])
  const shown = JSON.stringify(wrong).slice(0, SHOWN_MAX)
  throw new SyntaxFault(
    at,
    `a list holds bytes, whole numbers from 0 to 255, and ${shown} is none: a list of other things stands in an object, as {"value":[…]}`,
  )
}

const SHOWN_MAX = 32

function compileSelect({ source, joins, where, columns, order, limit }: SelectSyntax): Statement {
  const joined = joinAll(source, joins)
  const rows = selected(joined, where)
  const named = columns?.map((column) => ({ name: nameOfColumn(column), path: column.path.what, at: column.path.at }))
  const projected = named === undefined ? rows : projection(rows, named)
  const query: Json =
    order.length === 0
      ? projected
      : {
          order: projected,
          by: order.map(({ path, descending }) => {
            const by = named === undefined ? path.what : orderedBy(path, named)
            return descending ? { descending: by } : by
          }),
        }
  return { kind: 'rows', query, ...(limit !== undefined && { rowsMax: limit }) }
}

function joinAll(first: SourceSyntax, joins: readonly JoinSyntax[]): Json {
  if (joins.length === 0) return sourceOf(first, false)
  const names = new Set([columnNameOf(first)])
  let left = sourceOf(first, true)
  for (const { kind, source, on } of joins) {
    const name = columnNameOf(source)
    if (names.has(name)) {
      const { at } = source.alias ?? source.container
      throw new SyntaxFault(at, `"${name}" is joined already: give this one a name of its own, as in ${name} as other`)
    }
    const pairs = on.map(([one, other]) => pairOf(one, other, name))
    left = { join: [left, sourceOf(source, true)], on: pairs, ...(kind !== 'inner' && { kind }) }
    names.add(name)
  }
  return left
}

/** Of both sides of a join; the right one is that of what is joined, whichever was written first. */
function pairOf(one: Placed<string>, other: Placed<string>, right: string): Json {
  const isRight = ({ what }: Placed<string>) => what === right || what.startsWith(`${right}.`)
  if (isRight(one) === isRight(other)) {
    throw new SyntaxFault(one.at, `one side of = is a column of ${right}, such as ${right}.id, and the other is none`)
  }
  return isRight(one) ? [other.what, one.what] : [one.what, other.what]
}

/** In a join each record is one column, so that columns of the same name stay apart. */
function sourceOf(source: SourceSyntax, isJoined: boolean): Json {
  const { container, alias, entity } = source
  const as = isJoined ? columnNameOf(source) : alias?.what
  return { collection: nameOf(container), ...(as !== undefined && { as }), ...(entity && { entity: entity.what }) }
}

function columnNameOf({ alias, container }: SourceSyntax): string {
  const { what, at } = alias ?? container
  if (!what.includes('.')) return what
  throw new SyntaxFault(at, `"${what}" has a dot, which takes columns apart: give it a name with as`)
}

function selected(rows: Json, where: Placed<Json> | undefined): Json {
  return where === undefined ? rows : { select: rows, where: where.what }
}

interface NamedColumn {
  readonly name: string
  readonly path: string
  readonly at: number
}

function nameOfColumn({ path, name }: ColumnSyntax): string {
  return (name ?? path).what.split('.').at(-1) ?? ''
}

function projection(rows: Json, columns: readonly NamedColumn[]): Json {
  const twice = columns.find(({ name }, index) => columns.findIndex((other) => other.name === name) !== index)
  if (twice !== undefined) {
    throw new SyntaxFault(twice.at, `there is a column "${twice.name}" already: give this one another name with as`)
  }
  if (columns.every(({ name, path }) => name === path))
    return { project: rows, columns: columns.map(({ name }) => name) }
  return { project: rows, columns: Object.fromEntries(columns.map(({ name, path }) => [name, { var: path }])) }
}

/** Rows are ordered by what they show: a projection keeps no other column. */
function orderedBy({ what, at }: Placed<string>, columns: readonly NamedColumn[]): string {
  const column = columns.find(({ name, path }) => what === path || what === name || what.startsWith(`${name}.`))
  if (column === undefined) {
    throw new SyntaxFault(at, `rows are ordered by columns that are selected: add ${what} to them`)
  }
  return what === column.path ? column.name : what
}

/** Of a collection. */
function nameOf({ what, at }: Placed<string>): string {
  try {
    entityIdOf(what, 'id')
    return what
  } catch (error) {
    if (error instanceof RhizomeError) throw new SyntaxFault(at, error.message, error.code)
    throw error
  }
}
