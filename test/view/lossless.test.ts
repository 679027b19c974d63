import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encode } from '../../src/delta/cbor.ts'
import { type Delta, negationPointers, type Pointer, type Value } from '../../src/delta/delta.ts'
import { compareDeltas } from '../../src/delta/order.ts'
import { latestView } from '../../src/view/latest.ts'
import { losslessView } from '../../src/view/lossless.ts'
import { naiveLossless } from '../naive/lossless.ts'
import { CREATORS, deltaOf, histories } from '../support/deltas.ts'

const E = 'users/a'

function claim(index: number, property: string, value: Value): Delta {
  return deltaOf(index, [
    { localContext: 'users', target: E, targetContext: property },
    { localContext: property, target: value },
  ])
}

function negation(index: number, target: Delta): Delta {
  return deltaOf(index, negationPointers(target.id))
}

/** Views are equal when their bytes are. */
function bytesOf(view: unknown): string {
  return Buffer.from(encode(view as Value)).toString('hex')
}

describe('the lossless view', () => {
  test('of a claim that two hundred thousand deltas negate is a view like any other', () => {
    const target = claim(1, 'name', 'Ann')
    const negations = Array.from({ length: 200_000 }, (_, index) => negation(index + 2, target))
    const view = losslessView(E, [target], negations)
    expect(view.properties['name']?.[0]?.negatedBy).toHaveLength(200_000)
    expect(view.negations).toHaveLength(200_000)
  })

  test('shows every claim about each property in the total order, with its value and delta', () => {
    const first = claim(1, 'name', 'Ann')
    const second = claim(2, 'name', 'Anna')
    const age = claim(3, 'age', 30)
    const view = losslessView(E, [age, second, first], [])
    expect(view.id).toBe(E)
    expect(Object.keys(view.properties)).toEqual(['age', 'name'])
    expect(view.properties['name']).toEqual([
      { delta: first, value: 'Ann', negatedBy: [], standing: true },
      { delta: second, value: 'Anna', negatedBy: [], standing: true },
    ])
    expect(view.referencedAs).toEqual(['users'])
    expect(view.negations).toEqual([])
  })

  test('an entity that nothing points at has no properties', () => {
    expect(losslessView('users/nobody', [claim(1, 'name', 'Ann')], [])).toEqual({
      id: 'users/nobody',
      referencedAs: [],
      properties: {},
      negations: [],
    })
  })

  test('a value that reads like the entity id is no claim about it', () => {
    const delta = deltaOf(1, [{ localContext: 'name', target: E }])
    expect(losslessView(E, [delta], []).properties).toEqual({})
  })

  test('a delta that names a property twice makes one claim about it', () => {
    const pointers: Pointer[] = [
      { localContext: 'a', target: E, targetContext: 'friends' },
      { localContext: 'b', target: E, targetContext: 'friends' },
    ]
    const view = losslessView(E, [deltaOf(1, pointers)], [])
    expect(view.properties['friends']?.map((item) => item.value)).toEqual([E])
    expect(view.referencedAs).toEqual(['a', 'b'])
  })

  test('a delta that names two properties makes a claim about each', () => {
    const pointers: Pointer[] = [
      { localContext: 'from', target: E, targetContext: 'sent' },
      { localContext: 'to', target: E, targetContext: 'received' },
      { localContext: 'amount', target: 5 },
    ]
    const view = losslessView(E, [deltaOf(1, pointers)], [])
    expect(view.properties['sent']?.[0]?.value).toEqual({ to: E, amount: 5 })
    expect(view.properties['received']?.[0]?.value).toEqual({ from: E, amount: 5 })
  })

  test.each(['__proto__', 'constructor', 'hasOwnProperty', 'toString', ''])('a property may be named %j', (name) => {
    const view = losslessView(E, [claim(1, name, 'x')], [])
    expect(Object.keys(view.properties)).toEqual([name])
    expect(view.properties[name]?.[0]?.value).toBe('x')
    expect(Object.entries(latestView(view).properties)).toEqual([[name, 'x']])
  })

  test('no property is there that nothing claims, whatever its name', () => {
    const view = losslessView(E, [], [])
    expect(view.properties['constructor']).toBeUndefined()
    expect(view.properties['__proto__']).toBeUndefined()
  })

  test('properties come in the order of their UTF-8 bytes, which is not that of UTF-16', () => {
    const view = losslessView(E, [claim(1, '𝒳', 1), claim(2, '￿', 2), claim(3, 'z', 3)], [])
    expect(Object.keys(view.properties)).toEqual(['z', '￿', '𝒳'])
  })

  test('a delta id is an entity id too: its view shows what negates it', () => {
    const target = claim(1, 'name', 'Ann')
    const view = losslessView(target.id, [negation(2, target)], [])
    expect(view.properties['negated_by']?.[0]).toMatchObject({ value: null, standing: true })
  })
})

