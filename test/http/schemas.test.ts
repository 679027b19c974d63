/** Schemas over HTTP: writing one, what it refuses, what breaks it all the same, and references that are shown. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { type Api, openApi } from './api.ts'

let api: Api
beforeAll(async () => {
  api = await openApi()
})
afterAll(async () => {
  expect(api.errors).toEqual([])
  await api[Symbol.asyncDispose]()
})

const put = (path: string, properties: unknown) => api.ask('PUT', path, { body: { properties } })
const get = (path: string) => api.ask('GET', path)

describe.each(['/api', '/api/ns/users'])('a schema at %s/schemas', (scope) => {
  const collection = `s${scope.length}`
  const path = `${scope}/schemas/${collection}`
  const schema = {
    type: 'object',
    properties: { age: { type: 'integer' } },
    required: ['age'],
    additionalProperties: false,
  }

  it('is written, read, refuses what breaks it with 422, and is gone after DELETE', async () => {
    expect(await api.ask('PUT', path, { body: { collection, schema } })).toMatchObject({
      status: 201,
      json: { id: collection, definition: { collection, schema, semantics: 1 } },
    })
    expect((await get(path)).json).toMatchObject({ definition: { schema } })
    expect(await put(`/api/${collection}/a`, { age: 'x' })).toMatchObject({
      status: 422,
      json: {
        code: 'RZ_SCHEMA_VIOLATION',
        detail: expect.stringContaining('/age is to be a whole number, and is a text'),
      },
    })
    expect(await put(`/api/${collection}/a`, { age: 1, zip: 2 })).toMatchObject({
      status: 422,
      json: { code: 'RZ_SCHEMA_PROPERTY' },
    })
    expect(await put(`/api/${collection}/a`, { age: 1 })).toMatchObject({ status: 201 })
    expect(await api.ask('DELETE', path)).toMatchObject({ status: 200 })
    expect(await put(`/api/${collection}/a`, { age: 'x' })).toMatchObject({ status: 200 })
    expect(await get(path)).toMatchObject({ status: 404 })
  })

  it.each([
    ['no JSON Schema', { collection, schema: { type: 'text' } }, 400, 'RZ_SCHEMA_INVALID'],
    ['one that leads elsewhere', { collection, schema: { $ref: 'http://e.org/' } }, 400, 'RZ_SCHEMA_REF'],
    ['a slow pattern', { collection, schema: { pattern: '(a)\\1' } }, 400, 'RZ_SCHEMA_PATTERN'],
    [
      'one too large',
      { collection, schema: { enum: Array.from({ length: 17_000 }, () => 0) } },
      400,
      'RZ_SCHEMA_TOO_LARGE',
    ],
    ['no schema', { collection }, 400, 'RZ_DEFINITION_INVALID'],
    ['a list', [], 400, 'RZ_HTTP_INPUT'],
  ])('is refused as %s', async (_, body, status, code) => {
    expect(await api.ask('PUT', `${path}x`, { body })).toMatchObject({ status, json: { code } })
  })
})

describe('an import', () => {
  it('leaves out the lines that break the schema, and names them', async () => {
    await api.ask('PUT', '/api/schemas/imported', { body: { collection: 'imported', schema: { required: ['n'] } } })
    const lines = [
      '{"id":"a","properties":{"n":1}}',
      '{"id":"b","properties":{"m":1}}',
      '{"id":"c","properties":{"n":2}}',
    ]
    const answer = await api.ask('POST', '/api/ns/users/collections/imported/import', {
      headers: { 'content-type': 'application/x-ndjson' },
      body: lines.join('\n'),
    })
    expect(answer).toMatchObject({
      status: 200,
      json: { records: 2, failedCount: 1, failed: [{ line: 2, code: 'RZ_SCHEMA_VIOLATION' }] },
    })
  })
})

describe('GET …/violations', () => {
  it('lists records that raw deltas broke, by page, with the deltas at fault', async () => {
    await api.ask('PUT', '/api/schemas/v', {
      body: { collection: 'v', schema: { properties: { n: { type: 'number' } } } },
    })
    const ids: string[] = []
    for (const id of ['a', 'b', 'c']) {
      const pointers = [
        { localContext: 'v', target: `v/${id}`, targetContext: 'n' },
        { localContext: 'n', target: 'x' },
      ]
      const { json } = await api.ask('POST', '/api/deltas', { body: { pointers } })
      ids.push((json as { deltas: string[] }).deltas[0] ?? '')
    }
    const first = await get('/api/ns/users/violations?collection=v&limit=2')
    expect(first).toMatchObject({
      status: 200,
      headers: { link: '</api/ns/users/violations?collection=v&limit=2&after=v%2Fb>; rel="next"' },
      json: {
        violations: [
          {
            collection: 'v',
            id: 'a',
            version: 1,
            faults: [
              {
                path: '/n',
                keyword: 'type',
                code: 'RZ_SCHEMA_VIOLATION',
                message: 'is to be a number, and is a text',
                deltas: [{ id: ids[0], creator: expect.any(String) }],
              },
            ],
          },
          { id: 'b' },
        ],
      },
    })
    const { next } = first.json as { next: string }
    const second = await get(next)
    expect(second.json).toMatchObject({ violations: [{ id: 'c' }] })
    expect(second.json).not.toHaveProperty('next')
    expect((await get('/api/ns/users/violations?collection=none')).json).toEqual({ violations: [] })
    expect(await get('/api/ns/users/violations?limit=0')).toMatchObject({
      status: 400,
      json: { code: 'RZ_HTTP_INPUT' },
    })
    expect(await get('/api/ns/nowhere/violations')).toMatchObject({ status: 404 })
  })
})

describe('?expand=', () => {
  it('shows the records that are referred to, and what cannot be shown', async () => {
    const definition = { collection: 'city', schema: true, references: { in: 'land', twins: 'city' } }
    await api.ask('PUT', '/api/schemas/city', { body: definition })
    await put('/api/land/pt', { name: 'Portugal', odd: { $$ref: 'x', as: 'y' } })
    await put('/api/city/lisbon', { in: { $ref: 'land/pt', as: 'cities' }, twins: ['lisbon', 'rio'] })
    expect((await get('/api/city/lisbon')).json).not.toHaveProperty('references')
    expect((await get('/api/city/lisbon?expand=1')).json).toMatchObject({
      id: 'lisbon',
      properties: { in: 'land/pt', twins: ['lisbon', 'rio'] },
      references: {
        in: { collection: 'land', id: 'pt', properties: { name: 'Portugal', odd: { $$ref: 'x', as: 'y' } } },
        twins: [
          { collection: 'city', id: 'lisbon', error: { code: 'RZ_REFERENCE_CYCLE' } },
          { collection: 'city', id: 'rio', error: { code: 'RZ_REFERENCE_MISSING' } },
        ],
      },
    })
    for (const expand of ['-1', '9', 'x', '1.5']) {
      expect(await get(`/api/city/lisbon?expand=${expand}`)).toMatchObject({
        status: 400,
        json: { code: 'RZ_HTTP_INPUT' },
      })
    }
  })
})
