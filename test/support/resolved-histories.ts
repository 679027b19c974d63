/** Histories in which records are claimed, negated and resolved by rules that are records themselves. */

import fc from 'fast-check'
import { type Delta, negationPointers, type Value } from '../../src/delta/delta.ts'
import { recordPointers } from '../../src/delta/record.ts'
import type { ContextDefinition } from '../../src/view/contexts/context.ts'
import { concatenateWith, fromTrustedFirst, SHIPPED_RESOLVERS } from '../../src/view/resolvers/shipped.ts'
import { CREATORS, deltaOf } from './deltas.ts'

const properties = fc.constantFrom('p', 'q', 'r', '__proto__', '𝒳')
const users = fc.constantFrom('a', 'b')
const values: fc.Arbitrary<Value> = fc.oneof(
  fc.constantFrom<Value[]>(null, true, 0, 1, 2, -3, 0.5, 1e300, '', 'a', 'b', 'é', '𝒳', '7', [], [1], [[2], 'x'], {
    x: 1,
  }),
  fc.uint8Array({ maxLength: 3 }),
)

const resolverRules: fc.Arbitrary<Value> = fc.constantFrom<Value[]>(
  ...Object.values(SHIPPED_RESOLVERS),
  concatenateWith(', '),
  fromTrustedFirst(CREATORS.slice(1)),
  { cat: [{ property: ['p', 'none'] }, '-', { property: 'q' }] },
  { '+': [{ property: ['q', 1] }, { length: { var: 'candidates' } }] },
  { if: [{ property: 'r' }, { property: 'p' }, { var: 'candidates.0.creator' }] },
  { property: ['gone', 5] },
  { sort: [{ var: 'candidates' }, [{ var: 'time.ms' }, { var: 'id' }]] },
  { group: [{ var: 'candidates' }, { var: 'value' }] },
)

const definitions: fc.Arbitrary<Value> = fc.oneof(
  {
    arbitrary: fc
      .tuple(properties, resolverRules)
      .map(([property, rule]) => ({ collection: 'users', property, rule, semantics: 1 })),
    weight: 6,
  },
  { arbitrary: fc.constantFrom<Value[]>('no object', null, 7, [1]), weight: 1 },
)

type Draft =
  | { readonly kind: 'claim'; readonly user: string; readonly property: string; readonly value: Value }
  | { readonly kind: 'negation'; readonly back: number }
  | { readonly kind: 'resolver'; readonly record: string; readonly definition: Value }

const drafts: fc.Arbitrary<Draft> = fc.oneof(
  {
    arbitrary: fc.record({ kind: fc.constant('claim' as const), user: users, property: properties, value: values }),
    weight: 6,
  },
  { arbitrary: fc.record({ kind: fc.constant('negation' as const), back: fc.nat({ max: 8 }) }), weight: 2 },
  {
    arbitrary: fc.record({
      kind: fc.constant('resolver' as const),
      record: fc.constantFrom('one', 'two', 'three'),
      definition: definitions,
    }),
    weight: 3,
  },
)

export const resolvedHistories: fc.Arbitrary<readonly Delta[]> = fc
  .array(fc.tuple(drafts, fc.boolean()), { maxLength: 24 })
  .map((all) => {
    const deltas: Delta[] = []
    for (const [index, [draft, sameTime]] of all.entries()) {
      const where = sameTime ? { time: { ms: 1_000, counter: 0 } } : {}
      const pointers = pointersOf(draft, deltas)
      if (pointers !== undefined) deltas.push(deltaOf(index, pointers, where))
    }
    return deltas
  })

function pointersOf(draft: Draft, before: readonly Delta[]) {
  switch (draft.kind) {
    case 'claim':
      return recordPointers('users', draft.user, Object.fromEntries([[draft.property, draft.value]]))[0]
    case 'resolver':
      return recordPointers('resolver', draft.record, { definition: draft.definition })[0]
    case 'negation': {
      const target = before.at(-1 - draft.back)
      return target === undefined ? undefined : negationPointers(target.id)
    }
  }
}

export const contexts: fc.Arbitrary<ContextDefinition> = fc.record(
  {
    filter: fc.constantFrom<Value[]>(
      { in: [{ var: 'creator' }, CREATORS.slice(0, 2)] },
      { '>=': [{ var: 'time.ms' }, 1_005] },
      { '!': { some: [{ var: 'pointers' }, { '===': [{ var: 'localContext' }, 'negates'] }] } },
      { '===': [{ var: 'host' }, { var: 'creator' }] },
      false,
    ),
    negations: fc.constantFrom<NonNullable<ContextDefinition['negations']>[]>('everyone', 'author', {
      creators: CREATORS.slice(0, 1),
    }),
    resolvers: fc.array(fc.record({ collection: fc.constant('users'), property: properties, rule: resolverRules }), {
      maxLength: 2,
    }),
    semantics: fc.constant(1),
  },
  { requiredKeys: ['semantics'] },
)
