/** The algebra against its naive twin, and the laws that relate its operators. */

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type NaiveCollections, naiveQuery } from '../naive/query.ts'
import { compareValues } from '../../src/query/order.ts'
import type { Row } from '../../src/query/row.ts'
import { allRows, type Collections } from './list-source.ts'
import { collections, type Made, queries, rulesOver, sameColumns } from './queries.ts'

/** Rows as plain objects in one order, so that sets can be compared. */
function setOf(rows: readonly Row[]): readonly Row[] {
  return [...rows].map((row) => ({ ...row })).sort(compareValues)
}

const answer = (json: unknown, data: Collections) => setOf(allRows(json, data))

function holds<Input>(arbitrary: fc.Arbitrary<Input>, check: (input: Input, data: Collections) => void): void {
  fc.assert(fc.property(arbitrary, collections, check), { numRuns: 300, endOnFailure: true })
}

const two = fc.tuple(queries(2), queries(2))
const three = fc.tuple(queries(1), queries(1), queries(1))
const withRules = queries(2).chain((made) => fc.tuple(fc.constant(made), rulesOver(made), rulesOver(made)))

/** The query with every column under a name of its own. */
function apart(letter: string, { json, columns }: Made): Made {
  const names = columns.map((_, index) => `${letter}${index}`)
  return {
    json: {
      project: json,
      columns: Object.fromEntries(columns.map((column, index) => [names[index] ?? '', { var: column }])),
    },
    columns: names,
  }
}

describe('a query', () => {
  it('has the rows that the naive evaluator finds, each once', () => {
    fc.assert(
      fc.property(queries(4), collections, ({ json, columns }, data) => {
        const rows = allRows(json, data)
        expect(setOf(rows)).toEqual(setOf(naiveQuery(json, data as NaiveCollections)))
        for (const row of rows) expect(Object.keys(row).sort()).toEqual([...columns].sort())
      }),
      { numRuns: 2_000, endOnFailure: true },
    )
  })

  it('has the same rows in the same order, however long its pages are', () => {
    fc.assert(
      fc.property(queries(3), collections, fc.integer({ min: 1, max: 4 }), ({ json }, data, count) => {
        expect(allRows(json, data, count)).toEqual(allRows(json, data))
      }),
      { numRuns: 1_000, endOnFailure: true },
    )
  })

  it('has the same rows in the same order, in whatever order its records are stored', () => {
    holds(queries(3), ({ json }, data) => {
      const reversed = Object.fromEntries(Object.entries(data).map(([name, records]) => [name, [...records].reverse()]))
      expect(allRows(json, reversed)).toEqual(allRows(json, data))
    })
  })
})

