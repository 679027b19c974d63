/** Secondary indexes change no row: whatever was written, negated or voided, in any context, at any moment, at any lag. */

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import type { Pointer, Value } from '../../src/delta/delta.ts'
import { deltaIdOf } from '../../src/delta/identifiers.ts'
import { frontierText } from '../../src/log/frontier-text.ts'
import { Freshness } from '../../src/node/freshness.ts'
import type { Indexing } from '../../src/node/indexes.ts'
import { localContexts } from '../../src/node/local-contexts.ts'
import { Queries } from '../../src/node/queries.ts'
import { Views } from '../../src/node/views.ts'
import type { QueryJson } from '../../src/query/algebra.ts'
import type { Explanation } from '../../src/query/run.ts'
import { openMemoryStore } from '../../src/store/memory.ts'
import { openStore } from '../../src/store/sqlite.ts'
import type { Store } from '../../src/store/store.ts'
import { fromTrustedFirst, SHIPPED_RESOLVERS } from '../../src/view/resolvers/shipped.ts'
import { claim, logId, NAMESPACE, NAMESPACE_NAME, negation, signer, TestLog } from '../support/blocks.ts'
import { makeDirectory } from '../support/directory.ts'
import { codeOf } from '../support/expect.ts'
import { queries as madeQueries, rulesOver } from '../query/queries.ts'

const closing: AbortController[] = []
const stores: Store[] = []
afterEach(async () => {
  for (const one of closing.splice(0)) one.abort()
  for (const one of stores.splice(0)) await one.close()
})

interface Asked {
  readonly views: Views
  readonly queries: Queries
}

function askerOf(store: Store, indexing?: Indexing): Asked {
  const closer = new AbortController()
  closing.push(closer)
  const freshness = new Freshness(store, NAMESPACE)
  const views = new Views({ store, namespace: NAMESPACE, name: NAMESPACE_NAME, contexts: localContexts(), freshness })
  const options = { store, namespace: NAMESPACE, views, closing: closer.signal }
  return { views, queries: new Queries({ ...options, ...(indexing && { indexing }) }) }
}

function opened(store: Store): Store {
  stores.push(store)
  store.openNamespace(NAMESPACE, NAMESPACE_NAME)
  return store
}

const schema = (collection: string, indexes: readonly string[], version = 1) =>
  claim('schema', `${collection}${version}`, 'definition', {
    collection,
    version,
    schema: true,
    indexes: [...indexes],
    semantics: 1,
  })

const resolver = (collection: string, property: string, rule: Value) =>
  claim('resolver', `${collection}-${property}`, 'definition', { collection, property, rule, semantics: 1 })

const stepsOf = ({ does, of }: Explanation): readonly string[] => [does, ...of.flatMap(stepsOf)]

// --------------------------------------------------------------------------------------------------- random histories

const LOGS = 3
const scalars: fc.Arbitrary<Value> = fc.constantFrom<Value[]>(null, true, 0, 1, 2, -1, '1', 'a', 'two/a', ['a'], {
  a: 1,
})
const ids = fc.constantFrom('a', 'b', 'c', 'd')
const rules = fc.constantFrom<Value[]>(...Object.values(SHIPPED_RESOLVERS), fromTrustedFirst([signer(1).id]), {
  cat: ['x', { length: { var: 'candidates' } }],
})

type Said =
  | { readonly kind: 'claim'; readonly pointers: readonly Pointer[] }
  | { readonly kind: 'negation'; readonly back: number }

