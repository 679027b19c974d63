/** Whatever happens to a store, a watched query has the rows of the query run anew. */

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Pointer, Value } from '../../src/delta/delta.ts'
import { deltaIdOf } from '../../src/delta/identifiers.ts'
import { Freshness } from '../../src/node/freshness.ts'
import { localContexts } from '../../src/node/local-contexts.ts'
import { Views } from '../../src/node/views.ts'
import { Following } from '../../src/node/watch-query.ts'
import { LiveQuery } from '../../src/query/live/live-query.ts'
import { compareValues } from '../../src/query/order.ts'
import type { Row } from '../../src/query/row.ts'
import { openMemoryStore } from '../../src/store/memory.ts'
import { SHIPPED_RESOLVERS } from '../../src/view/resolvers/shipped.ts'
import { claim, logId, NAMESPACE, NAMESPACE_NAME, negation, signer, TestLog } from '../support/blocks.ts'
import { Mirror } from '../query/live/live-list.ts'
import { type Made, queries } from '../query/queries.ts'

const LOGS = 3
const names = fc.constantFrom('one', 'two')
const ids = fc.constantFrom('a', 'b', 'c', 'd')
const values = fc.constantFrom<Value[]>(null, 0, 1, 2, '1', 'a', 'b', ['a', 'b'], 0.1)
const properties = fc.constantFrom('x', 'y', 'z')

/** What a block's delta says. Negations are of the delta so many before. */
type Said =
  | { readonly kind: 'claim'; readonly pointers: readonly Pointer[] }
  | { readonly kind: 'negation'; readonly back: number }

const said: fc.Arbitrary<Said> = fc.oneof(
  {
    arbitrary: fc
      .tuple(names, ids, properties, values)
      .map(([name, id, property, value]) => ({ kind: 'claim' as const, pointers: claim(name, id, property, value) })),
    weight: 5,
  },
  {
    arbitrary: fc.tuple(ids, ids, fc.option(values)).map(([from, to, weight]) => ({
      kind: 'claim' as const,
      pointers: [
        { localContext: 'from', target: `one/${from}`, targetContext: 'to' },
        { localContext: 'to', target: `two/${to}`, targetContext: 'from' },
        ...(weight === null ? [] : [{ localContext: 'weight', target: weight }]),
      ],
    })),
    weight: 3,
  },
  { arbitrary: fc.nat({ max: 9 }).map((back) => ({ kind: 'negation' as const, back })), weight: 4 },
  // Of two transactions of the older kind: their deltas, and how many they are to be.
  {
    arbitrary: fc
      .tuple(fc.constantFrom('t', 'u'), names, ids, properties, values)
      .map(([transaction, name, id, property, value]) => ({
        kind: 'claim' as const,
        pointers: [
          { localContext: '_transaction', target: transaction, targetContext: 'deltas' },
          ...claim(name, id, property, value),
        ],
      })),
    weight: 3,
  },
  {
    arbitrary: fc.tuple(fc.constantFrom('t', 'u'), fc.integer({ min: 1, max: 4 })).map(([transaction, size]) => ({
      kind: 'claim' as const,
      pointers: [
        { localContext: '_transaction', target: transaction, targetContext: 'size' },
        { localContext: 'size', target: size },
      ],
    })),
    weight: 2,
  },
  {
    arbitrary: fc
      .tuple(names, properties, fc.constantFrom('sum', 'first', 'count', 'max'))
      .map(([collection, property, rule]) => ({
        kind: 'claim' as const,
        pointers: claim('resolver', `${collection}-${property}`, 'definition', {
          collection,
          property,
          rule: SHIPPED_RESOLVERS[rule],
          semantics: 1,
        }),
      })),
    weight: 2,
  },
  {
    arbitrary: fc.constantFrom<Value[]>('everyone', 'author', { creators: [signer(0).id] }).map((negations) => ({
      kind: 'claim' as const,
      pointers: claim('context', 'c', 'definition', {
        negations,
        filter: { in: [{ var: 'creator' }, [signer(0).id, signer(1).id]] },
        semantics: 1,
      }),
    })),
    weight: 1,
  },
)

type Step =
  | { readonly kind: 'block'; readonly log: number; readonly said: readonly Said[] }
  | { readonly kind: 'fork'; readonly log: number; readonly back: number }
  /** The query is given its turn: a slice, or as many as it takes until it can be compared. */
  | { readonly kind: 'slice' | 'compare' }

const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    {
      arbitrary: fc.record({
        kind: fc.constant('block' as const),
        log: fc.nat(LOGS - 1),
        said: fc.array(said, { minLength: 1, maxLength: 5 }),
      }),
      weight: 6,
    },
    {
      arbitrary: fc.record({ kind: fc.constant('fork' as const), log: fc.nat(LOGS - 1), back: fc.nat(2) }),
      weight: 1,
    },
    { arbitrary: fc.constantFrom<Step[]>({ kind: 'slice' }, { kind: 'compare' }), weight: 4 },
  ),
  { maxLength: 24 },
)

