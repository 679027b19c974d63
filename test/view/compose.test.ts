import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Delta, isReference, negationPointers } from '../../src/delta/delta.ts'
import { compareDeltas, compareUtf8 } from '../../src/delta/order.ts'
import { composeLossless, decomposeLossless } from '../../src/view/compose.ts'
import { losslessView } from '../../src/view/lossless.ts'
import { CREATORS, deltaOf, histories } from '../support/deltas.ts'

const viewsOf = (deltas: readonly Delta[]) => [...composeLossless(deltas)]

describe('composing', () => {
  test('a delta is part of the view of each entity that it points at', () => {
    const film = deltaOf(1, [
      { localContext: 'actor', target: 'people/keanu', targetContext: 'roles' },
      { localContext: 'role', target: 'roles/neo', targetContext: 'actors' },
      { localContext: 'film', target: 'films/matrix', targetContext: 'cast' },
      { localContext: 'salary', target: 10_000_000 },
      { localContext: 'currency', target: 'USD' },
    ])
    const views = viewsOf([film])
    expect(views.map(({ id }) => id)).toEqual(['films/matrix', 'people/keanu', 'roles/neo'])
    expect(views[0]?.properties['cast']?.[0]?.value).toEqual({
      actor: 'people/keanu',
      role: 'roles/neo',
      salary: 10_000_000,
      currency: 'USD',
    })
    expect(views.map((view) => view.referencedAs)).toEqual([['film'], ['actor'], ['role']])
    expect(decomposeLossless(views)).toEqual([film])
  })

  test('a negated delta has a view of its own', () => {
    const claim = deltaOf(1, [{ localContext: 'x', target: 'e', targetContext: 'p' }])
    const not = deltaOf(2, negationPointers(claim.id))
    const [first, second] = viewsOf([claim, not]).sort((a, b) => a.id.length - b.id.length)
    expect(first?.properties['p']?.[0]?.standing).toBe(false)
    expect(second).toMatchObject({ id: claim.id, referencedAs: ['negates'] })
  })
})

describe('laws', () => {
  const options = { counts: (negation: Delta) => negation.creator !== CREATORS[0] }

  test('composed views are those of each entity alone', () => {
    fc.assert(
      fc.property(histories, (deltas) => {
        for (const view of composeLossless(deltas, options)) {
          expect(view).toEqual(losslessView(view.id, deltas, deltas, options))
        }
      }),
    )
  })

  test('decomposing what was composed gives the deltas again, in the total order, but for those that point at nothing', () => {
    fc.assert(
      fc.property(histories, (deltas) => {
        const pointing = deltas.filter((delta) => delta.pointers.some(isReference))
        expect(decomposeLossless(composeLossless(deltas))).toEqual([...pointing].sort(compareDeltas))
      }),
    )
  })

  test('composing what was decomposed gives the views again, of one entity or of several', () => {
    fc.assert(
      fc.property(histories, fc.subarray(['users/a', 'users/b', 'raw']), (deltas, entities) => {
        const views = entities
          .map((entity) => losslessView(entity, deltas, deltas))
          .filter((view) => view.referencedAs.length > 0)
        const composed = viewsOf(decomposeLossless(views)).filter((view) => entities.includes(view.id))
        expect(composed).toEqual(views.sort((a, b) => compareUtf8(a.id, b.id)))
      }),
    )
  })
})
