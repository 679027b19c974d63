/** Views that are kept are what reading anew gives: whatever is written, negated, ruled, delayed or voided between two reads. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type DeltaId, negationPointers, type Pointer, type Value } from '../../src/delta/delta.ts'
import { RhizomeError } from '../../src/errors.ts'
import { Freshness } from '../../src/node/freshness.ts'
import { localContexts } from '../../src/node/local-contexts.ts'
import { Views } from '../../src/node/views.ts'
import { openMemoryStore } from '../../src/store/memory.ts'
import type { Run } from '../../src/log/block.ts'
import type { Store } from '../../src/store/store.ts'
import { SHIPPED_RESOLVERS } from '../../src/view/resolvers/shipped.ts'
import { claim, logId, NAMESPACE, NAMESPACE_NAME, runOf, signer, TestLog } from '../support/blocks.ts'

function openWith(): Store {
  const store = openMemoryStore()
  store.openNamespace(NAMESPACE, NAMESPACE_NAME)
  return store
}

function viewsOf(store: Store, cache = {}): Views {
  const freshness = new Freshness(store, NAMESPACE)
  return new Views({ store, namespace: NAMESPACE, name: NAMESPACE_NAME, contexts: localContexts(), freshness, cache })
}

const newReader = (store: Store) => viewsOf(store, { bytesMax: 0 })

const ENTITIES = ['user/a', 'user/b', 'user/none', 'other/a', 'resolver/one', 'free']
const CONTEXTS = [false, 'c', 'd'] as const

/** All that can be read, each in every context, twice: what the second reading gives may be kept by the first. */
function told(views: Views): unknown {
  return CONTEXTS.map((context) => [
    ...[...ENTITIES, ...ENTITIES].map((entity) => outcomeOf(() => views.view(entity, entity, { context }))),
    outcomeOf(() => views.query({ collection: 'user' }, { context }).rows),
  ])
}

function outcomeOf(read: () => unknown): unknown {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof RhizomeError)) throw error
    return error.code
  }
}

const rules = fc.constantFrom<Value[]>(
  SHIPPED_RESOLVERS.all,
  SHIPPED_RESOLVERS.first,
  { property: ['q', 0] },
  { cat: [{ property: ['p', ''] }, { length: { var: 'candidates' } }] },
  { var: 'candidates.0' },
)

const logs = fc.nat({ max: 2 })
const steps = fc.array(
  fc.oneof(
    {
      arbitrary: fc.record({
        kind: fc.constant('claim' as const),
        log: logs,
        entity: fc.constantFrom<[string, string][]>(['user', 'a'], ['user', 'a'], ['user', 'b'], ['other', 'a']),
        property: fc.constantFrom('p', 'q', '__proto__'),
        value: fc.constantFrom<Value[]>(1, 'x', null, Uint8Array.of(1, 2), [{ x: Uint8Array.of(3) }]),
      }),
      weight: 5,
    },
    {
      arbitrary: fc.record({ kind: fc.constant('negation' as const), log: logs, back: fc.nat({ max: 6 }) }),
      weight: 6,
    },
    {
      arbitrary: fc.record({
        kind: fc.constant('resolver' as const),
        log: logs,
        id: fc.constantFrom('one', 'two'),
        collection: fc.constantFrom('user', 'user', 'other'),
        property: fc.constantFrom('p', 'q'),
        rule: rules,
      }),
      weight: 2,
    },
    {
      arbitrary: fc.record({
        kind: fc.constant('context' as const),
        log: logs,
        id: fc.constantFrom('c', 'd'),
        definition: fc.record(
          {
            negations: fc.constantFrom<Value[]>('author', { creators: [signer(1).id] }),
            filter: fc.constantFrom<Value[]>(
              { '===': [{ var: 'creator' }, signer(1).id] },
              // Fails on deltas of the second signer: they are not seen, and told.
              { if: [{ '===': [{ var: 'creator' }, signer(2).id] }, { map: [{ var: 'pointers' }, endless()] }, true] },
            ),
            resolvers: rules.map((rule): Value => [{ collection: 'user', property: 'p', rule }]),
            semantics: fc.constant(1),
          },
          { requiredKeys: ['semantics'] },
        ),
      }),
      weight: 2,
    },
    {
      arbitrary: fc.record({
        kind: fc.constant('part' as const),
        log: logs,
        entity: fc.constantFrom('a', 'b'),
        value: fc.nat({ max: 3 }),
      }),
      weight: 2,
    },
    {
      arbitrary: fc.record({ kind: fc.constant('size' as const), log: logs, size: fc.constantFrom(2, 3) }),
      weight: 1,
    },
    // Two deltas in a block, the second of which negates the first; nobody has it before it is delivered.
    { arbitrary: fc.record({ kind: fc.constant('delayed' as const), entity: fc.constantFrom('a', 'b') }), weight: 2 },
    { arbitrary: fc.constant({ kind: 'delivery' as const }), weight: 1 },
    { arbitrary: fc.record({ kind: fc.constant('fork' as const), log: logs, back: fc.nat({ max: 3 }) }), weight: 1 },
  ),
  { minLength: 4, maxLength: 24 },
)

/** More than a filter has gas for. */
function endless(): Value {
  const list = Array.from({ length: 40 }, () => 1)
  return { all: [list, { all: [list, { all: [list, true] }] }] }
}

type Step = typeof steps extends fc.Arbitrary<(infer Each)[]> ? Each : never

