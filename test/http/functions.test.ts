/** Functions over HTTP: those at work are listed, and those that are records are written as any definition. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { until } from '../support/nodes.ts'
import { type Api, ask, openApi } from './api.ts'

let api: Api
beforeAll(async () => {
  api = await openApi()
})
afterAll(() => api[Symbol.asyncDispose]())
const call = async (method: string, path: string, body?: unknown) => {
  const { status, json } = await ask({ port: api.port }, method, path, body === undefined ? {} : { body })
  return { status, json }
}

it('functions at work are listed with cursor, lag and failures', async () => {
  const users = api.node.namespace('users')
  expect(await call('GET', '/api/functions')).toEqual({ status: 200, json: { functions: [] } })
  await using failing = users.on({ name: 'failing', attemptsMax: 1 }, () => {
    throw new Error('no')
  })
  const { deltas } = await users.put('user', 'a', { n: 1 })
  await until('it has failed', () => failing.status().failedCount === 1 && failing.status().lag === 0)
  const { json } = await call('GET', '/api/ns/users/functions')
  const failure = { delta: deltas[0], told: 'delta', code: 'RZ_FUNCTION_FAILED', message: 'no', attempts: 1 }
  expect(json).toEqual({
    functions: [
      {
        name: 'failing',
        state: 'running',
        cursor: expect.any(String) as unknown,
        lag: 0,
        handledCount: 0,
        emittedCount: 0,
        failedCount: 1,
        failures: [{ ...failure, atMs: expect.any(Number) as unknown }],
      },
    ],
  })
  const { cursor } = (json as { functions: { cursor: string }[] }).functions[0] ?? {}
  expect(await call('GET', `/api/deltas?after=${cursor}`)).toEqual({ status: 200, json: [] })
})

it('one that is a record is written, read and deleted', async () => {
  const definition = {
    when: { '==': [{ var: 'creator' }, 'x'] },
    emit: [{ collection: 'seen', id: { var: 'id' }, properties: { at: { var: 'time.ms' } } }],
    runsOn: [api.node.peerId],
  }
  const stored = { semantics: 1, ...definition }
  expect(await call('PUT', '/api/functions/f', definition)).toEqual({
    status: 201,
    json: { id: 'f', definition: stored },
  })
  expect(await call('GET', '/api/ns/users/functions/f')).toMatchObject({ status: 200, json: { definition: stored } })
  expect(await call('DELETE', '/api/functions/f')).toMatchObject({ status: 200 })
  expect(await call('PUT', '/api/functions/f', { when: true })).toMatchObject({
    status: 400,
    json: { code: 'RZ_DEFINITION_INVALID' },
  })
})