const said: fc.Arbitrary<Said> = fc.oneof(
  {
    arbitrary: fc
      .tuple(fc.constantFrom('one', 'two'), ids, fc.constantFrom('x', 'y', 'z'), scalars)
      .map(([collection, id, property, value]) => ({
        kind: 'claim' as const,
        pointers: claim(collection, id, property, value),
      })),
    weight: 10,
  },
  {
    arbitrary: fc.tuple(ids, ids, scalars).map(([from, to, weight]) => ({
      kind: 'claim' as const,
      pointers: [
        { localContext: 'from', target: `one/${from}`, targetContext: 'x' },
        { localContext: 'to', target: `two/${to}`, targetContext: 'y' },
        ...(weight === null ? [] : [{ localContext: 'weight', target: weight }]),
      ],
    })),
    weight: 2,
  },
  { arbitrary: fc.nat(8).map((back) => ({ kind: 'negation' as const, back })), weight: 3 },
  {
    arbitrary: fc
      .tuple(fc.constantFrom('one', 'two'), fc.constantFrom('x', 'y'), rules)
      .map(([collection, property, rule]) => ({
        kind: 'claim' as const,
        pointers: resolver(collection, property, rule),
      })),
    weight: 2,
  },
  {
    arbitrary: fc
      .tuple(fc.constantFrom('one', 'two'), fc.subarray(['x', 'y', 'z']), fc.constantFrom(1, 2))
      .map(([collection, indexes, version]) => ({
        kind: 'claim' as const,
        pointers: schema(collection, indexes, version),
      })),
    weight: 1,
  },
)

type Step =
  | { readonly kind: 'block'; readonly log: number; readonly said: readonly Said[] }
  | { readonly kind: 'fork'; readonly log: number; readonly back: number }
  | { readonly kind: 'remember' | 'compare' }

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
    { arbitrary: fc.record({ kind: fc.constant('fork' as const), log: fc.nat(LOGS - 1), back: fc.nat(2) }), weight: 1 },
    { arbitrary: fc.constantFrom<Step[]>({ kind: 'remember' }, { kind: 'compare' }), weight: 3 },
  ),
  { maxLength: 16 },
)

class History {
  readonly store = opened(openMemoryStore())
  readonly #logs = Array.from(
    { length: LOGS },
    (_, index) => new TestLog({ signer: signer(index), logId: logId(index) }),
  )
  readonly #deltas: string[] = []
  #forks = 0

  constructor() {
    const trusting = {
      filter: { in: [{ var: 'creator' }, [signer(0).id, signer(1).id]] },
      negations: { creators: [signer(0).id] },
      resolvers: [{ collection: 'one', property: 'x', rule: SHIPPED_RESOLVERS.count }],
      semantics: 1,
    }
    this.write(0, [
      { kind: 'claim', pointers: claim('context', 'c', 'definition', trusting) },
      { kind: 'claim', pointers: schema('one', ['x', 'y'], 3) },
      { kind: 'claim', pointers: schema('two', ['x'], 3) },
    ])
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

  fork(index: number, back: number): void {
    const log = this.#logs[index]
    const from = (log?.blocks.length ?? 0) - 1 - back
    if (log === undefined || from < 1) return
    const twin = log.fork(from)
    twin.append([claim('one', 'd', 'x', 'forked')])
    expect(this.store.commit({ blocks: [twin.blocks.at(-1)] } as never)).toMatchObject({ kind: 'forked' })
    this.#logs[index] = new TestLog({ signer: log.signer, logId: logId(10 + ++this.#forks) })
  }
}

const columns = ['id', 'x', 'y', 'z']
const selections = fc
  .tuple(fc.constantFrom('one', 'two'), rulesOver({ json: {}, columns: ['x', 'y'] }))
  .map(([collection, where]) => ({ select: { collection, columns }, where }))
const joins = fc
  .tuple(fc.constantFrom('inner', 'left', 'semi', 'anti'), fc.constantFrom('b.x', 'b.y', 'b.id', 'b.self'))
  .map(([kind, right]) => ({
    join: [
      { collection: 'one', as: 'a' },
      { collection: 'two', as: 'b', entity: 'self' },
    ],
    on: [['a.x', right]],
    kind,
  }))
const asked = fc.oneof(
  selections,
  joins,
  madeQueries(2).map(({ json }) => json),
) as fc.Arbitrary<QueryJson>
const indexings = fc.record({
  slice: fc.record({ countMax: fc.integer({ min: 1, max: 4 }), bytesMax: fc.constantFrom(1, 65_536) }),
  slicesPerQuery: fc.integer({ min: 1, max: 4 }),
})

