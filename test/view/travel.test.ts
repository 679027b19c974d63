/** Views of other moments: as of a time or a frontier, what changed, and how a property came to be what it is. */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Delta, negationPointers, type Value } from '../../src/delta/delta.ts'
import { recordPointers } from '../../src/delta/record.ts'
import { belongsTo } from '../../src/view/as-of.ts'
import { OPEN_CONTEXT } from '../../src/view/contexts/context.ts'
import { diffViews } from '../../src/view/diff.ts'
import { explain } from '../../src/view/explain.ts'
import { historyOf } from '../../src/view/history.ts'
import { SHIPPED_RESOLVERS } from '../../src/view/resolvers/shipped.ts'
import { NO_RESOLVERS } from '../../src/view/resolvers/resolver-set.ts'
import { CREATORS, deltaOf } from '../support/deltas.ts'
import { resolvedHistories } from '../support/resolved-histories.ts'
import { resolversOf, viewOf } from '../support/resolved-view.ts'

function put(index: number, property: string, value: Value, where: Partial<Delta> = {}): Delta {
  return deltaOf(index, recordPointers('users', 'a', { [property]: value })[0] ?? [], where)
}

const sum: Value = { collection: 'users', property: 'n', rule: SHIPPED_RESOLVERS.sum, semantics: 1 }
const definesSum = deltaOf(20, recordPointers('resolver', 'n', { definition: sum })[0] ?? [])

describe('as of', () => {
  const deltas = [put(1, 'n', 1), put(2, 'n', 2), put(3, 'n', 3)]

  test('a time, what is dated up to then counts', () => {
    const counts = belongsTo({ kind: 'time', time: { ms: 1_002, counter: 0 } })
    expect(deltas.map(counts)).toEqual([true, true, false])
    expect(
      belongsTo({ kind: 'time', time: { ms: 1_002, counter: 5 } })(put(9, 'n', 1, { time: { ms: 1_002, counter: 6 } })),
    ).toBe(false)
  })

  test('a frontier, each log counts up to its head, and a log that it does not name not at all', () => {
    const log = '00'.repeat(16)
    const heads = new Map([
      [`${CREATORS[1]}/${log}`, 1],
      [`${CREATORS[2]}/${log}`, 1],
    ])
    expect(deltas.map(belongsTo({ kind: 'frontier', heads }))).toEqual([true, false, false])
    expect(deltas.map(belongsTo({ kind: 'frontier', heads: new Map([[`${CREATORS[2]}/${log}`, 2]]) }))).toEqual([
      false,
      true,
      false,
    ])
  })

  test('a moment before a resolver came, the old rule answers', () => {
    const all = [...deltas, definesSum]
    expect(viewOf('users/a', all).lossy.properties).toEqual({ n: 6 })
    const before = all.filter(belongsTo({ kind: 'time', time: { ms: 1_019, counter: 0 } }))
    expect(viewOf('users/a', before).lossy.properties).toEqual({ n: 3 })
  })
})

describe('the difference of two views', () => {
  const before = viewOf('users/a', [put(1, 'n', 1), put(2, 'same', [1]), put(3, 'gone', 'x')]).lossy
  const broken: Value = { collection: 'users', property: 'odd', rule: { property: 'odd' }, semantics: 1 }
  const after = viewOf('users/a', [
    put(4, 'n', 2),
    put(5, 'same', [1]),
    put(6, 'new', null),
    put(7, 'odd', 1),
    deltaOf(8, recordPointers('resolver', 'odd', { definition: broken })[0] ?? []),
  ]).lossy

  test('names what came, went and changed, errors included', () => {
    expect(diffViews(before, after)).toEqual([
      { property: 'gone', before: { value: 'x' }, after: {} },
      { property: 'n', before: { value: 1 }, after: { value: 2 } },
      { property: 'new', before: {}, after: { value: null } },
      { property: 'odd', before: {}, after: { error: expect.objectContaining({ code: 'RZ_RULE_CYCLE' }) as unknown } },
    ])
  })

  test('of a view and itself is none', () => {
    fc.assert(
      fc.property(resolvedHistories, (deltas) => {
        expect(diffViews(viewOf('users/a', deltas).lossy, viewOf('users/a', deltas.toReversed()).lossy)).toEqual([])
      }),
    )
  })
})

