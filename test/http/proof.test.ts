/** Proofs over HTTP: the text that `rhizome-node verify` takes, by the canonical path and by the shorthand. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { verifyProof } from '../../src/node/verify-proof.ts'
import { type Api, openApi } from './api.ts'

let api: Api
beforeAll(async () => {
  api = await openApi()
  await api.ask('PUT', '/api/user/alice', { body: { properties: { name: 'Alice', age: 3 } } })
})
afterAll(async () => {
  expect(api.errors).toEqual([])
  await api[Symbol.asyncDispose]()
})

describe.each(['/api/user/alice/proof', '/api/ns/users/entities/user%2Falice/proof'])('GET %s', (path) => {
  it('is a proof, byte for byte', async () => {
    const { status, headers, text } = await api.ask('GET', path)
    expect({ status, type: headers['content-type'] }).toEqual({ status: 200, type: 'application/json; charset=utf-8' })
    expect(verifyProof(text)).toMatchObject({
      entity: 'user/alice',
      creators: [{ id: api.node.peerId, claims: 2 }],
      completeness: { peer: api.node.peerId },
    })
  })

  it('is of one property, of a context and of a moment', async () => {
    expect(verifyProof((await api.ask('GET', `${path}?property=age`)).text).values).toHaveLength(1)
    await api.ask('PUT', '/api/contexts/nobody', { body: { negations: 'author' } })
    expect(verifyProof((await api.ask('GET', `${path}?context=nobody`)).text)).toMatchObject({ context: 'nobody' })
    const { json } = await api.ask('GET', '/api/ns/users/frontier')
    const { frontier } = json as { readonly frontier: string }
    expect(verifyProof((await api.ask('GET', `${path}?asOf=${frontier}`)).text)).toMatchObject({ asOf: frontier })
  })

  it.each([
    ['?property=height', 404, 'RZ_HTTP_NOT_FOUND'],
    ['?context=none', 404, 'RZ_CONTEXT_UNKNOWN'],
    ['?asOf=yesterday', 400, 'RZ_AS_OF_INVALID'],
    ['?of=x', 400, 'RZ_HTTP_INPUT'],
  ])('refuses %s', async (query, status, code) => {
    expect(await api.ask('GET', path + query)).toMatchObject({ status, json: { code } })
  })
})

it('of what nobody claimed there is none', async () => {
  expect(await api.ask('GET', '/api/user/bob/proof')).toMatchObject({
    status: 404,
    json: { code: 'RZ_HTTP_NOT_FOUND' },
  })
})

it('a collection whose name means something else is told the canonical path', async () => {
  expect(await api.ask('GET', '/api/peers/x/proof')).toMatchObject({
    status: 400,
    json: {
      code: 'RZ_HTTP_RESERVED',
      detail: expect.stringContaining('/api/ns/users/entities/peers%2Fx/proof') as string,
    },
  })
})

it('what is too large is told as such', async () => {
  const claims = Array.from({ length: 4_096 }, () => ({
    pointers: [{ localContext: 'x', target: 'big', targetContext: 'p' }],
  }))
  for (let n = 0; n < 2; n++) await api.ask('POST', '/api/deltas', { body: claims })
  expect(await api.ask('GET', '/api/ns/users/entities/big/proof')).toMatchObject({
    status: 422,
    json: { code: 'RZ_PROOF_TOO_LARGE' },
  })
})
