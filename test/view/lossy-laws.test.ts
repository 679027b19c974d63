/** Random histories of records, resolvers and negations, in all contexts: what must hold of every view of them. */

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { encode } from '../../src/delta/cbor.ts'
import type { Delta, Value } from '../../src/delta/delta.ts'
import { compileContext, type ContextDefinition, OPEN_CONTEXT } from '../../src/view/contexts/context.ts'
import { latestView } from '../../src/view/latest.ts'
import { losslessView } from '../../src/view/lossless.ts'
import { lossyView, type ResolvedView } from '../../src/view/lossy.ts'
import { NO_RESOLVERS } from '../../src/view/resolvers/resolver-set.ts'
import { type NaiveContext, naiveLossy } from '../naive/lossy.ts'
import { contexts, costlyHistories, resolvedHistories } from '../support/resolved-histories.ts'
import { viewOf } from '../support/resolved-view.ts'

const entities = fc.constantFrom('users/a', 'users/b', 'resolver/one')

/** Views are equal when their bytes are; of errors the codes are compared. */
function bytesOf({ id, properties, errors }: ResolvedView): string {
  const codes = Object.entries(errors).map(([property, { code }]) => [property, code])
  return hexOf({ id, properties, errors: Object.fromEntries(codes) })
}

function hexOf(value: unknown): string {
  return Buffer.from(encode(value as Value)).toString('hex')
}

const contextOf = (definition: ContextDefinition | undefined) =>
  definition === undefined ? OPEN_CONTEXT : compileContext(definition)

test('a view equals the naive one, in every context and under every resolver', () => {
  fc.assert(
    fc.property(resolvedHistories, entities, fc.option(contexts, { nil: undefined }), (deltas, entity, definition) => {
      const real = viewOf(entity, deltas, contextOf(definition)).lossy
      expect(bytesOf(real)).toBe(hexOf(naiveLossy(entity, deltas, (definition ?? {}) as NaiveContext)))
    }),
    { numRuns: 1_500 },
  )
})

test('a view whose rules use up its gas equals the naive one as well', () => {
  let starvedCount = 0
  fc.assert(
    fc.property(costlyHistories, fc.option(contexts, { nil: undefined }), (deltas, definition) => {
      const real = viewOf('users/a', deltas, contextOf(definition)).lossy
      expect(bytesOf(real)).toBe(hexOf(naiveLossy('users/a', deltas, (definition ?? {}) as NaiveContext)))
      if (Object.values(real.errors).some(({ code }) => code === 'RZ_VIEW_GAS')) starvedCount++
    }),
    { numRuns: 200 },
  )
  expect(starvedCount).toBeGreaterThan(5)
})

test('any order and any duplication give the same bytes, messages of errors included', () => {
  fc.assert(
    fc.property(
      resolvedHistories,
      entities,
      fc.option(contexts, { nil: undefined }),
      fc.infiniteStream(fc.nat({ max: 1_000 })),
      (deltas, entity, definition, numbers) => {
        const mixed = [...deltas, ...deltas.filter((_, index) => index % 3 === 0)]
          .map((delta) => ({ delta, key: numbers.next().value }))
          .sort((a, b) => a.key - b.key)
          .map(({ delta }) => delta)
        const context = contextOf(definition)
        expect(JSON.stringify(viewOf(entity, mixed, context))).toBe(JSON.stringify(viewOf(entity, deltas, context)))
      },
    ),
    { numRuns: 500 },
  )
})

test('one delta more or less of another record changes nothing', () => {
  fc.assert(
    fc.property(resolvedHistories, (deltas) => {
      const others = deltas.filter((delta) => !delta.pointers.some((pointer) => pointer.target === 'users/b'))
      expect(bytesOf(viewOf('users/a', others).lossy)).toBe(bytesOf(viewOf('users/a', deltas).lossy))
    }),
  )
})

test('without resolvers a view is the latest one', () => {
  fc.assert(
    fc.property(resolvedHistories, entities, (deltas: readonly Delta[], entity) => {
      const view = losslessView(entity, deltas, deltas)
      expect(lossyView(view, NO_RESOLVERS)).toEqual({ ...latestView(view), errors: {} })
    }),
  )
})
