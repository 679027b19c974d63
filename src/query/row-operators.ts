/** The operators that look at one row at a time: select, project, rename, unnest. */

import type { Value } from '../delta/delta.ts'
import { isList } from '../delta/value.ts'
import type { RhizomeError } from '../errors.ts'
import type { Column, Rule } from './algebra.ts'
import { ascending, compareValues, type Ordering } from './order.ts'
import { boundsOf } from './bounds.ts'
import {
  checkPath,
  columnOf,
  distinct,
  type Lookup,
  mapKey,
  type Plan,
  type Running,
  through,
  unknownColumn,
} from './plan.ts'
import { copyOf, keyOf, type Row, rowOf, valueAt } from './row.ts'
import { pathOf, rowFilter, rowRule, type RowRule, wantedValues } from './rule.ts'

/** Rows for which the rule is true. One that names ids with `==` or `in` reads those records alone. */
export function planSelect(input: Plan, rule: Rule, where: string): Plan {
  const passes = rowFilter(rule, input, where)
  const filter = function* (rows: Iterable<Row>, run: Running): Iterable<Row> {
    for (const row of rows) {
      run.meter.step()
      if (passes(row, run)) yield row
    }
  }
  const way = wayTo(input, rule)
  return {
    does: way === undefined ? 'keep rows that pass the rule' : `${way.lookup.does}, keep rows that pass the rule`,
    inputs: way === undefined ? [input] : [],
    columns: input.columns,
    key: input.key,
    lookups: input.lookups.map((lookup) => through(lookup, lookup.path, filter)),
    rows: (run, from) => filter(way === undefined ? input.rows(run, from) : way.rows(run), run),
  }
}

interface Way {
  readonly lookup: Lookup
  readonly rows: (run: Running) => Iterable<Row>
}

/** The first look-up that spares reading all: of few values, else of stretches of them. */
function wayTo({ lookups }: Plan, rule: Rule): Way | undefined {
  for (const lookup of lookups) {
    if (lookup.within !== undefined) continue
    const values = wantedValues(rule, lookup.path, lookup.isText)
    if (values !== undefined) return { lookup, rows: (run) => lookup.rows(run, values) }
  }
  for (const lookup of lookups) {
    const ranges = lookup.within && boundsOf(rule, lookup.path)
    if (ranges !== undefined) return { lookup, rows: (run) => lookup.within?.(run, ranges) ?? [] }
  }
  return undefined
}

/** How each named column is made of a row. */
export function columnMakers(columns: readonly Column[], input: Plan, where: string): readonly [string, RowRule][] {
  return columns.map((column) => {
    const at = `${where}, column "${column.name}"`
    if (column.kind === 'rule') return [column.name, rowRule(column.rule, input, at)]
    if (input.columns?.includes(column.name) === false) throw missing(input.columns, column.name, at)
    return [column.name, (row) => (Object.hasOwn(row, column.name) ? (row[column.name] ?? null) : null)]
  })
}

/** A row of what the makers make. */
export function projecting(makers: ReturnType<typeof columnMakers>): (row: Row, run: Running) => Row {
  return (row, run) => rowOf(makers.map(([name, make]) => [name, make(row, run)]))
}

/** The named columns, and no row twice. */
export function planProject(input: Plan, columns: readonly Column[], where: string): Plan {
  const makers = columnMakers(columns, input, where)
  const names = new Map<string, string>()
  for (const column of columns) {
    const path = column.kind === 'column' ? column.name : pathOf(column.rule)
    // `var` looks for parts where a column has a dot in its name.
    const isSame =
      path !== undefined && (column.kind === 'column' || !path.includes('.') || columnOf(input, path) !== path)
    if (isSame) names.set(path, column.name)
  }
  const pathAfter = (path: string): string | undefined => {
    const column = columnOf(input, path)
    const whole = column === undefined ? undefined : names.get(path)
    const name = column === undefined ? undefined : names.get(column)
    return whole ?? (name === undefined || column === undefined ? undefined : `${name}${path.slice(column.length)}`)
  }
  return mapped(input, {
    does: `make columns ${columns.map(({ name }) => name).join(', ')}`,
    columns: columns.map(({ name }) => name),
    pathAfter,
    rowAfter: projecting(makers),
  })
}