/** Three logs of two creators, and one of which blocks come late. */
class World {
  readonly #store: Store
  readonly #logs = [1, 2, 3].map(
    (number) => new TestLog({ signer: signer(number === 3 ? 1 : number), logId: logId(number) }),
  )
  readonly #late = new TestLog({ signer: signer(4), logId: logId(4) })
  #delivered = 0
  #nextLog = 5
  readonly #written: DeltaId[] = []

  constructor(store: Store) {
    this.#store = store
  }

  do(step: Step): void {
    switch (step.kind) {
      case 'claim':
        return this.#write(step.log, propertyClaim(...step.entity, step.property, step.value))
      case 'negation': {
        const target = this.#written.at(-1 - step.back)
        return target === undefined ? undefined : this.#write(step.log, negationPointers(target))
      }
      case 'resolver': {
        const { collection, property, rule, id, log } = step
        return this.#write(log, claim('resolver', id, 'definition', { collection, property, rule, semantics: 1 }))
      }
      case 'context':
        return this.#write(step.log, claim('context', step.id, 'definition', step.definition))
      case 'part': {
        const belongs = { localContext: '_transaction', target: 'transaction', targetContext: 'deltas' }
        return this.#write(step.log, [...claim('user', step.entity, 'p', step.value), belongs])
      }
      case 'size': {
        const declares = { localContext: '_transaction', target: 'transaction', targetContext: 'size' }
        return this.#write(step.log, [declares, { localContext: 'size', target: step.size }])
      }
      case 'delayed': {
        const { hash } = this.#late.append([
          claim('user', step.entity, 'p', 'late'),
          negationPointers('./0' as DeltaId),
        ])
        this.#written.push(`${hash}/1` as DeltaId, `${hash}/0` as DeltaId)
        return
      }
      case 'delivery':
        if (this.#delivered < this.#late.blocks.length) this.#commit(this.#late.run(this.#delivered))
        this.#delivered = this.#late.blocks.length
        return
      case 'fork':
        return this.#fork(step.log, step.back)
    }
  }

  #write(log: number, pointers: readonly Pointer[]): void {
    const block = (this.#logs[log] as TestLog).append([pointers])
    this.#commit(runOf(block))
    this.#written.push(`${block.hash}/0` as DeltaId)
  }

  #commit(run: Run): void {
    expect(this.#store.commit(run).kind).toBe('committed')
  }

  /** Voids the last blocks of a log; its creator goes on in a new one. */
  #fork(log: number, back: number): void {
    const voided = this.#logs[log] as TestLog
    if (voided.blocks.length <= back) return
    const twin = voided.fork(voided.blocks.length - 1 - back)
    expect(this.#store.commit(twin.write([claim('user', 'a', 'p', 'twin')])).kind).toBe('forked')
    this.#logs[log] = new TestLog({ signer: voided.signer, logId: logId(this.#nextLog++) })
  }
}

/** As `claim`, for any name of a property. */
function propertyClaim(collection: string, id: string, property: string, value: Value): readonly Pointer[] {
  return [
    { localContext: collection, target: `${collection}/${id}`, targetContext: property },
    { localContext: property, target: value },
  ]
}

describe('what is kept of views', () => {
  it('equals what a new reader finds after every step, in every context, one by one and by queries', () => {
    fc.assert(
      fc.property(steps, fc.infiniteStream(fc.boolean()), (all, reads) => {
        const store = openWith()
        const kept = viewsOf(store)
        const world = new World(store)
        for (const step of all) {
          world.do(step)
          if (reads.next().value === true) expect(told(kept)).toStrictEqual(told(newReader(store)))
        }
        expect(told(kept)).toStrictEqual(told(newReader(store)))
      }),
      { numRuns: 100 },
    )
  })

  it('is found old however much was committed between two reads', () => {
    const store = openWith()
    const kept = viewsOf(store)
    const log = new TestLog()
    store.commit(log.write([claim('user', 'a', 'n', 1)]))
    expect(kept.view('user/a', 'a', {})?.properties).toEqual({ n: 1 })
    store.commit(log.write([claim('user', 'a', 'n', 2)]))
    for (let count = 0; count < 1_100; count++) log.append()
    store.commit(log.run(2, 1_000))
    store.commit(log.run(1_000))
    expect(kept.view('user/a', 'a', {})?.properties).toEqual({ n: 2 })
  })

  it('is found old after a block so large that nobody looks through it', () => {
    const store = openWith()
    const kept = viewsOf(store)
    const log = new TestLog()
    store.commit(log.write([claim('user', 'a', 'n', 1)]))
    expect(kept.view('user/a', 'a', {})?.properties).toEqual({ n: 1 })
    const large = () => claim('user', 'b', 'n', 'x'.repeat(500_000))
    store.commit(log.write([large(), large()]))
    store.commit(log.write([large(), claim('user', 'a', 'n', 2)]))
    expect(kept.view('user/a', 'a', {})?.properties).toEqual({ n: 2 })
  })

  it('is not changed by whoever was handed it', () => {
    const store = openWith()
    const views = viewsOf(store)
    store.commit(
      new TestLog().write([claim('user', 'a', 'n', [{ list: [1] }]), claim('user', 'a', 'b', [Uint8Array.of(1)])]),
    )
    const shown = () => views.view('user/a', 'a', {})?.properties ?? {}
    const first = shown() as { n: [{ list: number[] }]; b: [Uint8Array] }
    const { n, b } = first
    expect(() => n[0].list.push(2)).toThrow(TypeError)
    expect(() => Object.assign(first, { more: 1 })).toThrow(TypeError)
    b[0][0] = 9
    const second = shown()
    expect(second).toEqual({ n: [{ list: [1] }], b: [Uint8Array.of(1)] })
    ;(second['b'] as [Uint8Array])[0][0] = 9
    expect(views.query({ collection: 'user' }, {}).rows).toEqual([
      { id: 'a', n: [{ list: [1] }], b: [Uint8Array.of(1)] },
    ])
  })
})
