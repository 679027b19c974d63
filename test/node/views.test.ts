/** Views by rules and contexts that are records: they take effect where they arrive, and travel with the log. */
import { describe, expect, it } from 'vitest'
import { encode } from '../../src/delta/cbor.ts'
import {
  concatenateWith,
  fromTrustedFirst,
  type Namespace,
  type ResolverInput,
  SHIPPED_RESOLVERS,
  trustOnly,
  type Value,
} from '../../src/index.ts'
import { openLoopbackNode, openTestNode, temporaryFolder, until } from '../support/nodes.ts'

const open = async (): Promise<Namespace> => (await openTestNode()).namespace('users')
const rule = (property: string, logic: Value): ResolverInput => ({ collection: 'user', property, rule: logic })
const sum = rule('n', SHIPPED_RESOLVERS.sum)

async function putAll(users: Namespace, ...values: readonly Value[]): Promise<void> {
  for (const n of values) await users.put('user', 'a', { n })
}

describe('a resolver', () => {
  it('changes the view as soon as it is written, and gives way when it is deleted', async () => {
    const users = await open()
    await putAll(users, 1, 2, 3)
    expect(users.get('user', 'a')).toEqual({ id: 'a', properties: { n: 3 } })
    await users.resolver('n', sum)
    expect(users.view('user', 'a')).toEqual({ id: 'a', properties: { n: 6 }, errors: {}, unseen: [] })
    expect(users.get('user', 'a')).toEqual({ id: 'a', properties: { n: 6 } })
    expect(users.entity('user/a')?.properties).toEqual({ n: 6 })
    await users.delete('resolver', 'n')
    expect(users.get('user', 'a')?.properties).toEqual({ n: 3 })
  })

  it('as plain deltas counts as well, and a negation of it, and a negation of that', async () => {
    const users = await open()
    await putAll(users, 1, 2)
    const { deltas } = await users.append([
      { localContext: 'resolver', target: 'resolver/n', targetContext: 'definition' },
      { localContext: 'definition', target: { ...sum, semantics: 1 } },
    ])
    expect(users.get('user', 'a')?.properties).toEqual({ n: 3 })
    const negation = await users.negate(deltas[0] ?? '')
    expect(users.get('user', 'a')?.properties).toEqual({ n: 2 })
    await users.negate(negation.deltas[0] ?? '')
    expect(users.get('user', 'a')?.properties).toEqual({ n: 3 })
  })

  it('is found however much was written between two reads', async () => {
    const users = await open()
    await putAll(users, 1, 2)
    expect(users.get('user', 'a')?.properties).toEqual({ n: 2 })
    await users.resolver('n', sum)
    for (let count = 0; count < 300; count++) await users.put('other', 'x', { count })
    expect(users.get('user', 'a')?.properties).toEqual({ n: 3 })
  })

  it('is there after a restart', async () => {
    const data = await temporaryFolder()
    const first = await openTestNode({ data })
    await first.namespace('users').resolver('n', sum)
    await putAll(first.namespace('users'), 1, 2)
    await first.close()
    expect((await openTestNode({ data })).namespace('users').get('user', 'a')?.properties).toEqual({ n: 3 })
  })

  it('whose rule fails gives an error on its property alone', async () => {
    const users = await open()
    await users.put('user', 'a', { n: 1, name: 'A' })
    await users.resolver('n', rule('n', { property: 'm' }))
    await users.resolver('m', rule('m', { property: 'n' }))
    const view = users.view('user', 'a')
    expect(view?.properties).toEqual({ name: 'A' })
    expect(view?.errors).toMatchObject({ n: { code: 'RZ_RULE_CYCLE' }, m: { code: 'RZ_RULE_CYCLE' } })
    expect(users.get('user', 'a')).toEqual({ id: 'a', properties: { name: 'A' }, errors: view?.errors })
    expect(users.ids('user')).toEqual(['a'])
  })

  it('that does not parse is refused where it is written, and nothing is', async () => {
    const users = await open()
    const refused: readonly [ResolverInput, string][] = [
      [rule('n', { nonsense: [] }), 'RZ_RULE_OPERATOR'],
      [rule('', 1), 'RZ_DEFINITION_INVALID'],
      [{ ...sum, collection: 'context' }, 'RZ_DEFINITION_INVALID'],
      [{ ...sum, semantics: 0 }, 'RZ_DEFINITION_INVALID'],
      [{ ...sum, semantics: 99 }, 'RZ_RULE_SEMANTICS'],
    ]
    for (const [definition, code] of refused) {
      await expect(users.resolver('x', definition)).rejects.toMatchObject({ code })
    }
    await expect(users.resolver('', sum)).rejects.toMatchObject({ code: 'RZ_RECORD_INVALID' })
    expect(users.counts().deltas).toBe(0)
  })

  it('that does not parse and came all the same is reported and passed over', async () => {
    const users = await open()
    await putAll(users, 1, 2)
    await users.resolver('n', sum)
    const { deltas } = await users.put('resolver', 'n', { definition: 'latest, please' })
    await users.put('resolver', 'other', { definition: { ...sum, rule: { nonsense: [] }, semantics: 1 } })
    await users.put('context', 'broken', { definition: { semantics: 1, negations: 'nobody' } })
    expect(users.get('user', 'a')?.properties).toEqual({ n: 3 })
    expect(users.problems()).toMatchObject([
      { record: 'context/broken', code: 'RZ_DEFINITION_INVALID' },
      { record: 'resolver/n', delta: deltas[0], code: 'RZ_DEFINITION_INVALID' },
      { record: 'resolver/other', code: 'RZ_RULE_OPERATOR' },
    ])
    expect(() => users.view('user', 'a', { context: 'broken' })).toThrow(/negations/)
  })

  it('does not change how records of resolvers are read, nor what an import finds unchanged', async () => {
    const users = await open()
    await putAll(users, 1, 2)
    await users.resolver('n', sum)
    expect((await users.put('user', 'a', { n: 2 }, { onlyChanged: true })).deltas).toEqual([])
    expect(users.get('resolver', 'n')?.properties).toEqual({ definition: { ...sum, semantics: 1 } })
  })
})