describe('laws:', () => {
  it('selecting by one rule and then by another is selecting by both, in either order', () => {
    holds(withRules, ([{ json }, a, b], data) => {
      const cascade = answer({ select: { select: json, where: a }, where: b }, data)
      expect(cascade).toEqual(answer({ select: { select: json, where: b }, where: a }, data))
      expect(cascade).toEqual(answer({ select: json, where: { and: [a, b] } }, data))
    })
  })

  it('a selection by columns of one side may be made before the join or after it', () => {
    holds(fc.tuple(withRules, queries(2)), ([[left, rule], right], data) => {
      const other = apart('w', right)
      const on = [[left.columns[0] ?? '', 'w0']]
      const after = { select: { join: [left.json, other.json], on }, where: rule }
      expect(answer(after, data)).toEqual(answer({ join: [{ select: left.json, where: rule }, other.json], on }, data))
    })
  })

  it('a selection may be made before a union, an intersection or a difference, or after', () => {
    holds(
      fc.tuple(withRules, queries(2), fc.constantFrom('union', 'intersect', 'minus')),
      ([[left, rule], made, kind], data) => {
        const right = sameColumns(left, made)
        const before = [left, right].map(({ json }) => ({ select: json, where: rule }))
        expect(answer({ select: { [kind]: [left.json, right.json] }, where: rule }, data)).toEqual(
          answer({ [kind]: before }, data),
        )
      },
    )
  })

  it('union and intersection commute, associate, and are idempotent', () => {
    holds(fc.tuple(three, fc.constantFrom('union', 'intersect')), ([[a, second, third], kind], data) => {
      const [b, c] = [sameColumns(a, second), sameColumns(a, third)]
      expect(answer({ [kind]: [a.json, b.json] }, data)).toEqual(answer({ [kind]: [b.json, a.json] }, data))
      expect(answer({ [kind]: [{ [kind]: [a.json, b.json] }, c.json] }, data)).toEqual(
        answer({ [kind]: [a.json, { [kind]: [b.json, c.json] }] }, data),
      )
      expect(answer({ [kind]: [a.json, a.json] }, data)).toEqual(answer(a.json, data))
    })
  })

  it('an intersection is what is left without the difference', () => {
    holds(two, ([a, second], data) => {
      const b = sameColumns(a, second)
      const without = { minus: [a.json, { minus: [a.json, b.json] }] }
      expect(answer({ intersect: [a.json, b.json] }, data)).toEqual(answer(without, data))
    })
  })

  it('a union falls into the difference and the other side', () => {
    holds(two, ([a, second], data) => {
      const b = sameColumns(a, second)
      const parts = { union: [{ minus: [a.json, b.json] }, b.json] }
      expect(answer({ union: [a.json, b.json] }, data)).toEqual(answer(parts, data))
    })
  })

  it('joins associate', () => {
    holds(three, ([a, second, third], data) => {
      const [b, c] = [apart('v', second), apart('w', third)]
      const [ab, bc] = [[[a.columns[0] ?? '', 'v0']], [['v0', 'w0']]]
      const leftFirst = { join: [{ join: [a.json, b.json], on: ab }, c.json], on: bc }
      expect(answer(leftFirst, data)).toEqual(
        answer({ join: [a.json, { join: [b.json, c.json], on: bc }], on: ab }, data),
      )
    })
  })

  it('joins commute', () => {
    holds(two, ([a, second], data) => {
      const b = apart('w', second)
      const [left, right] = [a.columns[0] ?? '', 'w0']
      const swapped = { join: [b.json, a.json], on: [[right, left]] }
      expect(answer({ join: [a.json, b.json], on: [[left, right]] }, data)).toEqual(answer(swapped, data))
    })
  })

  it('a semi join is the join without the other columns, and the anti join the rest', () => {
    holds(two, ([a, second], data) => {
      const b = apart('w', second)
      const on = [[a.columns[0] ?? '', 'w0']]
      const semi = { join: [a.json, b.json], on, kind: 'semi' }
      const columns = [...a.columns]
      expect(answer(semi, data)).toEqual(answer({ project: { join: [a.json, b.json], on }, columns }, data))
      const anti = { join: [a.json, b.json], on, kind: 'anti' }
      expect(answer(anti, data)).toEqual(answer({ minus: [a.json, semi] }, data))
    })
  })

  it('a left join is the join and, with nulls, the anti join', () => {
    holds(two, ([a, second], data) => {
      const b = apart('w', second)
      const on = [[a.columns[0] ?? '', 'w0']]
      const inner = { join: [a.json, b.json], on }
      const columns = Object.fromEntries([
        ...a.columns.map((column) => [column, { var: column }] as const),
        ...b.columns.map((column) => [column, null] as const),
      ])
      const rest = { project: { join: [a.json, b.json], on, kind: 'anti' }, columns }
      expect(answer({ ...inner, kind: 'left' }, data)).toEqual(answer({ union: [inner, rest] }, data))
    })
  })

  it('projecting twice is projecting to what is kept last', () => {
    holds(
      queries(2).chain((made) => fc.tuple(fc.constant(made), fc.subarray([...made.columns], { minLength: 1 }))),
      ([made, columns], data) => {
        const twice = { project: { project: made.json, columns: [...made.columns] }, columns }
        expect(answer(twice, data)).toEqual(answer({ project: made.json, columns }, data))
      },
    )
  })

  it('a closure of n steps is that of n − 1 and the pairs that one more join adds', () => {
    holds(fc.tuple(queries(2), fc.integer({ min: 2, max: 5 })), ([made, depthMax], data) => {
      const [from, to] = [made.columns[0] ?? '', made.columns.at(-1) ?? '']
      const pairs = { project: made.json, columns: { from: { var: from }, to: { var: to } } }
      const closure = (steps: number) => ({ closure: pairs, from: 'from', to: 'to', depthMax: steps })
      const further = { rename: pairs, columns: { from: 'middle', to: 'end' } }
      const joined = { join: [closure(depthMax - 1), further], on: [['to', 'middle']] }
      const longer = {
        select: { project: joined, columns: { from: { var: 'from' }, to: { var: 'end' } } },
        where: { '!': [{ '===': [{ var: 'to' }, null] }] },
      }
      expect(answer(closure(depthMax), data)).toEqual(answer({ union: [closure(depthMax - 1), longer] }, data))
    })
  })
})
