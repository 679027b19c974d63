/** Closures that follow their edges: beginnings that are not walked anew reach what they reached. */

import fc from 'fast-check'
import { expect, it } from 'vitest'
import { compareValues } from '../../../src/query/order.ts'
import type { Row } from '../../../src/query/row.ts'
import { allRows } from '../list-source.ts'
import { LiveList } from './live-list.ts'

const setOf = (rows: readonly Row[]): readonly Row[] => [...rows].map((row) => ({ ...row })).sort(compareValues)
const node = fc.nat(9)
const toggles = fc.array(fc.array(fc.tuple(node, node), { minLength: 1, maxLength: 4 }), { maxLength: 20 })

it('have, however many steps they take, the pairs of the closure run anew', () => {
  fc.assert(
    fc.property(
      toggles,
      fc.integer({ min: 1, max: 7 }),
      fc.boolean(),
      fc.option(fc.array(node, { maxLength: 3 })),
      (history, depthMax, isDeep, start) => {
        const edges = { collection: 'edge', columns: ['from', 'to'] }
        const query = {
          closure: edges,
          from: 'from',
          to: 'to',
          depthMax,
          ...(isDeep && { depth: 'steps' }),
          ...(start !== null && { start }),
        }
        const live = new LiveList(query)
        // A path to begin with, so that most edges lead somewhere.
        const there = new Map(
          Array.from({ length: 8 }, (_, from) => [`${from}-${from + 1}`, [from, from + 1] as const]),
        )
        for (const pairs of [[], ...history]) {
          for (const [from, to] of pairs) {
            const id = `${from}-${to}`
            if (!there.delete(id)) there.set(id, [from, to])
          }
          const state = { edge: [...there].map(([id, [from, to]]) => ({ id, from, to })) }
          live.become(state)
          expect(setOf(live.mirror.rows())).toEqual(setOf(allRows(query, state)))
        }
      },
    ),
    { numRuns: 1_000, endOnFailure: true },
  )
}, 60_000)
