/**
 * What can go wrong with rules, definitions, contexts, moments, queries and properties: the same code and the same words from
 * the SDK and over HTTP, and words that say what to do.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { type Namespace, RhizomeError, type ViewOptions } from '../../src/index.ts'
import { type Api, openApi } from './api.ts'

const NS = '/api/ns/users'
const many = Array.from({ length: 400 }, () => 1)
const ENDLESS = { map: [many, { map: [many, 1] }] }

let api: Api
let users: Namespace
beforeAll(async () => {
  api = await openApi()
  users = api.node.namespace('users')
  await users.put('book', 'sicp', { stars: 5, pages: 657 })
})
afterAll(() => api[Symbol.asyncDispose]())

interface Refusal {
  readonly what: string
  readonly code: string
  /** Of the message: what is wrong, and what to do. */
  readonly says: RegExp
  readonly sdk: () => unknown
  readonly http: readonly [method: string, path: string, body?: object]
}

const resolver = (rule: unknown) => ({ collection: 'book', property: 'stars', rule })
const view = (options: ViewOptions) => users.get('book', 'sicp', options)

const refusals: readonly Refusal[] = [
  ...(
    [
      ['a bad rule', { property: [1] }, 'RZ_RULE_INVALID', /"property" needs the name of a property, written as text$/],
      [
        'a rule of no JSON-Logic',
        undefined,
        'RZ_DEFINITION_INVALID',
        /"rule" is missing; view\/README\.md tells its form$/,
      ],
      [
        'a rule with an unknown operator',
        { frobnicate: 1 },
        'RZ_RULE_OPERATOR',
        /no operator "frobnicate"; the table is in/,
      ],
      [
        'a rule that is too large',
        Array.from({ length: 20_000 }, () => 1),
        'RZ_RULE_TOO_LARGE',
        /at most 16384 values: shorten it$/,
      ],
    ] as const
  ).map(([what, rule, code, says]): Refusal => {
    const definition = resolver(rule) as unknown as Parameters<Namespace['resolver']>[1]
    return {
      what,
      code,
      says,
      sdk: () => users.resolver('bad', definition),
      http: ['PUT', `${NS}/resolvers/bad`, resolver(rule)],
    }
  }),
  {
    what: 'a definition with an unknown field',
    code: 'RZ_DEFINITION_INVALID',
    says: /no field "filters"; its fields are filter, negations, resolvers, semantics; view\/README\.md tells its form$/,
    sdk: () => users.context('bad', { filters: 1 } as object),
    http: ['PUT', `${NS}/contexts/bad`, { filters: 1 }],
  },
  {
    what: 'an unknown context',
    code: 'RZ_CONTEXT_UNKNOWN',
    says: /no context "none" then: write one as the record context\/none, or pin one on this node$/,
    sdk: () => view({ context: 'none' }),
    http: ['GET', `${NS}/collections/book/entities/sicp?context=none`],
  },
  {
    what: 'no moment',
    code: 'RZ_AS_OF_INVALID',
    says: /a frontier as it was given out, or a time: 2026-11-20T18:00:00Z, or milliseconds/,
    sdk: () => view({ asOf: 'yesterday' }),
    http: ['GET', `${NS}/collections/book/entities/sicp?asOf=yesterday`],
  },
  ...(
    [
      [
        'a query of no operator',
        { sellect: {} },
        'RZ_QUERY_OPERATOR',
        /no operator among sellect; there are collection,/,
      ],
      ['a query of a wrong shape', { limit: 1 }, 'RZ_QUERY_INVALID', /; the grammar is in query\/README\.md$/],
      [
        'a query for an unknown property',
        { project: { collection: 'book', columns: ['id', 'stars'] }, columns: ['starz'] },
        'RZ_QUERY_COLUMN',
        /there is no column "starz"; there are id, stars$/,
      ],
      [
        'a cursor of another query',
        { limit: { collection: 'book' }, count: 1, after: 'eyJ9' },
        'RZ_QUERY_CURSOR',
        /take "after" from an answer to the same query, or leave it out$/,
      ],
      [
        'a rule that is out of gas in a query',
        { select: { collection: 'book' }, where: ENDLESS },
        'RZ_RULE_GAS',
        /: make it simpler, or let it look at less$/,
      ],
    ] as const
  ).map(([what, query, code, says]): Refusal => ({
    what,
    code,
    says,
    sdk: () => users.query(query as never),
    http: ['POST', `${NS}/query`, query],
  })),
]

describe.each(refusals)('$what', ({ code, says, sdk, http }) => {
  it(`is ${code} with the same words from the SDK and over HTTP`, async () => {
    const error = await Promise.try(sdk).then(
      () => undefined,
      (reason: unknown) => reason,
    )
    if (!(error instanceof RhizomeError)) throw new Error('it was not refused', { cause: error })
    expect(error.code).toBe(code)
    expect(error.message).toMatch(says)
    const [method, path, body] = http
    const answer = await api.ask(method, path, body === undefined ? {} : { body })
    expect(answer.status).toBeGreaterThanOrEqual(400)
    expect(answer.status).toBeLessThan(500)
    expect(answer.json).toMatchObject({ code, detail: error.message })
  })
})

describe('a property', () => {
  const errorOf = async (property: string) => {
    const sdk = users.get('book', 'sicp')?.errors?.[property]
    const { json } = await api.ask('GET', `${NS}/collections/book/entities/sicp`)
    expect((json as { errors?: Record<string, unknown> }).errors?.[property]).toEqual(sdk)
    return sdk
  }

  it('whose rule is out of gas says so in its place, and harms no other', async () => {
    await users.resolver('r', resolver(ENDLESS) as Parameters<Namespace['resolver']>[1])
    expect(await errorOf('stars')).toEqual({
      code: 'RZ_RULE_GAS',
      message: expect.stringMatching(
        /^the rule needs more than \d+ gas: make it simpler, or let it look at less$/,
      ) as string,
    })
    expect(users.get('book', 'sicp')?.properties).toEqual({ pages: 657 })
    await users.delete('resolver', 'r')
  })

  it('whose rule goes in circles names all that take part', async () => {
    for (const [property, other] of [
      ['stars', 'pages'],
      ['pages', 'stars'],
    ] as const) {
      await users.resolver(property, { collection: 'book', property, rule: { property: [other] } })
    }
    const cycle = {
      code: 'RZ_RULE_CYCLE',
      message: 'the rules of "pages", "stars" read one another: let one of them not',
    }
    expect(await errorOf('stars')).toEqual(cycle)
    expect(await errorOf('pages')).toEqual(cycle)
    for (const property of ['stars', 'pages']) await users.delete('resolver', property)
  })

  it('that nobody spoke of is undefined to the SDK, and over HTTP says where the others are', async () => {
    expect(users.explain('book', 'sicp', 'starz')).toBeUndefined()
    expect(await api.ask('GET', `${NS}/collections/book/entities/sicp/explain/starz`)).toMatchObject({
      status: 404,
      json: {
        code: 'RZ_HTTP_NOT_FOUND',
        detail: 'nothing is held about "starz" of book/sicp: its GET lists the properties that it has',
      },
    })
  })
})