describe('a context', () => {
  it('shows one log with another value', async () => {
    const users = await open()
    await putAll(users, 1, 2)
    await users.context('audit', { resolvers: [rule('n', SHIPPED_RESOLVERS.all)] })
    expect(users.get('user', 'a')?.properties).toEqual({ n: 2 })
    expect(users.get('user', 'a', { context: 'audit' })?.properties).toEqual({ n: [1, 2] })
  })

  it('with a trust list sees what its creators assert, and heeds their negations alone', async () => {
    const there = await openLoopbackNode()
    const near = await openLoopbackNode([there])
    const [ours, theirs] = [near.namespace('users'), there.namespace('users')]
    await ours.put('user', 'a', { name: 'A', age: 1 })
    await until('the claim is there', () => theirs.get('user', 'a'))
    await theirs.delete('user', 'a')
    await theirs.put('user', 'a', { name: 'Mallory' })
    await ours.context('trusted', trustOnly([near.peerId]))
    await until('the name is here', () => ours.get('user', 'a')?.properties['name'] === 'Mallory')
    expect(ours.get('user', 'a')?.properties).toEqual({ name: 'Mallory' })
    expect(ours.get('user', 'a', { context: 'trusted' })?.properties).toEqual({ name: 'A', age: 1 })
    expect(ours.lossless('user/a', { context: 'trusted' })?.negations).toEqual([])
  })

  it('that does not exist, or is not written yet at the moment asked for, is an error', async () => {
    const users = await open()
    await putAll(users, 1)
    const before = users.frontier()
    await users.context('audit', {})
    expect(users.get('user', 'a', { context: 'audit' })?.properties).toEqual({ n: 1 })
    const unknown = expect.objectContaining({ code: 'RZ_CONTEXT_UNKNOWN' })
    expect(() => users.get('user', 'a', { context: 'nobody' })).toThrow(unknown)
    expect(() => users.get('user', 'a', { context: 'audit', asOf: before })).toThrow(unknown)
    expect(() => users.watch('user', { context: 'nobody' })).toThrow(unknown)
  })

  it('that does not parse is refused where it is written', async () => {
    const users = await open()
    await expect(users.context('x', { filter: { nonsense: 1 } })).rejects.toMatchObject({ code: 'RZ_RULE_OPERATOR' })
    await expect(users.context('x', { negations: 'nobody' as never })).rejects.toMatchObject({
      code: 'RZ_DEFINITION_INVALID',
    })
    expect(users.counts().deltas).toBe(0)
  })

  it('whose filter fails on a delta says which it does not see', async () => {
    const users = await open()
    await putAll(users, 1, 'x')
    const many = Array.from({ length: 12_000 }, () => 1)
    const value = { var: 'pointers.1.target' }
    await users.context('costly', { filter: { if: [{ '===': [value, 'x'] }, { map: [many, 1] }, true] } })
    const view = users.view('user', 'a', { context: 'costly' })
    expect(view?.properties).toEqual({ n: 1 })
    expect(view?.unseen).toMatchObject([{ code: 'RZ_RULE_GAS', delta: { pointers: [{}, { target: 'x' }] } }])
    expect(users.lossless('user/a', { context: 'costly' })?.properties['n']).toHaveLength(1)
  })

  it('that sees nothing shows nothing', async () => {
    const users = await open()
    await putAll(users, 1)
    await users.context('none', { filter: false })
    expect(users.view('user', 'a', { context: 'none' })).toBeUndefined()
    expect(users.lossless('user/a', { context: 'none' })).toBeUndefined()
  })
})

