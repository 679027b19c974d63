/** What is kept of definitions is what reading them anew gives: whatever is written, negated or voided between two reads. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type DeltaId, negationPointers, type Pointer, type Value } from '../../src/delta/delta.ts'
import { frontierText } from '../../src/log/frontier-text.ts'
import { type Definitions, DefinitionRecords, faultsOf } from '../../src/node/definitions.ts'
import { Freshness } from '../../src/node/freshness.ts'
import { localContexts } from '../../src/node/local-contexts.ts'
import { momentOf } from '../../src/node/moment.ts'
import { Views } from '../../src/node/views.ts'
import { watch } from '../../src/node/watch.ts'
import { openMemoryStore } from '../../src/store/memory.ts'
import type { Position, Store } from '../../src/store/store.ts'
import { claim, logId, NAMESPACE, NAMESPACE_NAME, runOf, signer, TestLog } from '../support/blocks.ts'

function openWith(): Store {
  const store = openMemoryStore()
  store.openNamespace(NAMESPACE, NAMESPACE_NAME)
  return store
}

const definition = (property: string, rule: Value): Value => ({ collection: 'user', property, rule, semantics: 1 })
const resolver = (id: string, property: string, rule: Value) =>
  claim('resolver', id, 'definition', definition(property, rule))

/** All that can be told of definitions, as plain data. */
function told(definitions: Definitions): unknown {
  const { resolvers, schemas, records } = definitions
  return {
    resolvers: new Map(
      [...resolvers.collections].map(([collection, { byProperty, order, cycles }]) => {
        const inForce = new Map([...byProperty].map(([name, { definition: said, source }]) => [name, { said, source }]))
        return [collection, { inForce, order, cycles }]
      }),
    ),
    contexts: new Map([...records.context].map(([id, record]) => [id, record.definition !== undefined])),
    schemas: new Map([...schemas.collections].map(([name, all]) => [name, all.map((schema) => schema.definition)])),
    faults: faultsOf(definitions).map(({ code, source }) => [code, source.delta.id]),
  }
}

