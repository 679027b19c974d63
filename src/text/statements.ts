/**
 * What statements do, over the node. Answers are lines of JSON (NDJSON), made while they are sent: a page of rows at a time.
 * Throws RhizomeError with the codes of what it calls.
 */

import { randomUUID } from 'node:crypto'
import { CONTAINER } from '../delta/container.ts'
import { type Json, toJson } from '../delta/json.ts'
import type { RhizomeNode } from '../node/node.ts'
import type { PeerSummary } from '../node/peers.ts'
import { bucketExists, knownOr } from './buckets.ts'
import type { Statement } from './compile.ts'
import { DELETIONS_MAX, PAGE_ROWS } from './options.ts'
import type { Reach } from './reach.ts'

type Rows = Awaited<ReturnType<Reach['query']>>['value']['rows']
type Query = Parameters<Reach['query']>[0]

/** Lines of an answer, as many at once as there are, each without its end. */
export type Lines = AsyncIterable<Iterable<string>>

/** `use` is the session's own affair. */
export async function* perform(
  statement: Exclude<Statement, { readonly kind: 'use' }>,
  node: RhizomeNode,
  reach: Reach,
): AsyncGenerator<Iterable<string>> {
  switch (statement.kind) {
    case 'insert':
      yield [JSON.stringify(await insert(statement, reach))]
      return
    case 'rows':
      for await (const rows of pages(reach, statement.query, statement.rowsMax)) yield linesOf(rows)
      return
    case 'delete':
      yield [JSON.stringify({ deleted: await deleteFound(statement.container, statement.ids, reach) })]
      return
    case 'delete record': {
      const { deltas } = await reach.delete(statement.container, statement.id)
      yield [JSON.stringify({ deleted: deltas.length > 0 ? 1 : 0 })]
      return
    }
    case 'tags':
      yield everybody(node).map(({ id, name, self, tags = [] }) =>
        JSON.stringify({ peer: id, name, self, tags: self ? ownTags(node) : tags }),
      )
      return
    case 'peers':
      yield everybody(node).map((peer) => JSON.stringify(peer))
      return
    case 'topics':
      yield node.namespaces().map(({ name }) => JSON.stringify({ topic: name }))
      return
  }
}

type Insert = Extract<Statement, { readonly kind: 'insert' }>

/** Both in flight together, so that a container and its first record share a block. */
async function insert({ container, id = randomUUID(), properties }: Insert, reach: Reach): Promise<Json> {
  const making = (await knownOr(false, bucketExists(reach, container)))
    ? undefined
    : reach.put(CONTAINER, container, { created: true })
  const [{ fault }] = await Promise.all([reach.put(container, id, properties), making])
  return { id, ...(fault && { fault: { ...fault } }) }
}

async function* pages(reach: Reach, query: Json, rowsMax = Infinity): AsyncGenerator<Rows> {
  let left = rowsMax
  let next: string | undefined
  do {
    const count = Math.min(left, PAGE_ROWS)
    const page = { limit: query, count, ...(next !== undefined && { after: next }) }
    const answer = reach.query(page as Query)
    const { value } = answer instanceof Promise ? await answer : answer
    if (value.rows.length > 0) yield value.rows
    left -= value.rows.length
    next = value.next
  } while (next !== undefined && left > 0)
}

function* linesOf(rows: Rows): Generator<string> {
  for (const row of rows) yield JSON.stringify(toJson(row))
}

/** Page by page: a page's records are gone before the next is asked for, which begins behind them all the same. */
async function deleteFound(container: string, ids: Json, reach: Reach): Promise<number> {
  let count = 0
  for await (const rows of pages(reach, ids)) {
    for (let start = 0; start < rows.length; start += DELETIONS_MAX) {
      const found = rows.slice(start, start + DELETIONS_MAX).map((row) => row['id'] as string)
      await Promise.all(found.map((id) => reach.delete(container, id)))
    }
    count += rows.length
  }
  return count
}

function everybody(node: RhizomeNode): readonly PeerSummary[] {
  return [node.self(), ...node.peers({ all: true })]
}

function ownTags(node: RhizomeNode): readonly string[] {
  return [...new Set(node.namespaces().flatMap((namespace) => namespace.collections()))]
}
