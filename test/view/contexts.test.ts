import { describe, expect, test } from 'vitest'
import { type Delta, negationPointers, type Value } from '../../src/delta/delta.ts'
import { recordPointers } from '../../src/delta/record.ts'
import { compileContext, trustOnly } from '../../src/view/contexts/context.ts'
import { readDefinition } from '../../src/view/definition.ts'
import { losslessView } from '../../src/view/lossless.ts'
import { SHIPPED_RESOLVERS } from '../../src/view/resolvers/shipped.ts'
import { CREATORS, deltaOf } from '../support/deltas.ts'
import { codeOf } from '../support/expect.ts'
import { viewOf } from '../support/resolved-view.ts'

const [ANN = '', BEN = '', CID = ''] = CREATORS

function put(index: number, property: string, value: Value, creator: string): Delta {
  const pointers = recordPointers('users', 'a', { [property]: value })[0] ?? []
  return deltaOf(index, pointers, { creator: creator as Delta['creator'] })
}

function negate(index: number, target: Delta, creator: string): Delta {
  return deltaOf(index, negationPointers(target.id), { creator: creator as Delta['creator'] })
}

const inContext = (deltas: readonly Delta[], definition: Value, entity = 'users/a') =>
  viewOf(entity, deltas, compileContext(definition))
const valueIn = (deltas: readonly Delta[], definition: Value) => inContext(deltas, definition).lossy.properties['name']

