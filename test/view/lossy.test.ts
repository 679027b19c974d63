import { describe, expect, test } from 'vitest'
import { type Delta, negationPointers, type Value } from '../../src/delta/delta.ts'
import { recordPointers } from '../../src/delta/record.ts'
import { readDefinition } from '../../src/view/definition.ts'
import { latestView } from '../../src/view/latest.ts'
import { losslessView } from '../../src/view/lossless.ts'
import { lossyView } from '../../src/view/lossy.ts'
import { compileResolver, type Resolver } from '../../src/view/resolvers/resolver.ts'
import { NO_RESOLVERS, overlaid, resolverSet } from '../../src/view/resolvers/resolver-set.ts'
import { concatenateWith, fromTrustedFirst, SHIPPED_RESOLVERS } from '../../src/view/resolvers/shipped.ts'
import { CREATORS, deltaOf } from '../support/deltas.ts'
import { codeOf } from '../support/expect.ts'

function put(index: number, property: string, value: Value, where: Partial<Delta> = {}, id = 'a'): Delta {
  return deltaOf(index, recordPointers('users', id, Object.fromEntries([[property, value]]))[0] ?? [], where)
}

function define(index: number, record: string, definition: Value, where: Partial<Delta> = {}): Delta {
  return deltaOf(index, recordPointers('resolver', record, { definition })[0] ?? [], where)
}

const rule = (property: string, json: Value): Value => ({ collection: 'users', property, rule: json, semantics: 1 })

/** As a node does: the resolvers in force from the deltas' own records, then the view. */
function resolve(deltas: readonly Delta[], entity = 'users/a') {
  const records = ['one', 'two', 'three'].map((record) => losslessView(`resolver/${record}`, deltas, deltas))
  const resolvers = resolverSet(records.map((view) => readDefinition(view, compileResolver)))
  return { ...lossyView(losslessView(entity, deltas, deltas), resolvers), faults: resolvers.faults }
}

/** The value of a property of these claims under a rule. */
function resolved(json: Value, claims: readonly Delta[]): Value | undefined {
  const view = losslessView('users/a', claims, claims)
  const set = resolverSet([], [compileResolver(rule('p', json))])
  return lossyView(view, set).properties['p']
}

describe('a shipped resolver', () => {
  const [ann, ben, cid] = CREATORS.map((creator) => ({ creator })) as [Partial<Delta>, Partial<Delta>, Partial<Delta>]
  const numbers = [
    put(1, 'p', 3, ann),
    put(2, 'p', 10, ben),
    put(3, 'p', 2, ann),
    put(4, 'p', 'ten', cid),
    put(5, 'p', 2, ann),
  ]
  const cases: readonly (readonly [string, Value, readonly Delta[], Value])[] = [
    ['latest', SHIPPED_RESOLVERS.latest, numbers, 2],
    ['first', SHIPPED_RESOLVERS.first, numbers, 3],
    ['all', SHIPPED_RESOLVERS.all, numbers, [3, 10, 2, 'ten', 2]],
    ['max', SHIPPED_RESOLVERS.max, numbers, 10],
    ['max of no numbers', SHIPPED_RESOLVERS.max, [put(1, 'p', 'x')], null],
    ['min', SHIPPED_RESOLVERS.min, numbers, 2],
    ['min of no numbers', SHIPPED_RESOLVERS.min, [put(1, 'p', 'x')], null],
    ['sum', SHIPPED_RESOLVERS.sum, numbers, 17],
    ['sum of no numbers', SHIPPED_RESOLVERS.sum, [put(1, 'p', 'x')], 0],
    ['average', SHIPPED_RESOLVERS.average, numbers, 4.25],
    ['average of no numbers', SHIPPED_RESOLVERS.average, [put(1, 'p', 'x')], null],
    ['count', SHIPPED_RESOLVERS.count, numbers, 5],
    ['set', SHIPPED_RESOLVERS.set, numbers, [2, 3, 10, 'ten']],
    ['concatenate', SHIPPED_RESOLVERS.concatenate, numbers, '3102ten2'],
    ['concatenate with a separator', concatenateWith(', '), numbers, '3, 10, 2, ten, 2'],
    ['majority, where all differ: the last', SHIPPED_RESOLVERS.majority, numbers.slice(0, 4), 'ten'],
    [
      'majority, one vote for each',
      SHIPPED_RESOLVERS.majority,
      [
        put(1, 'p', 'x', ben),
        put(2, 'p', 'x', cid),
        put(3, 'p', 'y', ann),
        put(4, 'p', 'y', ann),
        put(5, 'p', 'y', ann),
      ],
      'x',
    ],
    [
      'majority, of values that are lists',
      SHIPPED_RESOLVERS.majority,
      [put(1, 'p', [1], ben), put(2, 'p', [1], cid), put(3, 'p', [2], ann)],
      [1],
    ],
    [
      'majority, when a vote is changed',
      SHIPPED_RESOLVERS.majority,
      [put(1, 'p', 'x', ben), put(2, 'p', 'x', cid), put(3, 'p', 'y', ann), put(4, 'p', 'y', cid)],
      'y',
    ],
    ['from trusted creators first', fromTrustedFirst([String(ben.creator)]), numbers, 10],
    [
      'from trusted creators first, in their order',
      fromTrustedFirst([String(cid.creator), String(ben.creator)]),
      numbers,
      'ten',
    ],
    ['from trusted creators first, without their claims', fromTrustedFirst([String(ben.creator)]), numbers.slice(2), 2],
    ['from trusted creators first, when none is named', fromTrustedFirst([]), numbers, 2],
  ]
  test.each(cases)('%s', (_, json, claims, expected) => {
    expect(resolved(json, claims)).toEqual(expected)
  })

  test.each(Object.entries(SHIPPED_RESOLVERS))('%s stays within its gas, however many the candidates', (_, json) => {
    const claims = Array.from({ length: 20_000 }, (__, index) => put(index, 'p', (index * 7_919) % 20_000))
    expect(resolved(json, claims)).not.toBeUndefined()
  })

  test('latest says what the built-in one says', () => {
    expect(resolved(SHIPPED_RESOLVERS.latest, numbers)).toBe(
      latestView(losslessView('users/a', numbers, [])).properties['p'],
    )
  })
})