describe('standing', () => {
  const name = claim(1, 'name', 'Ann')

  test('a negated claim is shown with what negates it, and does not stand', () => {
    const not = negation(2, name)
    const view = losslessView(E, [name], [not])
    expect(view.properties['name']).toEqual([
      { delta: name, value: 'Ann', negatedBy: [{ id: not.id, counted: true }], standing: false },
    ])
    expect(view.negations).toEqual([{ delta: not, negatedBy: [], standing: true }])
  })

  test('a negated negation no longer counts, and a third one brings it back', () => {
    const not = negation(2, name)
    const notNot = negation(3, not)
    const notNotNot = negation(4, notNot)
    expect(losslessView(E, [name], [not, notNot]).properties['name']?.[0]?.standing).toBe(true)
    expect(losslessView(E, [name], [notNotNot, not, notNot]).properties['name']?.[0]?.standing).toBe(false)
  })

  test('of two negations one that stands is enough', () => {
    const one = negation(2, name)
    const other = negation(3, name)
    const undo = negation(4, one)
    expect(losslessView(E, [name], [one, other, undo]).properties['name']?.[0]?.standing).toBe(false)
  })

  test('a negation that the context does not count is shown and changes nothing', () => {
    const not = negation(2, name)
    const ownOnly = (by: Delta, target: Delta) => by.creator === target.creator
    const view = losslessView(E, [name], [not], { counts: ownOnly })
    expect(view.properties['name']?.[0]).toMatchObject({ negatedBy: [{ id: not.id, counted: false }], standing: true })
    const own = deltaOf(5, negationPointers(name.id), { creator: name.creator })
    expect(losslessView(E, [name], [own], { counts: ownOnly }).properties['name']?.[0]?.standing).toBe(false)
  })

  test('a negation of something else is no part of the view', () => {
    const other = claim(7, 'age', 3)
    expect(losslessView(E, [name], [negation(8, other)]).negations).toEqual([])
  })

  test('a delta that both claims and negates does both', () => {
    const both = deltaOf(2, [
      { localContext: 'users', target: E, targetContext: 'name' },
      { localContext: 'name', target: 'Anna' },
      ...negationPointers(name.id),
    ])
    const view = losslessView(E, [name, both], [both])
    expect(view.properties['name']?.map((item) => item.standing)).toEqual([false, true])
    expect(view.negations).toHaveLength(1)
  })

  test('a chain of 50,000 negations is decided without recursion', () => {
    const chain = [name]
    for (let index = 2; index <= 50_001; index++) chain.push(negation(index, chain.at(-1) as Delta))
    expect(losslessView(E, [name], chain.slice(1)).properties['name']?.[0]?.standing).toBe(true)
  })

  test('deltas that negate each other, which no hash allows, end the view and stand not', () => {
    const first = claim(1, 'name', 'Ann')
    const second = deltaOf(2, negationPointers(first.id))
    const cyclic = { ...first, pointers: [...first.pointers, ...negationPointers(second.id)] }
    expect(losslessView(E, [cyclic], [second]).properties['name']?.[0]?.standing).toBe(false)
  })
})

describe('the latest value', () => {
  test('is that of the last standing claim; without one the property is absent', () => {
    const old = claim(1, 'name', 'Ann')
    const recent = claim(2, 'name', 'Anna')
    const email = claim(3, 'email', 'a@example.org')
    const view = losslessView(E, [old, recent, email], [negation(4, recent), negation(5, email)])
    expect(latestView(view)).toEqual({ id: E, properties: { name: 'Ann' } })
    expect('email' in latestView(view).properties).toBe(false)
  })

  test('may be null', () => {
    expect(latestView(losslessView(E, [claim(1, 'name', null)], [])).properties).toEqual({ name: null })
  })

  test('among claims of one time is decided by the creator', () => {
    const time = { ms: 5, counter: 0 }
    const claims = CREATORS.map((creator, index) => ({ ...claim(index, 'name', index), time, creator }))
    expect(latestView(losslessView(E, claims, [])).properties['name']).toBe(2)
  })
})

describe('laws', () => {
  const entities = fc.constantFrom('users/a', 'users/b', 'raw')
  const notCreatorZero = (by: Delta) => by.creator !== CREATORS[0]

  test('the view equals the naive one, counted negations filtered or not', () => {
    fc.assert(
      fc.property(histories, entities, (deltas, entity) => {
        const about = deltas.filter((delta) => delta.pointers.some((pointer) => pointer.target === entity))
        for (const counts of [undefined, notCreatorZero]) {
          const real = losslessView(entity, about, deltas, counts === undefined ? {} : { counts })
          const naive = naiveLossless(entity, [{ deltas }], counts as never)
          expect(bytesOf(real)).toBe(bytesOf(naive))
        }
      }),
      { numRuns: 300 },
    )
  })

  test('any order and any duplication give the same bytes', () => {
    fc.assert(
      fc.property(histories, entities, fc.infiniteStream(fc.nat({ max: 1_000 })), (deltas, entity, numbers) => {
        const shuffled = [...deltas, ...deltas.filter((_, index) => index % 3 === 0)]
          .map((delta) => ({ delta, key: numbers.next().value }))
          .sort((a, b) => a.key - b.key)
          .map(({ delta }) => delta)
        const half = shuffled.length >> 1
        const straight = losslessView(entity, deltas, deltas)
        const mixed = losslessView(entity, shuffled.slice(0, half), shuffled.slice(half))
        expect(bytesOf(mixed)).toBe(bytesOf(straight))
        expect(JSON.stringify(mixed)).toBe(JSON.stringify(straight))
        expect(bytesOf(latestView(mixed))).toBe(bytesOf(latestView(straight)))
      }),
      { numRuns: 300 },
    )
  })

  test('deltas of other entities change nothing', () => {
    fc.assert(
      fc.property(histories, entities, (deltas, entity) => {
        const about = deltas.filter((delta) => delta.pointers.some((pointer) => pointer.target === entity))
        expect(bytesOf(losslessView(entity, deltas, deltas))).toBe(bytesOf(losslessView(entity, about, deltas)))
      }),
    )
  })

  test('claims come in the total order', () => {
    fc.assert(
      fc.property(histories, entities, (deltas, entity) => {
        for (const claims of Object.values(losslessView(entity, deltas, deltas).properties)) {
          expect(claims).toEqual([...claims].sort((a, b) => compareDeltas(a.delta, b.delta)))
        }
      }),
    )
  })
})
