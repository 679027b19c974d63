/**
 * The leaves of a plan: records of a collection by their ids, and deltas whose pointers fit. Both know ways to some of
 * their rows that do not read all: records by id or entity, deltas by an entity that they point at.
 */

import type { Value } from '../delta/delta.ts'
import { compareUtf8 } from '../delta/order.ts'
import { entityIdOf } from '../delta/record.ts'
import type { CollectionQuery, Pattern, PointersQuery } from './algebra.ts'
import { ascending } from './order.ts'
import { type KeyRange, rangeOf } from './index-key.ts'
import { type Catalogue, distinct, type Lookup, type Plan, type Running } from './plan.ts'
import { keyOf, type Row, rowOf, sizeOf, valueAt } from './row.ts'
import type { ClaimRow, RecordRow } from './source.ts'

export function planCollection(query: CollectionQuery, catalogue: Catalogue): Plan {
  const { collection, columns, id, entity, alias, prefix } = query
  const pathTo = (name: string | undefined): string | undefined => {
    if (name === undefined || columns?.includes(name) === false) return undefined
    return alias === undefined ? name : `${alias}.${name}`
  }
  const [idPath, entityPath] = [pathTo(id), pathTo(entity)]
  const keyPath = idPath ?? entityPath
  const start = entityIdOf(collection, 'x').slice(0, -1)
  const toRow = (record: RecordRow): Row => collectionRow(record, query)

  const byId = (path: string, idOf: (value: Value) => string | undefined): Lookup => ({
    path,
    isText: true,
    finds: () => true,
    does: `look up ${collection} by ${path}`,
    *rows({ source, meter }, values) {
      const ids = values.map(idOf).filter((wanted) => wanted?.startsWith(prefix) === true)
      for (const wanted of (ids as string[]).sort(compareUtf8)) {
        const record = source.record(collection, wanted)
        meter.step()
        if (record !== undefined) yield toRow(record)
      }
    },
  })
  const idInEntity = (value: Value) =>
    typeof value === 'string' && value.startsWith(start) ? textOf(value.slice(start.length)) : undefined

  const isShown = (property: string): boolean =>
    !property.includes('.') && property !== id && property !== entity && columns?.includes(property) !== false
  const indexes = catalogue
    .indexesOf(collection)
    .filter(isShown)
    .map((property) => byIndex(query, property, keyPath !== undefined, toRow))

  return {
    does: `scan ${collection}${prefix === '' ? '' : ` from ids that begin with "${prefix}"`}`,
    inputs: [],
    columns: alias === undefined ? columns : [alias],
    key: keyPath === undefined ? undefined : [ascending(keyPath)],
    lookups: [
      ...(idPath === undefined ? [] : [byId(idPath, textOf)]),
      ...(entityPath === undefined ? [] : [byId(entityPath, idInEntity)]),
      ...indexes,
    ],
    rows(run, from) {
      const fromId = from === undefined ? undefined : (idPath === undefined ? idInEntity : textOf)(from)
      const rows = records(run, collection, { prefix, ...(fromId === undefined ? {} : { from: fromId }) }, toRow)
      return keyPath === undefined ? distinct(rows, run) : rows
    },
  }
}

/** Records by what was ever claimed of a property: what they show now is asked of each. */
function byIndex(
  query: CollectionQuery,
  property: string,
  isKeyed: boolean,
  toRow: (record: RecordRow) => Row,
): Lookup {
  const { collection, alias, prefix } = query
  const path = alias === undefined ? property : `${alias}.${property}`
  const idsIn = ({ source, meter }: Running, ranges: readonly KeyRange[]): readonly string[] => {
    const ids = new Set<string>()
    for (const range of ranges) {
      for (const { row } of source.indexed({ collection, property }, range)) {
        if (ids.has(row) || !row.startsWith(prefix)) continue
        meter.holdBytes(sizeOf(row))
        ids.add(row)
      }
    }
    return [...ids].sort(compareUtf8)
  }
  const read = function* (run: Running, ranges: readonly KeyRange[]): Iterable<Row> {
    for (const id of idsIn(run, ranges)) {
      run.meter.step()
      const record = run.source.record(collection, id)
      if (record !== undefined) yield toRow(record)
    }
  }
  const within = (run: Running, ranges: readonly KeyRange[]): Iterable<Row> =>
    isKeyed ? read(run, ranges) : distinct(read(run, ranges), run)
  return {
    path,
    isText: false,
    finds: (value) => value !== null,
    does: `look up ${collection} by the index of ${path}`,
    within,
    *rows(run, values) {
      const wanted = new Set(values.map(keyOf))
      const ranges = values.flatMap((value) => rangeOf(value) ?? [])
      for (const row of within(run, ranges)) if (wanted.has(keyOf(valueAt(row, path)))) yield row
    },
  }
}