describe('the lossy view', () => {
  test('without resolvers is the latest view', () => {
    const deltas = [put(1, 'p', 1), put(2, 'p', 2), put(3, 'q', 'x')]
    expect(resolve(deltas)).toMatchObject({ id: 'users/a', properties: { p: 2, q: 'x' }, errors: {} })
    const view = losslessView('users/a', deltas, [])
    expect(lossyView(view, NO_RESOLVERS).properties).toEqual(latestView(view).properties)
  })

  test('resolves by a record of the log, of its own collection alone', () => {
    const deltas = [
      put(1, 'p', 1),
      put(2, 'p', 2),
      define(3, 'one', rule('p', SHIPPED_RESOLVERS.sum)),
      define(4, 'two', { collection: 'others', property: 'q', rule: 1, semantics: 1 }),
      put(5, 'q', 7),
    ]
    expect(resolve(deltas).properties).toEqual({ p: 3, q: 7 })
  })

  test('of a raw entity is latest, whatever collections say', () => {
    const deltas = [
      deltaOf(1, [
        { localContext: 'x', target: 'raw', targetContext: 'p' },
        { localContext: 'p', target: 1 },
      ]),
      define(2, 'one', { collection: 'raw', property: 'p', rule: 'never', semantics: 1 }),
    ]
    expect(resolve(deltas, 'raw').properties).toEqual({ p: 1 })
  })

  test('takes values as deep and as large as deltas can hold them, alone or all together', () => {
    const deep = JSON.parse('['.repeat(32) + ']'.repeat(32)) as Value
    const wide = Array.from({ length: 100_000 }, (_, index) => index % 100)
    for (const value of [deep, wide, 'x'.repeat(500_000)]) {
      const claims = [put(1, 'p', value), put(2, 'p', value)]
      expect(resolved(SHIPPED_RESOLVERS.latest, claims)).toEqual(value)
      expect(resolved(SHIPPED_RESOLVERS.all, claims)).toEqual([value, value])
      expect(resolved({ var: 'candidates.1' }, claims)).toMatchObject({ value })
    }
  })

  test('looks at no claim that does not stand; without any the property is absent', () => {
    const first = put(1, 'p', 1)
    const deltas = [first, define(2, 'one', rule('p', SHIPPED_RESOLVERS.count)), deltaOf(3, negationPointers(first.id))]
    expect(resolve(deltas)).toMatchObject({ properties: {}, errors: {} })
    expect(resolve([...deltas, put(4, 'p', 5)]).properties).toEqual({ p: 1 })
  })

  test('gives a property whose rule fails an error, and the others their values', () => {
    const costly = {
      map: [
        { var: 'candidates' },
        { reduce: [Array.from({ length: 9_000 }, () => 0), { '+': [{ var: 'accumulator' }, 1] }, 0] },
      ],
    }
    const deltas = [
      put(1, 'p', 1),
      put(2, 'p', 2),
      put(3, 'p', 3),
      put(4, 'q', 'x'),
      define(5, 'one', rule('p', costly)),
    ]
    const view = resolve(deltas)
    expect(view.properties).toEqual({ q: 'x' })
    expect(view.errors).toEqual({ p: { code: 'RZ_RULE_GAS', message: expect.stringContaining('gas') } })
  })

  test('has properties in the order of their bytes, whatever their names', () => {
    const deltas = ['𝒳', '￿', '__proto__', 'constructor'].map((name, index) => put(index, name, index))
    const records = ['__proto__', '𝒳', 'toString'].map((name, index) =>
      define(10 + index, ['one', 'two', 'three'][index] ?? '', rule(name, SHIPPED_RESOLVERS.count)),
    )
    const view = resolve([...deltas, ...records])
    expect(Object.entries(view.properties)).toEqual([
      ['__proto__', 1],
      ['constructor', 3],
      ['￿', 1],
      ['𝒳', 1],
    ])
    expect(view.errors['toString']).toBeUndefined()
  })
})

