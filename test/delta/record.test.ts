import { deepStrictEqual } from 'node:assert'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { negatedIds, negationPointers, type Pointer, type ReferencePointer, type Value } from '../../src/delta/delta.ts'
import { entityIdOf, parseEntityId, pointersAt, recordPointers, ref, valueAt } from '../../src/delta/record.ts'
import { deltaOf, values } from '../support/deltas.ts'
import { codeOf } from '../support/expect.ts'

const E = 'users/a'

function valueOf(pointers: readonly Pointer[]): Value {
  const delta = deltaOf(0, pointers)
  return valueAt(delta, pointersAt(delta, E)[0] as ReferencePointer)
}

describe('a record', () => {
  test('is one delta per property, in the order given', () => {
    expect(recordPointers('users', 'a', { name: 'Ann', age: 30 })).toEqual([
      [
        { localContext: 'users', target: E, targetContext: 'name' },
        { localContext: 'name', target: 'Ann' },
      ],
      [
        { localContext: 'users', target: E, targetContext: 'age' },
        { localContext: 'age', target: 30 },
      ],
    ])
  })

  test('holds a reference where one is given, and a look-alike as the value that it is', () => {
    const reference = ref('teams/x', 'members')
    const [real, alike] = recordPointers('users', 'a', {
      team: reference,
      other: { target: 'teams/x', targetContext: 'members' },
    })
    expect(real?.[1]).toEqual({ localContext: 'team', target: 'teams/x', targetContext: 'members' })
    expect(alike?.[1]).toEqual({ localContext: 'other', target: { target: 'teams/x', targetContext: 'members' } })
  })

  test('gives back the value that was put, whatever it is', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), values, (property, value) => {
        const [pointers] = recordPointers(
          'users',
          'a',
          JSON.parse(`{${JSON.stringify(property)}:0}`) as Record<string, Value>,
        )
        const written = (pointers as readonly Pointer[]).map((pointer, index) =>
          index === 1 ? { ...pointer, target: value } : pointer,
        )
        deepStrictEqual(valueOf(written), value)
      }),
    )
  })

  test.each([
    ['', 'a'],
    ['a/b', 'c'],
    ['.', '5'],
    ['users', ''],
  ])('(%j, %j) names none', (collection, id) => {
    expect(codeOf(() => entityIdOf(collection, id))).toBe('RZ_RECORD_INVALID')
    expect(codeOf(() => recordPointers(collection, id, { name: 1 }))).toBe('RZ_RECORD_INVALID')
  })

  test('has no property without a name', () => {
    expect(codeOf(() => recordPointers('users', 'a', { '': 1 }))).toBe('RZ_RECORD_INVALID')
  })

  test.each([
    undefined,
    null,
    7,
    'text',
    ['a'],
    new Map([['a', 1]]),
    Promise.resolve({ a: 1 }),
    new Date(0),
    new Uint8Array(2),
  ])('refuses %o as properties: nothing of it would be written, or what nobody means', (properties) => {
    expect(codeOf(() => recordPointers('users', 'a', properties as never))).toBe('RZ_RECORD_INVALID')
  })

  test.each([undefined, null, 7, {}])('refuses %o as a collection and as an id', (name) => {
    expect(codeOf(() => entityIdOf(name as never, 'a'))).toBe('RZ_RECORD_INVALID')
    expect(codeOf(() => entityIdOf('users', name as never))).toBe('RZ_RECORD_INVALID')
  })

  test('is found again from its entity id, slashes in its id included; a raw id has none', () => {
    expect(parseEntityId(entityIdOf('users', 'a/b'))).toEqual({ collection: 'users', id: 'a/b' })
    expect(parseEntityId('raw')).toBeUndefined()
    expect(parseEntityId('/raw')).toBeUndefined()
    expect(parseEntityId('raw/')).toBeUndefined()
  })
})

describe('the value of a delta for a property', () => {
  const about = { localContext: 'users', target: E, targetContext: 'p' }

  test('is the target of its only other pointer, a reference or a value', () => {
    expect(valueOf([about, { localContext: 'p', target: [1] }])).toEqual([1])
    expect(valueOf([{ localContext: 'p', target: 'teams/x', targetContext: 'members' }, about])).toBe('teams/x')
  })

  test('is an object by local context where there are more, with lists on repeats in the order of the pointers', () => {
    const pointers = [
      { localContext: 'to', target: 'b' },
      about,
      { localContext: 'amount', target: 5 },
      { localContext: 'to', target: 'c' },
      { localContext: '__proto__', target: 1 },
    ]
    const value = valueOf(pointers)
    expect(Object.entries(value as object)).toEqual([
      ['to', ['b', 'c']],
      ['amount', 5],
      ['__proto__', 1],
    ])
  })

  test('is null where the delta only points at the entity', () => {
    expect(valueOf([about])).toBeNull()
  })
})

describe('a negation', () => {
  const id = deltaOf(1, []).id

  test('names the delta that it negates', () => {
    expect(negatedIds(negationPointers(id))).toEqual([id])
  })

  test('is not made by a pointer that lacks one of its words', () => {
    expect(negatedIds([{ localContext: 'negates', target: id }])).toEqual([])
    expect(negatedIds([{ localContext: 'negates', target: id, targetContext: 'name' }])).toEqual([])
    expect(negatedIds([{ localContext: 'x', target: id, targetContext: 'negated_by' }])).toEqual([])
  })
})
