/** Histories in which records are claimed, negated and resolved by rules that are records themselves. */

import fc from 'fast-check'
import { type Delta, negationPointers, type Value } from '../../src/delta/delta.ts'
import { recordPointers } from '../../src/delta/record.ts'
import type { ContextDefinition } from '../../src/view/contexts/context.ts'
import { concatenateWith, fromTrustedFirst, SHIPPED_RESOLVERS } from '../../src/view/resolvers/shipped.ts'
import { CREATORS, deltaOf } from './deltas.ts'

const PROPERTIES = ['p', 'q', 'r', '__proto__', '𝒳'] as const
const properties = fc.constantFrom(...PROPERTIES)
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

/** A rule that takes some 84,000 gas with 30, and far more than a property has with 50. */
const burning = (count: number): Value => {
  const list = Array.from({ length: count }, () => 1)
  return { all: [list, { all: [list, { all: [list, { '!!': [true] }] }] }] }
}

/** Some of which a view has gas for three. */
const costlyRules: fc.Arbitrary<Value> = fc.constantFrom<Value[]>(
  burning(30),
  burning(30),
  burning(50),
  { if: [{ property: 'p' }, burning(30), burning(30)] },
  { cat: [{ property: ['r', 'none'] }, burning(30)] },
  { property: ['q', 0] },
  SHIPPED_RESOLVERS.latest,
)

const definitionsWith = (rules: fc.Arbitrary<Value>): fc.Arbitrary<Value> =>
  fc.oneof(
    {
      arbitrary: fc
        .tuple(properties, rules)
        .map(([property, rule]) => ({ collection: 'users', property, rule, semantics: 1 })),
      weight: 6,
    },
    { arbitrary: fc.constantFrom<Value[]>('no object', null, 7, [1]), weight: 1 },
  )

type Draft =
  | { readonly kind: 'claim'; readonly user: string; readonly property: string; readonly value: Value }
  | { readonly kind: 'negation'; readonly back: number }
  | { readonly kind: 'resolver'; readonly record: string; readonly definition: Value }

const draftsWith = (rules: fc.Arbitrary<Value>): fc.Arbitrary<Draft> =>
  fc.oneof(
    {
      arbitrary: fc.record({ kind: fc.constant('claim' as const), user: users, property: properties, value: values }),
      weight: 6,
    },
    { arbitrary: fc.record({ kind: fc.constant('negation' as const), back: fc.nat({ max: 8 }) }), weight: 2 },
    {
      arbitrary: fc.record({
        kind: fc.constant('resolver' as const),
        record: fc.constantFrom('one', 'two', 'three'),
        definition: definitionsWith(rules),
      }),
      weight: 3,
    },
  )

type PlacedDraft = readonly [Draft, sameTime: boolean]

const placedWith = (rules: fc.Arbitrary<Value>, lengths: fc.ArrayConstraints): fc.Arbitrary<readonly PlacedDraft[]> =>
  fc.array(fc.tuple(draftsWith(rules), fc.boolean()), lengths)

function historyOf(all: readonly PlacedDraft[]): readonly Delta[] {
  const deltas: Delta[] = []
  for (const [index, [draft, sameTime]] of all.entries()) {
    const where = sameTime ? { time: { ms: 1_000, counter: 0 } } : {}
    const pointers = pointersOf(draft, deltas)
    if (pointers !== undefined) deltas.push(deltaOf(index, pointers, where))
  }
  return deltas
}

export const resolvedHistories = placedWith(resolverRules, { maxLength: 24 }).map(historyOf)

/** In which every property has a costly rule to begin with: they use up the gas of a view. */
export const costlyHistories = fc
  .tuple(fc.tuple(...PROPERTIES.map(() => costlyRules)), placedWith(costlyRules, { maxLength: 12 }))
  .map(([rules, others]) => {
    const first = PROPERTIES.flatMap((property, index): readonly PlacedDraft[] => {
      const definition = { collection: 'users', property, rule: rules[index] ?? null, semantics: 1 }
      return [
        [{ kind: 'claim', user: 'a', property, value: index }, false],
        [{ kind: 'resolver', record: property, definition }, false],
      ]
    })
    return historyOf([...first, ...others])
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