describe('properties that read others', () => {
  const total = { '*': [{ property: 'price' }, { property: ['count', 1] }] }

  test('are resolved after them, by their resolved values', () => {
    const deltas = [
      put(1, 'price', 5),
      put(2, 'price', 7),
      put(3, 'count', 3),
      define(4, 'one', rule('price', SHIPPED_RESOLVERS.sum)),
      define(5, 'two', rule('total', total)),
      define(6, 'three', rule('gross', { '+': [{ property: 'total' }, 1] })),
    ]
    expect(resolve(deltas).properties).toEqual({ price: 12, count: 3, total: 36, gross: 37 })
  })

  test('have no value where there is nothing to read and nothing claimed', () => {
    expect(resolve([put(1, 'name', 'x'), define(2, 'one', rule('total', total))]).properties).toEqual({ name: 'x' })
    expect(resolve([put(1, 'price', 2), define(2, 'one', rule('total', total))]).properties).toEqual({
      price: 2,
      total: 2,
    })
  })

  test('in a cycle are named, and those outside of it have their values', () => {
    const deltas = [
      put(1, 'a', 1),
      put(2, 'z', 1),
      define(3, 'one', rule('b', { property: 'a' })),
      define(4, 'two', rule('a', { property: 'b' })),
    ]
    const view = resolve(deltas)
    const fault = { code: 'RZ_RULE_CYCLE', message: 'the rules of "a", "b" read one another: let one of them not' }
    expect(view.properties).toEqual({ z: 1 })
    expect(view.errors).toEqual({ a: fault, b: fault })
  })

  test('may not read themselves', () => {
    expect(resolve([put(1, 'a', 1), define(2, 'one', rule('a', { '+': [{ property: 'a' }, 1] }))]).errors).toEqual({
      a: { code: 'RZ_RULE_CYCLE', message: 'the rule of "a" reads itself: let one of them not' },
    })
  })

  test('have an error when what they read has one', () => {
    const deltas = [
      put(1, 'a', 1),
      define(2, 'one', rule('a', { property: 'a' })),
      define(3, 'two', rule('b', { property: 'a' })),
      define(4, 'three', rule('c', { if: [false, { property: 'a' }, 'not read'] })),
    ]
    const view = resolve(deltas)
    expect(view.errors['b']).toEqual({
      code: 'RZ_RULE_PROPERTY',
      message: 'the rule reads "a", which has the error RZ_RULE_CYCLE: mend that',
    })
    expect(view.properties).toEqual({ c: 'not read' })
  })

  test('may form a chain of 10,000, or a cycle of as many', () => {
    const links = Array.from({ length: 10_000 }, (_, index) =>
      compileResolver(rule(`p${index + 1}`, { property: `p${index}` })),
    )
    const view = losslessView('users/a', [put(1, 'p0', 'end')], [])
    expect(lossyView(view, resolverSet([], links)).properties['p10000']).toBe('end')
    const round = [...links, compileResolver(rule('p0', { property: 'p10000' }))]
    expect(lossyView(view, resolverSet([], round)).errors['p5']).toMatchObject({
      code: 'RZ_RULE_CYCLE',
      message: expect.stringContaining('"p1002" and 9993 more') as string,
    })
  })
})

