/**
 * Joins by equal values: inner, left, semi, anti. The left side is streamed; of the right a row is found by a look-up
 * while few keys are asked for, else in a hash of all of them. Which of the two changes no result and no order: left rows
 * in their order, for each the right ones in theirs. Null equals nothing, as in SQL.
 */

import type { Value } from '../delta/delta.ts'
import type { JoinKind } from './algebra.ts'
import { LOOKUPS_MAX } from './limits.ts'
import { checkPath, columnOf, type Lookup, mapKey, type Plan, type Running, unknownColumn } from './plan.ts'
import { copyOf, keyOf, type Row, valueAt } from './row.ts'

export type On = readonly (readonly [left: string, right: string])[]

/** Rows of the right side that match a row of the left. */
type Probe = (row: Row) => Iterable<Row>

const NONE: readonly Row[] = []

export function planJoin(kind: JoinKind, left: Plan, right: Plan, on: On, where: string): Plan {
  for (const [leftPath, rightPath] of on) {
    checkPath(left, leftPath, `${where}, left side`)
    checkPath(right, rightPath, `${where}, right side`)
  }
  const isMerged = kind === 'inner' || kind === 'left'
  const added = isMerged ? addedColumns(left, right, on, where) : []
  const columns = isMerged ? [...(left.columns ?? []), ...added] : left.columns
  // The right side is read first where it tells which rows of the left to look up.
  const leftWay = kind === 'inner' || kind === 'semi' ? wayInto(left, on, 0) : undefined
  const rightWay = wayInto(right, on, 1)
  return {
    does: `${kind} join by ${on.map((pair) => pair.join(' = ')).join(', ')}: ${strategy(leftWay, rightWay)}`,
    inputs: [left, right],
    columns,
    key: isMerged ? mergedKey(left, right) : left.key,
    lookups: [],
    *rows(run, from) {
      const hash = rightWay === undefined ? hashOf(right.rows(run), on, run) : undefined
      const probe = hash ?? lazily(right, on, run, rightWay as Way)
      for (const row of leftRows(left, on, run, from, leftWay, hash)) {
        run.meter.step()
        let isMatched = false
        for (const match of probe(row)) {
          isMatched = true
          if (!isMerged) break
          run.meter.step()
          yield merge(row, match, added)
        }
        if (kind === 'semi' ? isMatched : kind === 'anti' && !isMatched) yield row
        if (kind === 'left' && !isMatched) yield merge(row, undefined, added)
      }
    },
  }
}

/** Columns of the right side that the left does not bring. Throws RZ_QUERY_COLUMN where that is not known or not clear. */
export function addedColumns(left: Plan, right: Plan, on: On, where: string): readonly string[] {
  if (left.columns === undefined || right.columns === undefined) {
    const side = left.columns === undefined ? 'left' : 'right'
    throw unknownColumn(
      `${where}: the columns of the ${side} side are not known: name the collection with "as", or list its "columns"`,
    )
  }
  const shared = new Set(on.filter(([leftPath, rightPath]) => leftPath === rightPath).map(([path]) => path))
  const added = right.columns.filter((name) => !shared.has(name))
  const both = added.find((name) => left.columns?.includes(name))
  if (both === undefined) return added
  throw unknownColumn(`${where}: both sides have a column "${both}": rename one, or name a side with "as"`)
}

function mergedKey(left: Plan, right: Plan): Plan['key'] {
  const leftKey = mapKey(left.key, (path) => columnOf(left, path) && path)
  const rightKey = mapKey(right.key, (path) => columnOf(right, path) && path)
  return leftKey === undefined || rightKey === undefined ? undefined : [...leftKey, ...rightKey]
}

/** Both rows as one; without a right one, nulls. */
export function merge(left: Row, right: Row | undefined, added: readonly string[]): Row {
  const row = copyOf(left)
  for (const name of added) row[name] = right?.[name] ?? null
  return row
}

interface Way {
  readonly lookup: Lookup
  /** Which of the pairs of `on` it looks up. */
  readonly pair: readonly [left: string, right: string]
}

function wayInto(plan: Plan, on: On, side: 0 | 1): Way | undefined {
  for (const pair of on) {
    const lookup = plan.lookups.find(({ path }) => path === pair[side])
    if (lookup !== undefined) return { lookup, pair }
  }
  return undefined
}

