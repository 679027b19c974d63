/** Proofs as a node makes them: what they hold, and that a stranger computes from them what the node shows. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Delta, isReference, negationPointers, type Pointer, type Value } from '../../src/delta/delta.ts'
import { deltaIdOf } from '../../src/delta/identifiers.ts'
import { type Namespace, SHIPPED_RESOLVERS, trustOnly, verifyProof } from '../../src/index.ts'
import { decodeStatement, encodeStatement, signStatement } from '../../src/log/proof-statement.ts'
import { parseProofText, proofText } from '../../src/log/proof-text.ts'
import { openMemoryStore } from '../../src/store/memory.ts'
import type { Store } from '../../src/store/store.ts'
import { naiveVerify } from '../naive/proof.ts'
import { claim, logId, NAMESPACE, NAMESPACE_NAME, signer, START_MS, TestLog } from '../support/blocks.ts'
import { CREATORS } from '../support/deltas.ts'
import { openLoopbackNode, openTestNode, until } from '../support/nodes.ts'
import { ANSWERING, definition, proofFrom, provenStore, textFrom } from '../support/proofs.ts'
import { contexts, resolvedHistories } from '../support/resolved-histories.ts'

const proven = (namespace: Namespace, ...of: Parameters<Namespace['proof']>) =>
  verifyProof(namespace.proof(...of) ?? expect.unreachable('something is claimed'))

const valuesOf = ({ values }: ReturnType<typeof verifyProof>) =>
  Object.fromEntries(
    values.map(({ property, computed }) => [
      property,
      computed && 'value' in computed ? computed.value : computed?.error,
    ]),
  )

describe('a proof', () => {
  it('shows claims, rules and values of a record, and whose word it is that they are all', async () => {
    const node = await openTestNode()
    const users = node.namespace('users')
    for (const age of [3, 4]) await users.put('user', 'alice', { name: 'Alice', age })
    await users.put('user', 'bob', { name: 'Bob' })
    await users.resolver('age', { collection: 'user', property: 'age', rule: SHIPPED_RESOLVERS.sum })
    const report = proven(users, 'user/alice')
    expect(report).toMatchObject({
      namespace: 'users',
      entity: 'user/alice',
      creators: [{ id: node.peerId, claims: 4, negations: 0, definitions: 1 }],
      forks: [],
      completeness: { peer: node.peerId, frontier: { logsCount: 1 } },
    })
    expect(valuesOf(report)).toEqual(users.get('user', 'alice')?.properties)
    expect(report.values).toMatchObject([
      { property: 'age', verdict: 'equal', rule: { kind: 'record', record: 'resolver/age', creator: node.peerId } },
      { property: 'name', verdict: 'equal', rule: { kind: 'latest' } },
    ])
  })

  it('of one property holds no claim about another, but about those that its rule reads', async () => {
    const users = (await openTestNode()).namespace('users')
    await users.put('user', 'alice', { first: 'Alice', last: 'A', age: 3 })
    await users.resolver('full', {
      collection: 'user',
      property: 'full',
      rule: { cat: [{ property: 'first' }, ' ', { property: 'last' }] },
    })
    const report = proven(users, 'user/alice', { property: 'full' })
    expect(report.creators).toMatchObject([{ claims: 2, definitions: 1 }])
    expect(valuesOf(report)).toEqual({ full: 'Alice A' })
    expect(users.proof('user/alice', { property: 'age' })).not.toContain('resolver/full')
  })

  it('of nothing there is none', async () => {
    const users = (await openTestNode()).namespace('users')
    await users.put('user', 'alice', { age: 3 })
    expect(users.proof('user/bob')).toBe(undefined)
    expect(users.proof('user/alice', { property: 'name' })).toBe(undefined)
    expect(users.proof('user/alice', { asOf: 0 })).toBe(undefined)
  })

  it('of a deleted record shows the negations, and that no value is left', async () => {
    const users = (await openTestNode()).namespace('users')
    await users.put('user', 'alice', { age: 3 })
    await users.delete('user', 'alice')
    expect(proven(users, 'user/alice')).toMatchObject({ creators: [{ claims: 1, negations: 1 }], values: [] })
  })

  it('can be made by a node that wrote none of it, of what came by sync', async () => {
    const first = await openLoopbackNode()
    await first.namespace('users').put('user', 'alice', { name: 'Alice' })
    for (let n = 0; n < 20; n++) await first.namespace('users').put('user', 'alice', { n })
    const second = await openLoopbackNode([first], { keep: true })
    const users = second.namespace('users')
    await until('all is there', () => users.counts().deltas === 21)
    const report = proven(users, 'user/alice')
    expect(report.creators).toEqual([{ id: first.peerId, claims: 21, negations: 0, definitions: 0 }])
    expect(report.completeness.peer).toBe(second.peerId)
    expect(valuesOf(report)).toEqual({ n: 19, name: 'Alice' })
    expect(Object.keys(naiveVerify(users.proof('user/alice') ?? '').values).sort()).toEqual(['n', 'name'])
  })

  it('is of a context when one is named, which must be a record: one of the node alone nobody else could check', async () => {
    const node = await openTestNode({ contexts: { nobody: trustOnly([]) }, context: 'nobody' })
    const users = node.namespace('users')
    await users.put('user', 'alice', { age: 3 })
    await users.context('sum', {
      resolvers: [{ collection: 'user', property: 'age', rule: { length: { var: 'candidates' } } }],
    })
    expect(valuesOf(proven(users, 'user/alice'))).toEqual({ age: 3 })
    const report = proven(users, 'user/alice', { context: 'sum' })
    expect(report).toMatchObject({ context: 'sum', values: [{ computed: { value: 1 }, rule: { kind: 'context' } }] })
    expect(() => users.proof('user/alice', { context: 'nobody' })).toThrow(/RZ_|no context "nobody"/)
  })

  it("of a context brings the log's rules that its own ones read, though none of them has a value", async () => {
    const users = (await openTestNode()).namespace('users')
    await users.put('user', 'alice', { age: 3 })
    const rule = (property: string, read: string) => ({ collection: 'user', property, rule: { property: [read, 0] } })
    await users.resolver('p', rule('p', 'q'))
    await users.context('c', { resolvers: [rule('q', 'p')] })
    expect(valuesOf(proven(users, 'user/alice', { context: 'c' }))).toEqual({ age: 3 })
    expect(valuesOf(proven(users, 'user/alice', { property: 'age', context: 'c' }))).toEqual({ age: 3 })
  })

  it('is of a moment when one is named, by the rules of then', async () => {
    const users = (await openTestNode()).namespace('users')
    await users.put('user', 'alice', { age: 3 })
    const before = users.frontier()
    await users.put('user', 'alice', { age: 4 })
    await users.resolver('age', { collection: 'user', property: 'age', rule: SHIPPED_RESOLVERS.sum })
    const report = proven(users, 'user/alice', { asOf: before })
    expect(valuesOf(report)).toEqual({ age: 3 })
    expect(report.asOf).toBe(before)
    expect(valuesOf(proven(users, 'user/alice'))).toEqual({ age: 7 })
    expect(() => users.proof('user/alice', { asOf: 'yesterday' })).toThrow(/moment/)
  })

  it('is never of a void delta', async () => {
    const { store, end } = provenStore()
    const report = verifyProof(textFrom(store, { entity: 'user/ann', property: 'rank' }))
    expect(report.deltas.map(({ pointers }) => pointers[1]?.target)).toEqual([1])
    expect(report.forks).toHaveLength(1)
    await end()
  })
})

describe('what is too large for a proof is RZ_PROOF_TOO_LARGE:', () => {
  const tooLarge = expect.objectContaining({ code: 'RZ_PROOF_TOO_LARGE' }) as Error

  it('more deltas; fewer of them are no trouble', async () => {
    await using store = opened()
    const log = new TestLog()
    const claims = Array.from({ length: 4_095 }, (_, n) => claim('user', 'ann', `p${n % 2}`, n))
    store.commit(log.write(claims))
    store.commit(log.write([claim('user', 'ann', 'p0', -1), claim('user', 'ann', 'p1', -1)]))
    expect(() => proofFrom(store, { entity: 'user/ann' })).toThrow(tooLarge)
    expect(verifyProof(textFrom(store, { entity: 'user/ann', property: 'p0' })).deltas).toHaveLength(2_049)
  })

  it('more values than a reader will take', async () => {
    await using store = opened()
    const log = new TestLog()
    for (let n = 0; n < 3; n++)
      store.commit(
        log.write([
          claim(
            'user',
            'ann',
            `p${n}`,
            Array.from({ length: 100_000 }, () => 0),
          ),
        ]),
      )
    expect(() => proofFrom(store, { entity: 'user/ann' })).toThrow(tooLarge)
    expect(verifyProof(textFrom(store, { entity: 'user/ann', property: 'p0' })).deltas).toHaveLength(1)
  })

  it('more bytes, in claims or in the value that a rule makes of them', async () => {
    await using store = opened()
    const log = new TestLog()
    const text = 'x'.repeat(500_000)
    for (let n = 0; n < 25; n++) store.commit(log.write([claim('user', 'ann', 'p', `${n}${text}`)]))
    expect(() => proofFrom(store, { entity: 'user/ann' })).toThrow(tooLarge)
    for (let n = 0; n < 3; n++) store.commit(log.write([claim('user', 'ben', 'p', `${n}${text}`)]))
    store.commit(log.write([claim('resolver', 'all', 'definition', definition('user', 'p', SHIPPED_RESOLVERS.all))]))
    expect(() => proofFrom(store, { entity: 'user/ben' })).toThrow(tooLarge)
  })

  it('more rules, also where whoever signs it does not mind', async () => {
    await using store = opened()
    const log = new TestLog()
    const names = Array.from({ length: 33 }, (_, n) => `p${n}`)
    store.commit(log.write(names.map((name) => claim('user', 'ann', name, 1))))
    for (const name of names) {
      const rule = definition('user', name, SHIPPED_RESOLVERS.count)
      store.commit(log.write([claim('resolver', name, 'definition', rule)]))
    }
    expect(() => proofFrom(store, { entity: 'user/ann' })).toThrow(tooLarge)
    expect(verifyProof(textFrom(store, { entity: 'user/ann', property: 'p0' })).values).toHaveLength(1)
  })
})

it('a rule of a later release is stated as such, and its value left open', async () => {
  await using store = opened()
  const log = new TestLog()
  store.commit(log.write([claim('user', 'ann', 'p', 1)]))
  const later = { collection: 'user', property: 'p', rule: 1, semantics: 99 }
  store.commit(log.write([claim('resolver', 'p', 'definition', later)]))
  const text = textFrom(store, { entity: 'user/ann' })
  expect(verifyProof(text).values).toMatchObject([{ computed: { error: 'RZ_RULE_SEMANTICS' }, verdict: 'equal' }])
  const proof = parseProofText(text)
  const statement = encodeStatement({ ...decodeStatement(proof.statement), values: { p: { value: 7 } } })
  const newer = proofText({ ...proof, statement, signature: signStatement(statement, ANSWERING) })
  expect(verifyProof(newer).values).toMatchObject([{ stated: { value: 7 }, verdict: 'unknown' }])
})

describe('whatever was claimed, negated and ruled', () => {
  const signers = [1, 2, 3].map(signer)
  /** Contexts that name the creators of here. */
  const own = contexts.map((context) =>
    CREATORS.reduce(
      (value, creator, index) =>
        JSON.parse(JSON.stringify(value).replaceAll(creator, signers[index]?.id ?? '')) as Value,
      context as Value,
    ),
  )

  it('a stranger computes from the proof what the node shows, by either implementation', async () => {
    await fc.assert(
      fc.asyncProperty(resolvedHistories, own, fc.integer({ min: 1, max: 4 }), async (history, context, runLength) => {
        await using store = opened()
        write(store, history, context, runLength)
        for (const entity of ['users/a', 'users/b']) {
          for (const options of [{}, { context: 'c' }, { property: 'p' }, { property: '__proto__', context: 'c' }]) {
            const text = proofFrom(store, { entity, ...options })
            if (text === undefined) continue
            const { values, deltas } = verifyProof(text)
            expect(values.filter(({ verdict }) => verdict !== 'equal')).toEqual([])
            expect(naiveVerify(text).deltas).toEqual(deltas)
          }
        }
      }),
      { numRuns: 60 },
    )
  })

  /** The history as true blocks of three logs, a run of each signed at its end alone where `runLength` says so. */
  function write(store: Store, history: readonly Delta[], context: Value, runLength: number): void {
    const logs = signers.map((by, index) => new TestLog({ signer: by, logId: logId(index) }))
    const ids = new Map<string, string>()
    const append = (log: TestLog, pointers: readonly Pointer[], place: number): string => {
      const block = log.append([pointers], { time: { ms: START_MS + place, counter: 0 } })
      return deltaIdOf(block.hash, 0)
    }
    for (const [place, { id, creator, pointers }] of history.entries()) {
      const log = logs[CREATORS.indexOf(creator)] ?? expect.unreachable()
      const [pointer] = pointers
      const isNegation = pointer !== undefined && isReference(pointer) && pointer.localContext === 'negates'
      const target = isNegation ? ids.get(pointer.target) : undefined
      ids.set(id, append(log, target === undefined ? pointers : negationPointers(target as Delta['id']), place))
    }
    append(logs[0] ?? expect.unreachable(), claim('context', 'c', 'definition', context), history.length)
    for (const log of logs) {
      for (let seq = 0; seq < log.blocks.length; seq += runLength)
        store.commit(log.run(seq, Math.min(seq + runLength, log.blocks.length)))
    }
  }
})

function opened(): Store {
  const store = openMemoryStore()
  store.openNamespace(NAMESPACE, NAMESPACE_NAME)
  return store
}
