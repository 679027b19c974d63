/** Keanu as Neo in The Matrix, by the SDK: one delta with five pointers, read from the actor, the role and the film. */
import { beforeAll, expect, it } from 'vitest'

import { fromPointers, type Namespace, openNode } from '../../src/index.ts'
import { KEANU_AS_NEO, SIDES } from '../support/film.ts'

let films: Namespace
let id: string
beforeAll(async () => {
  const node = await openNode({ topics: ['films'], memory: true, network: false })
  films = node.namespace('films')
  id = (await films.append(KEANU_AS_NEO)).deltas[0] ?? ''
  return () => node.close()
})

it.each(SIDES)(
  'from $id it is one claim about "$property", with its delta',
  ({ id: entity, property, localContext, value }) => {
    expect(films.lossless(entity)).toMatchObject({
      id: entity,
      referencedAs: [localContext],
      properties: { [property]: [{ value, standing: true, negatedBy: [], delta: { id, pointers: KEANU_AS_NEO } }] },
    })
  },
)

it.each(SIDES)('from $id it is the value of "$property"', ({ id: entity, property, value }) => {
  expect(films.entity(entity)).toEqual({ id: entity, properties: { [property]: value } })
})

it('is a row with a column for each pointer', () => {
  const { rows } = films.query(fromPointers({ actor: {}, role: {}, film: {}, base_salary: {}, salary_currency: {} }))
  expect(rows).toMatchObject([{ actor: 'keanu', ...SIDES[0].value }])
})

it('each side is gone from the lossy views once it is negated, and told in the lossless ones', async () => {
  const { deltas } = await films.negate(id)
  for (const { id: entity, property } of SIDES) {
    expect(films.entity(entity)).toBeUndefined()
    expect(films.lossless(entity)).toMatchObject({
      properties: { [property]: [{ standing: false, negatedBy: [{ id: deltas[0], counted: true }] }] },
    })
  }
})