function strategy(leftWay: Way | undefined, rightWay: Way | undefined): string {
  if (rightWay !== undefined)
    return `stream the left side, ${rightWay.lookup.does} of the right; past ${LOOKUPS_MAX} keys read and hash it`
  if (leftWay === undefined) return 'read and hash the right side, stream the left'
  return `read and hash the right side, ${leftWay.lookup.does} of the left; past ${LOOKUPS_MAX} keys stream it`
}

/** The left side whole, or those of its rows that can match, where that is known and they are few. */
function leftRows(
  left: Plan,
  on: On,
  run: Running,
  from: Value | undefined,
  way: Way | undefined,
  hash: Hash | undefined,
): Iterable<Row> {
  if (way === undefined || hash === undefined) return left.rows(run, from)
  const values = hash.valuesOf(on.indexOf(way.pair))
  const canLookUp = values?.every((value) => way.lookup.finds(value))
  return values === undefined || canLookUp !== true ? left.rows(run, from) : way.lookup.rows(run, values)
}

interface Hash extends Probe {
  /** The different values of one pair's right side; undefined when there are more than `LOOKUPS_MAX`. */
  readonly valuesOf: (pair: number) => readonly Value[] | undefined
}

function hashOf(rows: Iterable<Row>, on: On, run: Running): Hash {
  const buckets = new Map<string, Row[]>()
  for (const row of rows) {
    run.meter.step()
    const key = joinKey(row, on, 1)
    if (key === undefined) continue
    run.meter.hold(row)
    const bucket = buckets.get(key)
    if (bucket === undefined) buckets.set(key, [row])
    else bucket.push(row)
  }
  const probe: Probe = (row) => buckets.get(joinKey(row, on, 0) ?? '') ?? NONE
  const valuesOf = (pair: number): readonly Value[] | undefined => {
    const path = on[pair]?.[1] ?? ''
    const values = new Map<string, Value>()
    for (const [row] of buckets.values()) {
      const value = row === undefined ? null : valueAt(row, path)
      values.set(keyOf(value), value)
      if (values.size > LOOKUPS_MAX) return undefined
    }
    return [...values.values()]
  }
  return Object.assign(probe, { valuesOf })
}

/** Looks up each value of the left side once; past `LOOKUPS_MAX` of them the right side is read whole. */
function lazily(right: Plan, on: On, run: Running, { lookup, pair }: Way): Probe {
  const found = new Map<string, Probe>()
  let whole: Probe | undefined
  return (row) => {
    if (whole !== undefined) return whole(row)
    const value = valueAt(row, pair[0])
    if (value === null) return NONE
    const key = keyOf(value)
    let probe = found.get(key)
    if (probe === undefined) {
      if (found.size >= LOOKUPS_MAX || !lookup.finds(value)) {
        whole = hashOf(right.rows(run), on, run)
        return whole(row)
      }
      const matches = lookup.rows(run, [value])
      probe = on.length === 1 ? always(remembered(matches, run)) : hashOf(matches, on, run)
      found.set(key, probe)
    }
    return probe(row)
  }
}

function always(rows: Iterable<Row>): Probe {
  return () => rows
}

/** The same rows as often as they are asked for, each read when it is first reached: a page may need few of them. */
function remembered(rows: Iterable<Row>, run: Running): Iterable<Row> {
  const known: Row[] = []
  let source: Iterator<Row, undefined> | undefined
  return {
    *[Symbol.iterator]() {
      source ??= rows[Symbol.iterator]() as Iterator<Row, undefined>
      for (let index = 0; ; index++) {
        if (index === known.length) {
          const { value } = source.next()
          if (value === undefined) return
          run.meter.step()
          run.meter.hold(value)
          known.push(value)
        }
        const row = known[index]
        if (row !== undefined) yield row
      }
    },
  }
}

/** What the rows that match have in common; undefined when a value of it is null. */
export function joinKey(row: Row, on: On, side: 0 | 1): string | undefined {
  let key = ''
  for (const pair of on) {
    const value = valueAt(row, pair[side])
    if (value === null) return undefined
    key += `${keyOf(value)},`
  }
  return key
}
