/** What nodes answer about records in shards, whoever answers: as one reads it, and what is wrong with it at first sight. */

import { RhizomeError } from '../../../src/errors.ts'
import type { Everywhere } from '../../../src/node/everywhere/everywhere.ts'
import { COLLECTIONS } from './data.ts'

export interface Row {
  readonly id: string
  /** By who writes it alone, or by anybody. */
  readonly n?: unknown
  /** Of two that are written together. */
  readonly pair?: unknown
}

/** Of a collection, or of the codes why there is none. */
export interface Reading {
  readonly ids: readonly string[] | string
  readonly rows: readonly Row[] | string
  readonly answeredBy: readonly string[]
}

/** Codes that say that no holder could be asked. */
export const UNREACHED: ReadonlySet<string> = new Set(['RZ_SHARD_UNHELD', 'RZ_SHARD_UNANSWERED'])

export async function readCollection(everywhere: Everywhere, collection: string): Promise<Reading> {
  const [ids, rows] = await Promise.all([
    orCode(async () => everywhere.ids(collection)),
    orCode(async () => everywhere.query({ collection, columns: ['id', 'n', 'pair'] })),
  ])
  return {
    ids: typeof ids === 'string' ? ids : ids.value,
    rows:
      typeof rows === 'string'
        ? rows
        : rows.value.rows.map((row) => ({ id: row['id'] as string, n: row['n'], pair: row['pair'] })),
    answeredBy: [ids, rows].flatMap((each) => (typeof each === 'string' ? [] : each.answeredBy)),
  }
}

export async function readAll(everywhere: Everywhere): Promise<ReadonlyMap<string, Reading>> {
  const all = COLLECTIONS.map(async (collection) => [collection, await readCollection(everywhere, collection)] as const)
  return new Map(await Promise.all(all))
}

/** Nothing doubled, nothing out of order, transactions whole. */
export function faultsIn(collection: string, { ids, rows }: Reading): readonly string[] {
  return [
    ...(typeof ids === 'string' || isAscending(ids) ? [] : [`${collection} lists ${ids.join(' ')}`]),
    ...(typeof rows === 'string' ? [] : [...doubled(rows), ...torn(rows)].map((what) => `${collection}: ${what}`)),
  ]
}

async function orCode<Result>(ask: () => Promise<Result>): Promise<Result | string> {
  try {
    return await ask()
  } catch (error) {
    if (error instanceof RhizomeError) return error.code
    throw error
  }
}

function isAscending(ids: readonly string[]): boolean {
  return ids.every((id, index) => index === 0 || (ids[index - 1] as string) < id)
}

function doubled(rows: readonly Row[]): readonly string[] {
  return [...Map.groupBy(rows, ({ id }) => id)].flatMap(([id, same]) => (same.length > 1 ? [`${id} comes twice`] : []))
}

function torn(rows: readonly Row[]): readonly string[] {
  const pairOf = (id: string): unknown => rows.find((row) => row.id === id)?.pair
  return rows.flatMap(({ id }) => {
    const [first, side] = id.split('-')
    if (side !== 'left' && side !== 'right') return []
    const [left, right] = [pairOf(`${first}-left`), pairOf(`${first}-right`)]
    return left === right ? [] : [`half a transaction is seen: left ${String(left)}, right ${String(right)}`]
  })
}