describe('what is kept of definitions', () => {
  const steps = fc.array(
    fc.oneof(
      fc.record({
        kind: fc.constant('resolver' as const),
        id: fc.constantFrom('a', 'b', 'a/b', ''),
        property: fc.constantFrom('p', 'q'),
        rule: fc.constantFrom<Value[]>(1, { property: 'p' }, { property: 'q' }, { nonsense: 1 }),
      }),
      fc.record({ kind: fc.constant('context' as const), negations: fc.constantFrom('everyone', 'author', 'nobody') }),
      fc.record({
        kind: fc.constant('schema' as const),
        version: fc.constantFrom(1, 2, 'x'),
        schema: fc.constantFrom(true, { type: 'object' }),
      }),
      fc.record({ kind: fc.constant('negation' as const), back: fc.nat({ max: 6 }) }),
      fc.record({ kind: fc.constant('data' as const), blocks: fc.constantFrom(1, 2, 300) }),
    ),
    { maxLength: 12 },
  )

  it('is compiled once: a moment that holds it, another claim, or a fork elsewhere compile nothing again', () => {
    const store = openWith()
    const kept = new DefinitionRecords(store, NAMESPACE)
    const log = new TestLog()
    const write = (pointers: readonly Pointer[]) => store.commit(runOf(log.append([pointers])))
    write(claim('schema', 's', 'definition', { collection: 'user', schema: { type: 'object' }, semantics: 1 }))
    write(resolver('r', 'p', 1))
    const parts = () => {
      const { schema, resolver: resolvers } = kept.at().records
      return [schema.get('s')?.definition, resolvers.get('r')?.definition]
    }
    const [schema, rule] = parts()
    expect([schema, rule]).not.toContain(undefined)
    const moment = momentOf(frontierText(store.frontier(NAMESPACE)), store, NAMESPACE)
    write(claim('schema', 's', 'definition', 'nonsense'))
    expect(parts()[0]).toBe(schema)
    const then = kept.at(moment).records
    expect(then.schema.get('s')?.definition).toBe(schema)
    expect(then.resolver.get('r')?.definition).toBe(rule)
    const other = new TestLog({ signer: signer(2), logId: logId(2) })
    store.commit(runOf(other.append([claim('user', 'a', 'p', 1)])))
    expect(store.commit(runOf(other.fork(0).append([claim('user', 'a', 'p', 2)]))).kind).toBe('forked')
    expect(parts()).toEqual([schema, rule])
    expect(parts()[0]).toBe(schema)
  })

  it('equals what a new reader finds after every step, now and at an earlier moment', () => {
    fc.assert(
      fc.property(steps, fc.infiniteStream(fc.boolean()), (all, reads) => {
        const store = openWith()
        const kept = new DefinitionRecords(store, NAMESPACE)
        const log = new TestLog()
        const written: DeltaId[] = []
        let early: string | undefined
        const write = (pointers: readonly Pointer[]) => {
          const block = log.append([pointers])
          expect(store.commit(runOf(block)).kind).toBe('committed')
          written.push(`${block.hash}/0` as DeltaId)
        }
        for (const [index, step] of all.entries()) {
          if (step.kind === 'resolver' && step.id === '') {
            write([{ localContext: 'x', target: 'resolver/', targetContext: 'definition' }])
          } else if (step.kind === 'resolver') write(resolver(step.id, step.property, step.rule))
          else if (step.kind === 'context')
            write(claim('context', 'c', 'definition', { negations: step.negations, semantics: 1 }))
          else if (step.kind === 'schema') {
            const { version, schema } = step
            write(
              claim('schema', `user-${version}`, 'definition', { collection: 'user', version, schema, semantics: 1 }),
            )
          } else if (step.kind === 'negation') {
            const target = written.at(-1 - step.back)
            if (target !== undefined) write(negationPointers(target))
          } else for (let count = 0; count < step.blocks; count++) write(claim('user', 'a', 'p', count))
          if (index === 3) early = frontierText(store.frontier(NAMESPACE))
          if (reads.next().value === false) continue
          const fresh = () => new DefinitionRecords(store, NAMESPACE)
          expect(told(kept.at())).toEqual(told(fresh().at()))
          if (early === undefined) continue
          const moment = momentOf(early, store, NAMESPACE)
          expect(told(kept.at(moment))).toEqual(told(fresh().at(moment)))
        }
      }),
      { numRuns: 60 },
    )
  })

  it('loses a resolver whose block a fork voids, and a watcher sees the records again', async () => {
    const store = openWith()
    const data = new TestLog({ signer: signer(2), logId: logId(2) })
    store.commit(data.write([claim('user', 'a', 'n', 1)]))
    store.commit(data.write([claim('user', 'a', 'n', 2)]))
    const forked = new TestLog()
    store.commit(forked.write())
    const twin = forked.fork()
    store.commit(forked.write([resolver('n', 'n', 'ruled')]))
    const freshness = new Freshness(store, NAMESPACE)
    const views = new Views({
      store,
      namespace: NAMESPACE,
      name: NAMESPACE_NAME,
      contexts: localContexts(),
      freshness,
    })
    const shown = () => views.view('user/a', 'a', {})?.properties
    expect(shown()).toEqual({ n: 'ruled' })
    const before = frontierText(store.frontier(NAMESPACE))
    const after: Position = store.position()

    expect(store.commit(twin.write([claim('user', 'b', 'n', 1)]))).toMatchObject({ kind: 'forked', cut: 1 })
    expect(shown()).toEqual({ n: 2 })
    // The void is no part of any moment, and what remains of this one is held.
    expect(views.view('user/a', 'a', { asOf: before })?.properties).toEqual({ n: 2 })

    const stop = new AbortController()
    const rules = { namespace: NAMESPACE, views }
    const watching = {
      store,
      namespace: NAMESPACE,
      views,
      rules,
      collection: 'user',
      id: undefined,
      context: false as const,
    }
    const seen = watch({ ...watching, after, signal: stop.signal })
    expect((await seen.next()).value).toMatchObject({ id: 'a', view: { properties: { n: 2 } } })
    stop.abort()
  })

  it('of a log that lacks blocks before a cut a frontier is not held', () => {
    const [store, other] = [openWith(), openWith()]
    const log = new TestLog()
    for (let count = 0; count < 3; count++) other.commit(log.write())
    store.commit(log.run(0, 1))
    const wanted = frontierText(other.frontier(NAMESPACE))
    expect(() => momentOf(wanted, store, NAMESPACE)).toThrow(expect.objectContaining({ code: 'RZ_AS_OF_AHEAD' }))
    store.commit(log.run(1))
    expect(momentOf(wanted, store, NAMESPACE).key).toBe(wanted)
  })
})
