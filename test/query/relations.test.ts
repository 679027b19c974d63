/** What a query needs of the world is enough for its answer. */

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Meter } from '../../src/query/limits.ts'
import { GatheredSource } from '../../src/query/gathered-source.ts'
import { relationsOf } from '../../src/query/relations.ts'
import { prepare, runOver } from '../../src/query/run.ts'
import type { RecordRow } from '../../src/query/source.ts'
import { allRows, type Collections, ListSource } from './list-source.ts'
import { collections, queries } from './queries.ts'

/** The records that the relations of a query name, and no others. */
function needed(json: unknown, data: Collections): ReadonlyMap<string, ReadonlyMap<string, RecordRow>> {
  const gathered = new Map<string, Map<string, RecordRow>>()
  const source = new ListSource(data)
  for (const { collection, prefix, filter } of relationsOf(prepare(json).query).relations) {
    const rows = gathered.get(collection) ?? new Map<string, RecordRow>()
    gathered.set(collection, rows)
    const wanted = filter && new Set(allRows(filter, data).map(({ id }) => id))
    for (const row of source.records(collection, { prefix })) if (wanted?.has(row.id) !== false) rows.set(row.id, row)
  }
  return gathered
}

describe('the relations of a query', () => {
  it('bring together what it has the same rows over, in the same order', () => {
    let spared = 0
    fc.assert(
      fc.property(queries(4), collections, ({ json }, data) => {
        const gathered = needed(json, data)
        const meter = new Meter()
        const { rows } = runOver({ limit: json, count: 10_000 }, new GatheredSource(gathered, meter), meter)
        expect(rows).toEqual(allRows(json, data))
        for (const [name, some] of gathered) if (some.size < (data[name]?.length ?? 0)) spared++
      }),
      { numRuns: 500, endOnFailure: true },
    )
    expect(spared).toBeGreaterThan(25)
  })

  it.each([
    [{ collection: 'a' }, [{ collection: 'a', prefix: '' }]],
    [{ project: { collection: 'a', prefix: 'x' }, columns: ['b'] }, [{ collection: 'a', prefix: 'x' }]],
    [
      { select: { select: { collection: 'a' }, where: { var: 'b' } }, where: { var: 'c' } },
      [
        {
          collection: 'a',
          prefix: '',
          filter: {
            project: {
              select: { select: { collection: 'a', id: 'id' }, where: { var: 'b' } },
              where: { var: 'c' },
            },
            columns: { id: { var: 'id' } },
          },
        },
      ],
    ],
    [
      { select: { collection: 'a', as: 'r', id: 'key' }, where: { var: 'r.b' } },
      [
        {
          collection: 'a',
          prefix: '',
          filter: {
            project: { select: { collection: 'a', as: 'r', id: 'key' }, where: { var: 'r.b' } },
            columns: { id: { var: 'r.key' } },
          },
        },
      ],
    ],
  ])('have the conditions directly above them: %j', (json, relations) => {
    expect(relationsOf(prepare(json).query)).toEqual({ relations, readsPointers: false })
  })

  it.each([
    ['its ids are not shown', { select: { collection: 'a', columns: ['b'] }, where: { var: 'b' } }],
    ['something else lies between', { select: { limit: { collection: 'a' }, count: 1 }, where: { var: 'b' } }],
  ])('are whole where %s', (_, json) => {
    expect(relationsOf(prepare(json).query).relations).toEqual([{ collection: 'a', prefix: '' }])
  })

  it('tell of raw deltas', () => {
    expect(relationsOf(prepare({ pointers: { a: {} } }).query)).toEqual({ relations: [], readsPointers: true })
  })
})