describe('the history of a property', () => {
  const options = { context: OPEN_CONTEXT, resolvers: NO_RESOLVERS }
  const first = put(1, 'n', 1)
  const second = put(2, 'n', 2)
  const same = put(3, 'n', 2)
  const not = deltaOf(4, negationPointers(same.id))
  const notSecond = deltaOf(5, negationPointers(second.id))
  const undo = deltaOf(6, negationPointers(notSecond.id))

  test('tells each change, oldest first, with the delta that made it', () => {
    expect(
      historyOf('users/a', 'n', [second, put(9, 'other', 1), first, same], [undo, notSecond, not], options),
    ).toEqual({
      moments: [
        { delta: first, after: { value: 1 } },
        { delta: second, after: { value: 2 } },
        { delta: notSecond, after: { value: 1 } },
        { delta: undo, after: { value: 2 } },
      ],
      skippedCount: 0,
    })
  })

  test('goes no further back than asked, and says so', () => {
    expect(
      historyOf('users/a', 'n', [first, second, same], [not, notSecond, undo], { ...options, deltasMax: 2 }),
    ).toEqual({
      moments: [
        { delta: notSecond, after: { value: 1 } },
        { delta: undo, after: { value: 2 } },
      ],
      skippedCount: 4,
    })
  })

  test('ends with the value that the property has', () => {
    fc.assert(
      fc.property(resolvedHistories, fc.constantFrom('p', 'q', '__proto__'), (deltas, property) => {
        const resolvers = resolversOf(deltas)
        const { moments } = historyOf('users/a', property, deltas, deltas, { context: OPEN_CONTEXT, resolvers })
        const { lossy } = viewOf('users/a', deltas)
        expect(moments.at(-1)?.after.value).toEqual(lossy.properties[property])
        expect(moments.at(-1)?.after.error?.code).toBe(lossy.errors[property]?.code)
      }),
    )
  })
})

describe('an explanation', () => {
  const ann = put(1, 'n', 1, { creator: CREATORS[0] as Delta['creator'] })
  const ben = put(2, 'n', 2, { creator: CREATORS[1] as Delta['creator'] })
  const cid = put(3, 'n', 3, { creator: CREATORS[2] as Delta['creator'] })
  const not = deltaOf(4, negationPointers(cid.id), { creator: CREATORS[0] as Delta['creator'] })
  const other = deltaOf(5, negationPointers(put(9, 'm', 0).id))

  const explained = (deltas: readonly Delta[], property = 'n') => {
    const { lossless, lossy } = viewOf('users/a', deltas)
    return explain(lossless, lossy, resolversOf(deltas), property)
  }

  test('of the default names the losers, what is negated, by whom, and who signed', () => {
    const told = explained([ann, ben, cid, not, other])
    expect(told).toMatchObject({ id: 'users/a', property: 'n', value: 2, resolver: { kind: 'latest' } })
    expect(told.candidates.map(({ value }) => value)).toEqual([1, 2])
    expect(told.losers.map(({ id }) => id)).toEqual([ann.id])
    expect(told.negated.map(({ delta }) => delta)).toEqual([cid])
    expect(told.negations.map(({ delta }) => delta)).toEqual([not])
    expect(told.signers).toEqual([...CREATORS].sort())
  })

  test('of a rule names it, its record, and the delta that holds it', () => {
    const told = explained([ann, ben, definesSum])
    expect(told.value).toBe(3)
    // Both are in it.
    expect(told.candidates).toHaveLength(2)
    expect(told.losers).toEqual([])
    expect(told.resolver).toEqual({
      kind: 'rule',
      rule: SHIPPED_RESOLVERS.sum,
      semantics: 1,
      reads: [],
      source: { record: 'resolver/n', delta: definesSum },
    })
    expect(told.signers).toContain(definesSum.creator)
  })

  test('of an error tells the error, and all candidates lost', () => {
    const broken: Value = { collection: 'users', property: 'n', rule: { property: 'n' }, semantics: 1 }
    const told = explained([ann, deltaOf(8, recordPointers('resolver', 'n', { definition: broken })[0] ?? [])])
    expect(told.value).toBeUndefined()
    expect(told.error?.code).toBe('RZ_RULE_CYCLE')
    expect(told.losers).toHaveLength(1)
    expect(told.resolver).toMatchObject({ reads: ['n'] })
  })

  test('of a property that nothing is said about is empty', () => {
    expect(explained([ann], 'constructor')).toEqual({
      id: 'users/a',
      property: 'constructor',
      candidates: [],
      losers: [],
      negated: [],
      negations: [],
      resolver: { kind: 'latest' },
      signers: [],
    })
  })
})