/** The same rows under other names. */
export function planRename(input: Plan, names: ReadonlyMap<string, string>, where: string): Plan {
  for (const name of names.keys()) {
    if (input.columns?.includes(name) === false) throw missing(input.columns, name, where)
  }
  const columns = input.columns?.map((name) => names.get(name) ?? name)
  const twice = columns?.find((name, index) => columns.indexOf(name) !== index)
  if (twice !== undefined) throw unknownColumn(`${where}: there is a column "${twice}" already`)
  const taken = new Set(names.values())
  const pathAfter = (path: string): string | undefined => {
    const column = columnOf(input, path)
    const name = column === undefined || (taken.has(column) && !names.has(column)) ? undefined : column
    return name === undefined ? undefined : `${names.get(name) ?? name}${path.slice(name.length)}`
  }
  return mapped(input, {
    does: `rename ${[...names].map(([from, to]) => `${from} to ${to}`).join(', ')}`,
    columns,
    pathAfter,
    rowAfter: renaming(names),
  })
}

/** A column that takes the name of another hides it. */
export function renaming(names: ReadonlyMap<string, string>): (row: Row) => Row {
  const taken = new Set(names.values())
  return (row) => {
    const kept = Object.entries(row).filter(([name]) => !names.has(name) && !taken.has(name))
    const renamed = [...names].filter(([from]) => Object.hasOwn(row, from))
    return rowOf([...kept, ...renamed.map(([from, to]) => [to, row[from] ?? null] as const)])
  }
}

function missing(columns: readonly string[], name: string, where: string): RhizomeError {
  const message = `${where}: there is no column "${name}"; there are ${columns.join(', ')}`
  return unknownColumn(name.includes('.') ? `${message}; a rule reads a part of one: { "var": "${name}" }` : message)
}

interface Mapping {
  readonly does: string
  readonly columns: readonly string[] | undefined
  /** Where a value of the input's row is found afterwards. */
  readonly pathAfter: (path: string) => string | undefined
  readonly rowAfter: (row: Row, run: Running) => Row
}

/** A row for each row. Two may become the same unless the key survives; then later ones are left out. */
function mapped(input: Plan, { does, columns, pathAfter, rowAfter }: Mapping): Plan {
  const key = mapKey(input.key, pathAfter)
  const map = function* (rows: Iterable<Row>, run: Running): Iterable<Row> {
    for (const row of rows) {
      run.meter.step()
      yield rowAfter(row, run)
    }
  }
  const lookups = input.lookups.flatMap((lookup) => {
    const path = key === undefined ? undefined : pathAfter(lookup.path)
    if (path === undefined) return []
    return [through(lookup, path, map)]
  })
  return {
    does,
    inputs: [input],
    columns,
    key,
    lookups,
    rows: (run, from) =>
      key === undefined ? distinct(map(input.rows(run), run), run) : map(input.rows(run, from), run),
  }
}

/** A row for each different item of the list at `path`, in the items' order; null and an empty list make none. */
export function planUnnest(input: Plan, path: string, name: string, where: string): Plan {
  checkPath(input, path, where)
  if (name !== path && input.columns?.includes(name) === true)
    throw unknownColumn(`${where}: there is a column "${name}" already`)
  const isKept = (term: string): string | undefined => {
    const column = columnOf(input, term)
    return column === undefined || column === name ? undefined : term
  }
  const kept = mapKey(input.key, isKept)
  const key: Ordering | undefined = kept === undefined ? undefined : [...kept, ascending(name)]
  const unnest = function* (rows: Iterable<Row>, run: Running): Iterable<Row> {
    for (const row of rows) {
      for (const made of unnested(row, path, name)) {
        run.meter.step()
        yield made
      }
    }
  }
  return {
    does: `make a row of each item of ${path}`,
    inputs: [input],
    columns: input.columns === undefined || input.columns.includes(name) ? input.columns : [...input.columns, name],
    key,
    lookups: [],
    rows: (run, from) =>
      key === undefined ? distinct(unnest(input.rows(run), run), run) : unnest(input.rows(run, from), run),
  }
}

/** A row for each different item of the list at `path`. */
export function unnested(row: Row, path: string, name: string): readonly Row[] {
  return itemsOf(valueAt(row, path)).map((item) => {
    const made = copyOf(row)
    made[name] = item
    return made
  })
}

function itemsOf(value: Value): readonly Value[] {
  if (value === null) return []
  if (!isList(value)) return [value]
  const items = new Map(value.map((item) => [keyOf(item), item]))
  return [...items.values()].sort(compareValues)
}
