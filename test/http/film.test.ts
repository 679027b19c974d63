/** Keanu as Neo in The Matrix, over HTTP: one delta with five pointers, read from the actor, the role and the film. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { KEANU_AS_NEO, SIDES } from '../support/film.ts'
import { type Api, openApi } from './api.ts'

const NS = '/api/ns/users'

let api: Api
let id: string
beforeAll(async () => {
  api = await openApi()
  const written = await api.ask('POST', `${NS}/deltas`, { body: { pointers: KEANU_AS_NEO } })
  expect(written.status).toBe(201)
  id = (written.json as { deltas: string[] }).deltas[0] ?? ''
})
afterAll(() => api[Symbol.asyncDispose]())

const get = (path: string) => api.ask('GET', `${NS}${path}`)

describe.each(SIDES)('from $id', ({ id: entity, property, localContext, value }) => {
  it(`it is one claim about "${property}", with its delta`, async () => {
    expect((await get(`/entities/${entity}/lossless`)).json).toMatchObject({
      id: entity,
      referencedAs: [localContext],
      properties: { [property]: [{ delta: id, value, standing: true, negatedBy: [] }] },
      deltas: { [id]: { id, creator: api.node.peerId, host: api.node.peerId, pointers: KEANU_AS_NEO } },
    })
  })

  it(`it is the value of "${property}"`, async () => {
    expect((await get(`/entities/${entity}`)).json).toEqual({ id: entity, properties: { [property]: value } })
  })
})

it('all three sides come at once, lossless and lossy', async () => {
  const ids = SIDES.map((side) => side.id)
  const query = ids.map((entity) => `id=${entity}`).join('&')
  expect((await get(`/entities?${query}`)).json).toEqual(
    SIDES.map((side) => ({ id: side.id, properties: { [side.property]: side.value } })),
  )
  expect((await get(`/lossless?${query}`)).json).toMatchObject(SIDES.map((side) => ({ id: side.id })))
})

it('is a row with a column for each pointer', async () => {
  const pointers = { actor: {}, role: {}, film: {}, base_salary: {}, salary_currency: {} }
  const { json } = await api.ask('POST', `${NS}/query`, { body: { pointers } })
  expect(json).toMatchObject({ rows: [{ actor: 'keanu', ...SIDES[0].value }] })
})

it('is gone from every side once it is negated', async () => {
  expect(await api.ask('DELETE', `${NS}/deltas/${id}`)).toMatchObject({ status: 200 })
  for (const { id: entity, property } of SIDES) {
    expect((await get(`/entities/${entity}`)).json).toMatchObject({ code: 'RZ_HTTP_NOT_FOUND' })
    expect((await get(`/entities/${entity}/lossless`)).json).toMatchObject({
      properties: { [property]: [{ standing: false }] },
    })
  }
})
