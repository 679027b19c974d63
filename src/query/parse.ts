/**
 * From JSON to `Query`: strict, bounded, and the only reader of that format. Each operator is an object with one field of
 * the operator's name. Which columns there are is checked when the plan is made, what a rule says when it is compiled.
 * Throws RZ_QUERY_INVALID, RZ_QUERY_OPERATOR, RZ_QUERY_TOO_LARGE, RZ_RECORD_INVALID for a collection's name, and what
 * `NamedViews` throws.
 */

import type { Value } from '../delta/delta.ts'
import { fromJson, type Json } from '../delta/json.ts'
import { entityIdOf } from '../delta/record.ts'
import { RhizomeError } from '../errors.ts'
import type { Aggregate, AggregateName, Column, JoinKind, Pattern, Query } from './algebra.ts'
import { CLOSURE_DEPTH_DEFAULT, CLOSURE_DEPTH_MAX, PAGE_ROWS_MAX, QUERY_DEPTH_MAX } from './limits.ts'
import { NamedViews } from './named-views.ts'
import { invalid, isJsonObject, readItems, readJson, readText, Shape } from './shape.ts'

/** How many operators may be inside this one, and which views it may name. */
interface Level {
  readonly left: number
  /** Of the query that was asked, not of a view that it names. */
  readonly isOutermost: boolean
  readonly views: NamedViews
}

type Parser = (shape: Shape, level: Level) => Query

const OPERATORS: ReadonlyMap<string, Parser> = new Map(
  Object.entries({
    collection: parseCollection,
    pointers: parsePointers,
    select: parseSelect,
    project: parseProject,
    rename: parseRename,
    unnest: parseUnnest,
    join: parseJoin,
    union: parseSets,
    intersect: parseSets,
    minus: parseSets,
    group: parseGroup,
    order: parseOrder,
    limit: parseLimit,
    closure: parseClosure,
    view: parseView,
  }),
)
const JOIN_KINDS: readonly JoinKind[] = ['inner', 'left', 'semi', 'anti']
const AGGREGATES: readonly AggregateName[] = ['count', 'sum', 'min', 'max', 'average', 'collect']

/** Views that it names are in their places in the answer. */
export function parseQuery(foreign: unknown, views = new NamedViews(() => undefined)): Query {
  return parse(readJson(foreign), 'query', { left: QUERY_DEPTH_MAX, isOutermost: true, views })
}

function parse(json: Json, where: string, level: Level): Query {
  level.views.countOperator()
  if (level.left === 0) {
    const message = `${where}: operators nest at most ${QUERY_DEPTH_MAX} deep`
    throw new RhizomeError('RZ_QUERY_TOO_LARGE', message)
  }
  const shape = new Shape(json, where)
  for (const [name, parser] of OPERATORS) if (shape.has(name)) return parser(shape, level)
  const found = shape.names().join(', ') || 'nothing'
  const message = `${where}: no operator among ${found}; there are ${[...OPERATORS.keys()].join(', ')}`
  throw new RhizomeError('RZ_QUERY_OPERATOR', message)
}

/** A name for a column that the query makes: paths take columns apart at their dots. */
function readName(name: string, where: string): string {
  if (name === '' || name.includes('.'))
    throw invalid(where, `"${name}" is no name for a column: it must not be empty or have a dot`)
  return name
}

function optionalName(shape: Shape, name: string): string | undefined {
  const text = shape.optionalText(name)
  return text === undefined ? undefined : readName(text, shape.at(name))
}

function inside(level: Level): Level {
  return { ...level, left: level.left - 1, isOutermost: false }
}

function parseInput(shape: Shape, name: string, level: Level): Query {
  return parse(shape.json(name), shape.at(name), inside(level))
}

function parsePair(shape: Shape, name: string, level: Level): readonly [Query, Query] {
  const [left, right, ...rest] = shape.list(name)
  if (left === undefined || right === undefined || rest.length > 0)
    throw invalid(shape.at(name), 'exactly two queries belong here')
  return [parse(left, `${shape.at(name)}[0]`, inside(level)), parse(right, `${shape.at(name)}[1]`, inside(level))]
}

function parseCollection(shape: Shape): Query {
  shape.only('collection', 'as', 'columns', 'id', 'entity', 'prefix')
  const collection = shape.text('collection')
  entityIdOf(collection, 'x')
  const alias = optionalName(shape, 'as')
  const entity = optionalName(shape, 'entity')
  const id = optionalName(shape, 'id') ?? 'id'
  if (entity === id) throw invalid(shape.at('entity'), `the column "${id}" holds the id already`)
  const columns = shape.has('columns') ? parseNames(shape, 'columns') : undefined
  return {
    kind: 'collection',
    collection,
    id,
    prefix: shape.optionalText('prefix') ?? '',
    ...(alias === undefined ? {} : { alias }),
    ...(entity === undefined ? {} : { entity }),
    ...(columns === undefined ? {} : { columns }),
  }
}

