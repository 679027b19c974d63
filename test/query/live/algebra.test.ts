/** Live queries against the ordinary evaluator: after any history the live result is the query run anew. */

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compareValues } from '../../../src/query/order.ts'
import type { Row } from '../../../src/query/row.ts'
import { allRows, type Collections, page } from '../list-source.ts'
import { collections, queries } from '../queries.ts'
import { LiveList } from './live-list.ts'

const setOf = (rows: readonly Row[]): readonly Row[] => [...rows].map((row) => ({ ...row })).sort(compareValues)

/** A few records come, go or change; now and then everything does. */
const step: fc.Arbitrary<(state: Collections) => Collections> = fc.oneof(
  { arbitrary: collections.map((next) => () => next), weight: 1 },
  {
    arbitrary: fc
      .tuple(collections, fc.constantFrom('one', 'two'), fc.nat(6), fc.boolean())
      .map(([other, name, at, isRemoved]) => (state: Collections) => {
        const [records, news] = [state[name] ?? [], other[name] ?? []]
        const record = news[at % Math.max(1, news.length)]
        const kept = records.filter(({ id }, index) => (isRemoved ? index !== at : id !== record?.id))
        return { ...state, [name]: isRemoved || record === undefined ? kept : [...kept, record] }
      }),
    weight: 4,
  },
)
const histories = fc.array(step, { minLength: 1, maxLength: 8 })

describe('a live query', () => {
  it('has, after every change of any history, the rows of the query run anew', () => {
    fc.assert(
      fc.property(queries(4), histories, fc.integer({ min: 1, max: 9 }), ({ json }, steps, sliceRows) => {
        const live = new LiveList(json, { sliceRows })
        let state: Collections = {}
        live.become(state)
        for (const change of steps) {
          state = change(state)
          live.become(state)
          // An outermost limit is how much is watched, as it is the page of a run.
          const rows = 'limit' in json ? page(json, state).rows : allRows(json, state)
          expect(setOf(live.mirror.rows())).toEqual(setOf(rows))
        }
      }),
      { numRuns: 3_000, endOnFailure: true },
    )
  }, 120_000)

  it('has its rows in the order of the query run anew', () => {
    fc.assert(
      fc.property(queries(3), histories, fc.option(fc.integer({ min: 1, max: 4 })), ({ json }, steps, count) => {
        const query = count === null ? json : { limit: json, count }
        const live = new LiveList(query, { rows: true })
        let state: Collections = {}
        for (const change of steps) {
          state = change(state)
          live.become(state)
          const rows = count !== null || 'limit' in json ? page(query, state).rows : allRows(json, state)
          expect(live.query.rows()).toEqual(rows)
        }
      }),
      { numRuns: 1_000, endOnFailure: true },
    )
  }, 120_000)

  it('remembers nothing of what is gone', () => {
    fc.assert(
      fc.property(queries(4), histories, ({ json }, steps) => {
        const live = new LiveList(json)
        let state: Collections = {}
        live.become(state)
        const { held } = live.query
        for (const change of steps) {
          state = change(state)
          live.become(state)
        }
        live.become({})
        expect(live.query.held).toEqual(held)
      }),
      { numRuns: 1_000, endOnFailure: true },
    )
  }, 120_000)

  it('watches the rows behind a cursor, as a page of them is', () => {
    const rows = (...xs: readonly number[]) => ({ one: xs.map((x) => ({ id: `${x}`, x })) })
    const ordered = { order: { collection: 'one' }, by: ['x'] }
    const { next } = page({ limit: ordered, count: 2 }, rows(1, 2, 3, 4, 5, 6))
    const live = new LiveList({ limit: ordered, count: 2, after: next })
    live.become(rows(1, 2, 3, 4, 5, 6))
    expect(live.query.rows()?.map(({ x }) => x)).toEqual([3, 4])
    live.become(rows(0, 1, 2, 4, 5, 6))
    expect(live.query.rows()?.map(({ x }) => x)).toEqual([4, 5])
  })

  it('reads records that the query names by their ids alone', () => {
    const records = Array.from({ length: 50 }, (_, x) => ({ id: `${x}`, x }))
    const live = new LiveList({ select: { collection: 'one' }, where: { in: [{ var: 'id' }, ['3', '7', 'none']] } })
    live.become({ one: records })
    live.become({ one: records.map(({ id, x }) => ({ id, x: x + 1 })) })
    expect(live.mirror.rows().map(({ x }) => x)).toEqual([4, 8])
    expect(live.readCount).toBeLessThan(10)
  })

  it('tells of nothing when nothing of its result changes', () => {
    const live = new LiveList({
      project: { select: { collection: 'one' }, where: { '>': [{ var: 'x' }, 1] } },
      columns: ['x'],
    })
    live.become({
      one: [
        { id: 'a', x: 2 },
        { id: 'b', x: 0 },
      ],
    })
    const { added, removed } = live.become({
      one: [
        { id: 'a', x: 2, y: 1 },
        { id: 'b', x: 1 },
        { id: 'c', x: 2 },
      ],
    })
    expect([added, removed]).toEqual([[], []])
  })
})