function textOf(value: Value): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

function* records(
  { source, meter }: Running,
  collection: string,
  range: { readonly prefix: string; readonly from?: string },
  toRow: (record: RecordRow) => Row,
): Iterable<Row> {
  for (const record of source.records(collection, range)) {
    meter.step()
    yield toRow(record)
  }
}

/** The row that a record is. */
export function collectionRow(record: RecordRow, query: CollectionQuery): Row {
  return aliased(recordRow(record, query), query.alias)
}

/** The id columns hide properties of their names. */
function recordRow(record: RecordRow, { columns, id, entity }: CollectionQuery): Row {
  const { properties } = record
  const own: readonly (readonly [string, Value])[] =
    entity === undefined
      ? [[id, record.id]]
      : [
          [id, record.id],
          [entity, record.entity],
        ]
  if (columns === undefined) return rowOf([...Object.entries(properties), ...own])
  const ids = new Map(own)
  return rowOf(
    columns.map((column) => [
      column,
      ids.get(column) ?? (Object.hasOwn(properties, column) ? properties[column] : null) ?? null,
    ]),
  )
}

function aliased(row: Row, alias: string | undefined): Row {
  return alias === undefined ? row : rowOf([[alias, row]])
}

export function planPointers(query: PointersQuery): Plan {
  const { patterns, id, alias } = query
  const pathTo = (name: string): string => (alias === undefined ? name : `${alias}.${name}`)
  const names = patterns.map(({ localContext }) => localContext)
  const toRow = (claim: ClaimRow): Row => claimRow(claim, query)

  const read = function* (run: Running, about: string | undefined): Iterable<Row> {
    for (const claim of run.source.claims(patterns, about)) {
      run.meter.step()
      yield toRow(claim)
    }
  }
  return {
    does: `${anchorOf(patterns)} with pointers ${names.join(', ')}`,
    inputs: [],
    columns: alias === undefined ? [id, ...names] : [alias],
    key: [ascending(pathTo(id))],
    lookups: patterns.filter(isReferencePattern).map((pattern) => lookUpClaims(pattern, pathTo, patterns, toRow)),
    rows: (run) => read(run, undefined),
  }
}

/** The row that a delta is. */
export function claimRow({ id: delta, values }: ClaimRow, { patterns, id, alias }: PointersQuery): Row {
  const columns = patterns.map(({ localContext }, index) => [localContext, values[index] ?? null] as const)
  return aliased(rowOf([[id, delta], ...columns]), alias)
}

/** Deltas by the entity that the pointer of `pattern` names. */
function lookUpClaims(
  pattern: Pattern,
  pathTo: (name: string) => string,
  patterns: readonly Pattern[],
  toRow: (claim: ClaimRow) => Row,
): Lookup {
  const { localContext } = pattern
  const index = patterns.indexOf(pattern)
  return {
    path: pathTo(localContext),
    isText: false,
    // Others may have the same list.
    finds: (value) => typeof value === 'string',
    does: `look up the deltas that point at each ${pathTo(localContext)}`,
    *rows({ source, meter }, values) {
      const found: ClaimRow[] = []
      for (const value of values) {
        if (typeof value !== 'string' || value === '') continue
        meter.step()
        for (const claim of source.claims(patterns, value)) if (claim.values[index] === value) found.push(claim)
      }
      for (const claim of found.sort((a, b) => compareUtf8(a.id, b.id))) {
        const row = toRow(claim)
        meter.hold(row)
        yield row
      }
    },
  }
}

/** Whether the pointer's target is an entity for certain. */
function isReferencePattern({ entity, collection, property, optional }: Pattern): boolean {
  return !optional && (entity ?? collection ?? property) !== undefined
}

function anchorOf(patterns: readonly Pattern[]): string {
  const needed = patterns.filter(({ optional }) => !optional)
  const entity = needed.find((pattern) => pattern.entity !== undefined)?.entity
  if (entity !== undefined) return `read the deltas that point at ${entity},`
  const collection = needed.find((pattern) => pattern.collection !== undefined)?.collection
  return collection === undefined ? 'scan the log for deltas' : `scan the deltas that point into ${collection},`
}