describe('a context', () => {
  const first = put(1, 'name', 'Ann', ANN)
  const second = put(2, 'name', 'Anna', BEN)
  const deltas = [first, second]

  test('that says nothing is the open one', () => {
    expect(valueIn(deltas, { semantics: 1 })).toBe('Anna')
    expect(inContext(deltas, { semantics: 1 })).toEqual(viewOf('users/a', deltas))
  })

  test('sees what its filter says: one log, two contexts, two values', () => {
    expect(valueIn(deltas, { filter: { '===': [{ var: 'creator' }, ANN] }, semantics: 1 })).toBe('Ann')
    expect(valueIn(deltas, { filter: { '!==': [{ var: 'creator' }, ANN] }, semantics: 1 })).toBe('Anna')
    expect(valueIn(deltas, { filter: { '<': [{ var: 'time.ms' }, 1_002] }, semantics: 1 })).toBe('Ann')
    expect(valueIn(deltas, { filter: { '===': [{ var: 'pointers.1.target' }, 'Ann'] }, semantics: 1 })).toBe('Ann')
    expect(valueIn(deltas, { filter: false, semantics: 1 })).toBeUndefined()
  })

  test('heeds the negations of everyone, of the author, or of those it lists', () => {
    const byOther = [...deltas, negate(3, second, CID)]
    const byAuthor = [...deltas, negate(3, second, BEN)]
    expect(valueIn(byOther, { semantics: 1 })).toBe('Ann')
    expect(valueIn(byOther, { negations: 'everyone', semantics: 1 })).toBe('Ann')
    expect(valueIn(byOther, { negations: 'author', semantics: 1 })).toBe('Anna')
    expect(valueIn(byAuthor, { negations: 'author', semantics: 1 })).toBe('Ann')
    expect(valueIn(byOther, { negations: { creators: [CID] }, semantics: 1 })).toBe('Ann')
    expect(valueIn(byOther, { negations: { creators: [] }, semantics: 1 })).toBe('Anna')
  })

  test('that does not see a negation does not heed it, and does not show it', () => {
    const hidden = [...deltas, negate(3, second, CID)]
    const view = inContext(hidden, { filter: { '!==': [{ var: 'creator' }, CID] }, semantics: 1 })
    expect(view.lossy.properties['name']).toBe('Anna')
    expect(view.lossless.negations).toEqual([])
  })

  test('may resolve otherwise than the log does', () => {
    const log = deltaOf(
      4,
      recordPointers('resolver', 'r', {
        definition: { collection: 'users', property: 'name', rule: SHIPPED_RESOLVERS.all, semantics: 1 },
      })[0] ?? [],
    )
    const all = [...deltas, log, put(5, 'age', 3, ANN)]
    expect(valueIn(all, { semantics: 1 })).toEqual(['Ann', 'Anna'])
    const audit = {
      resolvers: [{ collection: 'users', property: 'name', rule: SHIPPED_RESOLVERS.count }],
      semantics: 1,
    }
    expect(inContext(all, audit).lossy.properties).toEqual({ age: 3, name: 2 })
  })

  test('trusts a list of creators: their claims and negations are all there is', () => {
    const all = [...deltas, negate(3, first, BEN), negate(4, first, CID)]
    expect(valueIn(all, trustOnly([ANN]))).toBe('Ann')
    expect(valueIn(all, trustOnly([ANN, CID]))).toBeUndefined()
    expect(valueIn(all, trustOnly([BEN]))).toBe('Anna')
    expect(valueIn(all, trustOnly([]))).toBeUndefined()
  })

  test('changes nothing about records that say how others are read', () => {
    const pointers = recordPointers('resolver', 'r', { definition: 'x' })[0] ?? []
    const record = deltaOf(1, pointers)
    expect(inContext([record], trustOnly([]), 'resolver/r').lossy.properties).toEqual({ definition: 'x' })
  })

  test('reports deltas on which its filter fails, and does not see them', () => {
    const costly = {
      if: [{ '===': [{ var: 'creator' }, BEN] }, { map: [Array.from({ length: 11_000 }, () => 0), 1] }, true],
    }
    const { lossy, faults } = inContext(deltas, { filter: costly, semantics: 1 })
    expect(lossy.properties['name']).toBe('Ann')
    expect(faults).toEqual([{ code: 'RZ_RULE_GAS', message: expect.any(String) as string, delta: second }])
  })

  test('is read from a record, by the last definition that can be read', () => {
    const good = deltaOf(1, recordPointers('context', 'audit', { definition: trustOnly([ANN]) })[0] ?? [])
    const bad = deltaOf(
      2,
      recordPointers('context', 'audit', { definition: { filter: { fubar: 1 }, semantics: 1 } })[0] ?? [],
    )
    const { definition, faults } = readDefinition(losslessView('context/audit', [good, bad], []), compileContext)
    expect(faults.map(({ code, source }) => [code, source.record, source.delta])).toEqual([
      ['RZ_RULE_OPERATOR', 'context/audit', bad],
    ])
    expect(viewOf('users/a', deltas, definition).lossy.properties['name']).toBe('Ann')
  })

  test.each<[string, Value, string]>([
    ['no object', 'trust', 'RZ_DEFINITION_INVALID'],
    ['no semantics', {}, 'RZ_DEFINITION_INVALID'],
    ['a later version', { semantics: 2 }, 'RZ_RULE_SEMANTICS'],
    ['a further field', { filters: true, semantics: 1 }, 'RZ_DEFINITION_INVALID'],
    ['an unknown word for negations', { negations: 'nobody', semantics: 1 }, 'RZ_DEFINITION_INVALID'],
    ['negations of no texts', { negations: { creators: [1] }, semantics: 1 }, 'RZ_DEFINITION_INVALID'],
    ['negations without creators', { negations: { listed: [] }, semantics: 1 }, 'RZ_DEFINITION_INVALID'],
    ['negations that are null', { negations: null, semantics: 1 }, 'RZ_DEFINITION_INVALID'],
    ['resolvers that are no list', { resolvers: {}, semantics: 1 }, 'RZ_DEFINITION_INVALID'],
    ['a resolver of no form', { resolvers: [{ property: 'p', rule: 1 }], semantics: 1 }, 'RZ_DEFINITION_INVALID'],
    ['a resolver that is no object', { resolvers: [1], semantics: 1 }, 'RZ_DEFINITION_INVALID'],
    ['an unknown operator', { filter: { fubar: 1 }, semantics: 1 }, 'RZ_RULE_OPERATOR'],
  ])('with %s is refused', (_, definition, code) => {
    expect(codeOf(() => compileContext(definition))).toBe(code)
  })
})