describe('the gas of a view', () => {
  const list = Array.from({ length: 30 }, () => 1)
  /** Takes 83,792 gas, and gives true. */
  const burning = { all: [list, { all: [list, { all: [list, { '!!': [true] }] }] }] }
  const names = (count: number) => Array.from({ length: count }, (_, index) => `p${String(index).padStart(3, '0')}`)
  const burn = (property: string) => compileResolver(rule(property, burning))
  const view = (claims: readonly Delta[], resolvers: readonly Resolver[]) =>
    lossyView(losslessView('users/a', claims, []), resolverSet([], resolvers))

  test('is enough for three rules that take nearly all that a rule may, by the order of their names', () => {
    const claims = names(200).map((name, index) => put(index, name, index))
    const { properties, errors } = view(claims, names(200).toReversed().map(burn))
    expect(properties).toEqual({ p000: true, p001: true, p002: true })
    expect(Object.keys(errors)).toEqual(names(200).slice(3))
    expect(errors['p003']).toEqual({
      code: 'RZ_VIEW_GAS',
      message: expect.stringMatching(/300000 gas beyond their own, and this one had 52752 left/) as string,
    })
    expect(errors['p199']?.message).toMatch(/had 1032 left/)
  })

  test('leaves every property on which something stands enough for a plain rule', () => {
    const claims = [...names(5), 'z'].map((name, index) => put(index, name, index))
    const sum = compileResolver(rule('z', SHIPPED_RESOLVERS.sum))
    expect(view(claims, [...names(5).map(burn), sum]).properties['z']).toBe(5)
  })

  test('is not touched by what properties have of their own: a thousand plain rules have values', () => {
    const claims = names(1_000).map((name, index) => put(index, name, index))
    const resolvers = names(1_000).map((name) => compileResolver(rule(name, SHIPPED_RESOLVERS.majority)))
    expect(Object.keys(view(claims, resolvers).properties)).toHaveLength(1_000)
  })

  test('leaves nothing to a property of the log’s making on which nothing stands, and something to a context’s', () => {
    const claims = names(5).map((name, index) => put(index, name, index))
    const sources = names(5).map((name, index) => define(10 + index, name, rule(name, burning)))
    const reader = define(20, 'reader', rule('z', { property: 'p000' }))
    const logged = resolverSet(
      [...sources, reader].map((delta) =>
        readDefinition(losslessView(delta.pointers[0]?.target as string, [delta], []), compileResolver),
      ),
    )
    const lossless = losslessView('users/a', claims, [])
    expect(lossyView(lossless, logged).errors['z']).toMatchObject({ code: 'RZ_VIEW_GAS' })
    const own = resolverSet([], [compileResolver(rule('z', { property: 'p000' }))])
    expect(lossyView(lossless, overlaid(logged, own)).properties['z']).toBe(true)
  })

  test('does not help a rule that takes more than a rule may', () => {
    const endless = { map: [list, burning] }
    expect(view([put(1, 'p', 1)], [compileResolver(rule('p', endless))]).errors['p']).toMatchObject({
      code: 'RZ_RULE_GAS',
    })
  })

  test('is used up by rules that fail, no further than they came; those that read others come last', () => {
    const failing = { if: [burning, { property: 'cycle' }] }
    const resolvers = [
      ...names(3).map((name) => compileResolver(rule(name, failing))),
      compileResolver(rule('cycle', { property: 'cycle' })),
      burn('z'),
    ]
    const claims = [...names(3), 'cycle', 'z'].map((name, index) => put(index, name, index))
    const { properties, errors } = view(claims, resolvers)
    expect(names(3).map((name) => errors[name]?.code)).toEqual(['RZ_RULE_PROPERTY', 'RZ_RULE_PROPERTY', 'RZ_VIEW_GAS'])
    expect(properties).toEqual({ z: true })
  })
})