describe('an index', () => {
  it('changes no row of any query, after any history, in any context, at any moment, however far it is behind', () => {
    let used = 0
    fc.assert(
      fc.property(asked, steps, indexings, (json, history, indexing) => {
        const world = new History()
        const { views, queries } = askerOf(world.store, indexing)
        const moments: string[] = []
        const compare = (): void => {
          for (const context of [false, 'c'] as const) {
            for (const asOf of [undefined, ...moments]) {
              const options = { context, ...(asOf !== undefined && { asOf }) }
              used += stepsOf(queries.explain(json, options)).filter((step) => step.includes('index')).length
              expect(queries.query(json, options)).toEqual(views.query(json, options))
            }
          }
        }
        for (const step of history) {
          if (step.kind === 'block') world.write(step.log, step.said)
          else if (step.kind === 'fork') world.fork(step.log, step.back)
          else if (step.kind === 'compare') compare()
          else moments.splice(0, moments.length, frontierText(world.store.frontier(NAMESPACE)))
        }
        // Moments that a fork has cut are no longer held whole: they are not asked for.
        if (history.some(({ kind }) => kind === 'fork')) moments.length = 0
        compare()
        compare()
      }),
      { numRuns: 600, endOnFailure: true },
    )
    expect(used).toBeGreaterThan(100)
  }, 120_000)
})

// ------------------------------------------------------------------------------------------------------ one by one

const byCity = (city: Value) =>
  ({ select: { collection: 'user' }, where: { '===': [{ var: 'city' }, city] } }) as QueryJson
const BY_INDEX = 'look up user by the index of city, keep rows that pass the rule'
const BY_SCAN = 'keep rows that pass the rule'