function parsePointers(shape: Shape): Query {
  shape.only('pointers', 'as', 'id')
  const id = optionalName(shape, 'id') ?? 'id'
  const alias = optionalName(shape, 'as')
  const given = shape.object('pointers')
  const patterns = given.names().map((localContext) => parsePattern(localContext, given.object(localContext)))
  if (patterns.length === 0) throw invalid(given.where, 'a pointer at least belongs here')
  if (patterns.every((pattern) => pattern.optional))
    throw invalid(given.where, 'a pointer at least must not be optional')
  if (given.has(id)) throw invalid(given.where, `"${id}" is the column of the delta's id: name that otherwise by "id"`)
  return { kind: 'pointers', patterns, id, ...(alias === undefined ? {} : { alias }) }
}

function parsePattern(localContext: string, shape: Shape): Pattern {
  shape.only('entity', 'in', 'property', 'value', 'optional')
  const entity = shape.optionalText('entity')
  const collection = shape.optionalText('in')
  const property = shape.optionalText('property')
  const value = shape.optionalJson('value')
  const optional = shape.optionalJson('optional') ?? false
  if (typeof optional !== 'boolean') throw invalid(shape.at('optional'), 'true or false belongs here')
  if (localContext === '') throw invalid(shape.where, 'a localContext is not empty')
  if (entity !== undefined && collection !== undefined) throw invalid(shape.where, 'give "entity" or "in", not both')
  if (value !== undefined && (entity ?? collection ?? property) !== undefined)
    throw invalid(shape.where, 'a "value" is no reference: give it alone')
  if (collection !== undefined) entityIdOf(collection, 'x')
  return {
    localContext,
    optional,
    ...(entity === undefined ? {} : { entity }),
    ...(collection === undefined ? {} : { collection }),
    ...(property === undefined ? {} : { property }),
    ...(value === undefined ? {} : { value: parseValue(value) }),
  }
}

function parseSelect(shape: Shape, level: Level): Query {
  shape.only('select', 'where')
  return { kind: 'select', of: parseInput(shape, 'select', level), rule: shape.json('where') }
}

function parseProject(shape: Shape, level: Level): Query {
  shape.only('project', 'columns')
  return { kind: 'project', of: parseInput(shape, 'project', level), columns: parseColumns(shape, 'columns') }
}

function parseRename(shape: Shape, level: Level): Query {
  shape.only('rename', 'columns')
  const given = shape.object('columns')
  const names = new Map(given.names().map((from) => [from, readName(given.text(from), given.at(from))]))
  const [twice] = repeated([...names.values()])
  if (twice !== undefined) throw invalid(given.where, `two columns would be named "${twice}"`)
  return { kind: 'rename', of: parseInput(shape, 'rename', level), names }
}

function parseUnnest(shape: Shape, level: Level): Query {
  shape.only('unnest', 'column', 'as')
  const path = shape.text('column')
  const name = optionalName(shape, 'as') ?? readName(path, `${shape.at('column')}, without "as"`)
  return { kind: 'unnest', of: parseInput(shape, 'unnest', level), path, name }
}

function parseJoin(shape: Shape, level: Level): Query {
  shape.only('join', 'on', 'kind')
  const [left, right] = parsePair(shape, 'join', level)
  const join = shape.optionalJson('kind') ?? 'inner'
  const kind = JOIN_KINDS.find((known) => known === join)
  if (kind === undefined) throw invalid(shape.at('kind'), `one of ${JOIN_KINDS.join(', ')} belongs here`)
  const on = shape.list('on').map((pair, index) => parseOn(pair, `${shape.at('on')}[${index}]`))
  if (on.length === 0) throw invalid(shape.at('on'), 'a column at least belongs here: rows are joined by equal values')
  return { kind: 'join', join: kind, left, right, on }
}

function parseOn(json: Json, where: string): readonly [string, string] {
  if (typeof json === 'string') return [readText(json, where), json]
  const [left, right, ...rest] = readItems(json, where)
  if (left === undefined || right === undefined || rest.length > 0)
    throw invalid(where, 'a column, or one of the left and one of the right, belong here')
  return [readText(left, where), readText(right, where)]
}

