/**
 * Relational algebra once more, as plainly as it can be said: every operator is a loop over lists of rows, nothing is
 * hashed, indexed, streamed or remembered. Imports nothing of src: it is what the real one is held against. The rules it
 * knows are those that the generated queries use.
 */

export type NaiveValue =
  | null
  | boolean
  | number
  | string
  | readonly NaiveValue[]
  | { readonly [key: string]: NaiveValue }
export type NaiveRow = { readonly [column: string]: NaiveValue }
type Json = { readonly [field: string]: unknown }
type Pair = readonly [Json, Json]
export type NaiveCollections = { readonly [collection: string]: readonly NaiveRow[] }

/** The rows of a query, as a set in no particular order, but for what `order` and `limit` say. */
export function naiveQuery(query: Json, collections: NaiveCollections): readonly NaiveRow[] {
  const of = (name: string) => naiveQuery(query[name] as Json, collections)
  const sides = (name: string) =>
    (query[name] as Pair).map((side) => naiveQuery(side, collections)) as [NaiveRow[], NaiveRow[]]
  if ('collection' in query)
    return set((collections[query['collection'] as string] ?? []).map((row) => leaf(row, query)))
  if ('select' in query) return of('select').filter((row) => truthy(rule(query['where'], row)))
  if ('project' in query) return set(of('project').map((row) => columnsOf(row, query['columns'])))
  if ('rename' in query) return set(of('rename').map((row) => renamed(row, query['columns'] as Record<string, string>)))
  if ('unnest' in query)
    return set(of('unnest').flatMap((row) => unnested(row, query['column'] as string, query['as'] as string)))
  if ('join' in query) return joined(query, ...sides('join'))
  if ('union' in query) return set(sides('union').flat())
  if ('intersect' in query) return filterBySide(sides('intersect'), true)
  if ('minus' in query) return filterBySide(sides('minus'), false)
  if ('group' in query) return grouped(of('group'), query['by'], query['aggregates'] as Record<string, Json>)
  if ('order' in query) return ordered(of('order'), query['by'] as readonly (string | { descending: string })[])
  if ('limit' in query) return of('limit').slice(0, query['count'] as number)
  if ('closure' in query) return closed(of('closure'), query)
  throw new Error('the naive evaluator does not know this operator')
}

function leaf(row: NaiveRow, query: Json): NaiveRow {
  const columns = query['columns'] as readonly string[] | undefined
  const picked = columns === undefined ? row : Object.fromEntries(columns.map((name) => [name, row[name] ?? null]))
  return query['as'] === undefined ? picked : { [query['as'] as string]: picked }
}

function columnsOf(row: NaiveRow, columns: unknown): NaiveRow {
  if (Array.isArray(columns)) return Object.fromEntries((columns as string[]).map((name) => [name, row[name] ?? null]))
  return Object.fromEntries(Object.entries(columns as Json).map(([name, made]) => [name, rule(made, row)]))
}

function renamed(row: NaiveRow, names: Readonly<Record<string, string>>): NaiveRow {
  const kept = Object.entries(row).filter(([name]) => !(name in names) && !Object.values(names).includes(name))
  const moved = Object.entries(row).filter(([name]) => name in names)
  return Object.fromEntries([...kept, ...moved.map(([name, value]) => [names[name] ?? name, value] as const)])
}

function unnested(row: NaiveRow, path: string, name: string): readonly NaiveRow[] {
  const value = at(row, path)
  const items = value === null ? [] : Array.isArray(value) ? (value as NaiveValue[]) : [value]
  return items.map((item) => ({ ...row, [name]: item }))
}

/** For a left join, the right side must be a projection by rules, which tells its columns. */
function joined(query: Json, left: readonly NaiveRow[], right: readonly NaiveRow[]): readonly NaiveRow[] {
  const on = (query['on'] as readonly (string | [string, string])[]).map((pair) =>
    typeof pair === 'string' ? [pair, pair] : pair,
  )
  const isMatch = (a: NaiveRow, b: NaiveRow) =>
    on.every(([l = '', r = '']) => at(a, l) !== null && same(at(a, l), at(b, r)))
  const kind = query['kind'] ?? 'inner'
  if (kind === 'semi') return left.filter((a) => right.some((b) => isMatch(a, b)))
  if (kind === 'anti') return left.filter((a) => !right.some((b) => isMatch(a, b)))
  const rightQuery = (query['join'] as Pair)[1]
  const nothing = Object.fromEntries(Object.keys(rightQuery['columns'] ?? {}).map((name) => [name, null]))
  return left.flatMap((a) => {
    const matches = right.filter((b) => isMatch(a, b))
    if (matches.length === 0 && kind === 'left') return [{ ...nothing, ...a }]
    return matches.map((b) => ({ ...b, ...a }))
  })
}

function filterBySide(
  [left, right]: readonly [readonly NaiveRow[], readonly NaiveRow[]],
  wanted: boolean,
): readonly NaiveRow[] {
  return left.filter((a) => right.some((b) => same(a, b)) === wanted)
}