const pointerQueries: fc.Arbitrary<Made> = fc
  .constantFrom(
    { from: { in: 'one' }, to: {} },
    { from: {}, to: { entity: 'two/a' }, weight: { optional: true } },
    { from: {}, weight: {} },
    { one: {}, x: {} },
  )
  .map((pointers) => ({ json: { pointers }, columns: ['id', ...Object.keys(pointers)] }))

const graphs: fc.Arbitrary<Made> = fc.constantFrom(
  {
    json: { closure: { pointers: { from: {}, to: {} } }, from: 'from', to: 'to', depth: 'steps' },
    columns: ['from', 'to', 'steps'],
  },
  {
    json: {
      join: [{ pointers: { from: {}, to: {} } }, { collection: 'two', entity: 'self', columns: ['self', 'x'] }],
      on: [['to', 'self']],
      kind: 'left',
    },
    columns: ['id', 'from', 'to', 'self', 'x'],
  },
  {
    json: {
      group: { collection: 'one', columns: ['x', 'y', 'id'] },
      by: ['x'],
      aggregates: { n: { count: true }, sum: { sum: 'y' }, all: { collect: 'y' }, least: { min: 'y' } },
    },
    columns: ['x', 'n', 'sum', 'all', 'least'],
  },
)

class Logs {
  readonly store = openMemoryStore()
  readonly #logs = Array.from(
    { length: LOGS },
    (_, index) => new TestLog({ signer: signer(index), logId: logId(index), startMs: Date.UTC(2026, 0, 1) + index }),
  )
  readonly #deltas: string[] = []
  #forks = 0

  constructor() {
    this.store.openNamespace(NAMESPACE, NAMESPACE_NAME)
    this.write(0, [{ kind: 'claim', pointers: claim('context', 'c', 'definition', { semantics: 1 }) }])
    // That one is not negated: where the context is gone, so is the question.
    this.#deltas.length = 0
  }

  write(index: number, all: readonly Said[]): void {
    const log = this.#logs[index]
    const pointers = all.flatMap((one) => {
      if (one.kind === 'claim') return [one.pointers]
      const target = this.#deltas.at(-1 - one.back)
      return target === undefined ? [] : [negation(target as Parameters<typeof negation>[0])]
    })
    if (log === undefined || pointers.length === 0) return
    const block = log.append(pointers)
    this.store.commit({ blocks: [block] })
    for (const position of pointers.keys()) this.#deltas.push(deltaIdOf(block.hash, position))
  }

  /** The log is void from some blocks back on, and its creator begins another. */
  fork(index: number, back: number): void {
    const log = this.#logs[index]
    // The first block of the first log holds the context that is watched in.
    const from = (log?.blocks.length ?? 0) - 1 - back
    if (log === undefined || from < 1) return
    const twin = log.fork(from)
    twin.append([claim('one', 'd', 'x', 'forked')])
    expect(this.store.commit({ blocks: [twin.blocks.at(-1)] } as never)).toMatchObject({ kind: 'forked' })
    this.#logs[index] = new TestLog({ signer: log.signer, logId: logId(10 + ++this.#forks) })
  }
}

const setOf = (rows: readonly Row[]): readonly Row[] => [...rows].map((row) => ({ ...row })).sort(compareValues)

describe('a watched query', () => {
  it('has the rows of the query run anew after any history of claims, negations, rules, contexts and forks', () => {
    fc.assert(
      fc.property(
        fc.oneof(queries(2), pointerQueries, graphs),
        steps,
        fc.constantFrom('c', false as const),
        fc.integer({ min: 1, max: 5 }),
        ({ json }, history, context, sliceRows) => {
          const logs = new Logs()
          const { store } = logs
          const freshness = new Freshness(store, NAMESPACE)
          const views = new Views({
            store,
            namespace: NAMESPACE,
            name: NAMESPACE_NAME,
            contexts: localContexts(),
            freshness,
          })
          const live = new LiveQuery(json)
          const rules = { namespace: NAMESPACE, views }
          const following = new Following({ store, namespace: NAMESPACE, views, rules, live, context }, { sliceRows })
          const mirror = new Mirror()
          const compare = (): void => {
            while (!following.catchUp()) continue
            mirror.apply(live.changed(following.run()))
            expect(setOf(mirror.rows())).toEqual(setOf(views.query(json, { context }).rows))
          }
          for (const step of history) {
            if (step.kind === 'block') logs.write(step.log, step.said)
            else if (step.kind === 'fork') logs.fork(step.log, step.back)
            else if (step.kind === 'compare') compare()
            else following.catchUp()
          }
          compare()
        },
      ),
      { numRuns: 1_500, endOnFailure: true },
    )
  }, 240_000)
})