function parseSets(shape: Shape, level: Level): Query {
  const kind = shape.has('union') ? 'union' : shape.has('intersect') ? 'intersect' : 'minus'
  shape.only(kind)
  const [left, right] = parsePair(shape, kind, level)
  return { kind, left, right }
}

function parseGroup(shape: Shape, level: Level): Query {
  shape.only('group', 'by', 'aggregates')
  const by = parseColumns(shape, 'by')
  const given = shape.object('aggregates')
  const aggregates = given.names().map((name) => parseAggregate(readName(name, given.where), given.object(name)))
  const [twice] = repeated([...by, ...aggregates].map(({ name }) => name))
  if (twice !== undefined) throw invalid(given.where, `two columns would be named "${twice}"`)
  return { kind: 'group', of: parseInput(shape, 'group', level), by, aggregates }
}

function parseAggregate(name: string, shape: Shape): Aggregate {
  const [only, ...rest] = shape.names()
  const aggregate = AGGREGATES.find((known) => known === only)
  if (only === undefined || aggregate === undefined || rest.length > 0)
    throw invalid(shape.where, `exactly one of ${AGGREGATES.join(', ')} belongs here`)
  if (aggregate === 'count' && shape.json('count') === true) return { name, aggregate }
  return { name, aggregate, path: shape.text(aggregate) }
}

function parseOrder(shape: Shape, level: Level): Query {
  shape.only('order', 'by')
  const by = shape.list('by').map((json, index) => {
    const where = `${shape.at('by')}[${index}]`
    if (!isJsonObject(json)) return { path: readText(json, where), descending: false }
    const term = new Shape(json, where)
    term.only('descending')
    return { path: term.text('descending'), descending: true }
  })
  if (by.length === 0) throw invalid(shape.at('by'), 'a column at least belongs here')
  return { kind: 'order', of: parseInput(shape, 'order', level), by }
}

function parseLimit(shape: Shape, level: Level): Query {
  shape.only('limit', 'count', 'after')
  const of = parseInput(shape, 'limit', level)
  const count = shape.integer('count', 1, PAGE_ROWS_MAX)
  const after = shape.optionalText('after')
  if (after !== undefined && !level.isOutermost)
    throw invalid(shape.at('after'), 'only the outermost limit goes on from a cursor')
  return { kind: 'limit', of, count, ...(after === undefined ? {} : { after }) }
}

function parseClosure(shape: Shape, level: Level): Query {
  shape.only('closure', 'from', 'to', 'start', 'depthMax', 'depth')
  const [from, to] = [readName(shape.text('from'), shape.at('from')), readName(shape.text('to'), shape.at('to'))]
  const depth = optionalName(shape, 'depth')
  const [twice] = repeated([from, to, ...(depth === undefined ? [] : [depth])])
  if (twice !== undefined) throw invalid(shape.where, `two columns would be named "${twice}"`)
  return {
    kind: 'closure',
    of: parseInput(shape, 'closure', level),
    from,
    to,
    depthMax: shape.has('depthMax') ? shape.integer('depthMax', 1, CLOSURE_DEPTH_MAX) : CLOSURE_DEPTH_DEFAULT,
    ...(shape.has('start') ? { start: shape.list('start').map(parseValue) } : {}),
    ...(depth === undefined ? {} : { depth }),
  }
}

/** The query that is stored under that name, in its place. */
function parseView(shape: Shape, level: Level): Query {
  shape.only('view')
  const id = shape.text('view')
  const read = (json: Json): Query =>
    parse(json, `view "${id}"`, { ...level, left: QUERY_DEPTH_MAX, isOutermost: false })
  return level.views.within(id, shape.where, read)
}

function parseColumns(shape: Shape, name: string): readonly Column[] {
  if (!isJsonObject(shape.json(name))) {
    return parseNames(shape, name).map((column) => ({ kind: 'column', name: column }))
  }
  const given = shape.object(name)
  return given
    .names()
    .map((column) => ({ kind: 'rule', name: readName(column, given.where), rule: given.json(column) }))
}

function parseNames(shape: Shape, name: string): readonly string[] {
  const names = shape.list(name).map((json, index) => readText(json, `${shape.at(name)}[${index}]`))
  const [twice] = repeated(names)
  if (twice !== undefined) throw invalid(shape.at(name), `"${twice}" is there twice`)
  return names
}

function repeated(names: readonly string[]): readonly string[] {
  return names.filter((name, index) => names.indexOf(name) !== index)
}

/** Throws RZ_DELTA_INVALID for what no pointer could hold. */
function parseValue(json: Json): Value {
  return fromJson(json)
}