function grouped(
  rows: readonly NaiveRow[],
  by: unknown,
  aggregates: Readonly<Record<string, Json>>,
): readonly NaiveRow[] {
  const groups = Array.isArray(by) && by.length === 0 ? [{}] : set(rows.map((row) => columnsOf(row, by)))
  return groups.map((group) => {
    const members = rows.filter((row) => same(columnsOf(row, by), group))
    return {
      ...group,
      ...Object.fromEntries(Object.entries(aggregates).map(([name, one]) => [name, aggregated(members, one)])),
    }
  })
}

function aggregated(rows: readonly NaiveRow[], aggregate: Json): NaiveValue {
  const [kind, path] = Object.entries(aggregate)[0] as [string, string | true]
  if (path === true) return rows.length
  const values = rows
    .map((row) => at(row, path))
    .filter((value) => value !== null)
    .sort(compare)
  const numbers = values.filter((value) => typeof value === 'number')
  const sum = numbers.reduce((total, number) => total + number, 0)
  if (kind === 'count') return values.length
  if (kind === 'sum') return sum
  if (kind === 'average') return numbers.length === 0 ? null : sum / numbers.length
  if (kind === 'min') return values[0] ?? null
  if (kind === 'max') return values.at(-1) ?? null
  return values
}

function ordered(rows: readonly NaiveRow[], by: readonly (string | { descending: string })[]): readonly NaiveRow[] {
  return [...rows].sort((a, b) => {
    for (const term of by) {
      const [path, sign] = typeof term === 'string' ? [term, 1] : [term.descending, -1]
      const order = compare(at(a, path), at(b, path)) * sign
      if (order !== 0) return order
    }
    return 0
  })
}

/** Joins the pairs with themselves again and again. */
function closed(rows: readonly NaiveRow[], query: Json): readonly NaiveRow[] {
  const [from, to] = [query['from'] as string, query['to'] as string]
  const depth = query['depth'] as string | undefined
  const pairs = rows.map((row) => [at(row, from), at(row, to)] as const).filter(([a, b]) => a !== null && b !== null)
  const found: { a: NaiveValue; b: NaiveValue; steps: number }[] = []
  let last = pairs.map(([a, b]) => ({ a, b }))
  for (let steps = 1; steps <= (query['depthMax'] as number); steps++) {
    for (const { a, b } of last) if (!found.some((one) => same(one.a, a) && same(one.b, b))) found.push({ a, b, steps })
    const longer = last.flatMap(({ a, b }) => pairs.filter(([c]) => same(b, c)).map(([, d]) => ({ a, b: d })))
    last = longer.filter((one, index) => longer.findIndex((other) => same(one, other)) === index)
  }
  const start = query['start'] as readonly NaiveValue[] | undefined
  return found
    .filter(({ a }) => start === undefined || start.some((value) => same(value, a)))
    .map(({ a, b, steps }) => ({ [from]: a, [to]: b, ...(depth === undefined ? {} : { [depth]: steps }) }))
}

/** JSON-Logic, as little as is generated. */
function rule(json: unknown, row: NaiveRow): NaiveValue {
  if (Array.isArray(json)) return json.map((part) => rule(part, row))
  if (typeof json !== 'object' || json === null) return json as NaiveValue
  const [operator, given] = Object.entries(json)[0] as [string, unknown]
  const [a = null, b = null] = (Array.isArray(given) ? given : [given]).map((part) => rule(part, row))
  if (operator === 'var') return at(row, a as string)
  if (operator === '===') return typeof a !== 'object' || a === null ? a === b : false
  if (operator === 'and') return truthy(a) ? b : a
  if (operator === 'or') return truthy(a) ? a : b
  if (operator === '!') return !truthy(a)
  if (operator === 'in') return Array.isArray(b) && (typeof a !== 'object' || a === null) && b.includes(a)
  throw new Error(`the naive evaluator does not know "${operator}"`)
}

function truthy(value: NaiveValue): boolean {
  return Array.isArray(value) ? value.length > 0 : Boolean(value)
}

function at(row: NaiveRow, path: string): NaiveValue {
  let value: NaiveValue | undefined = row
  for (const name of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return null
    value = (value as NaiveRow)[name]
  }
  return value ?? null
}

function set(rows: readonly NaiveRow[]): readonly NaiveRow[] {
  return rows.filter((row, index) => rows.findIndex((other) => same(row, other)) === index)
}

function same(a: NaiveValue, b: NaiveValue): boolean {
  return compare(a, b) === 0
}

/** null, booleans, numbers, texts, lists, objects. */
function compare(a: NaiveValue, b: NaiveValue): number {
  const [left, right] = [rank(a), rank(b)]
  if (left !== right) return left - right
  if (typeof a === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b as string))
  if (typeof a !== 'object' || a === null) return Number(a) - Number(b)
  const [one, other] = [parts(a), parts(b)]
  for (const [index, part] of one.entries()) {
    if (index >= other.length) return 1
    const order = compare(part, other[index] as NaiveValue)
    if (order !== 0) return order
  }
  return one.length - other.length
}

function parts(value: NaiveValue): readonly NaiveValue[] {
  if (Array.isArray(value)) return value as NaiveValue[]
  const entries = Object.entries(value as NaiveRow)
  return entries.sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b))).flat()
}

function rank(value: NaiveValue): number {
  if (value === null) return 0
  const types = ['boolean', 'number', 'string']
  const type = types.indexOf(typeof value)
  return type >= 0 ? type + 1 : Array.isArray(value) ? 4 : 5
}
