/** Random queries with data to run them on: every operator, small domains so that rows meet, columns known throughout. */

import fc from 'fast-check'
import type { Json } from '../../src/delta/json.ts'
import type { Collections, ListRecord } from './list-source.ts'

export interface Made {
  readonly json: { readonly [field: string]: Json }
  readonly columns: readonly string[]
}

const scalars = fc.constantFrom<(string | number | boolean | null)[]>(null, true, 0, 1, 2, '1', 'a', 'b', 'é', '𝒳', '￿')
const ids = fc.constantFrom('a', 'b', 'c', 'd', 'é', '𝒳', '￿')

const records: fc.Arbitrary<readonly ListRecord[]> = fc.uniqueArray(
  fc.record(
    { id: ids, x: scalars, y: scalars, z: fc.oneof(scalars, fc.array(scalars, { maxLength: 3 })) },
    { requiredKeys: ['id'] },
  ),
  { selector: ({ id }) => id, maxLength: 7 },
)

export const collections: fc.Arbitrary<Collections> = fc.record({ one: records, two: records })

const closedLeaves: fc.Arbitrary<Made> = fc
  .tuple(fc.constantFrom('one', 'two'), fc.subarray(['id', 'x', 'y', 'z'], { minLength: 1 }))
  .map(([collection, columns]) => ({ json: { collection, columns }, columns }))

const columnOf = ({ columns }: Made) => fc.constantFrom(...columns)
const read = (path: string): Json => ({ var: path })
const ALL = ['id', 'x', 'y', 'z']

/** Operators over rows with whatever columns they have, then made known. */
const openLeaves: fc.Arbitrary<Made> = fc
  .tuple(fc.constantFrom('one', 'two'), fc.constantFrom('one', 'two'))
  .chain(([collection, other]) => {
    const open = { collection }
    const made = { json: open, columns: ALL }
    return fc.oneof(
      rulesOver(made).map((where) => ({ select: open, where })),
      fc.constantFrom('id', 'y', 'z').map((column) => ({ rename: open, columns: { [column]: 'x', x: 'w' } })),
      fc.constantFrom('id', 'z', 'zu').map((as) => ({ unnest: open, column: 'z', as })),
      fc.constantFrom('union', 'intersect', 'minus').map((kind) => ({ [kind]: [open, { collection: other }] })),
      fc.constantFrom('semi', 'anti').map((kind) => ({ join: [open, { collection: other }], on: [['x', 'id']], kind })),
      fc.constantFrom('x', 'id').map((taken) => ({ rename: open, columns: { z: taken } })),
    )
  })
  .map((json) => ({ json: { project: json, columns: [...ALL, 'w'] }, columns: [...ALL, 'w'] }))

/** Records in one column each, read by paths into it, looked up, and joined by paths. */
const aliasedLeaves: fc.Arbitrary<Made> = fc
  .tuple(fc.constantFrom('one', 'two'), fc.constantFrom('one', 'two'), ids, fc.integer({ min: 0, max: 2 }))
  .map(([collection, other, id, shape]) => {
    const a = { collection, as: 'a' }
    const one = { select: a, where: { '===': [{ var: 'a.id' }, id] } }
    const both = { join: [a, { collection: other, as: 'b' }], on: [[shape === 1 ? 'a.x' : 'a.id', 'b.id']] }
    const columns = { id: read('a.id'), x: read('a.x'), y: read(shape === 0 ? 'a.y' : 'b.y') }
    return { json: { project: shape === 0 ? one : both, columns }, columns: Object.keys(columns) }
  })

const leaves: fc.Arbitrary<Made> = fc.oneof(closedLeaves, closedLeaves, openLeaves, aliasedLeaves)

/** Relations of at most so many levels of operators. */
export function queries(levels = 3): fc.Arbitrary<Made> {
  if (levels === 0) return leaves
  const input = queries(levels - 1)
  const pair = fc.tuple(input, input)
  return fc.oneof(
    leaves,
    input.chain(selected),
    input.chain(projected),
    input.chain(renamed),
    input.chain(unnested),
    input.chain(grouped),
    input.chain(closed),
    input.chain(limited),
    pair.chain(joined),
    pair.chain(filteredByJoin),
    pair.chain(combined),
  )
}

export function rulesOver(made: Made): fc.Arbitrary<Json> {
  const column = columnOf(made).map(read)
  return fc.oneof(
    fc.tuple(column, scalars).map(([path, value]) => ({ '===': [path, value] })),
    fc.tuple(column, column).map(([a, b]) => ({ '===': [a, b] })),
    fc.tuple(column, fc.array(ids, { maxLength: 3 })).map(([path, values]) => ({ in: [path, values] })),
    column.map((path) => ({ '!': [path] })),
    fc.tuple(column, column).map(([a, b]) => ({ or: [a, { '!': [b] }] })),
    fc.tuple(column, scalars, column).map(([path, value, b]) => ({ and: [{ '===': [path, value] }, { '!': [b] }] })),
  )
}