describe('time travel', () => {
  it('to a frontier gives the old values by the old rules, and again after more was written', async () => {
    const users = await open()
    await putAll(users, 1, 2)
    const first = users.frontier()
    await users.resolver('n', sum)
    const second = users.frontier()
    await putAll(users, 4)
    for (let round = 0; round < 2; round++) {
      expect(users.get('user', 'a', { asOf: first })?.properties).toEqual({ n: 2 })
      expect(users.get('user', 'a', { asOf: second })?.properties).toEqual({ n: 3 })
      expect(users.get('user', 'a')?.properties).toEqual({ n: 7 })
      await users.put('other', 'x', { round })
    }
    await users.delete('resolver', 'n')
    expect(users.get('user', 'a', { asOf: second })?.properties).toEqual({ n: 3 })
  })

  it('to a time shows what is dated up to then, in every form of a time', async () => {
    const users = await open()
    await putAll(users, 1)
    const ms = users.lossless('user/a')?.properties['n']?.[0]?.delta.time.ms ?? 0
    const then = [
      ms,
      String(ms),
      new Date(ms),
      new Date(ms).toISOString(),
      new Date(ms).toISOString().replace('Z', '+00:00'),
    ]
    for (const asOf of then) expect(users.get('user', 'a', { asOf })?.properties).toEqual({ n: 1 })
    for (const asOf of [ms - 1, new Date(ms - 1), '2020-02-29', '2020-02-29T23:59Z', 0]) {
      expect(users.get('user', 'a', { asOf })).toBeUndefined()
      expect(users.lossless('user/a', { asOf })).toBeUndefined()
    }
  })

  it.each([
    'yesterday',
    '',
    '-1',
    '2026-11-20T18:00',
    '2026-02-31',
    '2026-13-01',
    '1.5',
    -1,
    1.5,
    Number.NaN,
    new Date(Number.NaN),
    'f0.',
    'f0.!',
    'f0.gA=',
    'f0.gQ',
    '99999999999999999',
  ])('to %j, which is no moment, is refused', async (asOf) => {
    const users = await open()
    expect(() => users.get('user', 'a', { asOf })).toThrow(expect.objectContaining({ code: 'RZ_AS_OF_INVALID' }))
  })

  it('to a frontier that this node does not hold whole is refused', async () => {
    const [one, other] = [await open(), await open()]
    await putAll(one, 1)
    const ahead = expect.objectContaining({ code: 'RZ_AS_OF_AHEAD' })
    expect(() => other.get('user', 'a', { asOf: one.frontier() })).toThrow(ahead)
    expect((await open()).frontier()).toBe(`f0.${Buffer.from(encode([])).toString('base64url')}`)
  })

  it('tells what differs between two moments, and how a property came to be', async () => {
    const users = await open()
    await putAll(users, 1)
    const from = users.frontier()
    await users.put('user', 'a', { name: 'A' })
    await putAll(users, 2)
    const to = users.frontier()
    await users.resolver('n', sum)
    expect(users.diff('user', 'a', { from, to })).toEqual([
      { property: 'n', before: { value: 1 }, after: { value: 2 } },
      { property: 'name', before: {}, after: { value: 'A' } },
    ])
    expect(users.diff('user', 'a', { from: to })).toEqual([
      { property: 'n', before: { value: 2 }, after: { value: 3 } },
    ])
    expect(users.diff('user', 'nobody', { from })).toEqual([])
    expect(users.history('user', 'a', 'n').moments.map(({ after }) => after)).toEqual([{ value: 1 }, { value: 3 }])
    expect(users.history('user', 'a', 'n', { asOf: to }).moments.map(({ after }) => after)).toEqual([
      { value: 1 },
      { value: 2 },
    ])
    expect(users.history('user', 'a', 'n', { deltasMax: 1 })).toMatchObject({ moments: [{ after: { value: 3 } }] })
    expect(users.history('user', 'nobody', 'n')).toEqual({ moments: [], skippedCount: 0 })
  })
})