describe('definitions of resolvers', () => {
  const claims = [put(1, 'p', 1), put(2, 'p', 2)]
  const sum = rule('p', SHIPPED_RESOLVERS.sum)
  const count = rule('p', SHIPPED_RESOLVERS.all)

  test('of one property compete: the one claimed last is in force, whichever record it is in', () => {
    expect(resolve([...claims, define(3, 'two', sum), define(4, 'one', count)]).properties['p']).toEqual([1, 2])
    expect(resolve([...claims, define(4, 'two', sum), define(3, 'one', count)]).properties['p']).toBe(3)
  })

  test('are overwritten within a record, and taken back by a negation', () => {
    const later = define(4, 'one', rule('q', 1))
    expect(resolve([...claims, define(3, 'one', sum), later]).properties['p']).toBe(2)
    expect(
      resolve([...claims, define(3, 'one', sum), later, deltaOf(5, negationPointers(later.id))]).properties['p'],
    ).toBe(3)
  })

  test.each<[string, Value, string]>([
    ['no object', 'latest', 'RZ_DEFINITION_INVALID'],
    ['null', null, 'RZ_DEFINITION_INVALID'],
    ['bytes', Uint8Array.of(1), 'RZ_DEFINITION_INVALID'],
    ['a list', [sum], 'RZ_DEFINITION_INVALID'],
    ['no collection', { property: 'p', rule: 1, semantics: 1 }, 'RZ_DEFINITION_INVALID'],
    ['a slash in the collection', { collection: 'a/b', property: 'p', rule: 1, semantics: 1 }, 'RZ_DEFINITION_INVALID'],
    ['an empty property', { collection: 'users', property: '', rule: 1, semantics: 1 }, 'RZ_DEFINITION_INVALID'],
    ['no rule', { collection: 'users', property: 'p', semantics: 1 }, 'RZ_DEFINITION_INVALID'],
    ['no semantics', { collection: 'users', property: 'p', rule: 1 }, 'RZ_DEFINITION_INVALID'],
    [
      'semantics of no version',
      { collection: 'users', property: 'p', rule: 1, semantics: 0.5 },
      'RZ_DEFINITION_INVALID',
    ],
    [
      'a further field',
      { collection: 'users', property: 'p', rule: 1, semantics: 1, rules: 2 },
      'RZ_DEFINITION_INVALID',
    ],
    [
      'a collection that is reserved',
      { collection: 'resolver', property: 'definition', rule: 1, semantics: 1 },
      'RZ_DEFINITION_INVALID',
    ],
    ['an unknown operator', rule('p', { fubar: 1 }), 'RZ_RULE_OPERATOR'],
    ['a rule that is too deep', rule('p', JSON.parse(`${'['.repeat(70)}${']'.repeat(70)}`) as Value), 'RZ_RULE_DEPTH'],
  ])('with %s are reported and passed over', (_, definition, code) => {
    expect(codeOf(() => compileResolver(definition))).toBe(code)
    const faulty = define(4, 'one', definition)
    const view = resolve([...claims, define(3, 'one', sum), faulty])
    expect(view.properties['p']).toBe(3)
    expect(view.faults).toEqual([
      { code, message: expect.any(String) as string, source: { record: 'resolver/one', delta: faulty } },
    ])
    expect(resolve([...claims, faulty]).properties['p']).toBe(2)
  })

  test('of a later version of the language are in force, and their property says so', () => {
    const later = { collection: 'users', property: 'p', rule: { telepathy: [] }, semantics: 2, hint: 'new' }
    const view = resolve([...claims, define(3, 'one', sum), define(4, 'two', later), put(5, 'q', 1)])
    expect(view.properties).toEqual({ q: 1 })
    expect(view.errors['p']).toMatchObject({ code: 'RZ_RULE_SEMANTICS' })
    expect(view.faults).toEqual([])
  })

  test('that a node pins take the place of all records', () => {
    const records = [define(3, 'one', sum)].map((delta) =>
      readDefinition(losslessView('resolver/one', [delta], []), compileResolver),
    )
    const set = resolverSet(records, [compileResolver(count)])
    expect(lossyView(losslessView('users/a', claims, []), set).properties['p']).toEqual([1, 2])
  })
})