describe('a declared index', () => {
  const commit = (store: Store, log: TestLog, ...deltas: readonly (readonly Pointer[])[]) =>
    void store.commit(log.write(deltas))
  const plan = ({ queries }: Asked, options = {}) => stepsOf(queries.explain(byCity('Bonn'), options))[1]
  const cities = (count: number) =>
    Array.from({ length: count }, (_, index) => claim('user', `${index}`, 'city', index % 7))

  it('is used from the next query on, and no more when nobody declares it', () => {
    const [store, log] = [opened(openMemoryStore()), new TestLog()]
    const asker = askerOf(store)
    commit(store, log, claim('user', 'bob', 'city', 'Bonn'))
    expect(plan(asker)).toBe(BY_SCAN)
    commit(store, log, schema('user', ['city']))
    expect(plan(asker)).toBe(BY_INDEX)
    expect(asker.queries.query(byCity('Bonn'), {}).rows).toMatchObject([{ id: 'bob' }])
    commit(store, log, schema('user', []))
    expect(plan(asker)).toBe(BY_SCAN)
  })

  it('finds references by the id of the entity that they point at', () => {
    const [store, log] = [opened(openMemoryStore()), new TestLog()]
    const asker = askerOf(store)
    commit(store, log, schema('user', ['city']))
    commit(store, log, [
      { localContext: 'user', target: 'user/bob', targetContext: 'city' },
      { localContext: 'city', target: 'city/bonn', targetContext: 'inhabitants' },
    ])
    expect(asker.queries.query(byCity('city/bonn'), {}).rows).toMatchObject([{ id: 'bob', city: 'city/bonn' }])
  })

  it.each([
    ['latest', BY_INDEX],
    ['first', BY_INDEX],
    ['majority', BY_INDEX],
    ['max', BY_INDEX],
    ['min', BY_INDEX],
    ['sum', BY_SCAN],
    ['average', BY_SCAN],
    ['count', BY_SCAN],
    ['set', BY_SCAN],
    ['all', BY_SCAN],
    ['concatenate', BY_SCAN],
  ] as const)('is used where the resolver is %s, if that selects', (name, way) => {
    const [store, log] = [opened(openMemoryStore()), new TestLog()]
    const asker = askerOf(store)
    commit(store, log, schema('user', ['city']), resolver('user', 'city', SHIPPED_RESOLVERS[name]))
    expect(plan(asker)).toBe(way)
  })

  it.each([
    ['trusted creators', fromTrustedFirst([signer(1).id, signer(2).id]), BY_INDEX],
    ['nobody in particular', fromTrustedFirst([]), BY_INDEX],
    ['a rule of its own', { var: 'candidates.1.value' }, BY_SCAN],
    ['what looks like trust', { if: [{ filter: [1, { '===': [2, 'x'] }] }, 'computed', 1] }, BY_SCAN],
  ])('is used where %s decide, if they select', (_, rule, way) => {
    const [store, log] = [opened(openMemoryStore()), new TestLog()]
    const asker = askerOf(store)
    commit(store, log, schema('user', ['city']), resolver('user', 'city', rule))
    expect(plan(asker)).toBe(way)
  })

  it('is not used in a context whose own resolver computes', () => {
    const [store, log] = [opened(openMemoryStore()), new TestLog()]
    const asker = askerOf(store)
    const counting = {
      resolvers: [{ collection: 'user', property: 'city', rule: SHIPPED_RESOLVERS.count }],
      semantics: 1,
    }
    commit(store, log, schema('user', ['city']), claim('context', 'counting', 'definition', counting))
    expect(plan(asker)).toBe(BY_INDEX)
    expect(plan(asker, { context: 'counting' })).toBe(BY_SCAN)
  })

  it('that is far behind is built while nobody waits, and used then', async () => {
    const [store, log] = [opened(openMemoryStore()), new TestLog()]
    const asker = askerOf(store, { slice: { countMax: 2, bytesMax: 65_536 }, slicesPerQuery: 1 })
    commit(store, log, schema('user', ['city']))
    for (const one of cities(50)) commit(store, log, one)
    expect(plan(asker)).toBe(BY_SCAN)
    expect(asker.queries.query(byCity(3), {}).rows).toHaveLength(7)
    await expect.poll(() => plan(asker)).toBe(BY_INDEX)
    expect(asker.queries.query(byCity(3), {}).rows).toHaveLength(7)
    for (const one of cities(50)) commit(store, log, one)
    expect(plan(asker)).toBe(BY_SCAN)
    await expect.poll(() => plan(asker)).toBe(BY_INDEX)
  })

  it('that is far behind can be waited for', async () => {
    const [store, log] = [opened(openMemoryStore()), new TestLog()]
    const asker = askerOf(store, { slice: { countMax: 2, bytesMax: 65_536 }, slicesPerQuery: 1 })
    commit(store, log, schema('user', ['city']))
    for (const one of cities(50)) commit(store, log, one)
    await asker.queries.settleIndexes(AbortSignal.abort())
    expect(plan(asker)).toBe(BY_SCAN)
    await asker.queries.settleIndexes(new AbortController().signal)
    expect(plan(asker)).toBe(BY_INDEX)
  })

  it('is there again in the next life of a store, and its table goes when nobody declares it', async () => {
    const directory = makeDirectory()
    const log = new TestLog()
    const first = opened(await openStore(directory))
    commit(first, log, schema('user', ['city']), ...cities(20))
    expect(plan(askerOf(first))).toBe(BY_INDEX)
    closing.splice(0).forEach((one) => one.abort())
    await first.close()
    const second = opened(await openStore(directory))
    expect(second.derived.tables()).toHaveLength(1)
    const asker = askerOf(second)
    expect(asker.queries.query(byCity(3), {}).rows).toHaveLength(3)
    commit(second, log, schema('user', ['name']))
    expect(plan(asker)).toBe(BY_SCAN)
    await expect.poll(() => second.derived.tables()).toEqual([expect.stringContaining('user/name')])
  })

  it('that the disk cannot keep is done without', async () => {
    const directory = makeDirectory()
    mkdirSync(join(directory, 'derived.db'))
    const [store, log] = [opened(await openStore(directory)), new TestLog()]
    const asker = askerOf(store)
    commit(store, log, schema('user', ['city']), ...cities(20))
    expect(codeOf(() => store.derived.tables())).toBe('RZ_STORE_UNWRITABLE')
    await asker.queries.settleIndexes(new AbortController().signal)
    expect(plan(asker)).toBe(BY_SCAN)
    expect(asker.queries.query(byCity(3), {}).rows).toHaveLength(3)
  })
})