function selected(made: Made): fc.Arbitrary<Made> {
  return rulesOver(made).map((where) => ({ json: { select: made.json, where }, columns: made.columns }))
}

function projected(made: Made): fc.Arbitrary<Made> {
  const some = fc.subarray([...made.columns], { minLength: 1 })
  return fc.oneof(
    some.map((columns) => ({ json: { project: made.json, columns }, columns })),
    fc.tuple(some, rulesOver(made)).map(([columns, rule]) => {
      const rules: { readonly [column: string]: Json } = { ...under('p', columns), flag: rule }
      return { json: { project: made.json, columns: rules }, columns: Object.keys(rules) }
    }),
  )
}

/** A name that no column begins with. */
function unused(letter: string, columns: readonly string[]): string {
  let name = letter
  while (columns.some((column) => column.startsWith(name))) name += letter
  return name
}

/** The columns under new names: `p0`, `p1`, … */
function under(letter: string, columns: readonly string[]): { readonly [column: string]: Json } {
  return Object.fromEntries(columns.map((column, index) => [`${letter}${index}`, read(column)]))
}

function renamed(made: Made): fc.Arbitrary<Made> {
  const name = unused('r', made.columns)
  return columnOf(made).map((old) => ({
    json: { rename: made.json, columns: { [old]: name } },
    columns: made.columns.map((column) => (column === old ? name : column)),
  }))
}

function unnested(made: Made): fc.Arbitrary<Made> {
  return fc.tuple(columnOf(made), fc.boolean()).map(([column, isNew]) => {
    const as = isNew ? unused('u', made.columns) : column
    return { json: { unnest: made.json, column, as }, columns: isNew ? [...made.columns, as] : made.columns }
  })
}

function grouped(made: Made): fc.Arbitrary<Made> {
  const aggregate = fc.oneof(
    fc.constant({ count: true }),
    fc
      .tuple(fc.constantFrom('count', 'sum', 'min', 'max', 'average', 'collect'), columnOf(made))
      .map(([kind, path]) => ({ [kind]: path })),
  )
  const [one, two] = [unused('g', made.columns), unused('h', made.columns)]
  return fc.tuple(fc.subarray([...made.columns]), aggregate, aggregate).map(([by, first, second]) => ({
    json: { group: made.json, by, aggregates: { [one]: first, [two]: second } },
    columns: [...by, one, two],
  }))
}

function closed(made: Made): fc.Arbitrary<Made> {
  return fc
    .tuple(
      columnOf(made),
      columnOf(made),
      fc.integer({ min: 1, max: 5 }),
      fc.option(fc.array(scalars, { maxLength: 3 })),
    )
    .map(([a, b, depthMax, start]) => ({
      json: {
        closure: { project: made.json, columns: { from: read(a), to: read(b) } },
        from: 'from',
        to: 'to',
        depth: 'steps',
        depthMax,
        ...(start === null ? {} : { start }),
      },
      columns: ['from', 'to', 'steps'],
    }))
}

/** Ordered by every column, so that which rows are first is no matter of taste. */
function limited(made: Made): fc.Arbitrary<Made> {
  return fc.tuple(fc.integer({ min: 1, max: 6 }), fc.subarray([...made.columns])).map(([count, descending]) => {
    const by = made.columns.map((column) => (descending.includes(column) ? { descending: column } : column))
    return { json: { limit: { order: made.json, by }, count }, columns: made.columns }
  })
}

function joined([left, right]: readonly [Made, Made]): fc.Arbitrary<Made> {
  const rules = under(`${unused('q', left.columns)}_`, right.columns)
  const names = Object.keys(rules)
  return fc.tuple(columnOf(left), fc.constantFrom(...names), fc.constantFrom('inner', 'left')).map(([l, r, kind]) => ({
    json: { join: [left.json, { project: right.json, columns: rules }], on: [[l, r]], kind },
    columns: [...left.columns, ...names],
  }))
}

function filteredByJoin([left, right]: readonly [Made, Made]): fc.Arbitrary<Made> {
  const on = fc.array(fc.tuple(columnOf(left), columnOf(right)), { minLength: 1, maxLength: 2 })
  return fc.tuple(on, fc.constantFrom('semi', 'anti')).map(([pairs, kind]) => ({
    json: { join: [left.json, right.json], on: pairs, kind },
    columns: left.columns,
  }))
}

function combined([left, right]: readonly [Made, Made]): fc.Arbitrary<Made> {
  const columns = Object.fromEntries(
    left.columns.map((column, index) => [column, read(right.columns[index % right.columns.length] ?? '')]),
  )
  return fc.constantFrom('union', 'intersect', 'minus').map((kind) => ({
    json: { [kind]: [left.json, { project: right.json, columns }] },
    columns: left.columns,
  }))
}

/** The second query made to have the columns of the first. */
export function sameColumns(model: Made, made: Made): Made {
  const columns = Object.fromEntries(
    model.columns.map((column, index) => [column, read(made.columns[index % made.columns.length] ?? '')]),
  )
  return { json: { project: made.json, columns }, columns: model.columns }
}
