/** Deltas for tests of what reads them: plain values with plausible ids, no signatures behind them. */

import { createHash } from 'node:crypto'
import fc from 'fast-check'
import type { Delta, Pointer, Value } from '../../src/delta/delta.ts'
import { deltaIdOf, hashText, peerIdOf } from '../../src/delta/identifiers.ts'

export const CREATORS = [1, 2, 3].map((byte) => peerIdOf(new Uint8Array(32).fill(byte)))

/** The delta number `index` of an imagined history: ids, times and logs follow from the numbers. */
export function deltaOf(index: number, pointers: readonly Pointer[], where: Partial<Delta> = {}): Delta {
  const creator = CREATORS[index % CREATORS.length] ?? peerIdOf(new Uint8Array(32))
  return {
    id: deltaIdOf(hashText(createHash('sha256').update(`block ${index}`).digest()), 0),
    time: { ms: 1_000 + index, counter: 0 },
    creator,
    host: creator,
    log: '00'.repeat(16),
    seq: index,
    index: 0,
    pointers,
    ...where,
  }
}

/** Names that trip maps made of plain objects, beside ordinary ones. */
const awkwardNames = fc.constantFrom('name', 'age', '__proto__', 'constructor', 'toString', '2', '10', 'é', '𝒳', '￿')

export const values: fc.Arbitrary<Value> = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom<Value[]>(null, true, false, 0, -1, 2 ** 53 - 1, -(2 ** 53 - 1), 0.1, 1e300, '', '\u0000', '𝒳é'),
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => (Object.is(number, -0) ? 0 : number)),
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc.uint8Array({ maxLength: 40 }),
    fc.array(tie('value'), { maxLength: 5 }),
    fc.dictionary(fc.oneof(awkwardNames, fc.string({ unit: 'binary', maxLength: 6 })), tie('value'), {
      maxKeys: 5,
      noNullPrototype: true,
    }),
  ),
})).value

/** A history in which later deltas negate earlier ones, negations included, and several entities are spoken about. */
export const histories: fc.Arbitrary<readonly Delta[]> = fc
  .array(
    fc.record({
      about: fc.array(
        fc.record({
          entity: fc.constantFrom('users/a', 'users/b', 'raw'),
          property: awkwardNames,
          context: awkwardNames,
        }),
        { maxLength: 3 },
      ),
      plain: fc.array(fc.record({ localContext: awkwardNames, target: values }), { maxLength: 2 }),
      negates: fc.array(fc.nat({ max: 11 }), { maxLength: 3 }),
      sameTime: fc.boolean(),
    }),
    { maxLength: 24 },
  )
  .map((drafts) => {
    const deltas: Delta[] = []
    for (const [index, draft] of drafts.entries()) {
      const pointers: Pointer[] = [
        ...draft.about.map(({ entity, property, context }) => ({
          localContext: context,
          target: entity,
          targetContext: property,
        })),
        ...draft.plain,
      ]
      for (const back of draft.negates) {
        const target = deltas[index - 1 - back]
        if (target !== undefined)
          pointers.push({ localContext: 'negates', target: target.id, targetContext: 'negated_by' })
      }
      deltas.push(deltaOf(index, pointers, draft.sameTime ? { time: { ms: 1_000, counter: 0 } } : {}))
    }
    return deltas
  })

/** Pointers as a delta may have them. */
export const pointerLists: fc.Arbitrary<readonly Pointer[]> = fc.array(
  fc.oneof(
    fc.record({
      localContext: names(),
      target: fc.string({ unit: 'binary', minLength: 1, maxLength: 60 }).filter((id) => !id.startsWith('./')),
      targetContext: names(),
    }),
    fc.record({ localContext: names(), target: values }),
  ),
  { minLength: 1, maxLength: 6 },
)

function names(): fc.Arbitrary<string> {
  return fc.oneof(awkwardNames, fc.string({ unit: 'binary', minLength: 1, maxLength: 20 }))
}