describe('an explanation', () => {
  it('names candidates, losers, the rule with its record, and who signed', async () => {
    const node = await openTestNode()
    const users = node.namespace('users')
    await putAll(users, 1, 2)
    expect(users.explain('user', 'a', 'n')).toMatchObject({
      value: 2,
      resolver: { kind: 'latest' },
      losers: [{ value: 1 }],
    })
    await users.resolver('n', rule('n', SHIPPED_RESOLVERS.max))
    expect(users.explain('user', 'a', 'n')).toMatchObject({
      value: 2,
      candidates: [{ value: 1 }, { value: 2 }],
      losers: [{ value: 1 }],
      resolver: { kind: 'rule', source: { record: 'resolver/n' } },
      signers: [node.peerId],
    })
    await users.context('first', { resolvers: [rule('n', SHIPPED_RESOLVERS.first)] })
    expect(users.explain('user', 'a', 'n', { context: 'first' })).toMatchObject({ value: 1, losers: [{ value: 2 }] })
    expect(users.explain('user', 'a', 'nothing')).toBeUndefined()
    expect(users.explain('user', 'nobody', 'n')).toBeUndefined()
  })
})

describe('two nodes', () => {
  it('show the same: what one writes, rules included, the other reads without a restart, byte for byte', async () => {
    const writer = await openLoopbackNode()
    const reader = await openLoopbackNode([writer], { keep: true })
    const [a, b] = [writer.namespace('users'), reader.namespace('users')]
    await putAll(a, 1, 2)
    await until('the record is there', () => b.get('user', 'a')?.properties['n'] === 2)
    const before = a.frontier()
    await a.resolver('n', sum)
    await until('the rule is there', () => b.get('user', 'a')?.properties['n'] === 3)

    await a.resolver('text', rule('text', concatenateWith(', ')))
    await a.resolver('who', rule('who', fromTrustedFirst([writer.peerId])))
    await a.resolver('odd', rule('odd', { property: 'odd' }))
    await a.context('audit', { resolvers: [rule('n', SHIPPED_RESOLVERS.all)] })
    for (const [text, who] of [
      ['x', 1],
      ['ü', null],
      ['🌱', [true]],
    ] as const) {
      await a.put('user', 'a', { text, who, odd: 1 })
    }
    const { deltas } = await a.put('user', 'a', { gone: 1 })
    await a.negate(deltas[0] ?? '')
    await until('all is there', () => b.frontier() === a.frontier())
    for (const options of [{}, { context: 'audit' }, { asOf: before }, { asOf: a.frontier(), context: 'audit' }]) {
      const view = (of: Namespace) => Buffer.from(JSON.stringify(of.view('user', 'a', options)))
      expect(view(b).equals(view(a))).toBe(true)
    }
    expect(b.get('user', 'a', { asOf: before })?.properties).toEqual({ n: 2 })
    expect(b.get('user', 'a')).toMatchObject({
      properties: { n: 3, text: 'x, ü, 🌱', who: [true] },
      errors: { odd: { code: 'RZ_RULE_CYCLE' } },
    })
  })
})
